"""The desk of one carrier: where its transport takes messages from, and tells what came of them.

Some messages are made ready ahead of their turn, all in one write, so that a window is never empty for
want of a commit.
"""

import structlog
import trio
from attrs import define, field

from ringful.ground.faults import fault
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.office import Office
from ringful.messages.port import Carrier, Incoming, Outgoing, Receipt, Transport
from ringful.store.port import Message, StoreError

log = structlog.get_logger()

AHEAD = 64
"""Messages that are ready, and no transport has asked for yet."""
RETRY = 5.0
"""Seconds after which a transport that has failed is begun again."""


@define(eq=False)
class CarrierDesk:
    """Implements `messages.port.Desk`."""

    carrier: Carrier
    office: Office
    inbox: Inbox
    _ready: trio.MemorySendChannel[str] = field(init=False)
    _taking: trio.MemoryReceiveChannel[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ready, self._taking = trio.open_memory_channel[str](AHEAD)

    async def run(self, transport: Transport) -> None:
        """Let *transport* carry messages until cancelled; one that fails is begun again."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._fill)
                while True:
                    try:
                        await transport.run(self)
                        log.error("a transport of messages has ended", carrier=self.carrier)
                    except Exception as error:
                        fault("carrying messages", error, carrier=self.carrier)
                    self._give_back("the transport failed")
                    await trio.sleep(RETRY)
        finally:
            # The store is still there, and may know that these were not sent.
            self._give_back("the server is ending")

    async def _fill(self) -> None:
        outbox, office = self.office.outboxes[self.carrier], self.office
        while True:
            await outbox.until_due(office.clock())
            taken = [office.known(one) for one in outbox.take(AHEAD, office.clock())]
            queued = [one for one in taken if one and one.state == "queued"]
            ready = [one for one in queued if await self._is_wanted(one)]
            if not ready:
                await trio.lowlevel.checkpoint()
                continue
            letters = [Letter(one).sending(office.clock()) for one in ready]
            try:
                await office.record_all(letters).wait()
            except StoreError as error:
                log.error("messages wait, since the store takes nothing", messages=len(ready), why=str(error))
                for one in ready:
                    office.put_back(one, RETRY)
                continue
            for letter in letters:
                await self._ready.send(letter.message.message_id)

    async def _is_wanted(self, message: Message) -> bool:
        """Say whether *message* is still to be sent; otherwise it fails here."""
        office = self.office
        if message.expires and office.clock() >= message.expires:
            late = f"{message.reason}; " if message.reason else ""
            office.fail(message, f"{late}it could not be sent in time")
            return False
        key = await office.store.key(message.key)
        if key is None or key.revoked is not None:
            office.fail(message, "the key was revoked")
            return False
        if office.opted.has(message.own, message.number) and message.call_id:
            office.fail(message, "its receiver has asked for no more messages")
            return False
        return True

    def _give_back(self, why: str) -> None:
        """Put back what was ready and nobody has asked for."""
        while True:
            try:
                message_id = self._taking.receive_nowait()
            except trio.WouldBlock:
                return
            if message := self.office.known(message_id):
                self.office.record(Letter(message).again(why, self.office.clock()))

    # What transports ask and tell

    async def next(self) -> Outgoing:
        """Wait for the next message."""
        while True:
            message = self.office.known(await self._taking.receive())
            if message and message.state == "sending":
                return _outgoing(message)

    def _held(self, sent: Outgoing, *, now: bool = False) -> Message | None:
        """Give a message of which something is told; with *now* only where that is of its present attempt."""
        message = self.office.known(sent.message_id)
        if message is None or message.over or (now and message.attempts != sent.attempt):
            return None
        return message

    def taken(self, sent: Outgoing, part: int, parts: int, connection: str, remote_id: str) -> None:
        """Tell that a part was taken."""
        if message := self._held(sent):
            self.office.part_taken(message, part, parts, connection, remote_id)

    def refused(self, sent: Outgoing, reason: str) -> None:
        """Tell that it will never be taken."""
        if message := self._held(sent):
            self.office.fail(message, reason)

    def again(self, sent: Outgoing, why: str, pause: float = 0.0) -> None:
        """Give a message back."""
        if message := self._held(sent, now=True):
            self.office.record(Letter(message).again(why, self.office.clock(), pause))

    def unsure(self, sent: Outgoing, part: int, why: str) -> None:
        """Give a message back of which a part may have been taken."""
        if message := self._held(sent, now=True):
            self.office.counts.perhaps_twice += 1
            log.warning(
                "a message may arrive twice",
                message=message.message_id,
                part=part,
                why=why,
            )
            self.office.record(Letter(message).unsure(part, why, self.office.clock()))

    async def receipt(self, receipt: Receipt) -> None:
        """Take a receipt.  Raises StoreError."""
        await self.office.receipt(receipt.connection, receipt.remote_id, receipt.delivery, receipt.reason)

    async def received(self, incoming: Incoming) -> None:
        """Take a text.  Raises StoreError, Busy."""
        await self.inbox.receive(incoming)

    def standing(self, connection: str, *, up: bool, why: str = "") -> None:
        """Note how a connection stands; only what changes is told."""
        known, said = self.office.connections.get(connection), "" if up else why or "it is not up"
        self.office.connections[connection] = said
        if known == said:
            return
        if up:
            log.info("a connection for messages is up", connection=connection)
        else:
            log.warning("a connection for messages is not up", connection=connection, why=said)


def _outgoing(message: Message) -> Outgoing:
    taken = frozenset(n for n, known in enumerate(message.parts, 1) if known)
    return Outgoing(
        message.message_id,
        message.number,
        message.own,
        message.text,
        message.operator,
        taken,
        message.expires,
        message.attempts,
    )
