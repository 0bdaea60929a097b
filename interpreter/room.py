"""A conference, from its own side: who is in it, and when it begins and ends.

A conference is a run like a call's, with an inbox, a journal and a queue; its subject is the room,
which is a leg that nobody rings.  Legs come from other runs, and never touch it: their runs and
this one put events into one another's inboxes, through their doors.
"""

from typing import assert_never

from attrs import evolve

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.conference import Conference, same_number
from ringful.interpreter.executor import Executor
from ringful.interpreter.leg import Handling, Leg
from ringful.interpreter.running import Running
from ringful.interpreter.statements.control import flows_of
from ringful.interpreter.statements.interrupting import handle
from ringful.interpreter.values import Value
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
    if plan.holder:
        run.conference.holders.add(plan.holder)
    run.perform(effects.OpenRoom(room.name, plan.speaking))
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
        case events.MembersChange():
            _change(run, conference, room, event)
        case events.EndWanted():
            run.close(room, "script")
        case events.Held(call):
            conference.holders.add(call)
        case events.Released(call, why):
            if call in conference.holders:
                conference.holders.discard(call)
                conference.released = why
            _end_if_empty(run, conference, room)
        case _:
            assert_never(event)


# Coming


def _came(run: Running, conference: Conference, room: Leg, member: events.MemberCame) -> None:
    member = evolve(member, moderator=member.moderator or _is_moderator(conference, member))
    if room.closing:
        _dismiss(run, member, "ended", "the conference has ended")
    elif len(conference.members) + len(conference.pending) >= _most(run, conference, member):
        _dismiss(run, member, "full", "the conference is full")
        _end_if_empty(run, conference, room)
    elif room.state == "ringing" or _must_wait(conference, member):
        conference.pending[member.leg] = member
    else:
        _admit(run, conference, room, member)
        _admit_waiting(run, conference, room)


def opened(run: Running, room: Leg) -> None:
    """Let in who came before the room was there."""
    conference = run.conference
    assert conference
    early = list(conference.pending.values())
    conference.pending.clear()
    for member in early:
        _came(run, conference, room, member)


def _is_moderator(conference: Conference, member: events.MemberCame) -> bool:
    """Say whether *member* has the moderator's number, and nobody leads yet: one of its lines is enough."""
    number = conference.plan.moderator
    if number is None or not same_number(number, member.number):
        return False
    return not any(one.moderator for one in conference.everybody)


def _most(run: Running, conference: Conference, member: events.MemberCame) -> int:
    limits = run.settings.conference_size, conference.plan.most, member.most
    return min(one for one in limits if one is not None)


def _must_wait(conference: Conference, member: events.MemberCame) -> bool:
    """Say whether *member* stays outside: who leads may wait for others, and others for who leads."""
    if member.moderator:
        return conference.plan.waiting and all(one.alone or one is member for one in conference.everybody)
    comes = not member.alone and any(one.moderator for one in conference.pending.values())
    return member.waiting and not conference.members and not comes


def _admit(run: Running, conference: Conference, room: Leg, member: events.MemberCame) -> None:
    conference.members[member.leg] = member
    conference.led = conference.led or member.moderator
    heard_by = _hearer(conference, member)
    run.perform(effects.Admit(member.call, member.leg, member.muted, member.deaf, heard_by))
    _see_to_coaches(run, conference)
    run.announce(member)  # Its queue goes on while somebody is in.
    if not conference.begun:
        conference.begun = True
        room.answered_at = run.now
        run.tell(room.notify, "ConfCallStarted", room.name, confCallId=room.name)
    _occur(run, room, "join", member)


def _admit_waiting(run: Running, conference: Conference, room: Leg) -> None:
    """Let in who waits outside, since somebody is in: all but a moderator whom nobody brings in."""
    for member in list(conference.pending.values()):
        if not _must_wait(conference, member):
            del conference.pending[member.leg]
            _admit(run, conference, room, member)


# Going


def _went(run: Running, conference: Conference, room: Leg, leg: str, why: str) -> None:
    if why == "nobody" and leg in conference.members:
        return  # It has been let in in the meantime.
    member = conference.members.pop(leg, None) or conference.pending.pop(leg, None)
    if member is None:
        return  # It was dismissed in the meantime.
    if why != "hangup":
        run.perform(effects.Dismiss(member.call, leg, why))
    _without(run, conference, room, member, why)


def _without(run: Running, conference: Conference, room: Leg, member: events.MemberCame, why: str) -> None:
    """Go on without *member*, who has gone, or end."""
    conference.heard_by.pop(member.leg, None)
    _see_to_coaches(run, conference)
    _occur(run, room, "leave", member, reason=why)
    if member.moderator:
        run.close(room, "nobody came" if why == "nobody" else "moderator left")
    else:
        _end_if_empty(run, conference, room)


def _end_if_empty(run: Running, conference: Conference, room: Leg) -> None:
    if not conference.holders and not conference.members and not conference.pending:
        without = conference.released or "moderator never joined"
        run.close(room, without if conference.plan.moderator and not conference.led else "empty")


def _dismiss(
    run: Running, member: events.MemberCame, why: str, detail: str = "", *, hang_up: bool = False
) -> None:
    run.perform(effects.Dismiss(member.call, member.leg, why, hang_up, detail))


