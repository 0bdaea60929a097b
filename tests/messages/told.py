"""A desk that hands out what a test gives it, and keeps what it is told."""

import math
from typing import Any

import trio

from ringful.messages.port import Incoming, Outgoing, Receipt


class Told:
    """See `ringful.messages.port.Desk`; messages come from `give`, and `heard` has what was told."""

    def __init__(self) -> None:
        self._work: tuple[trio.MemorySendChannel[Outgoing], trio.MemoryReceiveChannel[Outgoing]]
        self._work = trio.open_memory_channel(math.inf)
        self.heard: list[tuple[Any, ...]] = []
        self.standings: list[tuple[str, bool, str]] = []
        self.incoming: list[Incoming] = []
        self.fails: Exception | None = None
        """What `received` raises, until it is None."""
        self._news = trio.Event()

    def give(self, message: Outgoing) -> None:
        self._work[0].send_nowait(message)

    async def until(self, count: int) -> list[tuple[Any, ...]]:
        """Wait until *count* things were told of messages."""
        with trio.fail_after(30):
            while len(self.heard) < count:
                await self._news.wait()
        return self.heard

    async def until_up(self, up: bool) -> str:
        """Wait until a connection was said to be up, or not to be; give why."""
        with trio.fail_after(30):
            while not self.standings or self.standings[-1][1] is not up:
                await self._news.wait()
        return self.standings[-1][2]

    async def until_incoming(self, count: int) -> list[Incoming]:
        with trio.fail_after(30):
            while len(self.incoming) < count:
                await self._news.wait()
        return self.incoming

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    def _hear(self, *what: Any) -> None:
        self.heard.append(what)
        self._tell()

    async def next(self) -> Outgoing:
        return await self._work[1].receive()

    def taken(self, sent: Outgoing, part: int, parts: int, connection: str, remote_id: str) -> None:
        self._hear("taken", sent.message_id, part, parts, connection, remote_id)

    def refused(self, sent: Outgoing, reason: str) -> None:
        self._hear("refused", sent.message_id, reason)

    def again(self, sent: Outgoing, why: str, pause: float = 0.0) -> None:
        self._hear("again", sent.message_id, why, pause)

    def unsure(self, sent: Outgoing, part: int, why: str) -> None:
        self._hear("unsure", sent.message_id, part, why)

    async def receipt(self, receipt: Receipt) -> None:
        raise AssertionError(f"a receipt, where there are none: {receipt}")

    async def received(self, incoming: Incoming) -> None:
        await trio.lowlevel.checkpoint()
        if self.fails:
            self._tell()
            raise self.fails
        self.incoming.append(incoming)
        self._tell()

    def standing(self, connection: str, *, up: bool, why: str = "") -> None:
        self.standings.append((connection, up, why))
        self._tell()
