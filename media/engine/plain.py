"""The mixer in Python: what sound goes through where it cannot run in C.

It costs some three times as much, and need not know how the library keeps its ports.
"""

import ctypes
import time
from collections import deque
from collections.abc import Callable
from mmap import mmap
from typing import Any

import numpy as np
import pjsua2 as pj
from attrs import define, field

from ringful.media import buses, wav
from ringful.media.engine.keypad.dialling import GRID
from ringful.media.engine.keypad.tones import Detector
from ringful.media.engine.library import AT_ONCE, Frame, Library
from ringful.media.engine.mixer import (
    CHANNELS,
    ECHO_TICKS,
    KEYS,
    LATE_TICKS,
    QUEUE,
    RING,
    TICK_NS,
    Happened,
    Told,
)

_POINTER = ctypes.c_void_p
_REST_TICKS = 5
_SKIPPED = 3000
"""Ticks without us that a recording shows at most: a minute."""
_DRAIN_NS = TICK_NS // 5
"""How long before each tick RTP is read once more."""
_SPEAKING, _PAUSE = 3, 25
"""Loud frames in a row that are speech, and quiet ones that end it."""
_LOUD = 300 * 300 * wav.FRAME_SAMPLES
_ATTACK = 16
_RECOVERY = np.float32(0.02)
_RAMP = np.arange(_ATTACK, dtype=np.float32) / _ATTACK
Sum = Any
"""Samples of 32 bits; of a frame."""
Whispers = list[tuple[int, int]]
"""Seats that spoke to one sitting alone, and that sitting."""


@define
class Limiter:
    """Turn a sum of voices down so that it fits; see `csrc/limiter.c`."""

    gain: Any = field(factory=lambda: np.float32(1))

    def mix_down(self, mix: Sum) -> Any:
        """Give samples of 16 bits."""
        peak = max(int(mix.max()), -int(mix.min()) - 1)
        if self.gain >= 1 and peak <= 32767:
            return mix.astype(np.int16)
        fits = np.float32(32767) / np.float32(peak) if peak > 32767 else np.float32(1)
        after = min(self.gain + _RECOVERY, fits)
        scaled = mix.astype(np.float32)
        scaled[:_ATTACK] *= self.gain + (after - self.gain) * _RAMP
        scaled[_ATTACK:] *= after
        self.gain = after
        return np.clip(scaled, -32768, 32767).astype(np.int16)


