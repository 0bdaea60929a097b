"""A client's connection: hypercorn's, with fewer writes and tasks for each request.

Hypercorn writes the head and the body of an answer apart, writes once more to say that nothing follows, and
starts and ends a task for each request that watches how long the connection is idle.  Here an answer whose
length is told goes in one write, and one task watches for as long as the connection lives: a request costs
the loop half as many turns.  A fault of a connection ends it alone: hypercorn would end the server.
"""

import math
from typing import Any

import trio
from hypercorn.events import Event, RawData, Updated
from hypercorn.trio.tcp_server import TCPServer

from ringful.ground.faults import fault

FIRST_SECONDS, NEXT_SECONDS = 5.0, 30.0
"""How long a connection may wait for its first whole request, and for the next one after an answer."""


class Connection(TCPServer):
    """What hypercorn serves a client's connection with."""

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self._head = b""
        """The head of an answer, until what follows it."""
        self._idle = trio.CancelScope()
        self._busy = False
        self._patience = FIRST_SECONDS

    async def run(self) -> None:
        """Serve the connection until it ends, however it does."""
        try:
            await super().run()
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # The client is gone.
        except* Exception as errors:
            fault("a client's connection", errors)

    async def protocol_send(self, event: Event) -> None:
        """Write what the protocol has made, or note how it stands."""
        match event:
            case RawData(data=data):
                if _is_head(data):
                    self._head += data
                elif data := self._whole(data):
                    await super().protocol_send(RawData(data))
            case Updated(idle=idle):
                self._busy, self._patience = not idle, NEXT_SECONDS
                self._watch()
            case _:
                if data := self._whole(b""):
                    await super().protocol_send(RawData(data))
                await super().protocol_send(event)

    def _whole(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + data

    def _watch(self) -> None:
        patience = math.inf if self._busy else self._patience
        self._idle.deadline = trio.current_time() + patience

    async def _read_data(self) -> None:
        await super()._read_data()
        self._idle.cancel()

    async def _idle_timeout(self) -> None:
        self._watch()
        with self._idle:
            await self.context.terminated.wait()
        if not self._busy:  # Else what is served ends the connection, where the server is to end.
            with trio.CancelScope(shield=True):
                await self._initiate_server_close()


def _is_head(data: bytes) -> bool:
    """Say whether something follows at once: a body of the told length, or that there is none."""
    return data.startswith(b"HTTP/1.1 ") and b"\r\ncontent-length:" in data.lower()
