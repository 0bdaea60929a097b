"""The one shape of sound that a worker plays and records: WAV, 16-bit, 8 kHz, mono.

Pure files: no telephony here.
"""

import errno
import mmap
import os
import shutil
import struct
from array import array
from math import log10
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO

RATE = 8000
FRAME_SAMPLES = 160
"""20 ms."""
FRAME_BYTES = 2 * FRAME_SAMPLES
SILENCE = bytes(FRAME_BYTES)
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
HEADER_BYTES = _HEADER.size


def header(size: int) -> bytes:
    """Give the 44 bytes before *size* bytes of samples."""
    return _HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size)


def samples_of(path: Path) -> memoryview:
    """Map the samples of the WAV at *path*.  Raises OSError, or ValueError where it is of another shape."""
    with path.open("rb") as file:
        return samples_in(file)


def samples_in(file: BinaryIO) -> memoryview:
    """Map the samples of the WAV *file*.  Raises OSError, or ValueError where it is of another shape."""
    # Of our own, and never written: what is read from C must be writable to Python.
    mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    if bytes(mapped[:4]) != b"RIFF" or bytes(mapped[8:12]) != b"WAVE":
        raise ValueError("not a WAV file")
    place, shaped = 12, False
    while place + 8 <= len(mapped):
        name, size = bytes(mapped[place : place + 4]), struct.unpack_from("<I", mapped, place + 4)[0]
        start = place + 8
        if name == b"fmt ":
            coding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", mapped, start)
            shaped = (coding, channels, rate, bits) == (1, 1, RATE, 16)
        if name == b"data":
            if not shaped:
                break
            found = mapped[start : start + min(size, len(mapped) - start)]
            return found[: len(found) // 2 * 2]
        place = start + size + size % 2
    raise ValueError("not a 16-bit 8 kHz mono WAV file")


def copy_plain(source: Path, target: Path) -> bool:
    """Copy *source* to *target* where it is of this shape already, by all that it says; say whether it is.

    Raises OSError.
    """
    with source.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(HEADER_BYTES)
        if size <= HEADER_BYTES or size % 2 or head != header(size - HEADER_BYTES):
            return False
        with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as out:
            try:
                out.write(head)
                shutil.copyfileobj(file, out)
                out.close()
                os.replace(out.name, target)
            except BaseException:
                Path(out.name).unlink(missing_ok=True)
                raise
    return True


def power(frame: bytes) -> int:
    """Give the sum of the squares of the samples of *frame*."""
    return sum(sample * sample for sample in array("h", frame))


def level_db(energy: int, samples: int) -> float | None:
    """Give the RMS level in dB below full scale; None for digital silence."""
    if not energy or not samples:
        return None
    return round(10 * log10(energy / samples / 32768**2), 1)


class Writer:
    """A WAV file that is being written, and is valid when it has been closed."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self.energy = 0
        # Without a buffer: when the disk is full, what was written before is there and is counted.
        self._file = path.open("xb", buffering=0)
        try:
            self._write(header(0))
        except OSError:
            self._file.close()
            path.unlink(missing_ok=True)
            raise

    def write(self, frame: bytes) -> None:
        """Append *frame*.  Raises OSError, and counts what was written all the same."""
        self._write(frame, counted=1)

    def _write(self, data: bytes, counted: int = 0) -> None:
        rest = memoryview(data)
        while rest:
            done = self._file.write(rest) or 0
            self.size += done * counted
            rest = rest[done:]

    def close(self) -> None:
        """Write the true header, and put all of it on the disk.  Raises OSError."""
        try:
            self.size -= self.size % 2
            self._file.seek(0)
            self._write(header(self.size))
            self._file.truncate(HEADER_BYTES + self.size)
            os.fsync(self._file.fileno())
            if not os.fstat(self._file.fileno()).st_nlink:
                raise FileNotFoundError(errno.ENOENT, "it was removed while it was recorded")
        finally:
            self._file.close()

    @property
    def duration_ms(self) -> int:
        """The length of the sound."""
        return self.size * 1000 // (2 * RATE)


def repair(path: Path) -> tuple[int, int] | None:
    """Make a recording whose writer died a valid file; give its milliseconds and bytes.

    None where there is no sound in it.  Raises OSError.
    """
    if not path.exists() or path.stat().st_size <= HEADER_BYTES:
        return None
    size = (path.stat().st_size - HEADER_BYTES) // 2 * 2
    with path.open("r+b") as file:
        file.write(header(size))
        file.truncate(HEADER_BYTES + size)
        file.flush()
        os.fsync(file.fileno())
    return size * 1000 // (2 * RATE), HEADER_BYTES + size
