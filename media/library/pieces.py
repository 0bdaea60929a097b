"""Where the sounds lie in a file: what people have is joined, streamed, cut off and wrongly labelled.

A decoder believes what a file says of itself, and stops where the first sound in it ends.  Here the
bytes are looked at instead: each `Piece` is one sound, with a true header where its own was false.
Pure: bytes in, places out; nothing is decoded.
"""

import re
import struct
from collections.abc import Iterator
from typing import TypeAlias

from attrs import define, frozen

Bytes: TypeAlias = "bytes | memoryview"

MAX_PIECES = 1000
"""More sounds than that in one file are no sounds."""
_MAX_CHUNKS = 10_000
_WAVES = (b"RIFF", b"RIFX", b"RF64")
_MPEG_IN_WAVE = 0x55
_NO_SIZE = 0xFFFFFFFF
"""What a program writes that does not know the size yet; so is 0."""


@frozen
class Piece:
    """One sound: *head*, and behind it the file's bytes from *start* to *end*."""

    head: bytes
    start: int
    end: int


def pieces(data: memoryview) -> Iterator[Piece]:
    """Give the sounds of *data*, in order: at least one, whatever it is."""
    start = _behind_tags(data, 0)
    head = bytes(data[start : start + 4])
    if head in _WAVES:
        found = _waves(data, start)
    elif head == b"OggS":
        found = _oggs(data, start)
    elif head == b"fLaC":
        found = _flacs(data, start)
    elif head == b"caff":
        found = _cafs(data, start)
    elif start or _is_mpeg(data, start, len(data)):
        found = _mpegs(data, start, len(data))
    else:
        found = iter(())
    some = False
    for number, piece in enumerate(found):
        if number == MAX_PIECES:
            return
        some = True
        yield piece
    if not some:
        yield Piece(b"", 0, len(data))


# WAV


@define
class _Wave:
    """What has been read of one WAV."""

    order: str
    format: bytes = b""
    fact: bytes = b""
    long_size: int | None = None
    """The size that an RF64 says in its ``ds64``."""

    def chunk(self, name: bytes, body: bytes) -> bytes:
        """Give a chunk as bytes, padded."""
        return name + struct.pack(f"{self.order}I", len(body)) + body + bytes(len(body) % 2)

    def header(self, size: int, *, sure: bool) -> bytes:
        """Give what stands before *size* bytes of samples; the count of ``fact`` only where it is *sure*."""
        inner = b"WAVE" + self.chunk(b"fmt ", self.format)
        if sure and self.fact:
            inner += self.chunk(b"fact", self.fact)
        inner += b"data" + struct.pack(f"{self.order}I", size)
        outer = struct.pack(f"{self.order}I", min(len(inner) + size, _NO_SIZE))
        return (b"RIFX" if self.order == ">" else b"RIFF") + outer + inner


def _waves(data: memoryview, start: int) -> Iterator[Piece]:
    while bytes(data[start : start + 4]) in _WAVES and bytes(data[start + 8 : start + 12]) == b"WAVE":
        order = ">" if bytes(data[start : start + 4]) == b"RIFX" else "<"
        wave = _Wave(order)
        body, size = _find_samples(data, start, wave)
        if body is None or not wave.format:
            return
        end, sure = _end_of_samples(data, body, size, order)
        if struct.unpack_from(f"{order}H", wave.format)[0] == _MPEG_IN_WAVE:
            yield from _mpegs(data, body, end)
        elif end - body < _NO_SIZE - 4096:
            yield Piece(wave.header(end - body, sure=sure), body, end)
        else:
            return
        (outer,) = struct.unpack_from(f"{order}I", data, start + 4)
        behind = [
            end,
            end + end % 2,
            end + (end - body) % 2,
            start + 8 + outer,
            start + 8 + outer + outer % 2,
        ]
        start = next(
            (one for one in behind if one >= end and bytes(data[one : one + 4]) in _WAVES), len(data)
        )


