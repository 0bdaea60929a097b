"""What keys sound like (ITU-T Q.23): two tones at once, one of each group."""

from collections.abc import Iterator
from functools import cache
from math import pi, sin
from struct import pack

from ringful.media import wav

LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
"""Hertz."""
GRID = "123A456B789C*0#D"
"""Keys by their tones: row, and column."""

_TONE = _PAUSE = wav.RATE // 10
_EDGE = 16
"""Samples over which a tone swells and dies away."""
_FULL = 32767 / 10 ** (3.17 / 20)
"""The amplitude of a sine of 0 dBm0 (G.711: the loudest is 3.17 dBm0)."""
_LOUDNESS = (_FULL * 10 ** (-10 / 20), _FULL * 10 ** (-8 / 20))
"""Of the low tone, -10 dBm0, and of the high one, which lines weaken more, -8."""


def sounds(keys: str) -> Iterator[memoryview]:
    """Give the samples of each of *keys*, as a channel takes them: 100 ms of tone, and as long a pause."""
    return (_sound(GRID.index(key)) for key in keys.upper() if key in GRID)


@cache
def _sound(place: int) -> memoryview:
    waves = [2 * pi * hertz / wav.RATE for hertz in (LOW[place // 4], HIGH[place % 4])]
    made = bytearray()
    for at in range(_TONE):
        edge = min(1.0, at / _EDGE, (_TONE - at) / _EDGE)
        both = (loud * sin(wave * at) for loud, wave in zip(_LOUDNESS, waves, strict=True))
        made += pack("<h", round(edge * sum(both)))
    return memoryview(made + bytes(2 * _PAUSE))