def dismiss_all(run: Running, room: Leg) -> None:
    """Let everybody go, since the conference ends: whoever ended it from outside ends its legs too."""
    conference = run.conference
    assert conference
    everybody = conference.everybody
    conference.members.clear()
    conference.pending.clear()
    why = "lost" if room.ended_by == "lost" else "capacity" if room.refused else "ended"
    for member in everybody:
        _dismiss(run, member, why, end_of(room), hang_up=room.closing == "api")


def end_of(room: Leg) -> str:
    """Say why the conference of *room* ended."""
    return "lost" if room.ended_by == "lost" else room.refused or room.closing or "script"


# What is done to members


def _change(run: Running, conference: Conference, room: Leg, event: events.MembersChange) -> None:
    if event.change == "coach":
        _coach(run, conference, room, event)
        return
    some = [one for one in conference.everybody if _is_meant(one, event)]
    if not some and event.who is not None and event.call:
        run.perform(effects.NotReach(event.call, f"{event.who} is not in the conference {room.name}"))
    for member in some:
        if event.change in ("kick", "hangup"):
            inside = conference.members if member.leg in conference.members else conference.pending
            del inside[member.leg]
            _dismiss(run, member, "kicked", hang_up=event.change == "hangup")
            _without(run, conference, room, member, "kicked")
            if room.closing:
                return
        else:
            _adjust(run, conference, member, event.change)


def _is_meant(member: events.MemberCame, event: events.MembersChange) -> bool:
    if event.who is None:
        return member.leg != event.by
    return _is_one(member, event.who)


def _is_one(member: events.MemberCame, who: str) -> bool:
    return who == member.leg or same_number(who, member.number)


def _adjust(run: Running, conference: Conference, member: events.MemberCame, change: events.Change) -> None:
    muted = {"mute": True, "unmute": False}.get(change, member.muted)
    deaf = {"deafen": True, "undeafen": False}.get(change, member.deaf)
    _become(run, conference, evolve(member, muted=muted, deaf=deaf))


def _become(run: Running, conference: Conference, changed: events.MemberCame) -> None:
    """Have a member be as *changed* is."""
    if changed.leg in conference.pending:
        conference.pending[changed.leg] = changed  # It will come in like that.
    elif conference.members[changed.leg] != changed:
        conference.members[changed.leg] = changed
        heard_by = _hearer(conference, changed)
        run.perform(effects.Adjust(changed.leg, changed.muted, changed.deaf, heard_by))


def _coach(run: Running, conference: Conference, room: Leg, event: events.MembersChange) -> None:
    """Have the leg *by* be heard by *who* alone, whether or not that one has come; or by all."""
    coach = next((one for one in conference.everybody if one.leg == event.by), None)
    said = ""
    if coach is None:
        said = f"{event.by} is not in the conference {room.name}, and coaches nobody"
    elif event.who and _is_one(coach, event.who):
        said = f"{event.by} cannot coach itself: it stays as it was"
    else:
        if event.who and not any(_is_one(one, event.who) for one in conference.everybody):
            said = f"{event.who} is not in the conference {room.name}: nobody hears {event.by} until it is"
        _become(run, conference, evolve(coach, coaching=event.who or ""))
    if said and event.call:
        run.perform(effects.NotReach(event.call, said))


def _hearer(conference: Conference, member: events.MemberCame) -> str | None:
    """Give the leg that alone hears *member*, and keep it: empty while it is not there; None: all do."""
    conference.heard_by.pop(member.leg, None)
    if not member.coaching:
        return None
    others = (one for one in conference.members.values() if one.leg != member.leg)
    found = next((one.leg for one in others if _is_one(one, member.coaching)), "")
    conference.heard_by[member.leg] = found
    return found


def _see_to_coaches(run: Running, conference: Conference) -> None:
    """Have whoever coaches be heard by the one who has come, and by nobody when that one has gone."""
    for leg, before in list(conference.heard_by.items()):
        coach = conference.members[leg]
        now = _hearer(conference, coach)
        if now != before:
            run.perform(effects.Adjust(leg, coach.muted, coach.deaf, now))


def hear_join_failed(run: Running, room: Leg, event: port.JoinFailed) -> None:
    """Let a member go whom the phones could not bring in."""
    conference = run.conference
    assert conference
    if member := conference.members.pop(event.member, None):
        _dismiss(run, member, "lost", event.detail)
        _without(run, conference, room, member, "lost")


def hear_speaking(run: Running, room: Leg, event: port.Speaking) -> None:
    """Tell who wants to know that a member begins or ends to speak."""
    member = run.conference.members.get(event.member) if run.conference else None
    if member is None:
        return
    run.tell(
        room.notify,
        "ConfCallSpeaking",
        room.name,
        confCallId=room.name,
        participantCallId=event.member,
        speaks="true" if event.speaks else "false",
    )
    _occur(run, room, "speech", member, speaks=event.speaks)


def _occur(run: Running, room: Leg, what: str, member: events.MemberCame, **more: Value) -> None:
    """Run the handlers that wait for *what*, which *member* does."""
    about: Value = {"id": member.leg, "number": member.number, "moderator": member.moderator, **more}
    for handler in room.member_handlers:
        if handler.event == what and not room.closing:
            names = {**handler.names, **({handler.name: about} if handler.name else {})}
            handling = Handling(handler.block)
            run.spawn(room, handle(Executor(run, room, names, handling=handling), room, handling))
