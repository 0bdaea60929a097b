"""A conference, from its own side: who is in it, and when it begins and ends.

A conference is a run like a call's, with an inbox, a journal and a queue; its subject is the room,
which is a leg that nobody rings.  Legs come from other runs, and never touch it: their runs and
this one put events into one another's inboxes, through their doors.
"""

from typing import assert_never

from attrs import evolve

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.conference import Conference
from ringful.interpreter.leg import Leg
from ringful.interpreter.running import Running
from ringful.interpreter.statements.control import flows_of
from ringful.media import port


def started_by(maker: Running, plan: events.Plan) -> events.Started:
    """Give the beginning of a conference that *maker* makes: it stays, and knows the maker's flows."""
    flows = flows_of(maker).values()
    return events.Started(nodes.Script(nodes.Block((*flows, nodes.Stay()))), plan=plan)


def begin(run: Running, plan: events.Plan) -> Leg:
    """Make the room of the conference that *run* is."""
    room = Leg(run.call_id, plan.moderator or "", room=True, notify=plan.notify)
    room.state = "ringing"
    run.legs[room.name] = room
    run.conference = Conference(plan)
    run.perform(effects.OpenRoom(room.name))
    return room


def hear_member(run: Running, event: events.MemberEvent) -> None:
    """Take an event that another run sent."""
    conference, room = run.conference, run.subject
    assert conference
    assert room
    match event:
        case events.MemberCame():
            _came(run, conference, room, event)
        case events.MemberWent(leg, why):
            _went(run, conference, room, leg, why)
        case events.MemberPressed(leg, tone):
            room.presser = leg
            run.hear(port.TonePressed(room.name, tone))
        case events.Released():
            conference.released = True
            _end_if_empty(run, conference, room)
        case _:
            assert_never(event)


def _came(run: Running, conference: Conference, room: Leg, member: events.MemberCame) -> None:
    member = evolve(member, moderator=member.moderator or _is_moderator(conference.plan, member))
    if room.closing:
        run.perform(effects.Dismiss(member.call, member.leg, "the conference has ended"))
    elif len(conference.members) + len(conference.pending) >= run.settings.conference_size:
        run.perform(effects.Dismiss(member.call, member.leg, "the conference is full"))
    elif conference.plan.waiting and member.moderator and not conference.members:
        conference.pending[member.leg] = member
    else:
        _admit(run, conference, room, member)
        if not member.moderator:
            for waiting in list(conference.pending.values()):
                del conference.pending[waiting.leg]
                _admit(run, conference, room, waiting)


def _is_moderator(plan: events.Plan, member: events.MemberCame) -> bool:
    return plan.moderator is not None and _plain(plan.moderator) == _plain(member.number)


def _plain(number: str) -> str:
    return number.removeprefix("+").translate(str.maketrans("", "", " -()"))


def _admit(run: Running, conference: Conference, room: Leg, member: events.MemberCame) -> None:
    conference.members[member.leg] = member
    run.perform(effects.Admit(member.call, member.leg, member.muted))
    if not conference.begun:
        conference.begun = True
        room.answered_at = run.now
        run.tell(room.notify, "ConfCallStarted", room.name, confCallId=room.name)


def _went(run: Running, conference: Conference, room: Leg, leg: str, why: str) -> None:
    member = conference.members.pop(leg, None) or conference.pending.pop(leg, None)
    if member is None:
        return  # It was dismissed in the meantime.
    if why != "hangup":
        run.perform(effects.Dismiss(member.call, leg, why))
    if member.moderator:
        run.close(room, "moderator left")
    else:
        _end_if_empty(run, conference, room)


def _end_if_empty(run: Running, conference: Conference, room: Leg) -> None:
    if conference.released and not conference.members and not conference.pending:
        run.close(room, "empty")


def dismiss_all(run: Running, why: str, *, hang_up: bool) -> None:
    """Let everybody go, since the conference ends."""
    conference = run.conference
    assert conference
    everybody = [*conference.members.values(), *conference.pending.values()]
    conference.members.clear()
    conference.pending.clear()
    for member in everybody:
        run.perform(effects.Dismiss(member.call, member.leg, why, hang_up=hang_up))
