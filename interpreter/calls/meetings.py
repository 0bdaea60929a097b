"""What a façade asks about conferences, done: implements `conferences.Conferences`.

As with calls, each method checks, puts one thing into one inbox, takes a turn, and returns when what
came of it is on the disk; nothing is awaited between the check and the turn.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from attrs import evolve, frozen

from ringful.grammar import nodes
from ringful.interpreter import events
from ringful.interpreter.calls.conferences import (
    Answered,
    ConferenceOver,
    ConferenceView,
    Engaged,
    IsModerator,
    MemberState,
    MemberView,
    NoSuchConference,
    NotMember,
    Opening,
    Who,
)
from ringful.interpreter.calls.hall import Hall
from ringful.interpreter.calls.live import House, LiveCall
from ringful.interpreter.calls.switchboard import CallOver, NoSuchCall, NotAllowed, Operation, Unavailable
from ringful.interpreter.conference import Conference, is_name, same_number
from ringful.interpreter.evaluate import count_of, text_of
from ringful.interpreter.events import MemberCame
from ringful.interpreter.run import Run
from ringful.interpreter.task import Task
from ringful.store.port import Commit, Key, UsedSeq

_CALL_ID = re.compile(r"\w+-[a-z2-7]{16}", re.ASCII)
"""How the ID of a call looks, which is no name that anybody would choose."""


class Node(Protocol):
    """What is needed of the switchboard."""

    house: House
    live: dict[str, LiveCall]

    def new_id(self) -> str:
        """Make the ID of a call."""

    async def admit(self, key: Key, number: str | None) -> None:
        """Refuse what cannot be taken now.  Raises NotAllowed, TooMany, Unavailable."""

    def begin(
        self, key: Key, call_id: str, started: events.Started, seqs: Sequence[UsedSeq] = ()
    ) -> tuple[LiveCall, Commit]:
        """Begin a run."""

    async def find_live(self, key: Key, call_id: str) -> LiveCall:
        """Give a call that something can be done to.  Raises NoSuchCall, CallOver."""

    def hold_queue(self, call: LiveCall) -> None:
        """Hold that something can be queued.  Raises CallOver, TooMany."""

    async def append(
        self, call: LiveCall, statements: Sequence[nodes.Statement], seqs: Sequence[UsedSeq]
    ) -> None:
        """Append to a queue.  Raises CallOver, TooMany."""

    async def do_now(
        self, call: LiveCall, operation: Operation, notify: str | None, seqs: Sequence[UsedSeq]
    ) -> None:
        """Do it at once.  Raises CallOver."""

    async def take_in(
        self, call: LiveCall, happened: Sequence[events.Event], seqs: Sequence[UsedSeq]
    ) -> None:
        """Let *happened* happen to *call*; return once that is kept.  Raises Unavailable."""

    async def durable(self, commit: Commit, call: LiveCall) -> None:
        """Wait until it is kept.  Raises Unavailable."""


@frozen
class Meetings:
    """The conferences of *node*, which are in *hall*."""

    node: Node
    hall: Hall

    # Beginning

    async def open(self, key: Key, opening: Opening, used: Answered) -> str:
        """See `Conferences`."""
        call = await self._moderators(key, opening)
        if call is None:
            await self.node.admit(key, opening.moderator)
        call_id = call.run.call_id if call else self.node.new_id()
        own = f"{call_id}.{opening.conference.name}"
        conference = self._opened(key, _plan(opening.conference, call_id), own)
        join = opening.join
        if opening.conference.named:
            # By then the name may stand for another one, or for none.
            join = evolve(join, conference=nodes.text(conference))
        if call:
            call.made.add(own)
            await self.node.append(call, (opening.conference, join), used(conference))
            return conference
        self.hall.placed.setdefault(conference, set()).add(call_id)
        ring = _replaced(opening.ring, opening.join, join)
        placed, commit = self.node.begin(key, call_id, ring, used(conference))
        placed.made.add(own)
        await self.node.durable(commit, placed)
        return conference

    def _opened(self, key: Key, plan: events.Plan, own: str) -> str:
        """Have the call that *plan* names hold a conference: the one of that name, or a new one, *own*."""
        if known := self.hall.find(key, plan.name) if plan.name else None:
            known.run.post(events.Held(plan.holder))
            return known.run.call_id
        self.hall.hold_place(key)
        started = events.Started(nodes.Script(nodes.Block((nodes.Stay(),))), plan=plan)
        begun = self.hall.begin(self.node.live.get(plan.holder), key, own, started)
        if begun.run.ended:
            raise Unavailable("this server has as many conferences as it can")
        return own

    async def _moderators(self, key: Key, opening: Opening) -> LiveCall | None:
        """Give the call that the conference is opened on; None: its moderator is to be rung."""
        call = None
        if opening.call_id is not None:
            call = await self.node.find_live(key, opening.call_id)
        else:
            call = self._newest(key, opening.moderator)
        if call:
            self._hold_free(call)
            self.node.hold_queue(call)
        return call

    def _newest(self, key: Key, number: str) -> LiveCall | None:
        for call in reversed(self.node.live.values()):
            leg = call.run.subject
            if call.key.key != key.key or call.is_conference or leg is None or leg.closing or call.run.ended:
                continue
            if same_number(leg.number, number):
                return call
        return None

    async def call(self, key: Key, numbers: Sequence[str], started: events.Started, used: Answered) -> str:
        """See `Conferences`."""
        for number in numbers:
            if not self.node.house.may_call(key, number):
                wanted = "a number with its country's code, such as +15125551234, within the key's prefixes"
                raise NotAllowed(f"this key may not call {number}: it must be {wanted}")
        await self.node.admit(key, numbers[0])
        self.hall.hold_place(key)
        made = (one.name for one in started.script.body.statements if isinstance(one, nodes.Conference))
        run_id = self.node.new_id()
        conference = f"{run_id}.{next(made)}"
        self.hall.placed[conference] = {run_id}
        call, commit = self.node.begin(key, run_id, started, used(conference))
        await self.node.durable(commit, call)
        return conference

    # Coming and going

    async def join(
        self, key: Key, conference: str, call_id: str, statement: nodes.Join, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """See `Conferences`."""
        found = self.hall.find(key, conference)
        if found or not is_name(conference) or _CALL_ID.fullmatch(conference):
            found = await self._find(key, conference)
        call = await self.node.find_live(key, call_id)
        self._hold_free(call)
        if found is None:
            self.hall.hold_place(key)
        await self.node.append(call, (statement,), seqs)

    async def leave(
        self,
        key: Key,
        conference: str,
        leg: str,
        statement: nodes.Leave | None = None,
        *,
        seqs: Sequence[UsedSeq] = (),
    ) -> None:
        """See `Conferences`."""
        meeting = await self._find(key, conference)
        state = _state(meeting)
        member = state.members.get(leg) or state.pending.get(leg)
        if member.moderator if member else self._leads(meeting, leg):
            raise IsModerator(f"{leg} is the conference's moderator, who cannot leave it: use HangupConf")
        if statement:
            call = await self.node.find_live(key, leg)
            leaving = evolve(statement, conference=nodes.text(_as_called(call.run, meeting)))
            await self.node.append(call, (leaving,), seqs)
            return
        if member is None:
            await self._hold_known(key, leg)
            raise NotMember(f"{leg} is not in the conference {conference}")
        own = self.node.live.get(leg)
        if own and own.run.subject and own.run.subject.name == leg:
            # Its own journal tells that it was asked to leave.
            leave = events.Interrupted("leave", conference=_as_called(own.run, meeting))
            await self.node.take_in(own, [leave], seqs)
        else:
            await self.node.take_in(meeting, [events.MemberWent(leg, "left")], seqs)

    async def end(self, key: Key, conference: str, *, seqs: Sequence[UsedSeq] = ()) -> None:
        """See `Conferences`."""
        meeting = await self._find(key, conference)
        await self.node.take_in(meeting, [events.Interrupted("hangup")], seqs)

    async def change(
        self, key: Key, conference: str, change: events.Change, who: Who, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """See `Conferences`."""
        meeting = await self._find(key, conference)
        everybody = _state(meeting).everybody
        if who.but and all(one.leg != who.but for one in everybody):
            # A slip of the pen must not put out those whom it was to spare.
            await self._hold_known(key, who.but)
            raise NotMember(f"{who.but} is not in the conference")
        some = [one for one in everybody if _is_meant(one, who)]
        if not some:
            if who.leg:
                await self._hold_known(key, who.leg)
            meant = who.leg or who.phone
            raise NotMember(f"{meant} is not in the conference" if meant else "nobody is in the conference")
        if change == "kick":
            if any(one.moderator for one in some) and (who.leg or who.phone):
                raise IsModerator("the moderator cannot be put out of the conference: use HangupConf")
            some = [one for one in some if not one.moderator]
        changes = [events.MembersChange(change, member.leg) for member in some]
        await self.node.take_in(meeting, changes, seqs)

    async def coach(
        self, key: Key, conference: str, leg: str, coached: str | None, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """See `Conferences`."""
        meeting = await self._find(key, conference)
        there = [one.leg for one in _state(meeting).everybody]
        for one in (leg, coached):
            if one is not None and one not in there:
                await self._hold_known(key, one)
                raise NotMember(f"{one} is not in the conference")
        await self.node.take_in(meeting, [events.MembersChange("coach", coached, leg)], seqs)

    # Its queue

    async def queue(
        self, key: Key, conference: str, statement: nodes.Statement, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """See `Conferences`."""
        await self.node.append(await self._find(key, conference), (statement,), seqs)

    async def interrupt(
        self,
        key: Key,
        conference: str,
        operation: Operation,
        *,
        notify: str | None = None,
        seqs: Sequence[UsedSeq] = (),
    ) -> None:
        """See `Conferences`."""
        await self.node.do_now(await self._find(key, conference), operation, notify, seqs)

    # Looking

    async def look(self, key: Key, conference: str) -> ConferenceView:
        """See `Conferences`."""
        meeting = await self._find(key, conference)
        run, state = meeting.run, _state(meeting)
        speak = self.node.house.phones.speaking(run.call_id)
        inside = [_shown(one, "in", one.leg in speak) for one in state.members.values()]
        outside = [_shown(one, "waiting") for one in state.pending.values()]
        leaders = [one.leg for one in (*state.members.values(), *state.pending.values()) if one.moderator]
        leader = next((one for one in (*inside, *outside) if one.id in leaders), None)
        if leader is None and state.plan.moderator:
            leader = self._awaited(state, state.plan.moderator)
        most = run.settings.conference_size
        return ConferenceView(
            run.call_id,
            state.plan.name,
            run.subject.answered_at if run.subject else None,
            leader,
            tuple(one for one in inside if one is not leader),
            tuple(one for one in outside if one is not leader),
            most if state.plan.most is None else min(most, state.plan.most),
        )

    def _awaited(self, state: Conference, moderator: str) -> MemberView:
        """Give a moderator who has not asked to come in yet: perhaps that phone rings."""
        for holder in state.holders:
            call = self.node.live.get(holder)
            for leg in call.run.legs.values() if call else ():
                if same_number(leg.number, moderator) and leg.state != "over":
                    return MemberView(_phone(moderator), leg.name, "called")
        return MemberView(_phone(moderator), "", "called")

    # Finding

    def _hold_free(self, call: LiveCall) -> None:
        """Hold that the call's leg is free for a conference when its queue has come so far.

        Raises CallOver, Engaged.
        """
        called = call.run.call_id
        if call.run.subject is None:
            raise CallOver(f"{called} is a run without a call of its own: it cannot join")
        if where := self._will_be_in(call):
            raise Engaged(f"{called} is in the conference {where}, or joins it next: let it leave first")

    def _will_be_in(self, call: LiveCall) -> str:
        """Say in which conference the call's own leg is when all that is queued has been done.

        A call that was placed for a conference joins that one, though no task says so.
        """
        leg = call.run.subject
        membership = leg.membership if leg else None
        where = membership.reference if membership else self.hall.awaits(call.run.call_id)
        for task in call.run.tasks:
            if task.state != "waiting":
                continue
            match task.statement:
                case nodes.Join(conference=conference):
                    where = _called(conference, call.run.call_id) or "that it opens"
                case nodes.Leave(conference=conference):
                    left = self._same(call.key, where, _called(conference, call.run.call_id))
                    where = "" if left else where  # It fails: the leg is not in that one.
        return where

    def _leads(self, meeting: LiveCall, call_id: str) -> bool:
        """Say whether the call *call_id*, which has yet to join *meeting*, comes as its moderator."""
        here, call = meeting.run.call_id, self.node.live.get(call_id)
        if call is None or call_id in self.hall.placed.get(here, ()):
            return call is not None
        for task in call.run.tasks:
            match task:
                case Task(state="waiting", statement=nodes.Join(conference=called, moderator=True)):
                    if self._same(call.key, here, _called(called, call_id)):
                        return True
        return False

    def _same(self, key: Key, one: str, other: str) -> bool:
        """Say whether two ways of calling a conference of *key* mean the same."""
        if one == other:
            return True
        found = self.hall.find(key, one) if one else None
        return found is not None and found is self.hall.find(key, other)

    async def _find(self, key: Key, conference: str) -> LiveCall:
        """Give a conference that something can be done to.  Raises NoSuchConference, ConferenceOver."""
        found = self.hall.find(key, conference)
        if found and found.run.unhandled:
            found.turn()  # What was asked of it before is known first.
        leg = found.run.subject if found else None
        if found and not found.run.ended and leg and not leg.closing:
            return found
        if found:
            raise ConferenceOver(f"the conference {conference} is ending")
        if not is_name(conference) and await self.hall.outcome(key, conference) is not None:
            raise ConferenceOver(f"the conference {conference} has ended")
        raise NoSuchConference(f"this key has no conference {conference}")

    async def _hold_known(self, key: Key, leg: str) -> None:
        """Hold that *leg* is one of this key.  Raises NoSuchCall."""
        own = [call for call in self.node.live.values() if call.key.key == key.key and not call.is_conference]
        if any(leg in call.run.legs for call in own):
            return
        record = await self.node.house.store.call(leg)
        if record is None or record.key != key.key:
            raise NoSuchCall(f"this key has no call {leg}")


def _plan(statement: nodes.Conference, holder: str) -> events.Plan:
    """Give what the conference is made with that *statement* will make, or find."""
    return events.Plan(
        text_of(statement.moderator, {}) if statement.moderator else None,
        statement.waiting,
        text_of(statement.notify, {}) if statement.notify else None,
        text_of(statement.named, {}) if statement.named else "",
        count_of(statement.size, {}, 1) if statement.size else None,
        statement.speaking,
        holder,
    )


def _state(meeting: LiveCall) -> Conference:
    state = meeting.run.conference
    assert state
    return state


def _called(conference: nodes.Expression, call_id: str) -> str:
    """Give what a queued statement calls a conference: one that `StartConf` opened by its own word."""
    match conference:
        case nodes.Text((str(named),)):
            return named
        case nodes.Name(word):
            return f"{call_id}.{word}"
        case _:
            return ""


def _replaced(ring: events.Started, old: nodes.Statement, new: nodes.Statement) -> events.Started:
    """Give *ring* with the statement *new* where its script says *old*."""
    body = ring.script.body
    statements = tuple(new if one == old else one for one in body.statements)
    return evolve(ring, script=evolve(ring.script, body=evolve(body, statements=statements)))


def _as_called(run: Run, meeting: LiveCall) -> str:
    """Give what the run's own leg calls the conference that it is in, or will be: its ID, or its name."""
    leg = run.subject
    called = leg.membership.conference if leg and leg.membership else ""
    for task in run.tasks:
        match task.statement:
            case nodes.Join(nodes.Text((str(joined),))) if task.state == "waiting":
                called = joined
    name = _state(meeting).plan.name
    return called if name and called == name else meeting.run.call_id


def _is_meant(member: MemberCame, who: Who) -> bool:
    if who.leg:
        return member.leg == who.leg
    if who.phone:
        return same_number(member.number, who.phone)
    return member.leg != who.but


def _shown(member: MemberCame, state: MemberState, speaks: bool = False) -> MemberView:
    number, how = _phone(member.number), (member.muted, member.deaf, speaks, member.coaching)
    return MemberView(number, member.leg, state, *how)


def _phone(number: str) -> str:
    """Give a number as the reference writes it."""
    return number.removeprefix("+")
