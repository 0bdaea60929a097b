"""Make any audio file what a worker plays: WAV, 16-bit, 8 kHz, mono.

What libsndfile reads is taken: WAV of all kinds, MP3, OGG, FLAC and some thirty more, of any rate
and number of channels.  Sounds that were joined into one file are played one after another, and what
is cut off plays as far as it goes.

It is done in pieces, so a long file needs no more memory than a short one.  Files are from
strangers, and decoders have faults: `converter.Converter` runs this in a process that may die.
"""

import io
import mmap
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
import soxr

from ringful.media import wav
from ringful.media.library import sniffing
from ringful.media.library.pieces import Piece, pieces
from ringful.media.sounds import SoundError

MAX_SECONDS = 4 * 3600
"""The longest sound that is played: as long as the longest call that one places without thinking."""
_SAMPLES = 65536
"""Samples of all channels that are read at once."""
_RATES = range(1000, 1_000_000)
"""Sample rates of sounds; what says another one would be seconds of nothing, or days."""


def convert(source: BinaryIO, target: BinaryIO) -> None:
    """Write the sound of *source*, a file on the disk, to *target*.  Raises SoundError."""
    try:
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
        head = source.read(4096)
        if not size:
            raise SoundError(sniffing.reason(head, size))
        with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            written, read = Output(target), False
            for piece in pieces(data):
                read = _decode(data, piece, written) or read
            if not written.size:
                raise SoundError("there is no sound in it" if read else sniffing.reason(head, size))
            written.finish()
    except OSError as error:
        raise SoundError(f"it cannot be converted: {error.strerror or error}") from error


def duration_ms(path: Path) -> int | None:
    """Say how long the sound at *path* lasts; None where it cannot be read."""
    seconds = 0.0
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as data,
        ):
            for piece in pieces(data):
                with _Window(data, piece) as window, _Reader(window) as reader:
                    seconds += reader.frames / reader.samplerate
    except (OSError, ValueError, soundfile.SoundFileError):
        return None
    return -(-round(seconds * 1_000_000) // 1000)


class _Window(io.RawIOBase):
    """A piece, as a file."""

    def __init__(self, data: memoryview, piece: Piece) -> None:
        self._data, self._piece, self._place = data, piece, 0
        self._size = len(piece.head) + piece.end - piece.start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = min(max(0, base + offset), self._size)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        head, wanted = self._piece.head, min(len(buffer), self._size - self._place)
        done = 0
        if self._place < len(head):
            done = min(wanted, len(head) - self._place)
            buffer[:done] = head[self._place : self._place + done]
        if done < wanted:
            start = self._piece.start + self._place + done - len(head)
            buffer[done:wanted] = self._data[start : start + wanted - done]
        self._place += wanted
        return wanted


class _Reader(soundfile.SoundFile):  # type: ignore[misc]
    """A sound that is read once, from its beginning.

    soundfile asks where it is before each read and goes there after it, and not all codings can; nor
    is the number of frames that a file says to be believed.
    """

    def seekable(self) -> bool:
        return False


class Output:
    """The WAV that is written, and how much of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.size = file, 0
        file.write(wav.header(0))

    def write(self, block: Any) -> None:
        """Append *block*, floating-point samples.  Raises SoundError where it becomes too long."""
        clean = np.clip(np.nan_to_num(block, nan=0.0), -1.0, 32767 / 32768)
        samples: bytes = (clean * 32768).round().astype("<i2").tobytes()
        self.size += len(samples)
        if self.size > MAX_SECONDS * 2 * wav.RATE:
            raise _too_long()
        self._file.write(samples)

    def finish(self) -> None:
        """Write the true header."""
        self._file.seek(0)
        self._file.write(wav.header(self.size))
        self._file.flush()


def _too_long() -> SoundError:
    return SoundError(f"it is longer than {MAX_SECONDS // 3600} hours")


def _decode(data: memoryview, piece: Piece, written: Output) -> bool:
    """Append the sound of *piece*, as far as it can be read; say whether it can be at all."""
    with _Window(data, piece) as window:
        try:
            reader = _Reader(window)
        except (soundfile.SoundFileError, ValueError, TypeError):
            return False
        with reader:
            if reader.samplerate not in _RATES:
                raise SoundError(
                    f"it says that its sample rate is {reader.samplerate} Hz, which is no sound's"
                )
            _resample(reader, written)
    return True


def _resample(reader: Any, written: Output) -> None:
    stream = soxr.ResampleStream(reader.samplerate, wav.RATE, 1, dtype="float32")
    block = np.empty((max(1, _SAMPLES // reader.channels), reader.channels), np.float32)
    damaged = False
    while not damaged:
        block.fill(np.nan)
        try:
            read = len(reader.read(out=block))
        except soundfile.SoundFileError:
            # What was read before it came to the damage has taken the place of the marks.
            marks = np.isnan(block).any(axis=1)
            read, damaged = int(marks.argmax()) if marks.any() else len(block), True
        if not read:
            break
        written.write(stream.resample_chunk(block[:read].mean(axis=1, dtype=np.float32)))
    written.write(stream.resample_chunk(np.zeros(0, np.float32), last=True))
