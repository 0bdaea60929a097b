"""Our end of a socket that a child of ours has the other end of.

What is sent is out before `send` returns, as long as the other side keeps up: no task is woken for it.
What does not fit waits, in order, until `flush` finds room for it.
"""

import socket

import trio

from ringful.ground.sockets import receive, send_now

_MOST = 1 << 16
"""Bytes that are read at once."""


class Pipe:
    """The end *ours*, which is closed by it."""

    def __init__(self, ours: socket.socket) -> None:
        ours.setblocking(False)
        self._socket = ours
        self._left = bytearray()
        """What was not taken yet."""
        self._is_full = trio.Event()

    async def receive(self) -> bytes:
        """Wait for what comes, and give all that is there; nothing when the other side has ended."""
        try:
            return await receive(self._socket, _MOST)
        except (OSError, trio.ClosedResourceError):
            return b""

    def send(self, data: bytes) -> None:
        """Send *data* behind all that was sent before.  Raises OSError where the other side has ended."""
        if self._left:
            self._left += data
            return
        sent = send_now(self._socket, data)
        if sent < len(data):
            self._left += data[sent:]
            self._is_full.set()

    async def flush(self) -> None:
        """Send what could not be sent at once, until cancelled.  Raises OSError as `send` does."""
        while True:
            await self._is_full.wait()
            self._is_full = trio.Event()
            while self._left:
                await trio.lowlevel.wait_writable(self._socket)
                del self._left[: send_now(self._socket, self._left)]

    def shut(self) -> None:
        """End both directions: who reads here, and there, finds that nothing more will come."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; who waits here is told that it has ended."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
