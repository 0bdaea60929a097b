"""How many submits one bind makes in a second: SMPP alone, without the office and the store behind it."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import define, field

from ringful.messages.port import Incoming, Outgoing, Receipt
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.transport import SmppTransport

WINDOW = 10
TEXT = "Your table is ready at 19:30."


class Untrue(Exception):
    """A message was refused, or came back: what was measured is worth nothing."""


@define(eq=False)
class _ReadyDesk:
    """Has its messages at hand, and notes no more than that they were taken."""

    messages: int
    taken_parts: int = 0
    given: int = 0
    untrue: str = ""
    """Why what is measured is worth nothing."""
    done: trio.Event = field(factory=trio.Event)

    async def next(self) -> Outgoing:
        """Give the next one."""
        await trio.lowlevel.checkpoint()
        if self.given == self.messages:
            await trio.sleep_forever()
        self.given += 1
        return Outgoing(f"sms-{self.given}", "+15125550199", "+15125550000", TEXT)

    def taken(self, sent: Outgoing, part: int, parts: int, connection: str, remote_id: str) -> None:
        """Count."""
        self.taken_parts += 1
        if self.taken_parts == self.messages:
            self.done.set()

    def _spoil(self, why: str) -> None:
        self.untrue = self.untrue or why
        self.done.set()

    def refused(self, sent: Outgoing, reason: str) -> None:
        """Spoil it."""
        self._spoil(reason)

    def again(self, sent: Outgoing, why: str, pause: float = 0.0) -> None:
        """Spoil it."""
        self._spoil(why)

    def unsure(self, sent: Outgoing, part: int, why: str) -> None:
        """Spoil it."""
        self._spoil(why)

    async def receipt(self, receipt: Receipt) -> None:
        """Take it."""

    async def received(self, incoming: Incoming) -> None:
        """Take it."""

    def standing(self, connection: str, *, up: bool, why: str = "") -> None:
        """Spoil it where the SMSC is not there."""
        if not up and not self.done.is_set():
            self._spoil(why)


@asynccontextmanager
async def smsc(*options: str) -> AsyncIterator[str]:
    """Run the SMSC, and give its address."""
    command = [sys.executable, "-m", "ringful.bench.messages.smsc", *options]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        port = int(await process.stdout.receive_some(16))
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def submit_rate(messages: int) -> float:
    """Send so many messages over one bind of window 10; give how many a second were taken.

    Raises Untrue where one was not.
    """
    desk = _ReadyDesk(messages)
    async with smsc() as address, trio.open_nursery() as nursery:
        began = time.monotonic()
        transport = SmppTransport([SmppConnection(address, "bench", window=WINDOW)])
        nursery.start_soon(transport.run, desk)
        await desk.done.wait()
        seconds = time.monotonic() - began
        nursery.cancel_scope.cancel()
    if desk.untrue:
        raise Untrue(desk.untrue)
    return messages / seconds
