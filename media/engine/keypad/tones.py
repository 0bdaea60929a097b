"""Keys in the sound itself: the detector in Python; `csrc/tones.c` is the same in C.

A key is two tones at once (ITU-T Q.23).  Every 10 ms the last 20 ms are looked at: they are a key where most
of what is heard is two tones, one of each group, each near enough to its frequency and not much louder
than the other.  A key is told when three looks in a row say the same (40 ms of it are enough for
that), and is over when four say nothing (a pause of 40 ms is).  Speech has two such tones alone by
chance, and not for so long.
"""

from functools import cache
from math import pi
from typing import Any

import numpy as np
from attrs import define, field

from ringful.media import wav
from ringful.media.engine.keypad.dialling import GRID, HIGH, LOW

_HALF = wav.FRAME_SAMPLES // 2
_WHOLE = 2 * _HALF
_STEP = (16.0, 28.0)
"""Hertz beside a frequency at which it is looked for too, of each group."""
_ASIDE = 0.024
"""How far from its frequency a tone may be: 1.5 % must pass, and 3.5 % must not (Q.24)."""
_ALONE = 0.80
"""The share of the two tones in all that is heard."""
_QUIET = 600.0**2 / 2
"""Power of the weaker tone, at least: some -31 dBm0."""
_TWIST = (10.0, 6.3)
"""By how much the low tone may be louder than the high one, and the other way round: 10 and 8 dB."""
_STEADY = 4.0
"""By how much the two tones' power may change from one look to the next."""
_HITS, _MISSES = 3, 4


@cache
def _window() -> Any:
    places = np.arange(_WHOLE) + 0.5
    return 0.5 - 0.5 * np.cos(2 * pi * places / _WHOLE)


@cache
def _waves() -> Any:
    """Give what sound is multiplied with: for each tone, below it, on it and above it."""
    shapes = []
    for group, step in zip((LOW, HIGH), _STEP, strict=True):
        for hertz in group:
            for beside in (-step, 0.0, step):
                angle = 2 * pi * (hertz + beside) / wav.RATE * np.arange(_WHOLE)
                shapes.append(_window() * np.exp(-1j * angle))
    return np.array(shapes).reshape(8, 3, _WHOLE)


@define
class Detector:
    """Takes frames; tells each key once, when it has been heard for long enough."""

    _before: Any = field(factory=lambda: np.zeros(_HALF))
    _seen: int = -1
    """The key that the last looks saw, by its place in GRID; -1: none."""
    _hits: int = 0
    _power: float = 0.0
    _down: int = -1
    """The key that is pressed."""
    _misses: int = 0

    def take(self, frame: bytes | None) -> list[str]:
        """Take 20 ms of sound (None: silence), and give the keys that they make certain: none or one."""
        heard = np.zeros(wav.FRAME_SAMPLES) if frame is None else np.frombuffer(frame, np.int16).astype(float)
        halves = [self._before, heard[:_HALF], heard[_HALF:]]
        self._before = halves[2]
        told = [self._look(np.concatenate(halves[place : place + 2])) for place in (0, 1)]
        return [GRID[place] for place in told if place >= 0]

    def _look(self, heard: Any) -> int:
        key, power = _key_in(heard)
        steady = self._power / _STEADY <= power <= self._power * _STEADY
        self._hits = self._hits + 1 if key >= 0 and key == self._seen and steady else int(key >= 0)
        self._seen, self._power = key, power
        self._misses = 0 if key >= 0 and key == self._down else self._misses + 1
        if self._misses >= _MISSES:
            self._down = -1
        if self._hits >= _HITS and key != self._down:
            self._down, self._misses = key, 0
            return key
        return -1


def _key_in(heard: Any) -> tuple[int, float]:
    """Give the key that 20 ms of sound are, by its place in GRID (-1: none), and the power of its tones."""
    window = _window()
    all_power = float((window * heard) @ (window * heard)) / float(window @ window)
    if all_power < 2 * _QUIET:
        return -1, 0.0
    waves = _waves()
    # A sine of amplitude A has A²/2 here.
    scale = 2 / float(window.sum()) ** 2
    on = np.abs(waves[:, 1] @ heard) ** 2 * scale
    row, column = int(np.argmax(on[:4])), int(np.argmax(on[4:]))
    if on[row] + on[4 + column] < _ALONE / 2 * all_power:
        return -1, 0.0  # However far beside they are, they are not loud enough.
    low, high = _peak(waves[row], heard, 0, row, scale), _peak(waves[4 + column], heard, 1, column, scale)
    if min(low, high) < _QUIET or low > high * _TWIST[0] or high > low * _TWIST[1]:
        return -1, 0.0
    if low + high < _ALONE * all_power:
        return -1, 0.0
    return 4 * row + column, low + high


def _peak(waves: Any, heard: Any, group: int, place: int, scale: float) -> float:
    """Give the power of a tone near its frequency; 0 where it is too far from it."""
    below, on, above = np.abs(waves @ heard) * scale**0.5
    bend = below - 2 * on + above
    if bend >= 0:
        return 0.0
    aside = 0.5 * (below - above) / bend
    if abs(aside) * _STEP[group] > _ASIDE * (LOW, HIGH)[group][place]:
        return 0.0
    return float((on - 0.25 * (below - above) * aside) ** 2)
