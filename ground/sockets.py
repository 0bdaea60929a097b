"""Reading bare sockets under trio, with nothing between."""

import socket

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
