"""What a file is that cannot be played, for a person to read.  Pure."""

import json

_PLAYED = "WAV, MP3, OGG and FLAC can be played"

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "a program"),
    (b"MThd", "a MIDI file, notes without a sound"),
    (b"#!AMR", "a sound in AMR, which is not supported"),
    (b"\x30\x26\xb2\x75", "a WMA or ASF file, which is not supported"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM file, which is not supported"),
    (b"FLV\x01", "a Flash video"),
)


def reason(head: bytes, size: int) -> str:
    """Say why a file of *size* bytes that begins with *head* (some 4 KB) is not played."""
    if not size:
        return "it is empty: not a byte is in it"
    return f"{what(head)}; {_PLAYED}"


def what(head: bytes) -> str:
    """Say what begins with *head*, as far as that can be seen."""
    for beginning, name in _BEGINNINGS:
        # Two letters alone may begin a text as well.
        if head.startswith(beginning) and (len(beginning) > 2 or not _is_text(head)):
            return f"it is {name}" if "sound" in name else f"it is {name}, not a sound"
    if head[4:8] == b"ftyp":
        return "it is an MPEG-4 file (AAC), which is not supported"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "it is a sound in AAC, which is not supported"
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return _riff(head)
    if head[:4] == b"OggS":
        return "it is an OGG file whose sound cannot be read (Vorbis, Opus and FLAC can)"
    if _is_text(head):
        return f"it is {_text(head)}, not a sound"
    return "it is no audio that can be read"


def _riff(head: bytes) -> str:
    match head[8:12]:
        case b"WEBP":
            return "it is a WebP picture, not a sound"
        case b"AVI ":
            return "it is an AVI video, which is not supported"
        case b"WAVE":
            place = head.find(b"fmt ")
            if place < 0 or len(head) < place + 24:
                return "it is a WAV file that ends before its sound begins"
            coding = int.from_bytes(head[place + 8 : place + 10], "big" if head[:4] == b"RIFX" else "little")
            return f"it is a WAV file in a coding (0x{coding:04x}) that cannot be read, or damaged"
        case _:
            return "it is a RIFF file, but holds no WAVE"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may have been cut through.
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(one.isprintable() or one in "\r\n\t\f\ufeff" for one in text)


def _text(head: bytes) -> str:
    text = head.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    lower = text[:1000].lower()
    if lower.startswith(("<!doctype html", "<html")) or (lower.startswith("<") and "<html" in lower):
        return "an HTML page"
    if lower.startswith(("<?xml", "<svg")):
        return "an XML document"
    if text[:1] in "{[" and text:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            if error.pos < len(text) - 1 or len(head) < 4000:
                return "a text"
        except RecursionError:
            return "a text"
        return "JSON"
    return "a text"
