"""What one channel of a leg plays: sounds that follow one another without a hole.

A voice has the first few sounds in its own queue and plays them exact to the sample; this keeps the
rest, and knows which were cued and not yet ordered.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal

from attrs import define, field

from ringful.media.engine.mixer import Voice

Told = Callable[[int, Literal["started", "end", "stopped", "hangup"]], None]


@define(eq=False)
class Sounding:
    """A sound in the queue."""

    playback: int
    samples: memoryview
    held: bool = False
    """It was cued when nothing played before it: it waits for its `confirm`."""
    cued: bool = False
    started: bool = False
    fed: bool = False
    """The voice has it."""


@define(eq=False)
class Channel:
    """A queue of sounds; *told* hears of starts and ends."""

    voice: Voice
    number: int
    told: Told
    _queue: deque[Sounding] = field(factory=deque)
    _past: set[int] = field(factory=set)
    """Cued sounds that were heard to their end before they were confirmed."""

    def add(self, playback: int, samples: memoryview) -> None:
        """Append a sound; one that was cued under the same number is confirmed instead."""
        if playback in self._past:
            self._past.discard(playback)
            return
        if found := self._find(playback):
            found.cued = found.held = False
            self._feed()
            return
        for sound in [one for one in self._queue if one.cued and not one.started]:
            self._drop(sound)
        self._append(Sounding(playback, samples))

    def replace(self, playback: int, samples: memoryview) -> None:
        """Play a sound instead of what plays now: the background holds one."""
        for sound in list(self._queue):
            self.stop(sound.playback)
        self.add(playback, samples)

    def cue(self, playback: int, samples: memoryview) -> None:
        """Append a sound that follows the present one at its end, or waits where there is none."""
        if self._find(playback):
            return
        self._append(Sounding(playback, samples, held=not self._queue, cued=True))

    def stop(self, playback: int, reason: Literal["stopped", "hangup"] = "stopped") -> None:
        """Cut a sound short or take it back; a cue behind one that was playing is dropped in silence."""
        found = self._find(playback)
        if found is None:
            return
        self._drop(found)
        if found.started:
            for sound in [one for one in self._queue if one.cued]:
                self._drop(sound)
        self._feed()
        if found.started or not found.cued:
            self.told(playback, reason)

    def end(self) -> None:
        """End everything, since the leg has ended."""
        for sound in list(self._queue):
            self.stop(sound.playback, "hangup")

    def heard(self, playback: int, *, ended: bool) -> None:
        """Take what the voice says of a sound: it began, or it *ended*."""
        found = self._find(playback)
        if found is None:
            return
        if not ended:
            found.started = True
            self.told(playback, "started")
            return
        self._queue.remove(found)
        if found.cued:
            self._past.add(playback)
        self._feed()
        self.told(playback, "end")

    def _find(self, playback: int) -> Sounding | None:
        return next((sound for sound in self._queue if sound.playback == playback), None)

    def _append(self, sound: Sounding) -> None:
        self._queue.append(sound)
        self._feed()

    def _feed(self) -> None:
        """Give the voice what it has room for."""
        for sound in list(self._queue):
            if sound.held:
                return
            if not sound.fed:
                if not sound.samples.nbytes:
                    self._pass_over(sound)
                elif not self.voice.play(self.number, sound.playback, sound.samples):
                    return
                else:
                    sound.fed = True

    def _pass_over(self, sound: Sounding) -> None:
        """Tell of a sound in which there is nothing to be heard."""
        self._queue.remove(sound)
        self.told(sound.playback, "started")
        if sound.cued:
            self._past.add(sound.playback)
        self.told(sound.playback, "end")

    def _drop(self, sound: Sounding) -> None:
        self._queue.remove(sound)
        if sound.fed:
            self.voice.stop(self.number, sound.playback)