def _find_samples(data: memoryview, start: int, wave: _Wave) -> tuple[int | None, int]:
    """Read the chunks up to the samples; give where those begin, and how many bytes they are said to be."""
    place = start + 12
    for _ in range(_MAX_CHUNKS):
        if place + 8 > len(data):
            break
        name, (size,) = bytes(data[place : place + 4]), struct.unpack_from(f"{wave.order}I", data, place + 4)
        body = place + 8
        if name == b"data":
            if size == _NO_SIZE and wave.long_size is not None:
                size = wave.long_size
            return body, size
        following = _next_chunk(data, body, size)
        if following is None:
            following = bytes(data[body : body + 65536]).find(b"data")
            if following < 0:
                break
            following += body
            size = following - body
        if name == b"fmt " and not wave.format:
            read = bytes(data[body : body + min(size, 256)])
            wave.format = read if len(read) >= 16 else b""
        elif name == b"fact":
            wave.fact = bytes(data[body : body + min(size, 4)])
        elif name == b"ds64" and size >= 16:
            (wave.long_size,) = (
                struct.unpack_from("<Q", data, body + 8) if body + 16 <= len(data) else (None,)
            )
        place = following
    return None, 0


def _next_chunk(data: memoryview, body: int, size: int) -> int | None:
    """Say where the chunk behind this one begins: some are not padded to an even length."""
    for place in (body + size + size % 2, body + size):
        if _is_name(data, place):
            return place
    return None


def _is_name(data: memoryview, place: int) -> bool:
    name = bytes(data[place : place + 4])
    return place + 8 <= len(data) and all(32 <= one < 127 for one in name)


def _end_of_samples(data: memoryview, body: int, size: int, order: str) -> tuple[int, bool]:
    """Say where the samples end that begin at *body*, and whether that is what the file says of itself."""
    there = len(data) - body
    if size > there:
        return len(data), False
    if size == 0:
        # A sound that was streamed; or none, with chunks behind it that fill the file.
        return (body, True) if _only_chunks(data, body, order) else (len(data), False)
    rest = there - size
    if rest > size and _next_chunk(data, body, size) is None and any(data[body + size : body + size + 4096]):
        # The size was written when the file was begun, and never again.
        return len(data), False
    return body + size, True


def _only_chunks(data: memoryview, place: int, order: str) -> bool:
    while place < len(data) - 1:
        if not _is_name(data, place):
            return False
        (size,) = struct.unpack_from(f"{order}I", data, place + 4)
        place += 8 + size + size % 2
    return place <= len(data) + 1


# Ogg and FLAC: the next sound says that it begins.


def _oggs(data: memoryview, start: int) -> Iterator[Piece]:
    place, begun, first_pages = start, start, True
    while place + 27 <= len(data) and bytes(data[place : place + 4]) == b"OggS":
        begins = bool(data[place + 5] & 2)
        if begins and not first_pages:
            yield Piece(b"", begun, place)
            begun = place
        first_pages = begins
        count = data[place + 26]
        place += 27 + count + sum(data[place + 27 : place + 27 + count])
    yield Piece(b"", begun, len(data))


def _flacs(data: memoryview, start: int) -> Iterator[Piece]:
    begins = [start] + [
        found.start() for found in re.finditer(rb"fLaC[\x00\x80]\x00\x00\x22", data) if found.start() > start
    ]
    for place, end in zip(begins, [*begins[1:], len(data)], strict=True):
        yield Piece(b"", place, end)


def _cafs(data: memoryview, start: int) -> Iterator[Piece]:
    place = start + 8
    for _ in range(_MAX_CHUNKS):
        if place + 12 > len(data):
            return
        name, (size,) = bytes(data[place : place + 4]), struct.unpack_from(">q", data, place + 4)
        place += 12
        if name == b"data":
            there = len(data) - place
            true_size = struct.pack(">q", size if 0 <= size <= there else there)
            yield Piece(bytes(data[start : place - 8]) + true_size, place, len(data))
            return
        if size < 0:
            return
        place += size


# MPEG audio: frames without a header of the whole, among tags of all kinds.

_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_BITRATES[2, 3] = _BITRATES[2, 2]
"""In kbit/s, by the version of MPEG and the layer."""
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SYNC = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]", re.DOTALL)


@frozen
class _Frame:
    """A frame's length in bytes, what all frames of one sound have in common, and where its samples begin."""

    length: int
    kind: tuple[int, int, int, bool]
    inside: int


