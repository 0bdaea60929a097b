"""Make a sound faster or slower, and keep its pitch: waveform similarity overlap-add.

Short stretches of the sound are laid one over another, each taken from where it is due, or a little
before or after: from where it goes on best from the one before.  So no period of a voice is cut in two.
(Verhelst and Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993.)
"""

from typing import Any, BinaryIO

import numpy as np

from ringful.media import wav
from ringful.media.library.convert import Output
from ringful.media.sounds import SoundError

_HOP = 160
"""20 ms: each stretch is blended with the one before for so long."""
_SEARCH = 80
"""10 ms, to either side: together a period of the deepest voice."""
_AT_ONCE = 1 << 19
"""Samples that are worked on together: a minute."""


def stretch(source: BinaryIO, target: BinaryIO, speed: float) -> None:
    """Write the sound of *source*, of the shape that is played, to *target*: *speed* times as fast.

    Raises SoundError.
    """
    try:
        samples = np.frombuffer(wav.samples_in(source), "<i2")
    except ValueError as error:
        raise SoundError(str(error)) from error
    written = Output(target)
    written.write(samples[:_HOP].astype(np.float32) / 32768)
    place, turn = 0, 1
    while (made := _places(samples, speed, place, turn)) is not None:
        written.write(_blended(samples, place, made))
        place, turn = int(made[-1]), turn + len(made)
    written.write(samples[place + _HOP :].astype(np.float32) / 32768)
    written.finish()


def _places(samples: Any, speed: float, place: int, turn: int) -> Any:
    """Give where the next stretches begin, from that of *turn* on; None: there are no more.

    The one before begins at *place*.  Each begins near to where it is due, and where the sound is most
    like what follows the one before.
    """
    zero = max(0, min(place + _HOP, round(turn * _HOP * speed) - _SEARCH))
    part = samples[zero : zero + _AT_ONCE].astype(np.float32)
    last = len(part) - _HOP
    energy = np.concatenate(([0.0], np.cumsum(part * part, dtype=np.float64)))
    weights = (1 / np.sqrt(energy[_HOP:] - energy[:-_HOP] + 1.0)).astype(np.float32) if last >= 0 else ()
    found: list[int] = []
    while True:
        due, on = round(turn * _HOP * speed) - zero, place + _HOP - zero
        if due + _SEARCH > last or on > last:
            return np.array(found) if found else None
        begin = max(0, due - _SEARCH)
        likeness = np.correlate(part[begin : due + _SEARCH + _HOP], part[on : on + _HOP])
        place = zero + begin + int((likeness * weights[begin : due + _SEARCH + 1]).argmax())
        found.append(place)
        turn += 1


def _blended(samples: Any, before: int, places: Any) -> Any:
    """Give the sound of the stretches at *places*, each blended with what follows the one before."""
    fade = (np.arange(_HOP, dtype=np.float32) + 0.5) / _HOP
    within = np.arange(_HOP)
    on = np.concatenate(([before], places[:-1])) + _HOP
    blended = samples[on[:, None] + within] * fade[::-1] + samples[places[:, None] + within] * fade
    return blended.astype(np.float32).ravel() / 32768
