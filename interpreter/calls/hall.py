"""The conferences of a node: runs beside those of the calls, and what goes between them.

A conference lives among the calls (`Switchboard.live`), with the same turns and the same journal.  What
a call and a conference say to each other are events in each other's inboxes, in the order in which
they were said; nobody here waits for anybody.
"""

from typing import Protocol, assert_never

from attrs import define, field

from ringful.ground.faults import Tasks
from ringful.interpreter import effects, events, room
from ringful.interpreter.calls.live import House, LiveCall
from ringful.interpreter.calls.queues import Queues
from ringful.interpreter.calls.switchboard import TooMany, Unavailable
from ringful.interpreter.conference import is_name, message, unheld, unreached
from ringful.interpreter.statements.conference import unreached_moderator
from ringful.media import port
from ringful.store.port import Commit, Key, StoreError


class Node(Protocol):
    """What a hall needs of the switchboard."""

    house: House
    live: dict[str, LiveCall]

    @property
    def most_conferences(self) -> int:
        """How many conferences this server has at a time."""

    def concurrent(self, key: Key) -> int:
        """Give how many calls, and how many conferences, *key* may have at a time."""

    def begin(self, key: Key, call_id: str, started: events.Started) -> tuple[LiveCall, Commit]:
        """Begin a run."""


