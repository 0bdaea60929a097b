"""HTTP/1.1 as two programs of our own speak it on one machine, read at little cost."""

from collections.abc import Mapping

import trio
from attrs import define, frozen

MOST = 1 << 20
"""Bytes of a message at most: what is longer is none that we know."""


class WireError(Exception):
    """What came is no message of HTTP that we know, or ended in the middle."""


@frozen
class Message:
    """A request or a response; *headers* by their lower-case names."""

    first: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether its connection ends with it."""
        return self.headers.get("connection", "").lower() == "close" or "HTTP/1.0" in self.first


@define(eq=False)
class Wire:
    """A connection from which messages are read, one after another."""

    stream: trio.abc.Stream
    _read: bytes = b""

    async def next(self) -> Message | None:
        """Give the next message; None where the connection has ended before one.  Raises WireError."""
        while b"\r\n\r\n" not in self._read:
            if not await self._more():
                if self._read:
                    raise WireError("it ended in the middle of a message")
                return None
        head, _, rest = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        size = _size(headers)
        self._read = rest
        while len(self._read) < size:
            if not await self._more():
                raise WireError("it ended in the middle of a body")
        body, self._read = self._read[:size], self._read[size:]
        return Message(first, headers, body)

    async def _more(self) -> bool:
        data = await self.stream.receive_some(65536)
        self._read += data
        if len(self._read) > MOST:
            raise WireError(f"a message of more than {MOST} bytes")
        return bool(data)


def _size(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise WireError("a body of chunks: send Content-Length")
    size = headers.get("content-length", "0")
    if not size.isdecimal() or int(size) > MOST:
        raise WireError(f"Content-Length: {size}")
    return int(size)
