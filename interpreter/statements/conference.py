"""What the statements about conferences mean, from the side of the leg that runs them.

A leg's run knows that it is in a conference, and no more: the conference has a run of its own, and
`effects.JoinConference` and its kin put events into that run's inbox, as its answers come to ours.
"""

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.closing import closed, rebound
from ringful.interpreter.conference import bad_name, is_name, same_number, word_of
from ringful.interpreter.evaluate import Fault, count_of, seconds_of, text_of, url_of
from ringful.interpreter.leg import Leg, MemberHandler, Membership
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.statements.outcome import lasted, outcome
from ringful.interpreter.statements.sound import stop_background
from ringful.interpreter.strand import Failed, Signal


def create(run_on: Scope, statement: nodes.Conference) -> None:
    """Make a conference, or find the one that has the name, and bind its ID."""
    run, names = run_on.run, run_on.names
    named = text_of(statement.named, names) if statement.named else ""
    if statement.named and (wrong := bad_name(named)):
        raise Fault(f"no conference can be named {named!r}: {wrong}", statement.named.span)
    plan = events.Plan(
        text_of(statement.moderator, names) if statement.moderator else None,
        statement.waiting,
        url_of(statement.notify, names),
        named,
        count_of(statement.size, names, 1) if statement.size else None,
        statement.speaking,
        run.call_id,
    )
    new_id = run.new_id(statement.name)
    conference = named or new_id
    run.conferences[conference] = plan.moderator
    names[statement.name] = conference
    run.perform(effects.OpenConference(conference, plan, new_id))


async def join(run_on: Scope, statement: nodes.Join) -> None:
    """Put this leg into a conference and, unless it was started, wait until it leaves."""
    leg, run, names = run_on.need_leg(), run_on.run, run_on.names
    conference = text_of(statement.conference, names)
    membership = Membership(conference, url_of(statement.notify, names), name=statement.name, names=names)
    membership.bind(outcome(None))
    if hindrance := _hindrance(leg, conference):
        _end(run, leg, membership, *hindrance)
        _let_go(run, statement, conference, hindrance[0])
        raise Failed(hindrance[1])
    within = seconds_of(statement.within, names) if statement.within else None
    limit = seconds_of(statement.limit, names) if statement.limit else None
    asking = _asking(run_on, leg, statement, conference)
    leg.membership = membership
    run.perform(asking)
    if within is not None:
        membership.timers.append(run.set_timer(within, lambda: _give_up(run, leg, membership)))
    if limit is not None:
        membership.timers.append(run.set_timer(limit, lambda: _ask_out(run, leg, membership, "limit")))
    _wait_for_nobody(run, leg)
    if statement.background:
        return
    left: Signal | None = None
    try:
        left = await run_on.wait(lambda s: _is_end(s, leg, membership))
    finally:
        if left is None and not leg.closing:
            _ask_out(run, leg, membership, "left")
    if isinstance(left, events.Left) and not membership.joined:
        raise Failed(left.detail or left.why)


def _asking(run_on: Scope, leg: Leg, statement: nodes.Join, conference: str) -> effects.JoinConference:
    """Give what asks *conference* to let *leg* in as *statement* says."""
    return effects.JoinConference(
        leg.name,
        conference,
        leg.number,
        statement.moderator,
        statement.muted,
        statement.deaf,
        statement.waiting,
        count_of(statement.size, run_on.names, 1) if statement.size else None,
        statement.alone,
        run_on.run.new_id(word_of(conference)) if is_name(conference) else "",
        text_of(statement.coaching, run_on.names) if statement.coaching else "",
    )


def _let_go(run: Running, statement: nodes.Join, conference: str, why: str) -> None:
    """Hold *conference* no longer where its moderator cannot join it, and nobody will try again.

    A script may; what a client has queued is done once, and what `StartConf` opened would wait for ever.
    """
    if statement.moderator and any(task.statement is statement for task in run.tasks):
        run.perform(effects.ReleaseConference(conference, f"moderator {why}"))


def _hindrance(leg: Leg, conference: str) -> tuple[str, str] | None:
    """Say why *leg* cannot ask to be in *conference*: a stable word, and a text for a person."""
    if leg.membership:
        return "engaged", f"this leg is in the conference {leg.membership.conference}: `leave` it first"
    if leg.connection:
        return "engaged", "this leg is connected with another one: it can join when that is over"
    if is_name(conference) and (wrong := bad_name(conference)):
        return "unknown", f"no conference can be named {conference!r}: {wrong}"
    return None


def _give_up(run: Running, leg: Leg, membership: Membership) -> None:
    if not membership.joined:
        _ask_out(run, leg, membership, "nobody")


def nobody_left(run: Running, ended: Leg) -> None:
    """Have whoever placed the leg that *ended* wait for nobody, where it was the last one."""
    if placer := run.legs.get(ended.placed_by or ""):
        _wait_for_nobody(run, placer)