@define(eq=False)
class Hall:
    """See `live.Meetings`."""

    node: Node
    nursery: Tasks
    queues: dict[str, Queues] = field(factory=dict)
    """Who waits, and who serves, by key."""
    placed: dict[str, set[str]] = field(factory=dict)
    """The runs that were begun for the sake of a conference alone, by its ID: they end with it."""

    # What calls ask of conferences

    def ask(self, call: LiveCall, effect: effects.ForConference) -> None:
        """Put what *call* asks of a conference into that one's inbox."""
        called = effect.conference
        found = self.find(call.key, called)
        match effect:
            case effects.OpenConference(new_id=new_id) if new_id in call.made:
                return  # It was opened ahead of its statement: what has ended since is not begun again.
            case effects.OpenConference(_, plan, new_id) if found is None:
                self.begin(call, call.key, new_id, room.started_by(call.run, plan))
                return
            case effects.JoinConference(new_id=new_id) if found is None and is_name(called):
                found = self.begin(call, call.key, new_id, room.started_by(call.run, unheld(called)))
        if found and not found.run.ended:
            found.run.post(message(call.run.call_id, effect))
        elif unreached(effect, ended=False):
            self.nursery.start_soon(self._tell_unreached, call, effect, found)

    async def _tell_unreached(
        self, call: LiveCall, effect: effects.ForConference, found: LiveCall | None
    ) -> None:
        """Tell *call* that there is no conference for *effect*, or no more; *found* is one that has ended."""
        outcome = found.run.outcome if found else None
        if outcome is None and not is_name(effect.conference):
            outcome = await self.outcome(call.key, effect.conference)
        if told := unreached(effect, ended=outcome is not None, refused=outcome == "capacity"):
            call.run.post(told)

    async def outcome(self, key: Key, conference: str) -> str | None:
        """Give what became of the conference with this ID: empty while it lives, None: *key* has none."""
        if found := self.node.live.get(conference):
            return found.run.outcome if found.is_conference and found.key.key == key.key else None
        try:
            record = await self.node.house.store.call(conference)
        except StoreError:
            return None
        return record.outcome if record and record.key == key.key else None

    def find(self, key: Key, called: str) -> LiveCall | None:
        """Give the conference of *key* that *called* means: by its name only one that lives."""
        if not is_name(called):
            found = self.node.live.get(called)
            return found if found and found.is_conference and found.key.key == key.key else None
        for one in self.of(key):
            plan, subject = one.run.started.plan, one.run.subject
            if plan and plan.name == called and not one.run.ended and not (subject and subject.closing):
                return one
        return None

    def of(self, key: Key) -> list[LiveCall]:
        """Give the conferences of *key* that live."""
        return [one for one in self.node.live.values() if one.is_conference and one.key.key == key.key]

    def full(self, key: Key | None, *, counted: bool = False) -> str:
        """Say why *key* (None: this server) may have no further conference now; nothing if it may.

        With *counted*, the one in question lives already.  One that is ending holds no place.
        """
        most = self.node.concurrent(key) if key else self.node.most_conferences
        runs = (one.run for one in (self.of(key) if key else self.node.live.values()) if one.is_conference)
        have = sum(not run.ended and not (run.subject and run.subject.closing) for run in runs) - counted
        if have < most:
            return ""
        who = "this key" if key else "this server"
        return f"{who} has {have} conferences, which is as many as it may have at a time"

    def hold_place(self, key: Key) -> None:
        """Hold that *key* may have one conference more.  Raises TooMany, Unavailable."""
        if full := self.full(key):
            raise TooMany(full, 5.0)
        if full := self.full(None):
            raise Unavailable(full)

    def awaits(self, call_id: str) -> str:
        """Give the conference that the call *call_id* was placed for; empty: there is none that lives."""
        return next((one for one, placed in self.placed.items() if call_id in placed), "")

    def begin(self, call: LiveCall | None, key: Key, made: str, started: events.Started) -> LiveCall:
        """Begin a conference as *made*, for *call*."""
        if call:
            call.made.add(made)
        conference, _ = self.node.begin(key, made, started)
        return conference

    # Events

    def signal(self, call: LiveCall, effect: effects.Signal) -> None:
        """Put an event that *call* sends into the inbox of another call of its key, or its own."""
        found = self.node.live.get(effect.call)
        if found and found.key.key == call.key.key and not found.run.ended:
            by = "" if found is call else call.run.call_id
            found.run.post(events.Signalled(effect.name, effect.fields, by))
        else:
            call.run.post(events.NotReached(effect.call, f"there is no call {effect.call}, or no more"))

    # Queues

    def queue(self, call: LiveCall, effect: effects.ForQueue) -> None:
        """Do what *call* asks of a queue of its key, and tell the calls that are concerned."""
        queues = self.queues.setdefault(call.key.key, Queues())
        self._tell(queues, queues.do(call.run.call_id, effect, self.node.house.clock()))

    def _tell(self, queues: Queues, told: list[tuple[str, events.QueueEvent]]) -> None:
        for call_id, event in told:
            found = self.node.live.get(call_id)
            if found and not found.run.ended:
                found.run.post(event)
            elif isinstance(event, events.NextCame):
                # Who served has ended meanwhile.
                self._tell(queues, queues.put_back(event, self.node.house.clock()))
            elif isinstance(event, events.Summoned):
                # Whoever serves is not to wait for who has ended meanwhile.
                self._post(event.conference, events.EndWanted(call_id))

    # What conferences ask

    def do(self, conference: LiveCall, effect: effects.OfConference) -> None:
        """Do what *conference* asks of the room, and of the calls whose legs are in it."""
        rooms, run = self.node.house.phones, conference.run
        here, name = run.call_id, run.started.plan.name if run.started.plan else ""
        match effect:
            case effects.OpenRoom(opened, speaking):
                full = self.full(conference.key, counted=True) or self.full(None, counted=True)
                if full:
                    run.post(port.Refused(opened, "capacity", None, full))
                else:
                    rooms.open_room(opened, run.post, speaking=speaking)
            case effects.Admit(call, leg, muted, deaf, heard_by):
                rooms.join(here, leg, muted=muted, deaf=deaf, heard_by=heard_by)
                self._post(call, events.Joined(leg, here, name))
            case effects.Adjust(leg, muted, deaf, heard_by):
                rooms.join(here, leg, muted=muted, deaf=deaf, heard_by=heard_by)
            case effects.Dismiss(call, leg, why, hang_up, detail):
                rooms.leave(here, leg)
                self._post(call, events.Left(leg, here, why, hang_up, detail, name))
            case effects.NotReach(call, why):
                self._post(call, events.NotReached(here, why))
            case _:
                assert_never(effect)

    def _post(self, call_id: str, event: events.Event) -> None:
        call = self.node.live.get(call_id)
        if call and not call.run.ended:
            call.run.post(event)

    # The end

    def forget(self, ended: LiveCall) -> None:
        """Let go of what has ended: a call holds no conference any more, and nobody is in a conference."""
        run = ended.run
        if queues := self.queues.get(ended.key.key):
            self._tell(queues, queues.forget(run.call_id, self.node.house.clock()))
        if plan := run.started.plan:
            placed = self.placed.pop(run.call_id, set())
            if ended.was_cut:
                self._lose_members(ended.key, run.call_id, plan.name)
            if run.subject and run.subject.closing == "api":
                # Not before the members have been told why they are in it no more.
                for call_id in sorted(placed):
                    self._post(call_id, events.Interrupted("hangup"))
            return
        for placed in self.placed.values():
            placed.discard(run.call_id)
        for one in self.of(ended.key):
            if ended.was_cut:
                self._lose_legs(one, ended)
            # One that was opened for a call which ended before its own `conference` came to its turn.
            if one.run.conference and run.call_id in one.run.conference.holders:
                plan = one.run.conference.plan
                one.run.post(events.Released(run.call_id, unreached_moderator(run, plan.moderator)))

    def _lose_members(self, key: Key, conference: str, name: str) -> None:
        """Let those go whom a conference could not dismiss itself."""
        for call in self.node.live.values():
            for leg in call.run.legs.values() if call.key.key == key.key else ():
                if leg.membership and leg.membership.is_of(conference, name):
                    self._post(call.run.call_id, events.Left(leg.name, conference, "lost", name=name))

    def _lose_legs(self, conference: LiveCall, cut: LiveCall) -> None:
        """Have those of *conference* go whose call could not say itself that they are over."""
        if not conference.run.ended:
            for leg in cut.run.legs:
                conference.run.post(events.MemberWent(leg, "lost"))

    async def end_revoked(self) -> None:
        """End the conferences of keys that were revoked.  Raises StoreError."""
        for key in {one.key.key for one in self.node.live.values() if one.is_conference}:
            known = await self.node.house.store.key(key)
            if known and known.revoked is not None:
                for one in self.of(known):
                    one.run.post(events.Interrupted("hangup", why="key revoked"))
