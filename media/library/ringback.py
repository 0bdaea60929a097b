"""The tone that says that another phone rings: the North American one, a minute of it."""

import math
import sys
from array import array

from ringful.media import wav

_HERTZ = (440, 480)
_SOUNDS, _RESTS = 2.0, 4.0
"""Seconds of the tone, and of the silence behind it."""
_TURNS = 10
_LOUDNESS = 2000
"""Of each of the two: together some -21 dB."""


def ringback() -> bytes:
    """Give the tone as a WAV."""
    # By hand: numpy would be loaded for this alone, and stay in the server's memory.
    count = int(wav.RATE * _SOUNDS)
    tone = array("h", (_level(place, count) for place in range(count)))
    if sys.byteorder == "big":
        tone.byteswap()
    samples = (tone.tobytes() + bytes(2 * int(wav.RATE * _RESTS))) * _TURNS
    return wav.header(len(samples)) + samples


def _level(place: int, count: int) -> int:
    """Give a sample; its edges rise and fall within 10 ms, so that nothing clicks."""
    edge = min(1.0, min(place, count - place) / wav.RATE / 0.01)
    turns = 2 * math.pi * place / wav.RATE
    return int(sum(math.sin(hertz * turns) for hertz in _HERTZ) * edge * _LOUDNESS)
