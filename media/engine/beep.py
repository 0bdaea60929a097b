"""The beep before a recording: half a second of 1000 Hz, softly begun and ended."""

from math import pi, sin
from struct import pack

from ringful.media import wav

_COUNT = wav.RATE // 2
_LOUDNESS = 8000
_EDGE = 80
"""Samples over which it swells and dies away."""


def _sample(place: int) -> int:
    edge = min(1.0, place / _EDGE, (_COUNT - place) / _EDGE)
    return int(_LOUDNESS * edge * sin(2 * pi * 1000 * place / wav.RATE))


BEEP = memoryview(bytearray().join(pack("<h", _sample(place)) for place in range(_COUNT)))
"""Samples, as a channel takes them."""
