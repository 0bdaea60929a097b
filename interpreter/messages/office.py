"""The messages of a node on their way out: taken from runs, kept, given to what carries them, followed.

A message is the store's row from its first moment, and everything that becomes of it is a step of
`letter` whose outcome is one write.  A message is *sending* in the store before anything of it leaves
(`CarrierDesk`), so whatever dies in the middle, the next start knows what may have arrived and what
certainly has not.  What the store has not taken yet is known here, so steps never go back.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import structlog
import trio
from attrs import define, evolve, field, frozen

from ringful.interpreter import effects, events
from ringful.interpreter.calls.e164 import bare, e164
from ringful.interpreter.calls.handing import hand_over
from ringful.interpreter.messages.board import NotSent
from ringful.interpreter.messages.letter import Letter, first_open
from ringful.interpreter.messages.opted import Opted
from ringful.interpreter.messages.outbox import Outbox
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.messages.replies import WINDOW
from ringful.messages.port import Carrier, Delivery, Transport
from ringful.store.port import Commit, Key, Message, OptOut, Post, RemotePart, Store, StoreError, Write

log = structlog.get_logger()

RECENT = 50_000
"""Messages, and names of parts, that are remembered beside those that are on their way."""
EARLY = 1000
"""Receipts that came before we were told that the part was taken."""


@frozen
class MessageSettings:
    """What the configuration says of messages.  Durations are seconds."""

    source: str = ""
    """What messages are sent from."""
    country: str = "US"
    validity: float = 36_000.0
    """How long a message is tried."""
    window: float = WINDOW
    """How long a message is answerable."""
    replies: Mapping[str, str] = field(factory=dict)
    """What is answered to a wish (``stop``, ``start``, ``help``); nothing where it is empty."""
    usual: Carrier | None = None
    """What carries messages that name no operator."""
    operators: frozenset[str] = frozenset()
    """Those that have an e-mail gateway."""


@define(eq=False)
class Counts:
    """What has happened since the start, for the metrics."""

    ended: dict[str, int] = field(factory=lambda: dict.fromkeys(("sent", "delivered", "failed"), 0))
    received: int = 0
    perhaps_twice: int = 0
    unknown_receipts: int = 0


@define(eq=False)
class Office:
    """See the module's docstring; implements `live.Office`."""

    store: Store
    deliver: Callable[[Post], None]
    transports: Mapping[Carrier, Transport]
    settings: MessageSettings
    may_send: Callable[[Key, str], bool]
    clock: Callable[[], float]
    prices: Prices = field(factory=Prices)
    """Those of the node's till, once there is one."""
    outboxes: dict[Carrier, Outbox] = field(init=False)
    opted: Opted = field(factory=Opted, init=False)
    counts: Counts = field(factory=Counts, init=False)
    connections: dict[str, str] = field(factory=dict, init=False)
    """Why each connection is not up; empty where it is."""
    _pending: dict[str, Message] = field(factory=dict, init=False)
    """The messages that are queued or being sent."""
    _recent: "OrderedDict[str, Message]" = field(factory=OrderedDict, init=False)
    _remote: "OrderedDict[tuple[str, str], RemotePart]" = field(factory=OrderedDict, init=False)
    _early: "OrderedDict[tuple[str, str], tuple[Delivery, str]]" = field(factory=OrderedDict, init=False)
    _outgoing: trio.MemorySendChannel[tuple[Commit, Sequence[Post]]] = field(init=False)
    _incoming: trio.MemoryReceiveChannel[tuple[Commit, Sequence[Post]]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.outboxes = {carrier: Outbox() for carrier in self.transports}
        self._outgoing, self._incoming = trio.open_memory_channel[tuple[Commit, Sequence[Post]]](float("inf"))

    async def load(self) -> None:
        """Read who wants nothing, and take up what was not sent when the last server ended.

        What was being sent may have arrived, and is sent again.  Raises StoreError.
        """
        await self.opted.load(self.store)
        last: Message | None = None
        while page := await self.store.unsent_messages(after=last):
            last = page[-1]
            for message in page:
                self._take_up(message)

    def _take_up(self, message: Message) -> None:
        now = self.clock()
        if message.carrier not in self.outboxes:
            self.fail(message, f"nothing carries it here any more: {message.carrier}")
        elif message.state == "sending":
            self.counts.perhaps_twice += 1
            part = first_open(message)
            self.record(Letter(message).unsure(part, "the server was ended while it was being sent", now))
        else:
            self._pending[message.message_id] = message
            self._put(message)

    # What runs hand in

    def judge(self, key: Key, number: str, text: str, operator: str, sender: str = "") -> Message:
        """Make the message that would be sent.  Raises NotSent."""
        carrier = self._carrier(operator)
        known = e164(bare(number), self.settings.country)
        if known is None:
            wanted = "digits with the country's code, such as +15125551234"
            raise NotSent("invalid", f"{number[:40]!r} is no number that a message can go to: {wanted}")
        if not self.may_send(key, known):
            raise NotSent("notallowed", f"this key may not send to {known}: it is outside its prefixes")
        own = sender or self.settings.source
        if self.opted.has(own, known):
            said = f"{known} has asked for no more messages from {own or 'us'}; START from there undoes it"
            raise NotSent("optedout", said)
        if full := self.outboxes[carrier].why_full(key.key):
            raise NotSent("capacity", full)
        try:
            segments = self.transports[carrier].parts(text)
        except ValueError as error:
            raise NotSent("invalid", str(error)) from None
        message = self._draft(key, known, own, text, carrier, segments)
        if spent := self.prices.why_unpayable(key.key, message.bill or Decimal(0)):
            raise NotSent("spent", spent)
        return evolve(message, operator=operator)

    def _draft(self, key: Key, number: str, own: str, text: str, carrier: Carrier, segments: int) -> Message:
        """Make a message that has no ID yet, with what it costs now."""
        now = self.clock()
        return Message(
            "",
            key.key,
            False,
            number,
            own,
            text,
            now,
            "queued",
            now,
            segments=segments,
            carrier=carrier,
            next_at=now,
            expires=now + self.settings.validity,
            bill=self.prices.outgoing(number, segments),
        )

    def _carrier(self, operator: str) -> Carrier:
        if operator:
            if "mail" not in self.transports:
                raise NotSent("unavailable", "no e-mail gateways are configured here: see sms.mail")
            if operator not in self.settings.operators:
                known = ", ".join(sorted(self.settings.operators))
                wanted = f"see sms.mail.operators, which has: {known}"
                raise NotSent("unavailable", f"operator {operator[:20]} has no e-mail gateway here: {wanted}")
            return "mail"
        if self.settings.usual is None or self.settings.usual not in self.transports:
            raise NotSent("unavailable", "no text messages are sent here: see sms.transport")
        return self.settings.usual

    def take(
        self, key: Key, call_id: str, label: str, effect: effects.SendMessage
    ) -> Letter | events.MessageRefused:
        """Take a message, or say why not; nothing is sent before `dispatch`."""
        try:
            made = self.judge(key, effect.number, effect.text, effect.operator, effect.sender)
            if spent := self.prices.pay(key.key, made.bill or Decimal(0)):
                raise NotSent("spent", spent)
        except NotSent as refused:
            return events.MessageRefused(effect.message, refused.reason, str(refused))
        message = evolve(
            made,
            message_id=effect.message,
            notify=effect.notify,
            call_id=call_id,
            label=label or None,
        )
        return Letter(message).queued()

    def dispatch(self, message: Message) -> None:
        """Send a message that is on the disk; one that came in is there already."""
        if message.inbound:
            return
        self._pending.setdefault(message.message_id, message)
        self._put(message)

    def _put(self, message: Message) -> None:
        self.outboxes[message.carrier].put(message, self.clock())  # type: ignore[index]

    def send_own(self, key: Key, own: str, number: str, text: str, message_id: str) -> Letter | None:
        """Make a message of ours, which answers a wish; None where it cannot be sent."""
        try:
            carrier = self._carrier("")
            segments = self.transports[carrier].parts(text)
        except (NotSent, ValueError) as error:
            log.warning("a wish cannot be answered", number=number, why=str(error))
            return None
        draft = self._draft(key, number, own, text, carrier, segments)
        message = evolve(draft, message_id=message_id)
        if self.prices.till and message.bill:
            # The carriers require the answer, whatever the key may still spend.
            self.prices.till.book(key.key, message.bill)
        return Letter(message).queued()

    # Steps

    def known(self, message_id: str) -> Message | None:
        """Give a message that is remembered."""
        return self._pending.get(message_id) or self._recent.get(message_id)

    def record(
        self,
        letter: Letter,
        *,
        remote: RemotePart | None = None,
        opt_out: OptOut | None = None,
        more: Sequence[Message] = (),
    ) -> Commit:
        """Keep what came of a step, and tell it once it is kept."""
        message = letter.message
        before = self.known(message.message_id)
        self._remember(message)
        write = Write(
            entries=letter.entries,
            posts=letter.posts,
            messages=[message, *more],
            remote_parts=[remote] if remote else (),
            opt_outs=[opt_out] if opt_out else (),
        )
        commit = self.store.submit(write)
        self._outgoing.send_nowait((commit, letter.posts))
        if message.state == "queued" and not (before and before.state == "queued"):
            self._put(message)
        if message.state in self.counts.ended and not (before and before.state == message.state):
            self.counts.ended[message.state] += 1
        return commit

    def record_all(self, letters: Sequence[Letter]) -> Commit:
        """Keep what came of many steps that tell nobody anything, in one write."""
        for letter in letters:
            self._remember(letter.message)
        return self.store.submit(Write(messages=[letter.message for letter in letters]))

    def put_back(self, message_id: str, pause: float) -> None:
        """Let a message wait as it did, since the store did not take the step that it was in."""
        message = self.known(message_id)
        if message and message.state in ("queued", "sending"):
            message = evolve(message, state="queued", next_at=self.clock() + pause)
            self._remember(message)
            self._put(message)

    def late(self, carrier: Carrier) -> Sequence[Message]:
        """Give the messages that wait for *carrier*, or are being sent, though their time is over."""
        now = self.clock()
        waiting = (one for one in self._pending.values() if one.carrier == carrier)
        return [one for one in waiting if one.expires and now >= one.expires]

    def _remember(self, message: Message) -> None:
        if message.state in ("queued", "sending"):
            self._recent.pop(message.message_id, None)
            self._pending[message.message_id] = message
        else:
            self._pending.pop(message.message_id, None)
            self._recent[message.message_id] = message
            while len(self._recent) > RECENT:
                self._recent.popitem(last=False)

    def fail(self, message: Message, reason: str) -> Commit:
        """End a message that will not be sent; what was not sent costs nothing."""
        return self.record(Letter(self.prices.unsent(message)).refused(reason, self.clock()))

    def lose(self, message: Message, *, tell: bool) -> None:
        """End a message that could not be stored, and so is not sent; with *tell* its URL is told."""
        if message.inbound:
            return
        if tell:
            self.fail(message, "it could not be stored, and was not sent")
        else:
            self.prices.unsent(message)

    def part_taken(self, message: Message, part: int, parts: int, connection: str, remote_id: str) -> None:
        """Note that a part was taken, under a name that receipts will have."""
        now = self.clock()
        remote = None
        if remote_id:
            remote = RemotePart(connection, remote_id, message.message_id, part, now)
            self._remote[connection, remote_id] = remote
            while len(self._remote) > RECENT:
                self._remote.popitem(last=False)
        self.record(Letter(message).taken(part, parts, now), remote=remote)
        if remote and (early := self._early.pop((connection, remote_id), None)):
            self._receipted(remote, *early)

    async def receipt(self, connection: str, remote_id: str, delivery: Delivery, reason: str) -> None:
        """Note what a receipt says; it is kept when this returns.  Raises StoreError."""
        place = connection, remote_id
        # Once more afterwards: while the store was read, the answer to the submit may have come.
        remote = self._remote.get(place) or await self.store.remote_part(*place) or self._remote.get(place)
        if remote is None:
            # It may have overtaken the answer to the submit, on another bind.
            self._early[connection, remote_id] = delivery, reason
            if len(self._early) > EARLY:
                (where, name), _ = self._early.popitem(last=False)
                self.counts.unknown_receipts += 1
                log.warning("a receipt for no message of ours", connection=where, id=name)
            return
        if self.known(remote.message_id) is None and (read := await self.store.message(remote.message_id)):
            # While it was read, a step may have made another row of it.
            self._remember(self.known(remote.message_id) or read)
        if commit := self._receipted(remote, delivery, reason):
            await commit.wait()

    def _receipted(self, remote: RemotePart, delivery: Delivery, reason: str) -> Commit | None:
        message = self.known(remote.message_id)
        if message is None:
            return None
        step = Letter(message).receipted(remote.part, delivery == "delivered", reason, self.clock())
        return self.record(step)

    async def answerable(self, own: str, number: str) -> Message | None:
        """Give the message that a text from *number* to *own* answers: the newest with a URL for it.

        Raises StoreError.
        """
        since = self.clock() - self.settings.window
        read = await self.store.answerable(own, number, since)
        return (self.known(read.message_id) or read) if read else None

    # Telling

    async def hand_over(self) -> None:
        """Tell what is kept, in order, until cancelled."""
        async for commit, posts in self._incoming:
            try:
                await commit.wait()
            except StoreError as error:
                log.error("what became of a message could not be stored", why=str(error))
            hand_over(self.deliver, posts)
