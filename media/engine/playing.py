"""What one channel of a leg plays: a queue of sounds that follow one another without a hole.

Pure but for its lock: the bridge's clock thread takes frames, the worker's thread gives sounds.
Samples are counted, so a sound's end is known when its last sample has been handed out.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Literal

from attrs import define, field

from ringful.media.wav import FRAME_BYTES

Told = Callable[[int, Literal["started", "end", "stopped", "hangup"]], None]


@define
class Sounding:
    """A sound in the queue."""

    playback: int
    samples: memoryview
    held: bool = False
    """It was cued when nothing played before it: it waits for its `confirm`."""
    cued: bool = False
    place: int = 0
    started: bool = False


@define
class Channel:
    """A queue of sounds; *told* hears of starts and ends, in whichever thread they come to pass."""

    told: Told
    _queue: deque[Sounding] = field(factory=deque)
    _lock: Lock = field(factory=Lock)
    _past: set[int] = field(factory=set)
    """Cued sounds that were heard to their end before they were confirmed."""

    def add(self, playback: int, samples: memoryview) -> None:
        """Append a sound; one that was cued under the same number is confirmed instead."""
        with self._lock:
            if playback in self._past:
                self._past.discard(playback)
                return
            for sound in self._queue:
                if sound.playback == playback:
                    sound.cued = sound.held = False
                    return
            self._queue = deque(sound for sound in self._queue if not (sound.cued and not sound.started))
            self._queue.append(Sounding(playback, samples))

    def replace(self, playback: int, samples: memoryview) -> None:
        """Play a sound instead of what plays now: the background holds one."""
        for sound in list(self._queue):
            self.stop(sound.playback)
        self.add(playback, samples)

    def cue(self, playback: int, samples: memoryview) -> None:
        """Append a sound that follows the present one at its end, or waits where there is none."""
        with self._lock:
            self._queue.append(Sounding(playback, samples, held=not self._queue, cued=True))

    def stop(self, playback: int, reason: Literal["stopped", "hangup"] = "stopped") -> None:
        """Cut a sound short or take it back; a cue behind one that was playing is dropped in silence."""
        with self._lock:
            found = next((sound for sound in self._queue if sound.playback == playback), None)
            if found is None:
                return
            self._queue.remove(found)
            if found.started:
                self._queue = deque(sound for sound in self._queue if not sound.cued)
            if found.started or not found.cued:
                self.told(playback, reason)

    def end(self) -> None:
        """End everything, since the leg has ended."""
        for sound in list(self._queue):
            self.stop(sound.playback, "hangup")

    def frame(self) -> bytes | None:
        """Take the next 20 ms; None where nothing plays."""
        with self._lock:
            if not self._queue or self._queue[0].held:
                return None
            out = bytearray()
            while self._queue and not self._queue[0].held and len(out) < FRAME_BYTES:
                self._take(out)
        return bytes(out.ljust(FRAME_BYTES, b"\0"))

    def _take(self, out: bytearray) -> None:
        sound = self._queue[0]
        if not sound.started:
            sound.started = True
            self.told(sound.playback, "started")
        piece = sound.samples[sound.place : sound.place + FRAME_BYTES - len(out)]
        out += piece
        sound.place += len(piece)
        if sound.place >= len(sound.samples):
            self._queue.popleft()
            if sound.cued:
                self._past.add(sound.playback)
            self.told(sound.playback, "end")