def _frame(data: memoryview, place: int, end: int) -> _Frame | None:
    if place + 4 > end or data[place] != 0xFF or data[place + 1] & 0xE0 != 0xE0:
        return None
    second, third, fourth = data[place + 1], data[place + 2], data[place + 3]
    version, layer, bitrate, rate = second >> 3 & 3, 4 - (second >> 1 & 3), third >> 4, third >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    hertz, first, mono = _RATES[version][rate], version == 3, fourth >> 6 == 3
    bits, padding = _BITRATES[1 if first else 2, layer][bitrate - 1] * 1000, third >> 1 & 1
    if layer == 1:
        length = (12 * bits // hertz + padding) * 4
    else:
        length = (72 if layer == 3 and not first else 144) * bits // hertz + padding
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return _Frame(length, (version, layer, hertz, mono), 4 + side)


def _is_mpeg(data: memoryview, place: int, end: int) -> bool:
    """Say whether frames begin at *place*: one that another one follows, or that ends the file."""
    frame = _frame(data, place, end)
    if frame is None:
        return False
    following = _frame(data, place + frame.length, end)
    return place + frame.length >= end or (following is not None and following.kind == frame.kind)


def _counted(data: memoryview, place: int, frame: _Frame) -> int | None:
    """Say how many frames follow by what *frame* says, where it is what encoders put before a sound."""
    inside = place + frame.inside
    head = bytes(data[inside : inside + 12])
    if head[:4] in (b"Xing", b"Info") and len(head) == 12:
        flags, count = struct.unpack_from(">II", head, 4)
        return count if flags & 1 else 0
    if bytes(data[place + 36 : place + 40]) == b"VBRI" and place + 54 <= len(data):
        (count,) = struct.unpack_from(">I", data, place + 50)
        return int(count)
    return None


@define
class _Mpeg:
    """A sound of which frames have been found so far."""

    begun: int
    kind: tuple[int, int, int, bool]
    counted: int | None
    """The number of frames that its first one, which is no sound, says; None where there is none such."""
    behind: int
    """Where the first frame that is sound begins."""
    frames: int = 0

    def piece(self, data: memoryview, end: int) -> Piece:
        """Give the sound; where it says no number of frames, or one too small, one is put before it.

        Without it a decoder guesses the length by the first frame, and stops there.
        """
        if self.kind[1] != 3 or (self.counted is not None and self.counted >= self.frames):
            return Piece(b"", self.begun, end)
        return Piece(_counting(data, self.behind, self.frames), self.behind, end)


def _counting(data: memoryview, place: int, frames: int) -> bytes:
    """Give a frame of silence like the one at *place*, which says that *frames* follow."""
    second, third, fourth = data[place + 1] | 1, data[place + 2] & 0x0C, data[place + 3]
    for bitrate in range(1, 15):
        head = bytes([0xFF, second, third | bitrate << 4, fourth])
        frame = _frame(memoryview(head), 0, 4)
        if frame and frame.length >= frame.inside + 12:
            counting = head.ljust(frame.inside, b"\0") + b"Xing" + struct.pack(">II", 1, frames)
            return counting.ljust(frame.length, b"\0")
    return b""


def _mpegs(data: memoryview, place: int, end: int) -> Iterator[Piece]:
    sound: _Mpeg | None = None
    while place < end:
        frame = _frame(data, place, end)
        if frame is not None and ((sound and frame.kind == sound.kind) or _is_mpeg(data, place, end)):
            counted = _counted(data, place, frame)
            if sound and (frame.kind != sound.kind or counted is not None):
                yield sound.piece(data, place)
                sound = None
            after = place + frame.length
            if sound is None:
                sound = _Mpeg(place, frame.kind, counted, place if counted is None else after)
            sound.frames += counted is None
            place = after
            continue
        if sound:
            yield sound.piece(data, place)
            sound = None
        behind = _behind_tags(data, place)
        if behind == place:
            found = _SYNC.search(data, place + 1, end)
            behind = found.start() if found else end
        place = behind
    if sound:
        yield sound.piece(data, end)


def _behind_tags(data: memoryview, place: int) -> int:
    """Give where what is no tag (ID3, APE) begins, at *place* or behind it."""
    while True:
        head = bytes(data[place : place + 32])
        if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 128:
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            place += 10 + size + (10 if head[5] & 0x10 else 0)
        elif head[:3] == b"TAG" and place and place + 128 <= len(data):
            place += 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            size, flags = struct.unpack_from("<I4xI", head, 12)
            place += 32 + (size if flags >> 29 & 1 else 0)
        else:
            return min(place, len(data))
