"""A client's connection: one task, from its first byte to its last.

Requests are read, answered and written one after another by that task alone, and an answer goes in one
write: no other task is woken for a request, and none is begun.  What must be looked at although the task
waits (that a client takes too long, or has gone away from the answer that it waited for) is seen by `serve`,
which looks at all connections once a second.  A fault of a connection ends it alone.

What may change something is not left half-way by a client that goes away: meanwhile the connection's own
scope is a shield, since a scope for each request costs more than to read it.
"""

import math
import os
import socket
from contextlib import suppress
from typing import Protocol

import trio
from attrs import define, field

from ringful.ground.faults import fault
from ringful.ground.sockets import receive, send, send_now
from ringful.http.exchange import Part, Request, Response, written
from ringful.http.incoming import Incoming
from ringful.http.problems import Problem

FIRST_SECONDS, NEXT_SECONDS = 5.0, 30.0
"""How long a connection may wait for the first whole head, and for the next one after an answer."""
BODY_SECONDS = 60.0
"""How long a body may take."""
WRITE_SECONDS = 60.0
"""How long a client may take nothing of its answer."""
LINGER_SECONDS = 5.0
"""How long a client that was refused may go on sending: an answer to what nobody reads would be lost."""

_RECEIVED = 64 * 1024
_PIECE = 256 * 1024
_LINGERING = 1024
"""How often more is thrown away, behind what was refused."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_UNREAD = Request("GET", "")
"""Stands for a request that cannot be read."""
_LATE = Problem(408, "request.slow", "the request took too long to come")
_ENDING = Problem(
    503,
    "server.unavailable",
    "this server is ending, and does nothing of it; try again",
    {"Retry-After": "1"},
)
_CROWDED = Problem(
    503,
    "server.connections",
    "as many connections are open here as may be; use one for many requests, or try again",
    {"Retry-After": "1"},
)


class Answering(Protocol):
    """Who answers."""

    def room_for(self, path: str) -> int:
        """Give how large a body may be."""

    def can_be_left(self, request: Request) -> bool:
        """Say whether the answer to *request* may be broken off where nobody waits for it any more."""

    async def answer(self, request: Request) -> Response:
        """Answer *request*; raises nothing."""

    def refuse(self, problem: Problem) -> Response:
        """Answer what cannot be read."""

    def gave_way(self) -> None:
        """Count that a connection was ended for another one."""


@define(eq=False)
class Connection:
    """A connection that was taken, by its *socket*, from *peer*."""

    _app: Answering
    _socket: socket.socket
    peer: str
    due: float = field(factory=lambda: trio.current_time() + FIRST_SECONDS)
    """When it has waited for its client for too long, by trio's clock; infinity: it does not."""
    since: float = field(factory=trio.current_time)
    """When something came from its client last, or went there."""
    busy: bool = False
    """Whether a request is answered."""
    ending: bool = False
    """Whether the answer that is under way is its last."""
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """Cancelled to end it at once; a shield while that is answered which must not be left half-way."""
    _incoming: Incoming = field(init=False)
    _why: Problem = _LATE
    """What a client is told whose request is not whole when the connection ends."""

    def __attrs_post_init__(self) -> None:
        self._incoming = Incoming(self._app.room_for, self.peer)

    async def run(self) -> None:
        """Serve the connection until it ends, however it does."""
        try:
            with self.scope:
                await self._serve()
            if (
                self.scope.cancelled_caught
                and (self._incoming.begun or self._incoming.ready)
                and not self.busy
            ):
                send_now(self._socket, written(self._app.refuse(self._why), _UNREAD, keep=False))
        except OSError:
            pass  # The client is gone.
        except Exception as error:
            fault("a client's connection", error)
        finally:
            self._socket.close()

    def end(self) -> None:
        """End it as soon as nothing is under way."""
        self.ending = True
        if not self.busy:
            self._why = _ENDING
            self.scope.cancel()

    def give_way(self) -> None:
        """End it, since another one is to have its place."""
        self._why = _CROWDED
        self.scope.cancel()

    def is_given_up(self, now: float) -> bool:
        """Say whether it is not worth waiting for: it took too long, or its client waits no more."""
        return self.due < now or (self.busy and not self.scope.shield and self._next() == b"")

    def is_unread(self) -> bool:
        """Say whether something has come that was not read yet."""
        return bool(self._next())

    def _next(self) -> bytes | None:
        """Look at what is read next: nothing, where the client has gone; None: nothing has come."""
        try:
            return self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    async def _serve(self) -> None:
        while await self._read() and await self._answer():
            self.since = trio.current_time()
            self.due = self.since + NEXT_SECONDS

    async def _read(self) -> bool:
        """Read until there is something to answer; False where nothing more comes."""
        incoming, headed = self._incoming, False
        while not incoming.ready and not incoming.wrong:
            data = await self._receive()
            if data:
                incoming.feed(data)
            else:
                incoming.end()
                return incoming.wrong is not None
            if incoming.begun and incoming.headed and not headed:
                headed, self.due = True, trio.current_time() + BODY_SECONDS
                if incoming.expects:
                    await self._write(_CONTINUE)
        return True

    async def _answer(self) -> bool:
        """Answer what has come in; False where that was the last."""
        incoming = self._incoming
        while incoming.ready:
            if self.scope.cancel_called:
                # That was said in the round in which this came: nothing of it is begun.
                await trio.lowlevel.checkpoint()
            request = incoming.ready.popleft()
            self.busy, self.due = True, math.inf
            self.scope.shield = not self._app.can_be_left(request)
            response = await self._app.answer(request)
            self.scope.shield = False
            keep = request.keep and not self.ending
            await self._write(written(response, request, keep=keep))
            if response.part and request.method != "HEAD":
                await self._write_part(response.part)
            self.busy = False
            if not keep:
                return False
            if incoming.ready:
                await trio.lowlevel.checkpoint()
        if incoming.wrong:
            await self._refuse(incoming.wrong)
        return not incoming.wrong

    async def _refuse(self, problem: Problem) -> None:
        incoming, self.due = self._incoming, trio.current_time() + LINGER_SECONDS
        incoming.begun = False
        await self._write(written(self._app.refuse(problem), _UNREAD, keep=False))
        self._socket.shutdown(socket.SHUT_WR)
        for _ in range(_LINGERING):
            if not await self._receive():
                break

    async def _receive(self) -> bytes:
        data = await receive(self._socket, _RECEIVED)
        self.since = trio.current_time()
        return data

    async def _write(self, data: bytes) -> None:
        """Write *data*: at once, unless the client takes it too slowly for that."""
        await send(self._socket, data, self._waits_for_room)

    def _waits_for_room(self) -> None:
        self.since = trio.current_time()
        self.due = self.since + WRITE_SECONDS

    async def _write_part(self, part: Part) -> None:
        """Write a part of a file, a piece at a time, however large it is.  Raises OSError."""
        file = await trio.to_thread.run_sync(part.file.open, "rb")
        try:
            at = part.begin
            while at < part.end:
                self.due = math.inf
                size = min(_PIECE, part.end - at)
                piece = await trio.to_thread.run_sync(os.pread, file.fileno(), size, at)
                if not piece:
                    raise OSError(f"{part.file} has become shorter")
                await self._write(piece)
                at += len(piece)
        finally:
            file.close()


def turn_away(app: Answering, taken: socket.socket) -> None:
    """Refuse a connection that there is no place for, in words that go at once or not at all."""
    with taken, suppress(OSError):
        send_now(taken, written(app.refuse(_CROWDED), _UNREAD, keep=False))
