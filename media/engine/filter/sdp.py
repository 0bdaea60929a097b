"""Session descriptions (RFC 4566), written anew with no more than a worker uses.

The library asserts on a media line without an address, has fixed room for formats and attributes, and
was found to reckon wrongly with absurd numbers (CVE-2026-41416).  A line that it could not bear is
switched off, and so refused; what nobody here knows is left out: ICE (CVE-2026-25994), feedback, DTLS.
"""

import base64
import binascii
import re

from attrs import define, field

from ringful.media.engine.filter.addresses import is_address
from ringful.media.engine.filter.message import Unfit

MOST_LINES = 16
"""Media lines that the library has room for."""
MOST_FORMATS = 16
_KNOWN = frozenset({"pcmu", "pcma", "g722", "telephone-event"})
"""Formats of sound that a worker could agree on."""
_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
_DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_MEDIA = re.compile(r"(\w[\w\-]{0,30}) ([0-9]{1,10})(?:/[0-9]+)? ([\w/\-]{1,40})((?: \S+)*)\s*", re.ASCII)
_ORIGIN = re.compile(r"(\S{1,64}) ([0-9]{1,20}) ([0-9]{1,20}) IN IP[46] (\S{1,255})", re.ASCII)
_MAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9.\-_]{1,40})/([0-9]{1,6})(/[1-9])?\s*", re.ASCII)
_PARAMETERS = re.compile(r"([0-9]{1,3}) ([\x21-\x7e][\x20-\x7e]{0,199})", re.ASCII)
_EVENTS = re.compile(r"[0-9]{1,3}(?:-[0-9]{1,3})?(?:,[0-9]{1,3}(?:-[0-9]{1,3})?){0,20}", re.ASCII)
_CRYPTO = re.compile(r"([0-9]{1,9}) ([A-Z0-9_]+) inline:([A-Za-z0-9+/=]+)((?:\|[0-9:^]+)*)\s*", re.ASCII)
_KEYS = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AES_256_CM_HMAC_SHA1_80": 46,
    "AES_256_CM_HMAC_SHA1_32": 46,
    "AES_CM_256_HMAC_SHA1_80": 46,
    "AES_CM_256_HMAC_SHA1_32": 46,
    "AES_192_CM_HMAC_SHA1_80": 38,
    "AES_192_CM_HMAC_SHA1_32": 38,
}
"""Bytes of a key with its salt (RFC 4568, RFC 6188)."""
_MOST_PACKET = 120
"""Milliseconds of sound in a packet."""


@define
class _Line:
    kind: str
    port: int
    profile: str
    formats: list[str]
    address: str | None = None
    attributes: list[tuple[str, str]] = field(factory=list)


def clean(written: str, source: str) -> str:
    """Give an SDP that the library bears; *source* is the address that it came from.

    Raises Unfit where no media line can be read, or there are too many.
    """
    lines = [line for line in re.split(r"\r?\n|\r", written) if re.match(r"[a-z]=", line)]
    if not lines or not lines[0].startswith("v=0"):
        raise Unfit(488, "Not Acceptable Here")
    origin, address, common = "- 0 0 IN IP4 0.0.0.0", None, [("", "")][:0]
    media: list[_Line] = []
    for line in lines[1:]:
        kind, value = line[0], line[2:].strip(" \t\0")
        if kind == "o" and not media:
            origin = _origin(value)
        elif kind == "m":
            media.append(_media(value))
        elif kind == "c":
            where = _address(value, source)
            if media:
                media[-1].address = media[-1].address or where
            else:
                address = where
        elif kind == "a":
            name, _, text = value.partition(":")
            (media[-1].attributes if media else common).append((name.strip(), text.strip()))
    if not media or len(media) > MOST_LINES:
        raise Unfit(488, "Not Acceptable Here")
    first = [f"a={name}" for name, _ in common if name in _DIRECTIONS][:1]
    written_anew = [part for one in media for part in _line(one, address)]
    return "\r\n".join(["v=0", f"o={origin}", "s=-", "t=0 0", *first, *written_anew]) + "\r\n"


def _origin(value: str) -> str:
    found = _ORIGIN.fullmatch(value)
    if not found or not re.fullmatch(r"[\x21-\x7e]+", found[1]):
        return "- 0 0 IN IP4 0.0.0.0"
    return f"{found[1]} {found[2]} {found[3]} IN IP4 {found[4] if is_address(found[4]) else '0.0.0.0'}"


def _address(value: str, source: str) -> str | None:
    """Give the address of a ``c=`` line; a name means whoever sent it.  None: nothing can be sent there."""
    found = re.fullmatch(r"IN IP4 ([A-Za-z0-9.\-]{1,253})(?:/[0-9/]+)?", value, re.ASCII)
    if not found:
        return None
    if not is_address(found[1]):
        return None if re.fullmatch(r"[0-9.]+", found[1]) else source
    return None if int(found[1].partition(".")[0]) >= 224 else found[1]


