"""Rooms of the pool: legs that hear one another, and what is played to all of them.

A room is a bus.  Whoever is in it has a seat there, in whichever worker the leg lives.  What is played
on the room and what is recorded of it is done by its *voice*, a leg without a call that a worker
makes when it is first wanted; it sits on the bus like the others.  When that worker dies, what was
under way ends, and the next order has a voice made elsewhere.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, field

from ringful.ground.faults import fault
from ringful.media import port
from ringful.media.pool_leg import PoolLeg
from ringful.media.seats import Bus, Seats, Sitting
from ringful.media.worker_process import WorkerProcess

_MAKING = frozenset({"play", "cue", "record"})
"""Orders that are worth a voice; the others are about what one does already."""


def _refused(name: str) -> port.Refused:
    return port.Refused(name, "capacity", None, "this server has as many conferences as it can")


@define(eq=False)
class Member:
    """A leg that is in a room."""

    leg: PoolLeg
    room: "Room"
    muted: bool = False
    deaf: bool = False
    heard_by: str | None = None
    """The leg that alone hears it; None: all."""
    sitting: Sitting | None = None
    """None before it has a seat and when it has none any more."""
    hush: dict[str, Any] = field(factory=dict)
    """What its worker was told last of how it sits."""

    @property
    def speaks_to_all(self) -> bool:
        """Whether it is heard by more than one of the others."""
        return not self.muted and not self.leg.muted and self.heard_by is None

    def hushed(self) -> dict[str, Any]:
        """Give how it is to sit: nobody hears it while the one that should is not there."""
        if self.heard_by is None:
            return {"muted": self.muted, "deaf": self.deaf, "to": 0}
        other = self.room.members.get(self.heard_by)
        to = other.sitting.number if other and other is not self and other.sitting else 0
        return {"muted": self.muted or not to, "deaf": self.deaf, "to": to}

    def seated(self, sitting: Sitting) -> None:
        """See `seats.Owner`."""

    def not_seated(self, sitting: Sitting, detail: str) -> None:
        """See `seats.Owner`."""
        if sitting is self.sitting:
            self.room.refuse(self, detail)

    def stood(self, sitting: Sitting) -> None:
        """See `seats.Owner`."""


@define(eq=False)
class Voice:
    """What plays and records in a room; orders wait in it while no worker runs."""

    room: "Room"
    worker: WorkerProcess | None = None
    sitting: Sitting | None = None
    waiting: list[dict[str, Any]] = field(factory=list)

    def tell(self, command: dict[str, Any]) -> None:
        """See `seats.Line`."""
        if self.worker is None and (self.waiting or command["do"] in _MAKING):
            self.waiting.append(command)
            self.begin()
        elif self.worker:
            self.worker.tell(command)

    def begin(self) -> None:
        """Have it made, if there is a worker, and do what waits for that."""
        room = self.room
        worker = room.rooms.worker_for(room) if self.waiting and self.worker is None else None
        if worker is None:
            return
        self.worker = worker
        worker.voices.add(room.name)
        assert room.bus
        self.sitting = room.rooms.seats.open_voice(room.bus, room.name, worker, self)
        if self.sitting is None:
            self.fail("no seat is free")
            return
        waiting, self.waiting = self.waiting, []
        for command in waiting:
            worker.tell(command)

    def leave(self) -> None:
        """Take it that no worker has it any more."""
        if self.worker:
            self.worker.voices.discard(self.room.name)
            self.worker.idle_since = time.monotonic()
        self.worker = self.sitting = None

    def fail(self, detail: str) -> None:
        """End what was ordered of it, since it cannot be made."""
        self.leave()
        self.waiting.clear()
        leg = self.room.leg
        for playback in [one for one, state in leg.playbacks.items() if state == "sent"]:
            self.room.tell(port.PlaybackFailed(leg.name, playback, detail))
        for recording in list(leg.recordings):
            self.room.tell(port.RecordingFailed(leg.name, recording, detail))

    def died(self) -> None:
        """End what its worker was at, which has died."""
        self.leave()
        leg = self.room.leg
        leg.cues.clear()
        for playback in [one for one, state in leg.playbacks.items() if state == "sent"]:
            self.room.tell(port.PlaybackEnded(leg.name, playback, "hangup"))
        for event in list(leg.recordings_lost("the media process died")):
            self.room.tell(event)

    def seated(self, sitting: Sitting) -> None:
        """See `seats.Owner`."""

    def not_seated(self, sitting: Sitting, detail: str) -> None:
        """See `seats.Owner`."""
        if sitting is self.sitting:
            self.fail(detail)

    def stood(self, sitting: Sitting) -> None:
        """See `seats.Owner`."""


@define(eq=False)
class Room:
    """A room, from its making to its end."""

    leg: PoolLeg
    rooms: "Rooms"
    tells_speaking: bool
    bus: Bus | None = None
    """None while it waits for one that rests: it is not open before."""
    voice: Voice = field(init=False)
    members: dict[str, Member] = field(factory=dict)
    speaking: set[str] = field(factory=set)
    sendings: dict[int, set[int]] = field(factory=dict)
    """Tones that are sent to all members: which of those sendings have not ended."""

    def __attrs_post_init__(self) -> None:
        self.voice = self.leg.voice = Voice(self)

    @property
    def name(self) -> str:
        """The room's name."""
        return self.leg.name

    def tell(self, event: port.Event) -> None:
        """Tell *event*, and take it that what it ends has ended."""
        if not self.leg.over:
            self.leg.note(event)
            self.leg.sink(event)

    def refuse(self, member: Member, detail: str) -> None:
        """Let a member go that could not be let in."""
        self.rooms.leave(self.name, member.leg)
        self.tell(port.JoinFailed(self.name, member.leg.name, detail))

    def speaks(self, member: Member, speaks: bool) -> None:
        """Take it that *member* begins or ends to speak."""
        name = member.leg.name
        if speaks == (name in self.speaking):
            return
        self.speaking ^= {name}
        if self.tells_speaking:
            self.tell(port.Speaking(self.name, name, speaks))


