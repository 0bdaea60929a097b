"""The desk of one carrier: where its transport takes messages from, and tells what came of them.

Some messages are made ready ahead of their turn, all in one write, so that a window is never empty for
want of a commit.
"""

from collections.abc import Sequence

import structlog
import trio
from attrs import define, field

from ringful.ground.faults import fault
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.letter import Letter, first_open
from ringful.interpreter.messages.office import Office
from ringful.messages.port import Carrier, Incoming, Outgoing, Receipt, Transport
from ringful.store.port import Message, StoreError

log = structlog.get_logger()

AHEAD = 64
"""Messages that are ready, and no transport has asked for yet."""
RETRY = 5.0
"""Seconds after which a transport that has failed is begun again, and a store that has failed is asked."""
SWEEP = 60.0
"""Seconds after which it is looked again for messages that wait and whose time is over."""


@define(eq=False)
class CarrierDesk:
    """Implements `messages.port.Desk`."""

    carrier: Carrier
    office: Office
    inbox: Inbox
    _ready: trio.MemorySendChannel[str] = field(init=False)
    _taking: trio.MemoryReceiveChannel[str] = field(init=False)
    _filling: list[str] = field(factory=list)
    """The messages that are being made ready, and are in no line."""
    _out: dict[str, int] = field(factory=dict)
    """Those that the transport has, and which attempt of each."""

    def __attrs_post_init__(self) -> None:
        self._ready, self._taking = trio.open_memory_channel[str](AHEAD)

    async def run(self, transport: Transport) -> None:
        """Let *transport* carry messages until cancelled; one that fails is begun again."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._fill)
                nursery.start_soon(self._sweep)
                while True:
                    try:
                        await transport.run(self)
                        log.error("a transport of messages has ended", carrier=self.carrier)
                    except Exception as error:
                        fault("carrying messages", error, carrier=self.carrier)
                    self._give_back("the transport failed")
                    self._give_up()
                    await trio.sleep(RETRY)
        finally:
            # The store is still there, and may know that these were not sent.
            self._give_back("the server is ending")
            self._return(self._filling, "the server is ending")

    async def _fill(self) -> None:
        outbox = self.office.outboxes[self.carrier]
        while True:
            await outbox.until_due(self.office.clock())
            self._filling = outbox.take(AHEAD, self.office.clock())
            try:
                self._filling = await self._make_ready(self._filling)
            except Exception as error:
                if isinstance(error, StoreError):
                    log.error(
                        "messages wait, since the store fails", messages=len(self._filling), why=str(error)
                    )
                else:
                    fault("making messages ready", error, carrier=self.carrier)
                for message_id in self._filling:
                    self.office.put_back(message_id, RETRY)
                self._filling = []
            while self._filling:
                await self._ready.send(self._filling[0])
                del self._filling[0]
            await trio.lowlevel.checkpoint()

    async def _make_ready(self, message_ids: Sequence[str]) -> list[str]:
        """Note that those of *message_ids* which are still wanted are being sent; give them once it is kept.

        Raises StoreError.
        """
        office = self.office
        revoked: dict[str, bool] = {}
        for one in filter(None, map(office.known, message_ids)):
            if one.key not in revoked:
                key = await office.store.key(one.key)
                revoked[one.key] = key is None or key.revoked is not None
        letters = []
        for message_id in message_ids:
            # Only now: while the keys were read, something may have become of it.
            message = office.known(message_id)
            if message is None or message.state != "queued":
                continue
            why = self._why_not(message) or ("the key was revoked" if revoked[message.key] else "")
            if why:
                office.fail(message, why)
            else:
                letters.append(Letter(message).sending(office.clock()))
        if letters:
            await office.record_all(letters).wait()
        return [letter.message.message_id for letter in letters]

    def _why_not(self, message: Message) -> str:
        """Say why *message* is not to be sent any more; nothing if it is."""
        office = self.office
        if message.expires and office.clock() >= message.expires:
            late = f"{message.reason}; " if message.reason else ""
            return f"{late}it could not be sent in time"
        if office.opted.has(message.own, message.number) and message.call_id:
            return "its receiver has asked for no more messages"
        return ""

    async def _sweep(self) -> None:
        """Let those fail whose time is over, also while nobody asks for any, until cancelled."""
        while True:
            await trio.sleep(SWEEP)
            late = [one for one in self.office.late(self.carrier) if one.message_id not in self._out]
            for message in late:
                self.office.fail(message, self._why_not(message))
            if late:
                self.office.outboxes[self.carrier].drop({one.message_id for one in late})

    def _give_back(self, why: str) -> None:
        """Put back what was ready and nobody has asked for."""
        while True:
            try:
                self._return([self._taking.receive_nowait()], why)
            except trio.WouldBlock:
                return

    def _return(self, message_ids: Sequence[str], why: str) -> None:
        for message_id in message_ids:
            message = self.office.known(message_id)
            if message and message.state == "sending":
                self.office.record(Letter(message).again(why, self.office.clock()))

    def _give_up(self) -> None:
        """Send again what the transport had when it failed, and told nothing of: nobody knows where it is."""
        held, self._out = self._out, {}
        for message_id, attempt in held.items():
            message = self.office.known(message_id)
            if message and message.state == "sending" and message.attempts == attempt:
                self.unsure(_outgoing(message), first_open(message), "the transport failed")

    # What transports ask and tell

    async def next(self) -> Outgoing:
        """Wait for the next message."""
        while True:
            message = self.office.known(await self._taking.receive())
            if message is None or message.state != "sending":
                continue
            # It may have been ready for hours.
            if why := self._why_not(message):
                self.office.fail(message, why)
                continue
            self._out[message.message_id] = message.attempts
            return _outgoing(message)

    def _held(self, sent: Outgoing, *, now: bool = False) -> Message | None:
        """Give a message of which something is told; with *now* only where that is of its present attempt."""
        message = self.office.known(sent.message_id)
        if message is None or message.over or (now and message.attempts != sent.attempt):
            return None
        return message

    def _told(self, sent: Outgoing) -> None:
        """Note that the transport may have a message no longer."""
        message = self.office.known(sent.message_id)
        if message is None or message.state != "sending":
            self._out.pop(sent.message_id, None)

    def taken(self, sent: Outgoing, part: int, parts: int, connection: str, remote_id: str) -> None:
        """Tell that a part was taken."""
        if message := self._held(sent):
            self.office.part_taken(message, part, parts, connection, remote_id)
        self._told(sent)

    def refused(self, sent: Outgoing, reason: str) -> None:
        """Tell that it will never be taken."""
        if message := self._held(sent):
            self.office.fail(message, reason)
        self._told(sent)

    def again(self, sent: Outgoing, why: str, pause: float = 0.0) -> None:
        """Give a message back."""
        if message := self._held(sent, now=True):
            self.office.record(Letter(message).again(why, self.office.clock(), pause))
        self._told(sent)

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
        self._told(sent)

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