def _wait_for_nobody(run: Running, leg: Leg) -> None:
    """Give up waiting outside a conference of this run, where all that *leg* placed is over."""
    membership = leg.membership
    placed = [other for other in run.legs.values() if other.placed_by == leg.name]
    if (
        membership
        and not is_name(membership.conference)
        and membership.conference in run.conferences
        and placed
        and all(other.state == "over" for other in placed)
    ):
        _give_up(run, leg, membership)


def _ask_out(run: Running, leg: Leg, membership: Membership, why: str) -> None:
    """Have *leg* leave; that it has comes as `Left`."""
    if leg.membership is membership:
        run.perform(effects.LeaveConference(leg.name, membership.reference, why))


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
        and leg.membership is not membership
        and membership.is_of(signal.conference, signal.name)
    )


def queue(run_on: Scope, statement: nodes.In) -> None:
    """Queue the statements of the block on the conference itself, with what the names say now."""
    conference = text_of(statement.conference, run_on.names)
    inner = rebound(statement.block)
    names = {name: value for name, value in run_on.names.items() if name not in inner}
    for one in statement.block.statements:
        run_on.run.perform(effects.QueueOn(conference, closed(one, names)))


def end(run_on: Scope, statement: nodes.End) -> None:
    """End a conference, and nobody's call."""
    run_on.run.perform(effects.EndConference(text_of(statement.conference, run_on.names)))


def change(run_on: Scope, statement: nodes.Members) -> None:
    """Do something to who is in a conference: one, or all others."""
    conference = text_of(statement.conference, run_on.names)
    who = text_of(statement.who, run_on.names) if statement.who else None
    by = run_on.leg.name if run_on.leg else ""
    run_on.run.perform(effects.ChangeMembers(conference, statement.change, who, by))


def coach(run_on: Scope, statement: nodes.Coach) -> None:
    """Have this leg heard by one member of a conference alone, or by all others again."""
    leg, names = run_on.need_leg(), run_on.names
    conference = text_of(statement.conference, names)
    who = text_of(statement.who, names) if statement.who else None
    run_on.run.perform(effects.ChangeMembers(conference, "coach", who, leg.name))


def on_member(run_on: Scope, statement: nodes.OnMember) -> None:
    """Have a block run whenever a member comes, goes, or speaks.

    What says the same is one: the scripts that find a conference by its name all say what is in force in it.
    """
    leg = run_on.need_leg()
    if not leg.room:
        raise Fault(f"`on {statement.event}` is for a conference", statement.span)
    for known in leg.member_handlers:
        if (known.event, known.name, known.block) == (statement.event, statement.name, statement.block):
            return
    handler = MemberHandler(statement.event, statement.name, statement.block, dict(run_on.names))
    leg.member_handlers.append(handler)


# What the conference answers


def hear_conference(run: Running, leg: Leg, event: events.Joined | events.Left) -> None:
    """Take what a conference says to *leg*."""
    membership = leg.membership
    if membership is None or not membership.is_of(event.conference, event.name):
        return
    if isinstance(event, events.Joined):
        membership.joined, membership.id, membership.called = True, event.conference, event.name
        membership.since = run.now
        stop_background(run, leg)  # What was to shorten the wait would only disturb now.
        _tell(run, leg, membership, "ConfCallJoined")
        run.signal(event)
        return
    membership.id = event.conference
    _end(run, leg, membership, event.why, event.detail)
    if event.hang_up:
        run.close(leg, "kicked" if event.why == "kicked" else "the conference has ended")
    # Everyone who waits for it may go on: a `join`, and the `leave` of a handler beside it.  Each does so
    # once: what joins again next waits for another end.
    run.announce(event)


def _end(run: Running, leg: Leg, membership: Membership, why: str, detail: str = "") -> None:
    """End a membership, or an attempt at one: bind and tell why."""
    if leg.membership is membership:
        leg.membership = None
    for timer in membership.timers:
        run.cancel_timer(timer)
    membership.bind(outcome(why, lasted(membership.since, run.now)))
    if membership.joined:
        leg.note_conference(membership.reference)
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
        # One that is lost may sit in its room still: a conference lets go of whoever does not hang up.
        why = "lost" if leg.ended_by == "lost" else "hangup"
        run.perform(effects.LeaveConference(leg.name, membership.reference, why))
        _end(run, leg, membership, why)


def unreached_moderator(run: Running, moderator: str | None) -> str:
    """Say what came of calling *moderator*, where the conference has one who could not be reached."""
    for leg in run.legs.values():
        if moderator and leg.refused and same_number(moderator, leg.number):
            return f"moderator {leg.refused}"
    return ""


def pass_tone(run: Running, leg: Leg, tone: str) -> bool:
    """Let the conference of *leg* know of *tone*; say whether it is in one."""
    if leg.membership is None or not leg.membership.joined:
        return False
    run.perform(effects.PassTone(leg.name, leg.membership.reference, tone))
    return True
