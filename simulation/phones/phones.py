"""Simulated phones: the media port in virtual time.

Believe this before reading on: *every order takes its turn on the agenda*, at the same instant but
after all that is scheduled there; so nothing is told from within an order, and orders take effect
in the order they were given.  Nothing takes time but what takes time on a real line: sounds last,
tones are sent one by one, a beep is heard.  The far ends do what their `world` says.

Shipped, not hidden in the tests: golden cases, the Simulate API and replay run on it.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from ringful.media import port
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.bridge import Connection
from ringful.simulation.phones.far_end import FarEndPlayer
from ringful.simulation.phones.leg import SimulatedLeg
from ringful.simulation.phones.room import SimulatedRoom


def length_of(sound: port.Sound, outside: world.World) -> float | str:
    """Give how long *sound* is in *outside*, at its speed, or why it cannot be had."""
    length = _length_of(sound, outside)
    if isinstance(length, str) or isinstance(sound, port.Ringback):
        return length
    return length / sound.speed


def _length_of(sound: port.Sound, outside: world.World) -> float | str:
    match sound:
        case port.Announcement(url):
            if url in outside.missing:
                return outside.missing[url]
            return outside.lengths.get(url, world.DEFAULT_LENGTH)
        case port.Speech(text) if text in outside.missing:
            return outside.missing[text]
        case port.Speech(text):
            return outside.lengths.get(text, max(1, len(text.split())) * world.WORD_LENGTH)
        case port.Ringback():
            return world.RINGBACK_LENGTH
        case _:
            assert_never(sound)


class SimulatedPhones:
    """The media port over *agenda* and *outside*; with *keep_files*, recordings are real WAV files."""

    def __init__(self, agenda: Agenda, outside: world.World, *, keep_files: bool = True) -> None:
        self._agenda = agenda
        self._outside = outside
        self._keep_files = keep_files
        self._legs: dict[str, SimulatedLeg] = {}
        self._rooms: dict[str, SimulatedRoom] = {}
        self._rung: Counter[str] = Counter()
        self._unfetched: str | None = None

    @property
    def live(self) -> list[str]:
        """The names of the legs that ring or are up."""
        return [leg.name for leg in self._legs.values() if leg.state != "over"]

    def open(self, desk: port.Desk) -> None:
        """Let the callers of the world call; *desk* says who takes them."""
        for caller in self._outside.callers:
            self._agenda.at(caller.after, partial(self._offer, caller, desk))

    def _offer(self, caller: world.Caller, desk: port.Desk) -> None:
        taken = desk(port.Offer(caller.number, caller.called, caller.name, caller.diverted_from))
        if isinstance(taken, port.Taken):
            far_end = world.FarEnd(caller.number, caller.steps, caller.transferable)
            self._make(taken.leg, taken.sink, far_end, inbound=True)

    def _make(self, leg: str, sink: port.Sink, far_end: world.FarEnd, *, inbound: bool) -> None:
        made = SimulatedLeg(
            self._agenda, leg, sink, self._outside, self._length, far_end, self._keep_files, inbound
        )
        self._legs[leg] = made
        made.begin(far_end)

    def fail_fetches(self, reason: str) -> None:
        """Let nothing be had from now on that is not being played already."""
        self._unfetched = reason

    def _length(self, sound: port.Sound) -> float | str:
        return self._unfetched or length_of(sound, self._outside)

    @property
    def far_ends(self) -> list[FarEndPlayer]:
        """The far ends of all legs that there have been."""
        return [leg.far_end for leg in self._legs.values()]

    @property
    def rooms(self) -> list[SimulatedRoom]:
        """The rooms that are open."""
        return [room for room in self._rooms.values() if room.state != "over"]

    def far_side(self, leg: str) -> SimulatedLeg:
        """Give *leg* to act as its far end: press, put down, lose.  Raises KeyError."""
        return self._legs[leg]

    def ring(
        self,
        leg: str,
        number: str,
        caller_id: str | None,
        sink: port.Sink,
        *,
        shown: port.Shown | None = None,
    ) -> None:
        """See `port.Phones`; a number that the world does not have is unreachable (404)."""
        self._agenda.at(0, lambda: self._ring(leg, number, sink))

    def _ring(self, leg: str, number: str, sink: port.Sink) -> None:
        most = self._outside.max_calls
        if len(self._legs) >= most and len(self.live) >= most:
            sink(port.Refused(leg, "capacity", None, f"all {most} calls are taken"))
            return
        plain = world.plain_number(number)
        far_end = self._outside.far_end(number, self._rung[plain])
        if far_end is None:
            sink(port.Refused(leg, "unreachable", 404, f"there is no phone {number}"))
            return
        self._rung[plain] += 1
        self._make(leg, sink, far_end, inbound=False)

    def _order(
        self,
        leg: str,
        action: Callable[[Any], None],
        refused: Callable[[], port.Event] | None = None,
    ) -> None:
        """Do *action* in its turn; on a leg that only rings, what was ordered ends as *refused*."""

        def take_turn() -> None:
            known = self._legs.get(leg) or self._rooms.get(leg)
            if known is None or known.state == "over":
                return
            if known.state == "ringing" and refused and not (isinstance(known, SimulatedLeg) and known.early):
                known.tell(refused())
            else:
                action(known)

        self._agenda.at(0, take_turn)

    def answer(self, leg: str) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.take())

    def progress(self, leg: str) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.progress())

    def reject(self, leg: str, status: int) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.reject(status))

    def hang_up(self, leg: str) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.hang_up())

    @property
    def backlog(self) -> float:
        """See `port.Phones`: there are always lines enough."""
        return 0.0

    def prepare(self, sound: port.Sound) -> None:
        """Do nothing: every sound is here already."""

    def play(
        self, leg: str, playback: int, sound: port.Sound, *, background: bool = False, offset: float = 0.0
    ) -> None:
        """See `port.Phones`."""
        self._order(
            leg,
            lambda found: found.player.play(playback, sound, background=background, offset=offset),
            lambda: port.PlaybackFailed(leg, playback, "the call has not been answered"),
        )

    def cue(self, leg: str, playback: int, sound: port.Sound) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.player.cue(playback, sound))

    def stop_playback(self, leg: str, playback: int) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.player.stop(playback))

    def record(
        self,
        leg: str,
        recording: int,
        path: Path,
        *,
        silence: float | None = None,
        beep: bool = False,
        within: float | None = None,
    ) -> None:
        """See `port.Phones`."""
        self._order(
            leg,
            lambda found: found.recorder.record(recording, path, silence, beep, within),
            lambda: port.RecordingFailed(leg, recording, "the call has not been answered"),
        )

    def stop_recording(self, leg: str, recording: int) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.recorder.stop(recording))

    def send_tones(self, leg: str, sending: int, tones: str) -> None:
        """See `port.Phones`."""
        self._order(
            leg,
            lambda found: found.send_tones(sending, tones),
            lambda: port.TonesSent(leg, sending, sent=False),
        )

    def open_room(self, room: str, sink: port.Sink, *, speaking: bool = False) -> None:
        """See `port.Rooms`."""

        def opened() -> None:
            self._rooms[room] = SimulatedRoom(
                self._agenda,
                room,
                sink,
                self._outside,
                self._length,
                self._keep_files,
                speaking,
            )
            sink(port.Answered(room))

        self._agenda.at(0, opened)

    def join(
        self, room: str, leg: str, *, muted: bool = False, deaf: bool = False, heard_by: str | None = None
    ) -> None:
        """See `port.Rooms`."""

        def joined(found: SimulatedLeg) -> None:
            into = self._rooms.get(room)
            if found.connection:
                found.connection.end("stopped")
            if found.room is not into:
                found.leave()
            if into and into.state != "over" and found.state == "up":
                found.room = into
                into.join(found, muted=muted, deaf=deaf, heard_by=heard_by)

        self._order(leg, joined)

    def leave(self, room: str, leg: str) -> None:
        """See `port.Rooms`."""

        def left(found: SimulatedLeg) -> None:
            if found.room and found.room.name == room:
                found.leave()

        self._order(leg, left)

    def speaking(self, room: str) -> frozenset[str]:
        """See `port.Rooms`."""
        found = self._rooms.get(room)
        return frozenset(found.speaking) if found else frozenset()

    def connect(self, leg: str, other: str, connection: int) -> None:
        """See `port.Phones`."""

        def join(found: SimulatedLeg) -> None:
            beside = self._legs.get(other)
            if beside is None:
                found.tell(port.ConnectFailed(leg, connection, "there is no such call"))
            else:
                Connection(connection, found, beside).begin()

        self._order(leg, join, lambda: port.ConnectFailed(leg, connection, "the call has not been answered"))

    def disconnect(self, leg: str, connection: int) -> None:
        """See `port.Phones`."""

        def part(found: SimulatedLeg) -> None:
            if found.connection and (found.connection.leg, found.connection.number) == (found, connection):
                found.connection.end("stopped")

        self._order(leg, part)

    def mute(self, leg: str) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.mute(True))

    def unmute(self, leg: str) -> None:
        """See `port.Phones`."""
        self._order(leg, lambda found: found.mute(False))

    def transfer(self, leg: str, transfer: int, number: str) -> None:
        """See `port.Phones`; the number is a phone of this world too."""

        def send(found: SimulatedLeg) -> None:
            found.transfer(transfer, self._outside.far_end(number, self._rung[world.plain_number(number)]))

        self._order(
            leg,
            send,
            lambda: port.TransferFailed(leg, transfer, "rejected", None, "it has not been answered"),
        )
