"""Sound as phones send it: G.711 µ-law, 20 ms a payload; and what can be told of a payload at a glance.

Whatever is asked of every packet is a few operations on bytes, each in C: 60 phones hear 3,000 packets a
second.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

RATE = 8000
FRAME = 160
"""Samples of a payload."""

Samples: TypeAlias = "np.ndarray[Any, Any]"
Payloads: TypeAlias = tuple[bytes, ...]

QUIET = 100
"""What a sample is at most, of 32,768, where nothing is heard."""
HOLE = 8
"""So many quiet samples on end are no passage of a tone through zero: the sound has a hole."""


def _linear(code: int) -> int:
    """Give the sample that *code* stands for (G.711, table 2a)."""
    kept = ~code & 0xFF
    size = ((((kept & 15) << 3) + 132) << ((kept >> 4) & 7)) - 132
    return -size if kept & 0x80 else size


LINEAR: Samples = np.array([_linear(code) for code in range(256)])
_ORDER = np.argsort(LINEAR, kind="stable")
_BETWEEN = (LINEAR[_ORDER][1:] + LINEAR[_ORDER][:-1]) / 2

_LOUD = bytes(ord("q") if abs(_linear(code)) < QUIET else ord("l") for code in range(256))
_SIGNS = bytes(ord("n") if _linear(code) < 0 else ord("p") for code in range(256))
_HOLES = re.compile(b"q{%d,}" % HOLE)


def encode(samples: Samples) -> bytes:
    """Give the nearest codes of *samples*."""
    return bytes(_ORDER[np.searchsorted(_BETWEEN, samples)].astype(np.uint8))


def decode(payload: bytes) -> Samples:
    """Give the samples of *payload*."""
    samples: Samples = LINEAR[np.frombuffer(payload, np.uint8)]
    return samples


def tone(hertz: int, seconds: float, level: int) -> Samples:
    """Give a tone that begins and ends at its peak where it lasts whole turns: it has no quiet edge."""
    samples: Samples = np.rint(
        level * np.cos(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)
    ).astype(int)
    return samples


def payloads(samples: Samples) -> Payloads:
    """Cut *samples* into payloads; what is left over is dropped."""
    coded = encode(samples)
    return tuple(coded[at : at + FRAME] for at in range(0, len(coded) - FRAME + 1, FRAME))


def turns(payload: bytes) -> int:
    """Count how often the sound rises through zero: 9 in 20 ms of 440 Hz, 18 of 880 Hz."""
    return payload.translate(_SIGNS).count(b"np")


def loud(payload: bytes) -> tuple[tuple[int, int], ...]:
    """Give the stretches of *payload* that are heard, from and to which sample: one, nearly always."""
    seen = payload.translate(_LOUD)
    first = len(seen) - len(seen.lstrip(b"q"))
    last = len(seen.rstrip(b"q"))
    if first >= last:
        return ()
    if b"q" * HOLE not in seen[first:last]:
        return ((first, last),)
    edges = [first, *(edge for hole in _HOLES.finditer(seen, first, last) for edge in hole.span()), last]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def hertz_in(heard: Sequence[bytes], among: Sequence[int], level: int) -> tuple[int, ...]:
    """Give those of the tones *among* that a second of payloads holds, each at half of *level* at least.

    Whole hertz in a whole second: each tone has its own line of the spectrum, and disturbs no other.
    """
    sound = decode(b"".join(heard))
    if len(sound) != RATE:
        return ()
    lines = np.abs(np.fft.rfft(sound)) / (RATE / 2)
    return tuple(one for one in among if lines[one] >= level / 2)