class Buses:
    """All buses, as a view of their memory."""

    def __init__(self, memory: mmap | None) -> None:
        self._memory = memory
        self._sums: dict[int, tuple[int, int, Sum, Whispers]] = {}

    def _seats(self, bus: int) -> tuple[Any, Any, Any]:
        """Give the count of seats, the ticks, and the samples of *bus*."""
        assert self._memory is not None
        start, step = bus * buses.BUS_BYTES, buses.SEAT_BYTES
        count = np.ndarray(1, np.uint32, self._memory, start)
        first = start + buses.HEAD_BYTES
        shape = (buses.SEATS, buses.TURNS)
        ticks = np.ndarray(shape, np.uint64, self._memory, first, (step, 8))
        strides = (step, 2 * buses.SAMPLES, 2)
        samples = np.ndarray(
            (*shape, buses.SAMPLES), np.int16, self._memory, first + 8 * buses.TURNS, strides
        )
        return count, ticks, samples

    def _to(self, bus: int) -> Any:
        """Give whom what stands in the seats of *bus* is for: a sitting, 0: all."""
        first = bus * buses.BUS_BYTES + buses.HEAD_BYTES + buses.TO_OFFSET
        shape, strides = (buses.SEATS, buses.TURNS), (buses.SEAT_BYTES, 4)
        return np.ndarray(shape, np.uint32, self._memory, first, strides)

    def take(self, bus: int, seat: int) -> None:
        """Let everybody know that somebody sits there."""
        count, _, _ = self._seats(bus)
        count[0] = max(int(count[0]), seat + 1)

    def say(self, bus: int, seat: int, tick: int, frame: Any, to: int = 0) -> None:
        """Write what a seat says on *tick*, to the sitting *to* alone, or to all."""
        self._to(bus)[seat, tick % buses.TURNS] = to
        _, ticks, samples = self._seats(bus)
        samples[seat, tick % buses.TURNS] = frame
        ticks[seat, tick % buses.TURNS] = tick

    def said(self, bus: int, seat: int, tick: int, to: int = 0) -> Any:
        """Give what a seat said on *tick* to the sitting *to*, or to all; None where it said nothing."""
        if self._to(bus)[seat, tick % buses.TURNS] != to:
            return None
        _, ticks, samples = self._seats(bus)
        turn = tick % buses.TURNS
        return samples[seat, turn] if ticks[seat, turn] == tick else None

    def total(self, bus: int, tick: int) -> tuple[int, Sum, Whispers]:
        """Give how many spoke to all on *tick*, the sum of what they said, and who whispered."""
        known = self._sums.get(bus)
        if known is None or known[0] != tick:
            count, ticks, samples = self._seats(bus)
            turn, seats = tick % buses.TURNS, min(int(count[0]), buses.SEATS)
            to = self._to(bus)[:seats, turn]
            spoke = np.flatnonzero(ticks[:seats, turn] == tick)
            there = spoke[to[spoke] == 0]
            whispers = [(int(seat), int(to[seat])) for seat in spoke[to[spoke] != 0]]
            known = tick, len(there), samples[there, turn].sum(axis=0, dtype=np.int32), whispers
            self._sums[bus] = known
        return known[1:]


@define
class _Sound:
    number: int
    samples: memoryview
    place: int = 0


