"""The tone that says that another phone rings: the North American one, a minute of it."""

import numpy as np

from ringful.media import wav

_HERTZ = (440, 480)
_SOUNDS, _RESTS = 2.0, 4.0
"""Seconds of the tone, and of the silence behind it."""
_TURNS = 10
_LOUDNESS = 2000
"""Of each of the two: together some -21 dB."""


def ringback() -> bytes:
    """Give the tone as a WAV."""
    times = np.arange(int(wav.RATE * _SOUNDS)) / wav.RATE
    edge = np.minimum(1, np.minimum(times, _SOUNDS - times) / 0.01)
    tone = sum(np.sin(2 * np.pi * hertz * times) for hertz in _HERTZ) * edge * _LOUDNESS
    turn = np.concatenate([tone, np.zeros(int(wav.RATE * _RESTS))])
    samples = np.tile(turn, _TURNS).astype("<i2").tobytes()
    return wav.header(len(samples)) + samples
