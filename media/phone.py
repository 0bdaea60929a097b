"""A phone that answers or calls, for trying things: real SIP, in a process of its own.

It does what its options say, and says what happens: one line for each event, with the seconds since
the call began.  Keys are pressed at times after the answer, or when the line has gone quiet after
something was heard (``1@quiet``), or so long after the keys before (``1@+2s``).
"""

import json
import os
import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from attrs import define, field, frozen

from ringful.media import port, wav
from ringful.media.engine.endpoint import EngineConfig
from ringful.media.engine.parties.outgoing import Outgoing
from ringful.media.engine.pjsua import Engine
from ringful.media.engine.recording import Quiet

QUIET_FRAMES = 30
"""Frames of 20 ms without sound that make a line quiet after something was heard."""
_HEARING = 1
_SPEAKING = 2


@frozen
class Press:
    """Press *tones*: *after* seconds from the answer, or (None) when the line goes quiet."""

    tones: str
    after: float | None
    relative: bool = False
    """*after* counts from the keys before."""


@frozen
class PhoneOptions:
    """What the phone does with each call."""

    address: str = "127.0.0.1"
    port: int = 5070
    answer_after: float = 1.0
    status: int = 200
    """What it answers with: 200, or a refusal such as 486."""
    press: tuple[Press, ...] = ()
    say: Path | None = None
    say_after_presses: int = 0
    """It speaks when so many presses are done."""
    hear: Path | None = None
    """Where what it hears is recorded, from the answer on; a second call's goes to ``NAME-2.wav``."""
    hang_up_after: float | None = None
    """Seconds after its last key and word."""
    calls: int = 0
    """How many calls it takes before it ends; 0: it does not end."""
    json: bool = False
    call: str = ""
    """The SIP URI that it calls, once; empty: it waits for calls."""
    caller_id: str | None = None
    give_up_after: float | None = None
    """How long it lets its own call ring; None: until the other side ends it."""


def parse_press(text: str) -> Press:
    """Read ``1@3s`` or ``12#@quiet``.  Raises ValueError."""
    found = re.fullmatch(r"([0-9*#A-D]+)@(?:(\+?)(\d+(?:\.\d+)?)s|quiet)", text, re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r}: expected keys and a time, such as 1@3s, 1@+2s or 1@quiet")
    return Press(found[1].upper(), float(found[3]) if found[3] else None, bool(found[2]))


@define(eq=False)
class _Call:
    """A call that came in, or that we made."""

    name: str
    number: int
    came: float
    ours: bool = False
    answered: float | None = None
    pressed: int = 0
    last_press: float = 0.0
    sendings: int = 0
    on_their_way: int = 0
    """Presses whose tones are not all out yet."""
    spoken: bool = False
    """It has begun to speak."""
    said: bool = False
    """It has said everything."""
    heard: bool = False
    quiet: int = 0
    idle_since: float | None = None
    done: list[str] = field(factory=list)


