"""From the bytes of a connection to whole requests.  Pure.

llhttp reads them, and is strict: what another server in front of this one could read in another way (two
lengths, a folded line, a bare line feed) is refused and never guessed at.  What is kept of a request that is
not whole is bounded, and one that is refused is the last of its connection, since nobody knows where the next
one begins.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from attrs import evolve
from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from ringful.http.exchange import Request
from ringful.http.problems import Problem

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request's first line and its headers."""
MAX_FIELDS: Final = 100
"""How many headers it may have."""
_SLACK: Final = 8
"""How often larger than its body what is sent of it may be: chunks have sizes, and ends."""


class _Refused(Exception):
    """What came is refused; `Incoming.wrong` says why."""


class Incoming:
    """What has come in on a connection of *peer*; *room* says how large a body may be, by its path."""

    def __init__(self, room: Callable[[str], int], peer: str) -> None:
        self.ready: deque[Request] = deque()
        """The requests that are whole and wait for their answers, in their order."""
        self.wrong: Problem | None = None
        """Why nothing more is read: it is to be answered behind what is ready."""
        self.begun = False
        """Whether a request has begun that is not whole."""
        self.headed = False
        """Whether its head is whole."""
        self.expects = False
        """Whether its body is sent only when the client is told to go on."""
        self._room_for, self._peer = room, peer
        self._parser = HttpRequestParser(self)
        self._target, self._body = b"", bytearray()
        self._headers: dict[str, str] = {}
        self._size = self._fields = self._fed = self._room = 0
        self._last = False

    def feed(self, data: bytes) -> None:
        """Take what has come in."""
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            # Answered as what it is besides; what follows is said in another language.
            self.ready[-1] = evolve(self.ready[-1], keep=False)
        except HttpParserCallbackError:
            if self.wrong is None:
                raise
        except HttpParserError as error:
            if not self._last:  # Else nobody waits for an answer to what follows.
                self.wrong = Problem(400, "request.invalid", f"this is no HTTP that can be read: {error}")
        if self.begun and self._fed > MAX_HEAD + _SLACK * self._room and self.wrong is None:
            self.wrong = self._too_large_body() if self.headed else _TOO_LARGE_HEAD

    def end(self) -> None:
        """Take it that nothing more comes."""
        if self.begun and self.wrong is None:
            self.wrong = Problem(400, "request.invalid", "the request ends before it is whole")

    # What the parser calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.begun, self.headed, self.expects = True, False, False
        self._target, self._body, self._headers = b"", bytearray(), {}
        self._size = self._fields = self._fed = self._room = 0

    def on_url(self, url: bytes) -> None:
        """Take what is asked for, or a piece of it."""
        self._target += url
        self._measure(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        if self.headed:
            return  # It stands behind a body in chunks, where nothing is that anybody asks for.
        self._fields += 1
        self._measure(len(name) + len(value))
        known, said = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        self._headers[known] = f"{self._headers[known]}, {said}" if known in self._headers else said

    def on_headers_complete(self) -> None:
        """Hold that the head is one that is answered, and see how much may follow."""
        self.headed = True
        version, headers = self._parser.get_http_version(), self._headers
        if version not in ("1.0", "1.1"):
            self._refuse(Problem(505, "request.invalid", f"HTTP/{version} is not spoken here; use HTTP/1.1"))
        host = headers.get("host")
        if (host is None and version == "1.1") or "," in (host or ""):
            self._refuse(Problem(400, "request.invalid", "the request must have one Host"))
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None and (coding.lower() != "chunked" or version == "1.0"):
            self._refuse(Problem(400, "request.invalid", "the only Transfer-Encoding taken here is chunked"))
        if coding is None and length is None:
            return
        self._room = self._room_for(self._path())
        if length is not None and int(length) > self._room:
            self._refuse(self._too_large_body())
        self.expects = headers.get("expect", "").lower() == "100-continue" and version == "1.1"

    def on_body(self, part: bytes) -> None:
        """Take a piece of the body."""
        self.expects = False
        if len(self._body) + len(part) > self._room:
            self._refuse(self._too_large_body())
        self._body += part

    def on_message_complete(self) -> None:
        """Give away the request."""
        keep = self._parser.should_keep_alive()
        query = self._target.partition(b"?")[2]
        method, old = self._parser.get_method().decode("ascii"), self._parser.get_http_version() == "1.0"
        self.ready.append(
            Request(method, self._path(), query, self._headers, bytes(self._body), self._peer, keep, old)
        )
        self.begun, self._last, self._fed = False, not keep, 0

    def _path(self) -> str:
        path = self._target.partition(b"?")[0]
        if not path.startswith(b"/") and b"://" in path:  # As it is sent to a proxy.
            path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
        return path.decode("latin-1")

    def _measure(self, more: int) -> None:
        self._size += more
        if self._size > MAX_HEAD or self._fields > MAX_FIELDS:
            self._refuse(_TOO_LARGE_HEAD)

    def _too_large_body(self) -> Problem:
        return Problem(413, "body.large", f"the body is larger than {self._room} bytes")

    def _refuse(self, why: Problem) -> None:
        self.wrong = why
        raise _Refused


_TOO_LARGE_HEAD = Problem(
    431, "head.large", f"path, query and headers have more than {MAX_HEAD} bytes or {MAX_FIELDS} headers"
)