@define(eq=False)
class PlainVoice:
    """See `mixer.Voice`.  Frames are asked for and given in the engine's thread, by `PlainMixer.run`."""

    mixer: "PlainMixer"
    frames: Any = None
    told: Told | None = None
    alone: bool = False
    queues: tuple[deque[_Sound], ...] = field(factory=lambda: tuple(deque() for _ in range(CHANNELS)))
    bus: int = -1
    seat: int = -1
    sitting: int = 0
    muted: bool = False
    deaf: bool = False
    to: int = 0
    speaks: bool = False
    loud: int = 0
    quiet: int = 0
    keys: Detector | None = None
    said_keys: int = 0
    """Ticks for which what is heard may be the echo of our own keys."""
    listeners: int = 0
    count: int = 0
    """Frames that were kept so far."""
    kept: deque[tuple[bytes, int]] = field(factory=lambda: deque(maxlen=RING))
    heard_at: int = 0
    going_out: Limiter = field(factory=Limiter)
    coming_in: Limiter = field(factory=Limiter)

    @property
    def slot(self) -> int:
        """See `mixer.Voice.slot`."""
        return -1 if self.frames is None else int(self.frames.getPortId())

    def play(self, channel: int, number: int, samples: memoryview) -> bool:
        """See `mixer.Voice.play`."""
        queue = self.queues[channel]
        if len(queue) == QUEUE or samples.nbytes < 2:
            return False
        queue.append(_Sound(number, samples))
        return True

    def stop(self, channel: int, number: int) -> None:
        """See `mixer.Voice.stop`."""
        queue = self.queues[channel]
        if found := next((sound for sound in queue if sound.number == number), None):
            queue.remove(found)

    def sit(self, bus: int, seat: int, sitting: int = 0) -> None:
        """See `mixer.Voice.sit`."""
        self.bus, self.seat, self.sitting, self.to = bus, seat, sitting, 0
        self.loud = self.quiet = 0
        self.speaks = self.muted = self.deaf = False
        if bus >= 0:
            self.mixer.buses.take(bus, seat)

    def stand(self) -> None:
        """See `mixer.Voice.stand`."""
        self.sit(-1, -1)

    def hush(self, *, muted: bool, deaf: bool, to: int = 0) -> None:
        """See `mixer.Voice.hush`."""
        self.muted, self.deaf, self.to = muted, deaf, to

    def hear_keys(self, *, on: bool) -> None:
        """See `mixer.Voice.hear_keys`."""
        self.keys = (self.keys or Detector()) if on else None

    def listen(self) -> int:
        """See `mixer.Voice.listen`."""
        self.listeners += 1
        return self.count

    def unlisten(self) -> None:
        """See `mixer.Voice.unlisten`."""
        self.listeners = max(0, self.listeners - 1)

    def heard(self, since: int) -> tuple[bytes, list[int]]:
        """See `mixer.Voice.heard`."""
        wanted = self.count - since
        if wanted <= 0:
            return b"", []
        kept = list(self.kept)[-wanted:]
        lost = wanted - len(kept)
        samples = wav.SILENCE * lost + b"".join(frame for frame, _ in kept)
        return samples, [0] * lost + [energy for _, energy in kept]

    def give_back(self) -> None:
        """See `mixer.Voice.give_back`."""
        if self.told is not None:
            self._forget()
            self.mixer.rest(self)

    def _forget(self) -> None:
        self.told = None
        self.stand()
        for queue in self.queues:
            queue.clear()
        self.kept.clear()
        self.listeners = self.count = self.said_keys = 0
        self.keys = None
        self.going_out, self.coming_in = Limiter(), Limiter()

    # A tick

    def _play(self, channel: int, mix: Sum) -> bool:
        queue, done = self.queues[channel], 0
        while queue and done < wav.FRAME_SAMPLES:
            sound = queue[0]
            if not sound.place:
                self.mixer.happened(self, "started", sound.number)
            piece = np.frombuffer(sound.samples, np.int16, -1, 0)[
                sound.place : sound.place + wav.FRAME_SAMPLES - done
            ]
            mix[done : done + len(piece)] += piece
            sound.place += len(piece)
            done += len(piece)
            if sound.place >= sound.samples.nbytes // 2:
                queue.popleft()
                self.mixer.happened(self, "ended", sound.number)
        return done > 0

    def _play_all(self) -> Sum:
        mix = np.zeros(wav.FRAME_SAMPLES, np.int32)
        for channel in range(KEYS):
            self._play(channel, mix)
        if self.queues[KEYS]:
            mix[:] = 0
            self.said_keys = ECHO_TICKS
            self._play(KEYS, mix)
        return mix

    def _others(self) -> Sum | None:
        """Give what the others on the bus said a tick ago; None where it was nothing."""
        if self.bus < 0 or self.deaf:
            return None
        before = self.mixer.tick - 1
        voices, total, whispers = self.mixer.buses.total(self.bus, before)
        own = self.mixer.buses.said(self.bus, self.seat, before)
        others = None
        if voices > (own is not None):
            others = total if own is None else total - own
        for seat, to in whispers:
            said = None
            if to == self.sitting and seat != self.seat:
                said = self.mixer.buses.said(self.bus, seat, before, to)
            if said is not None:
                others = said.astype(np.int32) if others is None else others + said
        return others

    def give(self) -> bytes | None:
        """Give a frame to the bridge; None is silence."""
        if self.told is None:
            return None
        others = None if self.queues[KEYS] else self._others()
        self.said_keys = max(0, self.said_keys - 1)
        if others is None and not any(self.queues):
            return None
        mix = self._play_all()
        if others is not None:
            mix += others
        return bytes(self.going_out.mix_down(mix).tobytes())

    def take(self, frame: bytes | None) -> None:
        """Take a frame of the bridge; None is silence."""
        if self.told is None:
            return
        self.heard_at = self.mixer.tick
        if self.keys:
            for key in self.keys.take(None if self.said_keys else frame):
                self.mixer.happened(self, "key", GRID.index(key))
        if self.bus >= 0:
            is_heard = frame is not None and not self.muted
            if is_heard:
                self.mixer.buses.say(
                    self.bus, self.seat, self.mixer.tick, np.frombuffer(frame or b"", np.int16), self.to
                )
            self._notice_speech(is_heard and not self.to and wav.power(frame or b"") >= _LOUD)
        if self.listeners:
            self._keep(frame, self._others())

    def _notice_speech(self, is_loud: bool) -> None:
        self.loud = self.loud + 1 if is_loud else 0
        self.quiet = 0 if is_loud else self.quiet + 1
        if not self.speaks and self.loud >= _SPEAKING:
            self.speaks = True
            self.mixer.happened(self, "speaks", 0)
        elif self.speaks and self.quiet >= _PAUSE:
            self.speaks = False
            self.mixer.happened(self, "silent", 0)

    def _keep(self, frame: bytes | None, others: Sum | None) -> None:
        if others is not None:
            mix = others if frame is None else others + np.frombuffer(frame, np.int16)
            frame = self.coming_in.mix_down(mix).tobytes()
        kept = frame or wav.SILENCE
        self.kept.append((kept, wav.power(kept) if frame else 0))
        self.count += 1

    def tick(self) -> None:
        """Do what is left of a tick when the bridge has had its turn."""
        if self.told is None:
            return
        if self.alone:
            self._run_alone()
        elif self.heard_at != self.mixer.tick and (self.listeners or self.speaks or self.keys):
            self.take(None)

    def skip(self, ticks: int) -> None:
        """Let the time of recordings go on, in silence, over *ticks* that were skipped."""
        ticks = min(ticks, _SKIPPED)
        if self.listeners:
            self.count += max(0, ticks - RING)
            for _ in range(min(ticks, RING)):
                self._keep(None, None)

    def _run_alone(self) -> None:
        if any(self.queues):
            said = self.going_out.mix_down(self._play_all())
            self.mixer.buses.say(self.bus, self.seat, self.mixer.tick, said)
        if self.listeners:
            voices, total, _ = self.mixer.buses.total(self.bus, self.mixer.tick - 1)
            self._keep(None, total if voices else None)


