"""What the statements about conferences mean, from the side of the leg that runs them.

A leg's run knows that it is in a conference, and no more: the conference has a run of its own, and
`effects.JoinConference` and its kin put events into that run's inbox, as its answers come to ours.
"""

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.closing import closed, rebound
from ringful.interpreter.evaluate import text_of, url_of
from ringful.interpreter.leg import Leg, Membership
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.strand import Failed, Signal


def create(run_on: Scope, statement: nodes.Conference) -> None:
    """Make a conference, and bind its ID."""
    run, names = run_on.run, run_on.names
    moderator = text_of(statement.moderator, names) if statement.moderator else None
    notify = url_of(statement.notify, names)
    plan = events.Plan(moderator, statement.waiting, notify, holder=run.call_id)
    conference = f"{run.call_id}.{statement.name}"
    while conference in run.conferences or conference in run.legs:
        conference += "-2"
    run.conferences.append(conference)
    names[statement.name] = conference
    run.perform(effects.OpenConference(conference, plan))


async def join(run_on: Scope, statement: nodes.Join) -> None:
    """Put this leg into a conference and, unless it was started, wait until it leaves."""
    leg, run = run_on.need_leg(), run_on.run
    if leg.membership:
        raise Failed(f"this leg is in the conference {leg.membership.conference}: `leave` it first")
    if leg.connection:
        raise Failed("this leg is connected with another one: it can join when that is over")
    conference = text_of(statement.conference, run_on.names)
    leg.membership = membership = Membership(conference, url_of(statement.notify, run_on.names))
    run.perform(
        effects.JoinConference(leg.name, conference, leg.number, statement.moderator, statement.muted)
    )
    if statement.background:
        return
    try:
        left = await run_on.wait(lambda s: _is_end(s, leg, membership))
    finally:
        if leg.membership is membership and not leg.closing:
            run.perform(effects.LeaveConference(leg.name, membership.reference, "left"))
    if isinstance(left, events.Left) and not membership.joined:
        raise Failed(left.detail or left.why)


async def leave(run_on: Scope, statement: nodes.Leave) -> None:
    """Take this leg out of a conference."""
    leg, conference = run_on.need_leg(), text_of(statement.conference, run_on.names)
    membership = leg.membership
    if membership is None or not membership.goes_by(conference):
        raise Failed("this leg is not in that conference")
    run_on.run.perform(effects.LeaveConference(leg.name, membership.reference, "left"))
    await run_on.wait(lambda s: _is_end(s, leg, membership))


def _is_end(signal: Signal, leg: Leg, membership: Membership) -> bool:
    return (
        isinstance(signal, events.Left)
        and signal.leg == leg.name
        and membership.is_of(signal.conference, signal.name)
    )


def queue(run_on: Scope, statement: nodes.In) -> None:
    """Queue the statements of the block on the conference itself, with what the names say now."""
    conference = text_of(statement.conference, run_on.names)
    inner = rebound(statement.block)
    names = {name: value for name, value in run_on.names.items() if name not in inner}
    for one in statement.block.statements:
        run_on.run.perform(effects.QueueOn(conference, closed(one, names)))


# What the conference answers


def hear_conference(run: Running, leg: Leg, event: events.Joined | events.Left) -> None:
    """Take what a conference says to *leg*."""
    membership = leg.membership
    if membership is None or not membership.is_of(event.conference, event.name):
        return
    if isinstance(event, events.Joined):
        membership.joined, membership.id = True, event.conference
        if music := leg.background_playback:
            # What was to shorten the wait would only disturb now.
            run.perform(effects.StopPlayback(leg.name, music))
        _tell(run, leg, membership, "ConfCallJoined")
        run.signal(event)
        return
    _leave(run, leg, membership, event.why, event.detail)
    # Everyone who waits for it may go on: a `join`, and the `leave` of a handler beside it.
    while run.signal(event):
        pass
    if event.hang_up:
        run.close(leg, event.why)


def _leave(run: Running, leg: Leg, membership: Membership, why: str, detail: str = "") -> None:
    leg.membership = None
    if membership.joined:
        leg.last_conference = membership.reference
    action = "ConfCallLeft" if membership.joined else "JoinFailed"
    more = {"detail": detail} if detail else {}
    _tell(run, leg, membership, action, reason=why, **more)


def _tell(run: Running, leg: Leg, membership: Membership, action: str, **fields: str) -> None:
    run.tell(
        membership.notify,
        action,
        leg.name,
        confCallId=membership.reference,
        participantCallId=leg.name,
        **fields,
    )


def leave_now(run: Running, leg: Leg, conference: str) -> None:
    """Take *leg* out of *conference* (empty: of the one that it is in), if it is there."""
    if (membership := leg.membership) and membership.goes_by(conference or membership.conference):
        run.perform(effects.LeaveConference(leg.name, membership.reference, "left"))


def leave_by_end(run: Running, leg: Leg) -> None:
    """Tell the conference of *leg*, if it is in one, that the leg is over."""
    if membership := leg.membership:
        run.perform(effects.LeaveConference(leg.name, membership.reference, "hangup"))
        _leave(run, leg, membership, "hangup")


def pass_tone(run: Running, leg: Leg, tone: str) -> bool:
    """Let the conference of *leg* know of *tone*; say whether it is in one."""
    if leg.membership is None or not leg.membership.joined:
        return False
    run.perform(effects.PassTone(leg.name, leg.membership.reference, tone))
    return True
