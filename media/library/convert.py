"""Make any audio file what a worker plays: WAV, 16-bit, 8 kHz, mono.

What libsndfile reads is taken: WAV of all kinds, MP3, OGG, FLAC, of any rate and number of channels.
It is done in pieces, so a long file needs no more memory than a short one; it belongs in a thread.
"""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import soundfile
import soxr

from ringful.media import wav
from ringful.media.sounds import SoundError

MAX_SECONDS = 3600
_BLOCK = 65536


def convert(source: Path, target: Path) -> None:
    """Write the sound of *source* to *target*, whole or not at all.  Raises SoundError."""
    try:
        with soundfile.SoundFile(source) as reader:
            _write(reader, target)
    except soundfile.LibsndfileError as error:
        raise SoundError("it is no audio that can be read (WAV, MP3, OGG and FLAC can)") from error
    except OSError as error:
        raise SoundError(f"it cannot be converted: {error.strerror or error}") from error


def _write(reader: Any, target: Path) -> None:
    stream = soxr.ResampleStream(reader.samplerate, wav.RATE, 1, dtype="float32")
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as out:
        try:
            out.write(wav.header(0))
            size = 0
            for block in reader.blocks(_BLOCK, dtype="float32", always_2d=True):
                size += out.write(_samples(stream.resample_chunk(block.mean(axis=1))))
                if size > MAX_SECONDS * 2 * wav.RATE:
                    raise SoundError(f"it is longer than {MAX_SECONDS} seconds")
            size += out.write(_samples(stream.resample_chunk(np.zeros(0, np.float32), last=True)))
            if not size:
                raise SoundError("there is no sound in it")
            out.seek(0)
            out.write(wav.header(size))
            out.close()
            os.replace(out.name, target)
        except BaseException:
            Path(out.name).unlink(missing_ok=True)
            raise


def _samples(block: Any) -> bytes:
    samples: bytes = (np.clip(block, -1.0, 32767 / 32768) * 32768).round().astype("<i2").tobytes()
    return samples
