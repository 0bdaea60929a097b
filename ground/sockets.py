"""Bare sockets under trio, with nothing between: trio is asked only where there is something to wait for."""

import socket
from collections.abc import Callable

import trio


async def receive(taken: socket.socket, most: int) -> bytes:
    """Wait for what comes on *taken*, which does not block, and give it; nothing: it has ended.

    No more than *most* bytes are given at once.  Raises OSError, trio.ClosedResourceError.
    """
    while True:
        await trio.lowlevel.wait_readable(taken)
        try:
            return taken.recv(most)
        except BlockingIOError:
            continue


def send_now(taken: socket.socket, data: bytes | bytearray | memoryview) -> int:
    """Send what of *data* goes at once, and say how many bytes that are.  Raises OSError."""
    try:
        return taken.send(data)
    except BlockingIOError:
        return 0


async def send(taken: socket.socket, data: bytes, waits: Callable[[], None]) -> None:
    """Send all of *data* on *taken*, which does not block; before each wait for room *waits* is called.

    Raises OSError, trio.ClosedResourceError.
    """
    left = memoryview(data)
    while left := left[send_now(taken, left) :]:
        waits()
        await trio.lowlevel.wait_writable(taken)
