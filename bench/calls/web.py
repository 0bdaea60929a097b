"""The customer's web server: it has the sounds, and is told what happens on calls."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import trio
from attrs import frozen

from ringful.bench.calls.wire import Message, Wire, WireError

Receive = Callable[[str, Mapping[str, str], int], None]
"""Is given the path, the fields, and when they came: the machine's clock in nanoseconds."""
_TOLD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_UNKNOWN = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@frozen
class Web:
    """What is served: *sounds* by path; each has an ETag, and may be asked about."""

    sounds: Mapping[str, bytes]
    receive: Receive

    def answer(self, message: Message) -> bytes:
        """Answer a request that has come just now."""
        method, _, rest = message.first.partition(" ")
        path = rest.partition(" ")[0]
        if method == "POST":
            fields = dict(parse_qsl(message.body.decode("utf-8", "replace"), keep_blank_values=True))
            self.receive(path, fields, time.time_ns())
            return _TOLD
        sound = self.sounds.get(path)
        if sound is None:
            return _UNKNOWN
        tag = f'"{len(sound)}"'
        if message.headers.get("if-none-match") == tag:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nETag: {tag}\r\nContent-Length: {len(sound)}"
        return f"{head}\r\n\r\n".encode() + (b"" if method == "HEAD" else sound)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Answer whatever comes over a connection, until it ends."""
        wire = Wire(stream)
        async with stream:
            try:
                while message := await wire.next():
                    await stream.send_all(self.answer(message))
                    if message.closes:
                        return
            except (trio.BrokenResourceError, WireError):
                return  # Who posted it was cut off, and posts it again.


@asynccontextmanager
async def open_web(sounds: Mapping[str, bytes], receive: Receive) -> AsyncIterator[int]:
    """Serve at a port of this machine; give it."""
    web = Web(sounds, receive)
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=1024)
        nursery.start_soon(trio.serve_listeners, web.serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()