class _Frames(pj.AudioMediaPort):  # type: ignore[misc]
    """A port that gives and takes 20 ms frames without SWIG's copy of each byte.

    `std::vector` is {begin, end, capacity}, so its first word is where the bytes are.
    """

    def __init__(self, give: Callable[[], bytes | None], take: Callable[[bytes | None], None]) -> None:
        super().__init__()
        self._give, self._take = give, take
        self._out = pj.ByteVector(wav.SILENCE)
        self._address = _POINTER.from_address(int(self._out.this)).value or 0
        shape = pj.MediaFormatAudio()
        shape.type, shape.id = pj.PJMEDIA_TYPE_AUDIO, pj.PJMEDIA_FORMAT_PCM
        shape.clockRate, shape.channelCount, shape.bitsPerSample = wav.RATE, 1, 16
        shape.frameTimeUsec, shape.avgBps, shape.maxBps = 20000, wav.RATE * 16, wav.RATE * 16
        self.createPort("frames", shape)

    def onFrameRequested(self, frame: Any) -> None:
        data = self._give()
        if data is None:
            frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
            return
        ctypes.memmove(self._address, data, wav.FRAME_BYTES)
        frame.type, frame.buf, frame.size = pj.PJMEDIA_FRAME_TYPE_AUDIO, self._out, wav.FRAME_BYTES

    def onFrameReceived(self, frame: Any) -> None:
        size = frame.size
        address = _POINTER.from_address(int(frame.buf.this)).value if size else None
        self._take(ctypes.string_at(address, size) if address and size == wav.FRAME_BYTES else None)


