"""A real phone that does what a case's phones do: the same far ends as in virtual time, on real SIP.

What it hears it knows by pitch: each announcement that a step waits for is a tone of its own.  Times
count as in virtual time, from the moment that the call comes in.
"""

import json
import tempfile
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from attrs import define, field

from ringful.media import port, wav
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.bridge import STATUS
from ringful.simulation.phones.ear import Ear
from ringful.simulation.phones.far_end import FarEndPlayer

SPEECH_SECONDS = 120
"""The longest that it can speak at once."""
_VOICE = 250
"""Hz: no announcement may have it."""


class Lines(Protocol):
    """Real lines of a phone: what an engine of the media room offers."""

    port: int
    """Where it listens."""

    def step(self, milliseconds: int = 10) -> None:
        """Work for so long."""

    def respond(self, name: str, status: int) -> None:
        """Answer the call with a SIP status."""

    def hang_up(self, name: str) -> None:
        """End the call."""

    def play(self, name: str, playback: int, path: Path) -> None:
        """Play the WAV at *path* to the call."""

    def stop_playback(self, name: str, playback: int) -> None:
        """End a playback."""

    def send_tones(self, name: str, sending: int, tones: str) -> None:
        """Press keys."""

    def listen(self, name: str, take: Callable[[bytes, list[int]], None]) -> None:
        """Give what the call hears to *take*: frames of 20 ms, and the energy of each."""


class OpenLines(Protocol):
    """Open the lines."""

    def __call__(self, emit: Callable[[port.Event], None], on_call: Callable[[str, str], None]) -> Lines:
        """Tell events through *emit*, and calls that come in (name, INVITE) through *on_call*."""
        ...


@define(eq=False)
class _Call:
    """A call that came in, and the far end that takes it."""

    name: str
    came: float
    lines: Lines
    words: Path
    agenda: Agenda = field(factory=Agenda)
    heard: deque[tuple[str, Literal["starts", "ends"]]] = field(factory=deque)
    player: FarEndPlayer = field(init=False)
    _orders: int = 100

    # What a far end does with its line

    def answer(self) -> None:
        self.lines.respond(self.name, 200)

    def refuse(self, reason: port.RefusalReason) -> None:
        self.lines.respond(self.name, STATUS.get(reason, 480))

    def press(self, tone: str) -> None:
        self._orders += 1
        self.lines.send_tones(self.name, self._orders, tone)

    def speech(self, begins: bool) -> None:
        if begins:
            self._orders += 1
            self.lines.play(self.name, self._orders, self.words)
        else:
            self.lines.stop_playback(self.name, self._orders)

    def put_down(self) -> None:
        self.lines.hang_up(self.name)

    def lose(self) -> None:
        """Do nothing: the media process that a case loses is the server's."""


class ActingPhone:
    """The phones of *outside*, all at one address; *pitches* are the announcements' (name to Hz)."""

    def __init__(
        self,
        outside: world.World,
        pitches: Mapping[str, float],
        address: str,
        open_lines: OpenLines,
        say: Callable[[str], None] = print,
    ) -> None:
        self._outside, self._pitches, self._say = outside, pitches, say
        self._address = address
        self._events: deque[port.Event] = deque()
        self._calls: dict[str, _Call] = {}
        self._rung: Counter[str] = Counter()
        self.lines = open_lines(self._events.append, self._take)

    def run(self) -> None:
        """Take calls for ever."""
        self._tell("ready", address=f"{self._address}:{self.lines.port}")
        with tempfile.TemporaryDirectory() as folder:
            self._speech = Path(folder) / "speech.wav"
            self._speech.write_bytes(_speech())
            while True:
                self.lines.step(10)
                while self._events:
                    self._hear(self._events.popleft())
                for call in list(self._calls.values()):
                    while call.heard:
                        call.player.hear(*call.heard.popleft())
                    call.agenda.catch_up(time.monotonic() - call.came)

    def _tell(self, what: str, **more: object) -> None:
        self._say(json.dumps({"event": what, **more}))

    def _take(self, name: str, message: str) -> None:
        called = message.split(maxsplit=2)[1].removeprefix("sip:").partition("@")[0]
        plain = world.plain_number(called)
        far_end = self._outside.far_end(called, self._rung[plain])
        self._rung[plain] += 1
        self._tell("rings", called=called)
        if far_end is None:
            self.lines.respond(name, 404)
            return
        call = self._calls[name] = _Call(name, time.monotonic(), self.lines, self._speech)
        call.player = FarEndPlayer(call.agenda, far_end, call)
        if far_end.rings:
            self.lines.respond(name, 180)
        call.player.begin()

    def _hear(self, event: port.Event) -> None:
        call = self._calls.get(event.leg)
        if call is None:
            return
        match event:
            case port.Answered():
                ear = Ear(self._pitches, lambda name, edge: call.heard.append((name, edge)))
                self.lines.listen(call.name, lambda samples, _: _hear_all(ear, samples))
            case port.HungUp() | port.Refused():
                call.player.end()
                del self._calls[call.name]
                self._tell("over")


def _hear_all(ear: Ear, samples: bytes) -> None:
    for start in range(0, len(samples), wav.FRAME_BYTES):
        ear.take(samples[start : start + wav.FRAME_BYTES])


def _speech() -> bytes:
    wave = array("h", [6000] * (wav.RATE // _VOICE // 2) + [-6000] * (wav.RATE // _VOICE // 2))
    samples = (wave * (SPEECH_SECONDS * _VOICE)).tobytes()
    return wav.header(len(samples)) + samples


def run_acting_phone(
    outside: world.World, pitches: Mapping[str, float], address: str, open_lines: OpenLines
) -> None:
    """Run the phones of *outside* in this thread, printing what happens."""
    ActingPhone(outside, pitches, address, open_lines, lambda line: print(line, flush=True)).run()
