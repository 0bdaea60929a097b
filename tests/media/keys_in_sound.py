"""Sound with keys in it, as far ends and lines make it."""

from typing import Any

import numpy as np

from ringful.media.engine.keypad.dialling import GRID, HIGH, LOW

FULL = 32767 / 10 ** (3.17 / 20)
"""The amplitude of a sine of 0 dBm0 (ITU-T G.711: the loudest is 3.17 dBm0)."""


def sine(hertz: float, milliseconds: float, level: float, phase: float = 0.0) -> Any:
    """Give a tone of *level* dBm0."""
    places = np.arange(round(milliseconds * 8))
    return FULL * 10 ** (level / 20) * np.sin(2 * np.pi * hertz * places / 8000 + phase)


def key(
    tone: str,
    milliseconds: float,
    *,
    levels: tuple[float, float] = (-10.0, -10.0),
    aside: tuple[float, float] = (0.0, 0.0),
) -> Any:
    """Give the two tones of a key, each of its own level and so far from its frequency."""
    place = GRID.index(tone)
    low = sine(LOW[place // 4] * (1 + aside[0]), milliseconds, levels[0], place)
    return low + sine(HIGH[place % 4] * (1 + aside[1]), milliseconds, levels[1], 2.0 * place)


def pause(milliseconds: float) -> Any:
    return np.zeros(round(milliseconds * 8))


def keys(tones: str, on: float, off: float, **how: Any) -> Any:
    """Give keys one after another."""
    return np.concatenate([part for tone in tones for part in (key(tone, on, **how), pause(off))])


def noisy(sound: Any, ratio: float, seed: int = 1) -> Any:
    """Add noise that is so many dB below the *sound*'s power where it is not silent."""
    power = (sound[sound != 0] ** 2).mean()
    noise = np.random.default_rng(seed).normal(0, np.sqrt(power / 10 ** (ratio / 10)), len(sound))
    return sound + noise


def frames(sound: Any, *, late: int = 0) -> list[bytes]:
    """Cut into frames; *late*: begin so many samples into the first."""
    whole = np.concatenate([np.zeros(late), sound, np.zeros(800)])
    whole = np.concatenate([whole, np.zeros(-len(whole) % 160)])
    cut = np.clip(np.rint(whole), -32768, 32767).astype("<i2").tobytes()
    return [cut[at : at + 320] for at in range(0, len(cut), 320)]
