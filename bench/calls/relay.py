"""A connection as if its ends were far away: all that passes is late by so much, both ways.

It delays what TCP carries and the opening of a connection, which takes one way there and one back
before its first byte can leave.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import trio

_CHUNK = 65536


async def _late(source: trio.abc.Stream, target: trio.abc.HalfCloseableStream, seconds: float) -> None:
    """Give *target* whatever comes from *source*, and its end, *seconds* later."""
    send, receive = trio.open_memory_channel[tuple[float, bytes | bytearray]](inf)

    async def read() -> None:
        with send:
            try:
                while data := await source.receive_some(_CHUNK):
                    send.send_nowait((trio.current_time() + seconds, data))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        async for due, data in receive:
            await trio.sleep_until(due)
            await target.send_all(data)
    await trio.sleep(seconds)
    await target.send_eof()


@asynccontextmanager
async def open_relay(port: int, seconds: float) -> AsyncIterator[int]:
    """Give a port that leads to *port* of this machine, *seconds* away."""

    async def serve(near: trio.SocketStream) -> None:
        await trio.sleep(2 * seconds)
        try:
            far = await trio.open_tcp_stream("127.0.0.1", port)
        except OSError:
            await trio.aclose_forcefully(near)
            return
        async with near, far:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_late, near, far, seconds)
                    nursery.start_soon(_late, far, near, seconds)
            except* (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # One end has gone: so does the other.

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=1024)
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()
