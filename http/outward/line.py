"""A connection to a receiver, and how long may be waited on it.

Without TLS it is a bare socket, with nothing between.  Whoever waits does so within one scope, whose
deadline moves (`Limit`): a scope for every read and every write costs more than both.
"""

import socket
from contextlib import suppress
from typing import Protocol

import trio
from attrs import define, frozen
from httpcore2 import AsyncNetworkStream

from ringful.ground.sockets import receive, send
from ringful.http.outward.outbound import BROKEN, OutboundError

_CHUNK = 16 * 1024
_LEAVING_SECONDS = 0.5


@frozen(eq=False)
class Limit:
    """The time that an attempt has: until *end* in all, and *step_seconds* for each step of it."""

    scope: trio.CancelScope
    end: float
    step_seconds: float

    def step(self) -> None:
        """Let the time of a step begin."""
        self.scope.deadline = min(self.end, trio.current_time() + self.step_seconds)

    def rest(self) -> None:
        """Let all the time that is left be for what comes, which has limits of its own."""
        self.scope.deadline = self.end


class Line(Protocol):
    """A connection; what breaks it off is an OutboundError, or one of httpcore's."""

    idle_since: float

    @property
    def alive(self) -> bool:
        """Whether nothing came while it was idle: not even its end."""
        ...

    async def send(self, data: bytes, limit: Limit) -> None:
        """Send all of *data*; each piece is a step."""
        ...

    async def more(self) -> bytes:
        """Wait for what comes next; nothing: the other side has ended it."""
        ...

    async def close(self) -> None: ...


@define(eq=False)
class Bare:
    """A connection without TLS."""

    _socket: socket.socket
    idle_since: float = 0.0

    @property
    def alive(self) -> bool:
        """See `Line`."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    async def send(self, data: bytes, limit: Limit) -> None:
        """See `Line`."""
        try:
            await send(self._socket, data, limit.step)
        except OSError as error:
            raise OutboundError(BROKEN) from error

    async def more(self) -> bytes:
        """See `Line`."""
        try:
            return await receive(self._socket, _CHUNK)
        except OSError as error:
            raise OutboundError(BROKEN) from error

    async def close(self) -> None:
        """See `Line`."""
        self._socket.close()


@define(eq=False)
class Secured:
    """A connection with TLS."""

    _stream: AsyncNetworkStream
    idle_since: float = 0.0

    @property
    def alive(self) -> bool:
        """See `Line`."""
        return not self._stream.get_extra_info("is_readable")

    async def send(self, data: bytes, limit: Limit) -> None:
        """See `Line`."""
        for at in range(0, len(data), _CHUNK):
            await self._stream.write(data[at : at + _CHUNK])
            limit.step()

    async def more(self) -> bytes:
        """See `Line`."""
        return await self._stream.read(_CHUNK)

    async def close(self) -> None:
        """See `Line`."""
        with trio.move_on_after(_LEAVING_SECONDS, shield=True):
            with suppress(Exception):  # Whatever it is, the connection is left.
                await self._stream.aclose()


def bare(stream: AsyncNetworkStream) -> Bare:
    """Take the socket out of *stream*, which has no TLS and is of no use afterwards."""
    taken = socket.socket(fileno=stream.get_extra_info("socket").detach())
    taken.setblocking(False)
    return Bare(taken)