class Rooms:
    """The rooms of a pool, and who is in which."""

    def __init__(
        self,
        seats: Seats,
        most: int,
        workers: Callable[[], Iterable[WorkerProcess]],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        """*most* rooms are open at a time; *workers* gives those that run; *later* does something then."""
        self.seats, self._most, self._workers, self._later = seats, most, workers, later
        self._rooms: dict[str, Room] = {}
        self._members: dict[str, Member] = {}
        """The members of all rooms, by their legs."""
        self._sendings: dict[int, tuple[Room, int]] = {}
        """What each sending of ours is part of: ours have numbers below 0."""
        self._number = 0

    def open(self, name: str, sink: port.Sink, *, speaking: bool) -> None:
        """See `port.Rooms.open_room`."""
        room = Room(PoolLeg(name, sink), self, speaking)
        # One that has been hung up holds nobody, though its voice may be long in ending.
        if sum(not other.leg.cancelled for other in self._rooms.values()) >= self._most:
            room.tell(_refused(name))
            return
        self._rooms[name] = room
        self._begin(room)

    def _begin(self, room: Room) -> None:
        """Have it opened, as soon as there is a bus for it."""
        if self._rooms.get(room.name) is not room:
            return
        rest = self.seats.rest
        if rest is None:
            del self._rooms[room.name]
            room.tell(_refused(room.name))
            return
        room.bus = self.seats.open()
        if room.bus is None:
            self._later(rest, lambda: self._begin(room))
            return
        room.tell(port.Answered(room.name))

    def find(self, name: str) -> PoolLeg | None:
        """Give the room *name*, as what orders are given on; None where it is not open, or about to end."""
        room = self._rooms.get(name)
        return room.leg if room and room.bus and not room.leg.cancelled else None

    def of(self, leg: PoolLeg) -> str | None:
        """Give the name of the room that *leg* is in."""
        member = self._members.get(leg.name)
        return member.room.name if member else None

    def join(self, name: str, leg: PoolLeg, *, muted: bool, deaf: bool, heard_by: str | None = None) -> None:
        """See `port.Rooms.join`; the leg is answered, and in no connection."""
        room = self._rooms[name]
        member = room.members.get(leg.name)
        if member is None:
            self._leave_any(leg)
            member = self._members[leg.name] = room.members[leg.name] = Member(
                leg, room, muted, deaf, heard_by
            )
            self._sit(member)
        else:
            member.muted, member.deaf, member.heard_by = muted, deaf, heard_by
            self._hush(member)
            self.muted(leg)
        self._hush_coaches(room)

    def _hush(self, member: Member) -> None:
        """Tell the worker of *member* how it sits now, if that has changed."""
        hush = member.hushed()
        if member.sitting and hush != member.hush:
            member.hush = hush
            self.seats.change(member.sitting, **hush)

    def _hush_coaches(self, room: Room) -> None:
        """See to it that those who are heard by one alone are, since that one may have come or gone."""
        for member in room.members.values():
            if member.heard_by is not None:
                self._hush(member)

    def _sit(self, member: Member) -> None:
        assert member.leg.worker
        bus, leg = member.room.bus, member.leg
        assert bus
        member.hush = member.hushed()
        member.sitting = self.seats.sit(bus, leg.name, member.leg.worker, member, **member.hush)
        if member.sitting is None:
            member.room.refuse(member, "as many are in the conference as can be")

    def leave(self, name: str, leg: PoolLeg) -> None:
        """See `port.Rooms.leave`."""
        if self.of(leg) == name:
            self._leave_any(leg)

    def _leave_any(self, leg: PoolLeg) -> None:
        member = self._members.pop(leg.name, None)
        if member is None:
            return
        del member.room.members[leg.name]
        if member.sitting:
            self.seats.stand(member.sitting)
        member.sitting = None
        self._hush_coaches(member.room)
        member.room.speaks(member, False)

    def leg_ends(self, leg: PoolLeg) -> None:
        """Take *leg*, whose end is told next, out of the room that it is in."""
        for sending in [one for one in leg.sendings if one < 0]:
            self.sent(leg, sending)
        self._leave_any(leg)

    def muted(self, leg: PoolLeg) -> None:
        """Hear that *leg* may not be heard any more, or may again."""
        member = self._members.get(leg.name)
        if member and not member.speaks_to_all:
            member.room.speaks(member, False)

    def speaking(self, name: str) -> frozenset[str]:
        """See `port.Rooms.speaking`."""
        room = self._rooms.get(name)
        return frozenset(room.speaking if room else ())

    def speaks(self, worker: WorkerProcess, leg: str, speaks: bool) -> None:
        """Hear from *worker* that *leg* begins or ends to speak."""
        member = self._members.get(leg)
        if member is None or member.sitting is None or member.sitting.line is not worker:
            return
        # What was said of an earlier seat comes before the word that it has this one.
        if member.sitting.seated and member.speaks_to_all:
            member.room.speaks(member, speaks)

    # Tones to all

    def send_tones(self, name: str, sending: int, tones: str) -> None:
        """Send *tones* to all who are in the room, each with a number of our own."""
        room = self._rooms[name]
        to = [member.leg for member in room.members.values()]
        room.leg.sendings.add(sending)
        ours = room.sendings[sending] = set[int]()
        for leg in to:
            assert leg.worker
            self._number -= 1
            ours.add(self._number)
            leg.sendings.add(self._number)
            self._sendings[self._number] = (room, sending)
            order = {"leg": leg.name, "sending": self._number, "tones": tones}
            leg.worker.tell({"do": "send_tones", **order})
        self._all_sent(room, sending)

    def sent(self, leg: PoolLeg, number: int) -> None:
        """Hear that a sending of ours to *leg* has ended."""
        leg.sendings.discard(number)
        if found := self._sendings.pop(number, None):
            room, sending = found
            room.sendings[sending].discard(number)
            self._all_sent(room, sending)

    def _all_sent(self, room: Room, sending: int) -> None:
        if not room.sendings[sending]:
            del room.sendings[sending]
            room.tell(port.TonesSent(room.name, sending))

    # Voices

    def worker_for(self, room: Room) -> WorkerProcess | None:
        """Give the worker for the room's voice: that of the most members, else that of the fewest voices."""
        there = [member.leg.worker for member in room.members.values()]
        able = [worker for worker in self._workers() if not worker.dismissed]
        return max(able, key=lambda worker: (there.count(worker), -len(worker.voices)), default=None)

    def hear(self, worker: WorkerProcess, event: port.Event) -> None:
        """Take what *worker* says of the voice of a room; ignored where it is of no room."""
        room = self._rooms.get(event.leg)
        if room and room.voice.worker is worker:
            room.tell(event)

    def worker_began(self) -> None:
        """Hear that there is a worker, which some may wait for."""
        for room in list(self._rooms.values()):
            room.voice.begin()

    def no_worker(self, why: str) -> None:
        """Hear that none can be started."""
        for room in list(self._rooms.values()):
            if room.voice.waiting:
                room.voice.fail(why)

    def worker_ended(self, worker: WorkerProcess) -> None:
        """Hear that *worker* is no more."""
        for room in [room for room in self._rooms.values() if room.voice.worker is worker]:
            try:
                room.voice.died()
                if room.leg.cancelled:
                    self._end(room, port.HungUp(room.name, "server"))
            except Exception as error:
                fault("ending what was done for a room", error, call=room.name)

    # The end

    def hang_up(self, name: str) -> None:
        """End a room, when the ends of all that was ordered on it have been told."""
        room = self._rooms.get(name)
        if room is None or room.leg.cancelled:
            return
        room.leg.cancelled = True
        for member in list(room.members.values()):
            self._leave_any(member.leg)
        if room.voice.worker:
            room.voice.worker.tell({"do": "close_voice", "leg": name})
        else:
            self._end(room, port.HungUp(name, "server"))

    def closed(self, worker: WorkerProcess, name: str) -> None:
        """Hear that the voice of a room has ended at *worker*."""
        room = self._rooms.get(name)
        if room and room.voice.worker is worker:
            room.voice.leave()
            self._end(room, port.HungUp(name, "server"))

    def failed(self, name: str, why: str) -> None:
        """End a room for a fault of ours."""
        if room := self._rooms.get(name):
            if room.voice.worker:
                room.voice.worker.tell({"do": "close_voice", "leg": name})
            room.voice.leave()
            self._end(room, port.HungUp(name, "lost", why))

    def close(self) -> None:
        """End all rooms, since the pool ends."""
        for name in list(self._rooms):
            self.failed(name, "the server ends")

    def _end(self, room: Room, end: port.HungUp) -> None:
        for member in list(room.members.values()):
            self._leave_any(member.leg)
        for numbers in room.sendings.values():
            for number in numbers:
                self._sendings.pop(number, None)
        for event in list(room.leg.ends(died=False)):
            room.tell(event)
        room.tell(end)
        room.leg.over = True
        del self._rooms[room.name]
        if room.bus:
            self.seats.close(room.bus)
