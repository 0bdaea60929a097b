"""A SIP message as lines: read with all patience, written without any (RFC 3261, 7).

Bytes are read as Latin-1, one character each, so that what is not UTF-8 is not lost.
"""

import re
from collections.abc import Iterable, Iterator

from attrs import define, evolve, frozen

TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
MOST_VALUE = 4000
"""Characters of a header."""
_NAME = re.compile(TOKEN)
_REQUEST = re.compile(rf"({TOKEN}) ([^\s<>\"]{{1,500}}) SIP/2\.0", re.ASCII)
_NEARLY = re.compile(rf"({TOKEN})\s.*\sSIP/[0-9]+\.[0-9]+\s*", re.ASCII)
_RESPONSE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.ASCII)
_LONG = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}
"""Compact forms of headers, by their letter."""


class Unfit(Exception):
    """A message that is not to be handled: the status that a request is answered with, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason = status, reason


@define
class Header:
    """A header; *key* is its whole name in small letters."""

    name: str
    value: str
    key: str = ""

    def __attrs_post_init__(self) -> None:
        small = self.name.lower()
        self.key = self.key or _LONG.get(small, small)


@frozen
class Message:
    """A request, where there is a *method*, or a response."""

    method: str
    uri: str
    status: int
    reason: str
    headers: list[Header]
    body: str

    @property
    def is_request(self) -> bool:
        """Whether it is a request."""
        return not self.status

    def all(self, key: str) -> Iterator[str]:
        """Give the values of all headers of that name."""
        return (one.value for one in self.headers if one.key == key)

    def one(self, key: str) -> str:
        """Give the first header's value; empty where there is none."""
        return next(self.all(key), "")

    def within(self) -> bool:
        """Whether it belongs to a dialog, or says so: To has a tag."""
        return ";tag=" in self.one("to").lower().replace(" ", "")

    def with_body(self, body: str, kind: str = "") -> "Message":
        """Give it with another body, and what that is."""
        headers = [one for one in self.headers if one.key not in ("content-type", "content-length")]
        if kind:
            headers.append(Header("Content-Type", kind))
        return evolve(self, headers=headers, body=body)

    def bytes(self) -> bytes:
        """Write it; the length of the body is reckoned."""
        first = f"{self.method} {self.uri} SIP/2.0" if self.is_request else ""
        first = first or f"SIP/2.0 {self.status} {self.reason}"
        lines = [f"{one.name}: {one.value}" for one in self.headers if one.key != "content-length"]
        lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join([first, *lines]) + "\r\n\r\n" + self.body).encode("latin-1")


def read(packet: bytes) -> Message:
    """Read a message; lines that can be no header are left out.  Raises Unfit."""
    text = packet.decode("latin-1")
    found = re.search(r"\r?\n\r?\n", text)
    head, body = (text[: found.start()], text[found.end() :]) if found else (text, "")
    first, *lines = _unfolded(re.split(r"\r?\n", head))
    method = uri = reason = ""
    status = 0
    if request := _REQUEST.fullmatch(first.rstrip()):
        method, uri = request[1], request[2]
    elif response := _RESPONSE.fullmatch(first.rstrip()):
        status, reason = int(response[1]), printable(response[2] or "", 100)
    elif (nearly := _NEARLY.fullmatch(first)) and not first.startswith("SIP/"):
        # Without a URI: it is answered.
        method = nearly[1]
    else:
        raise Unfit(0, "neither a request nor a response")
    return Message(method, uri, status, reason, list(_headers(lines)), body)


def _unfolded(lines: Iterable[str]) -> list[str]:
    """Join what goes on in the next line (RFC 3261, 7.3.1)."""
    whole: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and whole:
            whole[-1] = f"{whole[-1].rstrip()} {line.strip()}"
        else:
            whole.append(line)
    return whole


def _headers(lines: Iterable[str]) -> Iterator[Header]:
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip(" \t")
        if colon and _NAME.fullmatch(name) and len(name) <= 64 and len(value) <= MOST_VALUE:
            yield Header(name, value.strip(" \t\r").replace("\t", " "))


def printable(text: str, most: int) -> str:
    """Give *text* without whatever is no character of a line, and not too long; it stays UTF-8."""
    kept = "".join(
        " " if one == "\t" else one for one in text if one == "\t" or (one >= " " and one != "\x7f")
    )
    decoded = kept.encode("latin-1").decode("utf-8", "replace").replace("\ufffd", "?")
    return decoded[:most].encode().decode("latin-1")


def split(value: str) -> list[str]:
    """Split what is listed with commas; those in quotes and in angle brackets divide nothing."""
    parts, start, quoted, inside, escaped = [], 0, False, 0, False
    for at, one in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = one == "\\", one != '"'
        elif one == '"':
            quoted = True
        elif one in "<>":
            inside = one == "<"
        elif one == "," and not inside:
            parts.append(value[start:at].strip())
            start = at + 1
    parts.append(value[start:].strip())
    return [part for part in parts if part]
