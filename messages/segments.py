"""How a text is split into the parts that a mobile network carries, and their alphabets (3GPP TS 23.038).

A part holds 140 octets.  In the GSM alphabet that is 160 septets, in UCS-2 70 units of two octets; a text
of several parts gives up six octets of each for the header that joins them, and so holds 153 or 67.  One
character that the GSM alphabet lacks makes the whole text UCS-2.  Nine characters and the form feed need
an escape before them: they count two, and no part ends between the two.  Nor does one end within what
a reader takes for one character (an emoji of many code points, a flag, a letter and its accents), unless
that alone is longer than a part; a surrogate pair is never cut.

*Latin-1.*  Some SMSCs take data coding 0 for Latin-1.  That is the alphabet of the connection alone: what
goes over the air is GSM or UCS-2 all the same, and the SMSC makes GSM of what it was given.  So the counts
stay those of septets: ``[`` is one octet of Latin-1, and two septets in the air.  A text goes as Latin-1
where each of its characters is in both alphabets.  What GSM has and Latin-1 lacks (the euro, Greek
capitals) could not be written, and what Latin-1 has and GSM lacks (``á``) the SMSC would have to replace:
both are UCS-2.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from attrs import frozen

Alphabet: TypeAlias = Literal["gsm", "latin1"]
"""What data coding 0 means on a connection."""

Encoding: TypeAlias = Literal["gsm", "latin1", "ucs2"]

MOST_PARTS = 10
"""Of one text.  The header would allow 255; phones and networks get slow and costly long before."""

SINGLE = {"gsm": 160, "latin1": 160, "ucs2": 70}
PART = {"gsm": 153, "latin1": 153, "ucs2": 67}
"""How much a part holds: of a text that is one part, and of one that has several."""

ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_SEPTETS = {character: bytes((code,)) for code, character in enumerate(_BASIC) if code != ESCAPE} | {
    character: bytes((ESCAPE, code)) for code, character in _EXTENSION.items()
}
_BOTH = frozenset(character for character in _SEPTETS if ord(character) < 0x100)
_LINES = "\n\r\f"

_JOINER = "\u200d"
_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAGS = range(0x1F1E6, 0x1F200)
_JAMO = range(0x1160, 0x1200)
_NOT_JOINED = "\u200c"


@frozen
class Segments:
    """A text as the network will carry it: *parts*, each of them text, all in one *encoding*."""

    encoding: Encoding
    parts: tuple[str, ...]


def split(text: str, alphabet: Alphabet = "gsm") -> Segments:
    """Split *text*.  Raises ValueError where it cannot be sent at all, and says what could."""
    if not text:
        raise ValueError("the text is empty: there is nothing to send")
    if len(text) > MOST_PARTS * PART["gsm"]:
        raise ValueError(_too_long(f"the text has {len(text):,} characters"))
    _check(text)
    encoding = _encoding(text, alphabet)
    sizes = ((piece, _size(piece, encoding)) for piece in _pieces(text, encoding))
    parts = _packed(sizes, PART[encoding]) if _size(text, encoding) > SINGLE[encoding] else (text,)
    if len(parts) > MOST_PARTS:
        raise ValueError(_too_long(f"the text needs {len(parts)} parts", _why_ucs2(text, encoding)))
    return Segments(encoding, parts)


def _too_long(found: str, why: str = "") -> str:
    return (
        f"{found}, and {MOST_PARTS} parts are the most{why}: "
        f"{MOST_PARTS * PART['gsm']:,} characters of the GSM alphabet, or {MOST_PARTS * PART['ucs2']} where "
        "any is of another; shorten it, or send it as several texts"
    )


def _why_ucs2(text: str, encoding: Encoding) -> str:
    if encoding != "ucs2":
        return ""
    other = next((one for one in text if one not in _SEPTETS), None)
    return f" ({_named(other)} is of another alphabet)" if other else ""


def _check(text: str) -> None:
    """Refuse what no phone shows, and what would not arrive as it was written."""
    for at, one in enumerate(text, 1):
        kind = unicodedata.category(one) if one > "~" or one < " " else ""
        if kind == "Cc" and one not in _LINES:
            raise ValueError(
                f"character {at} of the text is the control character {_named(one)}, which a text message "
                "cannot carry; of those only line ends and the form feed can be sent"
            )
        if kind == "Cs" or ord(one) & 0xFFFE == 0xFFFE:
            what = "half of a surrogate pair" if kind == "Cs" else "no character"
            raise ValueError(f"character {at} of the text, {_named(one)}, is {what}; leave it out")


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"`{character}` ({code})" if character.isprintable() else code


def _encoding(text: str, alphabet: Alphabet) -> Encoding:
    if alphabet == "latin1":
        return "latin1" if _BOTH.issuperset(text) else "ucs2"
    return "gsm" if all(character in _SEPTETS for character in text) else "ucs2"


def _size(text: str, encoding: Encoding) -> int:
    """Give the septets of *text*, or the 16-bit units."""
    if encoding == "ucs2":
        return len(text) + sum(character > "\uffff" for character in text)
    return sum(len(_SEPTETS[character]) for character in text)


def _pieces(text: str, encoding: Encoding) -> Iterable[str]:
    """Give what should stay together."""
    return text if encoding != "ucs2" else _whole_characters(text)


def _whole_characters(text: str) -> Iterator[str]:
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not _belongs(text, start, at):
            piece = text[start:at]
            # One that is longer than a part has to be cut, and is where the part ends.
            yield from (piece,) if _size(piece, "ucs2") <= PART["ucs2"] else piece
            start = at


def _belongs(text: str, start: int, at: int) -> bool:
    """Say whether the character at *at* is of the one that began at *start* (after Unicode's annex 29)."""
    one, before = text[at], text[at - 1]
    code = ord(one)
    if before == _JOINER or one in (_JOINER, _NOT_JOINED) or (before, one) == ("\r", "\n"):
        return True
    if code in _FLAGS:
        # Two of them are a flag, and a third begins the next one.
        return at - start == 1 and ord(before) in _FLAGS
    return code in _TONES or code in _TAGS or code in _JAMO or unicodedata.category(one).startswith("M")


def _packed(sizes: Iterable[tuple[str, int]], most: int) -> tuple[str, ...]:
    parts: list[list[str]] = [[]]
    room = most
    for piece, size in sizes:
        if size > room:
            parts.append([])
            room = most
        parts[-1].append(piece)
        room -= size
    return tuple("".join(pieces) for pieces in parts)


def header(reference: int, number: int, of: int) -> bytes:
    """Give the user data header of part *number* of *of*: an 8-bit *reference* joins them."""
    return bytes((5, 0, 3, reference & 0xFF, of, number))


def encode(part: str, encoding: Encoding) -> bytes:
    """Give the octets of a part as SMPP wants them: a septet in an octet, UCS-2 big end first."""
    match encoding:
        case "gsm":
            return encode_gsm(part)
        case "latin1":
            return part.encode("latin-1")
        case "ucs2":
            return part.encode("utf-16-be")


def encode_gsm(text: str) -> bytes:
    """Give *text* in the GSM alphabet, a septet in an octet.  Raises ValueError for another alphabet's."""
    try:
        return b"".join([_SEPTETS[character] for character in text])
    except KeyError as error:
        raise ValueError(f"the GSM alphabet has no {_named(error.args[0])}") from None


def decode_gsm(data: bytes) -> str:
    """Read *data*, a septet in an octet.

    As the standard has it, an escape before what is in no table shows the character without the escape,
    and two escapes, or one at the end, a space.  An octet above 127 is no septet: whoever sends one most
    likely means Latin-1.
    """
    if ESCAPE not in data and data.isascii():
        return "".join([_BASIC[code] for code in data])
    return "".join(_unescaped(data))


def _unescaped(data: bytes) -> Iterator[str]:
    escaped = False
    for code in data:
        if code > 0x7F:
            yield chr(code) if code >= 0xA0 else "\ufffd"
        elif code == ESCAPE:
            if escaped:
                yield " "
            escaped = not escaped
            continue
        else:
            yield _EXTENSION.get(code, _BASIC[code]) if escaped else _BASIC[code]
        escaped = False
    if escaped:
        yield " "


_CODECS = {
    1: "latin-1",  # ASCII by its name
    3: "latin-1",
    5: "shift_jis",
    6: "iso8859-5",
    7: "iso8859-8",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}
"""The alphabets that SMPP numbers (5.2.19)."""


def decode(data: bytes, data_coding: int, alphabet: Alphabet = "gsm") -> str:
    """Read what came in, as well as it can be: whatever cannot, is U+FFFD.  It never raises.

    A part is read for itself: a surrogate pair that a sender cut between two of them is lost.
    """
    if data_coding in _CODECS:
        text = data.decode(_CODECS[data_coding], "replace")
    elif (kind := _kind(data_coding)) == "ucs2":
        text = _utf16(data)
    elif kind == "binary":
        text = _binary(data)
    else:
        text = data.decode("latin-1") if alphabet == "latin1" else decode_gsm(data)
    # A database may refuse a NUL, and nobody sends one on purpose.
    return text.replace("\0", "\ufffd")


def _kind(data_coding: int) -> Literal["default", "binary", "ucs2"]:
    """Say what a data coding is by the groups of TS 23.038, where SMPP has no name for it."""
    if data_coding in (2, 4):
        return "binary"
    group = data_coding >> 4
    if data_coding == 8 or group == 0xE or (group < 8 and data_coding & 0x0C == 0x08):
        return "ucs2"
    classes = group < 8 and data_coding >= 0x10
    return "binary" if data_coding & 0x04 and (classes or group == 0xF) else "default"


def _utf16(data: bytes) -> str:
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le", "replace")
    return data.decode("utf-16-be", "replace").removeprefix("\ufeff")


def _binary(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