class Phone:
    """The phone; `run` works until its calls are done."""

    def __init__(self, options: PhoneOptions, say: Callable[[str], None] = print) -> None:
        self.options, self._say = options, say
        self._events: deque[port.Event] = deque()
        self._calls: dict[str, _Call] = {}
        self._came = 0
        self._ended = 0
        self.answered = 0
        """How many of its calls were answered."""
        config = EngineConfig(options.address, options.port)
        self.engine = Engine(
            config,
            self._events.append,
            on_call=self._rung,
            on_transfer=self._sent,
            log=lambda line: None,
        )

    def run(self) -> None:
        """Call, or take calls, until as many as were wanted have ended."""
        self._tell(None, "ready", address=f"{self.options.address}:{self.engine.port}")
        wanted = 1 if self.options.call else self.options.calls
        if self.options.call:
            self._ring()
        while not wanted or self._ended < wanted:
            self.engine.step(10)
            while self._events:
                self._hear(self._events.popleft())
            now = time.monotonic()
            for call in list(self._calls.values()):
                self._act(call, now)
        self.engine.close()

    def _tell(self, call: _Call | None, what: str, **more: Any) -> None:
        at = round(time.monotonic() - call.came, 3) if call else 0.0
        if self.options.json:
            self._say(json.dumps({"t": at, "call": call.number if call else 0, "event": what, **more}))
        else:
            said = "  ".join(str(value) for value in more.values())
            self._say(f"{at:8.3f}  phone  {what}  {said}".rstrip())

    def _ring(self) -> None:
        self._came += 1
        call = self._calls["out"] = _Call("out", self._came, time.monotonic(), ours=True)
        self._tell(call, "calls", called=self.options.call)
        self.engine.ring("out", Outgoing(self.options.call, self.options.caller_id))

    def _rung(self, name: str, message: str) -> None:
        self._came += 1
        call = self._calls[name] = _Call(name, self._came, time.monotonic())
        found = re.search(r"^From:\s*(.*?)\s*$", message, re.MULTILINE | re.IGNORECASE)
        self._tell(call, "rings", called=message.split(maxsplit=2)[1], caller=found[1] if found else "")
        self.engine.respond(name, 180)

    def _sent(self, name: str, uri: str) -> None:
        """Note that we are sent to another number, which the engine calls."""
        self._tell(self._calls.get(name), "is transferred", to=uri)

    def _hear(self, event: port.Event) -> None:
        call = self._calls.get(event.leg)
        if call is None:
            return
        match event:
            case port.Ringing():
                self._tell(call, "rings there")
            case port.Answered():
                self.answered += 1
                call.answered = call.last_press = time.monotonic()
                self._tell(call, "answered")
                self._listen(call)
            case port.PlaybackEnded():
                self._tell(call, "spoke")
                call.said = True
                call.idle_since = time.monotonic()
            case port.TonePressed(_, tone):
                self._tell(call, "hears tone", tone=tone)
            case port.TonesSent(_, _, True):
                call.on_their_way -= 1
                call.idle_since = time.monotonic()
            case port.RecordingEnded(_, _, _, duration_ms):
                self._tell(call, "heard", milliseconds=duration_ms)
            case port.HungUp(_, by):
                self._over(call, "phone" if by == "server" else "caller")
            case port.Refused(_, reason, status):
                ourselves = call.ours == (reason == "cancelled")
                self._over(call, "phone" if ourselves else "caller", status=status)
            case _:
                pass

    def _over(self, call: _Call, by: str, **more: Any) -> None:
        other = "other side" if call.ours else "caller"
        self._tell(call, "over", by=other if by == "caller" else by, **more)
        del self._calls[call.name]
        self._ended += 1

    def _listen(self, call: _Call) -> None:
        path = self.options.hear or Path("/dev/null")
        if call.number > 1 and self.options.hear:
            path = path.with_name(f"{path.stem}-{call.number}{path.suffix}")
        self.engine.listen(call.name, lambda samples, energies: self._notice(call, energies))
        if self.options.hear:
            self.engine.record(call.name, _HEARING, path.absolute(), Quiet(), beep=False)

    def _notice(self, call: _Call, energies: list[int]) -> None:
        """Notice sound and silence."""
        for energy in energies:
            if energy > 200 * 200 * wav.FRAME_SAMPLES:
                call.heard, call.quiet = True, 0
            else:
                call.quiet += 1

    def _act(self, call: _Call, now: float) -> None:
        options = self.options
        if call.answered is None and call.ours:
            if options.give_up_after is not None and now - call.came >= options.give_up_after:
                self.engine.hang_up(call.name)
            return
        if call.answered is None:
            if now - call.came >= options.answer_after and "answer" not in call.done:
                call.done.append("answer")
                self.engine.respond(call.name, options.status)
            return
        if call.pressed < len(options.press):
            self._press_if_due(call, options.press[call.pressed], now)
        if options.say and not call.spoken and call.pressed >= options.say_after_presses:
            call.spoken = True
            self._tell(call, "speaks", file=options.say.name)
            self.engine.play(call.name, _SPEAKING, options.say.absolute())
        if self._is_done(call) and "hang up" not in call.done and options.hang_up_after is not None:
            since = max(call.idle_since or 0.0, call.answered)
            if now - since >= options.hang_up_after:
                call.done.append("hang up")
                self.engine.hang_up(call.name)

    def _is_done(self, call: _Call) -> bool:
        return (
            (self.options.say is None or call.said)
            and call.pressed == len(self.options.press)
            and not call.on_their_way
        )

    def _press_if_due(self, call: _Call, press: Press, now: float) -> None:
        assert call.answered is not None
        if press.after is None:
            due = call.heard and call.quiet >= QUIET_FRAMES
        else:
            due = now - (call.last_press if press.relative else call.answered) >= press.after
        if due:
            call.last_press = now
            call.pressed += 1
            call.heard, call.quiet = False, 0
            call.sendings += 1
            call.on_their_way += 1
            self._tell(call, "presses", tones=press.tones)
            self.engine.send_tones(call.name, 100 + call.sendings, press.tones)


def run_phone(options: PhoneOptions) -> NoReturn:
    """Run a phone in this thread, printing what happens; then end the process.

    Its exit code is 1 where a call of its own was not answered.
    """
    phone = Phone(options, lambda line: print(line, flush=True))
    phone.run()
    # The library is not left in order: it takes a second for it, and may not come back at all.
    os._exit(1 if options.call and not phone.answered else 0)
