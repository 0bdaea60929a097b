"""What a receiver says to a callback: its status, its Retry-After, and where its answer ends.

Nearly every answer is plain: HTTP/1.1, a head that is there at once, a Content-Length and nothing
odd.  Two regular expressions read that.  They take nothing that h11 would take for anything else
(a test holds it), and whatever they do not take, chunks, 1xx, junk or half a head, h11 reads.
"""

import re
from functools import lru_cache
from typing import cast

import h11
from attrs import frozen

from ringful.http.outward.line import Limit, Line
from ringful.http.outward.outbound import ENDED, OutboundError

HEAD_BYTES = 100 * 1024
_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-9][0-9]{2})(?: [ -~]*)?\r\n((?:[-!#$%&'*+.^_`|~0-9a-zA-Z]+:[ -~]*\r\n)*)\r\n"
)
_TELLING = re.compile(
    rb"(?im)^(content-length|connection|retry-after|transfer-encoding): *([^\r]*?) *\r$",
)


@frozen
class Answer:
    """What a receiver answered; *retry_after* is its header as it came."""

    status: int
    retry_after: str | None


@frozen
class Plain:
    """A plain answer; *missing* bytes of its body are still to come, or so many too much if negative."""

    answer: Answer
    missing: int
    stays: bool
    """Whether the receiver lets the connection stay."""


@lru_cache(128)
def read_plain(data: bytes) -> Plain | None:
    """Read what came first, if it has the whole head of a plain answer.

    A receiver says the same to many: its answers of a second differ by nothing, as a rule.
    """
    head = _HEAD.match(data)
    if head is None:
        return None
    found = _TELLING.findall(head[2])
    status, said = int(head[1]), {name.lower(): value for name, value in found}
    length, connection = said.get(b"content-length", b""), said.get(b"connection", b"keep-alive").lower()
    if len(said) < len(found) or b"transfer-encoding" in said:
        return None
    if not length.isdigit() or len(length) > 9:
        return None
    if connection not in (b"keep-alive", b"close"):
        return None
    after = said.get(b"retry-after")
    answer = Answer(status, None if after is None else after.decode("ascii"))
    body = 0 if status in (204, 304) else int(length)
    return Plain(answer, head.end() + body - len(data), connection == b"keep-alive")


class Odd:
    """An answer of any kind on *line*, as h11 reads it; *data* of it has come."""

    def __init__(self, line: Line, limit: Limit, data: bytes) -> None:
        self._line, self._limit = line, limit
        self._http = h11.Connection(h11.CLIENT, HEAD_BYTES)
        # What was asked matters only as far as it was a POST.
        self._http.send(h11.Request(method=b"POST", target=b"/", headers=[(b"Host", b"receiver")]))
        self._http.send(h11.EndOfMessage())
        self._take(data)

    async def answer(self) -> Answer:
        """Give the answer when its head is there.  Raises OutboundError, h11.ProtocolError."""
        head = await self._next()
        while not isinstance(head, h11.Response):
            if isinstance(head, type):
                raise h11.RemoteProtocolError("it switches to another protocol")
            head = await self._next()
        after = next((value for name, value in head.headers if name == b"retry-after"), None)
        return Answer(head.status_code, None if after is None else after.decode("latin-1"))

    async def stays(self, most: int) -> bool:
        """Read the body, up to *most* bytes; say whether the connection can be used again.

        Nothing may have come behind the answer: it would be taken for the answer to the next post.
        """
        size = 0
        while size <= most:
            event = await self._next()
            if isinstance(event, h11.EndOfMessage):
                http = self._http
                both_done = http.our_state is h11.DONE and http.their_state is h11.DONE
                return both_done and not http.trailing_data[0]
            if not isinstance(event, h11.Data):
                return False
            size += len(event.data)
        return False

    async def _next(self) -> h11.Event | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._limit.step()
            self._take(await self._line.more())
        return cast("h11.Event | type[h11.PAUSED]", event)

    def _take(self, data: bytes) -> None:
        if not data and self._http.their_state is h11.SEND_RESPONSE:
            raise OutboundError(ENDED)
        self._http.receive_data(data)
