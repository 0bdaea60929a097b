"""What an SMSC brings is handed to the desk, and acknowledged when it is kept: until then the SMSC keeps it.

Texts go one by one, in their order.  Receipts have none, and a few are handed over at the same time.  What
is too much at once is answered "not now", and comes again: nothing that is read waits for the desk.
"""

from collections.abc import Callable
from typing import TypeAlias

import trio
from attrs import define, field

from ringful.ground.logger import get_logger
from ringful.messages.port import Desk, Incoming, Receipt
from ringful.messages.smpp import statuses
from ringful.messages.smpp.session import Arrived

Brought: TypeAlias = tuple[Arrived, Incoming | Receipt]

_QUEUE = 100
"""Texts, and receipts, that wait for the desk."""
RECEIPTS = 10
"""How many receipts are handed over at the same time."""

log = get_logger()


def _queue() -> "tuple[trio.MemorySendChannel[Brought], trio.MemoryReceiveChannel[Brought]]":
    return trio.open_memory_channel[Brought](_QUEUE)


@define(eq=False)
class Handing:
    """Hands to *desk* what came by the connection of this *name*, and answers by *acknowledge*."""

    name: str
    desk: Desk
    acknowledge: Callable[[Arrived, int], None]
    _texts: "tuple[trio.MemorySendChannel[Brought], trio.MemoryReceiveChannel[Brought]]" = field(
        factory=_queue
    )
    _receipts: "tuple[trio.MemorySendChannel[Brought], trio.MemoryReceiveChannel[Brought]]" = field(
        factory=_queue
    )

    def put(self, arrived: Arrived, brought: Incoming | Receipt) -> None:
        """Take what came, or answer that it cannot be taken now."""
        queue, _ = self._receipts if isinstance(brought, Receipt) else self._texts
        try:
            queue.send_nowait((arrived, brought))
        except trio.WouldBlock:
            self.acknowledge(arrived, statuses.TEMPORARY)

    async def texts(self) -> None:
        """Hand over texts until cancelled; one task does."""
        async for brought in self._texts[1]:
            await self._hand(*brought)

    async def receipts(self) -> None:
        """Hand over receipts until cancelled; `RECEIPTS` tasks do."""
        async for brought in self._receipts[1]:
            await self._hand(*brought)

    async def _hand(self, arrived: Arrived, brought: Incoming | Receipt) -> None:
        status = statuses.OK
        try:
            if isinstance(brought, Receipt):
                await self.desk.receipt(brought)
            else:
                await self.desk.received(brought)
        except Exception as error:
            log.warning(
                "what an SMSC brought could not be kept, and it is asked to bring it again",
                connection=self.name,
                why=f"{type(error).__name__}: {error}",
            )
            status = statuses.TEMPORARY
        self.acknowledge(arrived, status)