def _media(value: str) -> _Line:
    found = _MEDIA.fullmatch(value)
    if not found:
        raise Unfit(488, "Not Acceptable Here")
    port = int(found[2])
    return _Line(found[1].lower(), port if port < 65536 else 0, found[3], found[4].split()[:200])


def _line(line: _Line, common: str | None) -> list[str]:
    """Write a media line and what belongs to it."""
    address = line.address or common
    is_rtp = "RTP/" in line.profile
    maps = _maps(line) if is_rtp else {}
    formats = _formats(line, maps) if is_rtp else [one for one in line.formats if _is_token(one)][:4]
    port = line.port if address and formats else 0
    written = [
        f"m={line.kind} {port} {line.profile} {' '.join(formats or ['0'])}",
        f"c=IN IP4 {address or '0.0.0.0'}",
    ]
    if not port:
        return written
    written += [f"a=rtpmap:{one} {maps[one]}" for one in formats if one in maps]
    written += _parameters(line, formats, maps)
    written += [f"a={name}" for name, _ in line.attributes if name in _DIRECTIONS][:1]
    if line.kind == "audio":
        written += _packets(line)
        written += _control(line)
        written += _crypto(line)
    return written


def _is_token(one: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9.\-_*]{1,40}", one))


def _maps(line: _Line) -> dict[str, str]:
    """Give what formats are, by their payload types."""
    maps: dict[str, str] = {}
    for name, text in line.attributes:
        found = _MAP.fullmatch(text) if name == "rtpmap" else None
        if found and int(found[1]) < 128 and 1000 <= int(found[3]) <= 192000:
            maps.setdefault(str(int(found[1])), f"{found[2]}/{found[3]}{found[4] or ''}")
    return maps


def _formats(line: _Line, maps: dict[str, str]) -> list[str]:
    """Give the payload types that can be meant: of sound those that we know, or else the first ones."""
    numbers = [str(int(one)) for one in line.formats if re.fullmatch(r"[0-9]{1,3}", one, re.ASCII)]
    meant = [one for one in dict.fromkeys(numbers) if int(one) < 96 or (one in maps and int(one) < 128)]
    for one in meant:
        if one in _STATIC and maps.get(one, _STATIC[one]).partition("/")[0].lower() not in _KNOWN:
            maps.pop(one)
    known = [one for one in meant if _name(one, maps) in _KNOWN] if line.kind == "audio" else []
    sound = [one for one in known if _name(one, maps) != "telephone-event"]
    return (known if sound else meant)[:MOST_FORMATS]


def _name(number: str, maps: dict[str, str]) -> str:
    return maps.get(number, _STATIC.get(number, "")).partition("/")[0].lower()


def _parameters(line: _Line, formats: list[str], maps: dict[str, str]) -> list[str]:
    kept: dict[str, str] = {}
    for name, text in line.attributes:
        found = _PARAMETERS.fullmatch(text) if name == "fmtp" else None
        if found and found[1] in formats:
            is_keys = _name(found[1], maps) == "telephone-event"
            if not is_keys or _EVENTS.fullmatch(found[2].strip()):
                kept.setdefault(found[1], f"a=fmtp:{found[1]} {found[2].strip()}")
    return list(kept.values())


def _packets(line: _Line) -> list[str]:
    """How much sound a packet has, where that can be: asymmetric absurdities make the library overrun."""
    kept: dict[str, str] = {}
    for name, text in line.attributes:
        is_tens = name in ("ptime", "maxptime") and re.fullmatch(r"[0-9]{1,2}0", text, re.ASCII)
        if is_tens and 10 <= int(text) <= _MOST_PACKET:
            kept.setdefault(name, f"a={name}:{int(text)}")
    return list(kept.values())


def _control(line: _Line) -> list[str]:
    for name, text in line.attributes:
        found = re.fullmatch(r"([0-9]{1,5})(?: IN IP4 ([0-9.]{7,15}))?", text) if name == "rtcp" else None
        if found and 0 < int(found[1]) < 65536 and (not found[2] or is_address(found[2])):
            return [f"a=rtcp:{text}"]
    return []


def _crypto(line: _Line) -> list[str]:
    """The keys that are as long as their suite wants."""
    kept: dict[str, str] = {}
    for name, text in line.attributes:
        found = _CRYPTO.fullmatch(text) if name == "crypto" else None
        if found and _KEYS.get(found[2]) == _length(found[3]):
            kept.setdefault(str(int(found[1])), f"a=crypto:{text.strip()}")
    return list(kept.values())[:8]


def _length(key: str) -> int:
    try:
        return len(base64.b64decode(key, validate=True))
    except binascii.Error:
        return -1