class PlainMixer:
    """See `mixer.Mixer`."""

    def __init__(self, library: Library | None, memory: mmap | None) -> None:
        self.buses = Buses(memory)
        self.tick = 0
        self.skipped = 0
        self._library = library
        self._voices: list[PlainVoice] = []
        self._free: list[PlainVoice] = []
        self._resting: deque[tuple[int, PlainVoice]] = deque()
        self._happened: deque[tuple[PlainVoice, Happened, int]] = deque()
        self._ticks = 0
        self._start_over()
        if library:
            self._bridge = library.bridge()
            self._ioqueue = library.ioqueue(library.media_endpoint())
            library.stop_threads(library.media_endpoint())
            self._samples = ctypes.create_string_buffer(wav.FRAME_BYTES)

    def lend(self, told: Told, *, alone: bool = False) -> PlainVoice:
        """See `mixer.Mixer.lend`."""
        while self._resting and self._resting[0][0] <= self._ticks:
            self._free.append(self._resting.popleft()[1])
        voice = next((one for one in self._free if (one.frames is None) == alone), None)
        if voice is None:
            voice = PlainVoice(self)
            voice.frames = None if alone or not self._library else _Frames(voice.give, voice.take)
            self._voices.append(voice)
        else:
            self._free.remove(voice)
        voice.told, voice.alone = told, alone
        return voice

    def rest(self, voice: PlainVoice) -> None:
        """Take a voice back."""
        self._resting.append((self._ticks + _REST_TICKS, voice))

    def happened(self, voice: PlainVoice, what: Happened, number: int) -> None:
        """Note what is to be told when the tick is over."""
        self._happened.append((voice, what, number))

    def tell(self) -> None:
        """Tell it."""
        while self._happened:
            voice, what, number = self._happened.popleft()
            if voice.told:
                voice.told(what, number)

    # The loop; see csrc/loop.c

    def _start_over(self) -> None:
        self._next = (time.monotonic_ns() // TICK_NS + 1) * TICK_NS
        self._drain_at = self._next - _DRAIN_NS

    def run(self, milliseconds: int, *, ticking: bool) -> None:
        """See `mixer.Mixer.run`."""
        assert self._library
        if not ticking:
            self._library.handle_events(milliseconds)
            self._start_over()
        else:
            self._run(time.monotonic_ns() + milliseconds * 1_000_000)
        self.tell()

    def _run(self, end: int) -> None:
        assert self._library
        while True:
            now = time.monotonic_ns()
            if now >= self._next:
                self._run_tick(now - self._next)
                if self._happened:
                    return
            elif now >= end:
                return
            elif now >= self._drain_at:
                self._drain()
                self._drain_at = self._next
            else:
                until = min(self._drain_at, self._next)
                if self._library.handle_events((until - now + 999_999) // 1_000_000) > 0:
                    return

    def _run_tick(self, late: int) -> None:
        assert self._library
        if late > LATE_TICKS * TICK_NS:
            self.skipped += late // TICK_NS
            self._next += late // TICK_NS * TICK_NS
            for voice in self._voices:
                voice.skip(late // TICK_NS)
        self.tick = self._next // TICK_NS
        if self._drain_at < self._next:
            self._drain()  # It was too late to be done before.
        frame = Frame(0, ctypes.addressof(self._samples), wav.FRAME_BYTES, self._ticks * wav.FRAME_SAMPLES, 0)
        self._library.get_frame(self._bridge, ctypes.byref(frame))
        self.finish_tick()
        self._next += TICK_NS
        self._drain_at = self._next - _DRAIN_NS

    def finish_tick(self) -> None:
        """Do what is left of a tick when the bridge has had its turn."""
        for voice in self._voices:
            voice.tick()
        self._ticks += 1

    def _drain(self) -> None:
        assert self._library
        at_once = (ctypes.c_long * 2)(0, 0)
        while self._library.poll(self._ioqueue, ctypes.byref(at_once)) >= AT_ONCE:
            pass
