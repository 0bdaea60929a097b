"""An ear that knows announcements by their pitch: which one begins on a line, and which one ends."""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from ringful.media import wav

_SURE = 2
"""Frames of 20 ms with a pitch that make it heard."""
_GONE = 5
"""Frames without it that make it gone."""
_SHARE = 0.5
"""The part of a frame's power that is in the pitch."""


class Ear:
    """Listen for tones of *pitches* (name to Hz; multiples of 50 are told apart best)."""

    def __init__(
        self, pitches: Mapping[str, float], tell: Callable[[str, Literal["starts", "ends"]], None]
    ) -> None:
        self._names = list(pitches)
        self._tell = tell
        times = np.arange(wav.FRAME_SAMPLES) / wav.RATE
        self._waves = np.array([np.exp(-2j * np.pi * hz * times) for hz in pitches.values()])
        self._present: str | None = None
        self._next: str | None = None
        self._since = 0

    def take(self, frame: bytes | None) -> None:
        """Hear 20 ms; None is silence."""
        heard = self._pitch(frame) if frame and self._names else None
        if heard == self._present:
            self._since = 0
            return
        self._since = self._since + 1 if heard == self._next else 1
        self._next = heard
        if self._since >= (_SURE if heard else _GONE):
            if self._present:
                self._tell(self._present, "ends")
            self._present, self._since = heard, 0
            if heard:
                self._tell(heard, "starts")

    def _pitch(self, frame: bytes) -> str | None:
        samples = np.frombuffer(frame[: 2 * wav.FRAME_SAMPLES], "<i2").astype(float)
        power = float(samples @ samples)
        if len(samples) < wav.FRAME_SAMPLES or power < 200 * 200 * wav.FRAME_SAMPLES:
            return None
        shares = 2 * np.abs(self._waves @ samples) ** 2 / (wav.FRAME_SAMPLES * power)
        best = int(np.argmax(shares))
        return self._names[best] if shares[best] > _SHARE else None
