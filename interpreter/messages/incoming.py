"""Messages that come in: put together where they came in parts, and given to whom they are for.

In this order: a wish to hear no more, to hear again, or for help; the message that it answers; the first
word, by `keywords`.  A message is kept together with whatever is done about it, in one write, and only
then acknowledged to who brought it.  What nobody takes is kept all the same, and the log says so.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Protocol

import structlog
import trio
from attrs import define, evolve, field

from ringful.interpreter import events
from ringful.interpreter.calls.switchboard import Refusal, TooMany, Unavailable
from ringful.interpreter.messages.keywords import Keywords
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.office import Office
from ringful.interpreter.messages.words import Wish, is_near, keyword_of, wish_of
from ringful.messages.port import Incoming, NotNow
from ringful.store.port import Commit, FragmentRow, Key, Keyword, Message, OptOut, StoreError, Write

log = structlog.get_logger()

LONGEST = 20_000
"""Characters of a text that is taken; what is longer is cut."""
ANSWER_PAUSE = 60.0
"""Seconds within which one phone gets the answer to a wish once."""
FRAGMENTS_WAIT = 86_400.0
"""Seconds for which parts of a text wait for the others: senders use references again."""


class Reader(Protocol):
    """Read what runs when a message comes in."""

    async def __call__(self, key: Key, keyword: Keyword) -> events.Started:
        """Raises Refusal where it cannot be run."""
        ...


class Beginner(Protocol):
    """Begin the run of a script that takes a message, and keep both in one write."""

    async def __call__(self, key: Key, call_id: str, started: events.Started, letter: Letter) -> Commit: ...


@define(eq=False)
class Inbox:
    """See the module's docstring."""

    office: Office
    keywords: Keywords
    read: Reader
    begin: Beginner
    new_id: Callable[[], str]
    owner_of: Callable[[str], str | None]
    """The key that has bound a number of ours."""
    know: Callable[[str], Awaitable[None]]
    """See that it is known what a key may spend."""
    _joining: trio.Lock = field(factory=trio.Lock)
    _answered: "OrderedDict[tuple[str, str, Wish], float]" = field(factory=OrderedDict)

    async def receive(self, incoming: Incoming) -> None:
        """Take a text, or a part of one; it is kept when this returns.  Raises StoreError."""
        incoming = evolve(
            incoming,
            sender=self.keywords.known(incoming.sender),
            number=self.keywords.known(incoming.number),
            text=incoming.text[:LONGEST],
        )
        if incoming.fragment is None or incoming.fragment.of < 2:
            await self._take(incoming)
            return
        # One at a time: each of two parts that come at once must not take itself for the last one.
        async with self._joining:
            row = _row(incoming, self.office.clock())
            await self.office.store.submit(Write(fragments=[row])).wait()
            found = await self.office.store.fragments(row)
            rows = [one for one in found if one.at >= row.at - FRAGMENTS_WAIT]
            if len(rows) == row.parts:
                await self._take(evolve(incoming, text="".join(one.text for one in rows)[:LONGEST]))
                await self.office.store.submit(Write(joined=[row])).wait()

    async def _take(self, incoming: Incoming) -> None:
        self.office.counts.received += 1
        answers = await self.office.answerable(incoming.number, incoming.sender)
        # A sender without a number (withheld, or a name) could be told nothing.
        wish = wish_of(incoming.text) if incoming.sender.lstrip("+").isdecimal() else None
        if wish is None and is_near(incoming.text):
            log.warning(
                "a text begins like a wish to hear no more, and is none: look at it",
                number=incoming.sender,
                to=incoming.number,
            )
        if wish:
            await self._grant(incoming, wish, answers)
        elif answers:
            await self._answer(incoming, answers)
        else:
            await self._route(incoming)

    # A wish

    async def _grant(self, incoming: Incoming, wish: Wish, answers: Message | None) -> None:
        office, now = self.office, self.office.clock()
        taking = self.keywords.taking(incoming.number, "")
        owner = answers.key if answers else self.owner_of(incoming.number) or (taking.key if taking else "")
        notify = answers.notify if answers else taking.callback_url if taking else None
        key = await office.store.key(owner) if owner else None
        async with self._arriving(incoming, owner) as message:
            opt_out, new = None, True
            if wish != "help":
                opt_out = OptOut(incoming.number, incoming.sender, now if wish == "stop" else None)
                new = office.opted.note(opt_out)
            letter = Letter(evolve(message, notify=notify, reason=wish)).wished(wish, now)
            answer = self._answer_to(incoming, wish, key) if new and key else None
            commits = [office.record(letter, opt_out=opt_out)]
            if answer:
                commits.append(office.record(answer))
            log.info("a wish came in", wish=wish, number=incoming.sender, to=incoming.number)
            try:
                for commit in commits:
                    await commit.wait()
            except StoreError:
                if opt_out and new:
                    # It is brought again, and is new then, too.
                    office.opted.note(evolve(opt_out, at=now if opt_out.at is None else None))
                raise

    def _answer_to(self, incoming: Incoming, wish: Wish, key: Key) -> Letter | None:
        text = self.office.settings.replies.get(wish, "")
        if not text or not self._may_answer(incoming, wish):
            return None
        return self.office.send_own(key, incoming.number, incoming.sender, text, f"{self.new_id()}.sms")

    def _may_answer(self, incoming: Incoming, wish: Wish) -> bool:
        """Say whether a wish may be answered: one phone gets each answer once a minute, since each costs."""
        pair, now = (incoming.number, incoming.sender, wish), self.office.clock()
        last = self._answered.pop(pair, None)
        may = last is None or now - last >= ANSWER_PAUSE
        self._answered[pair] = now if may or last is None else last
        while len(self._answered) > 10_000:
            self._answered.popitem(last=False)
        return may

    # A reply

    async def _answer(self, incoming: Incoming, answers: Message) -> None:
        async with self._arriving(incoming, answers.key) as message:
            reply = evolve(message, reply_to=answers.message_id)
            # Something may have become of it meanwhile.
            answers = self.office.known(answers.message_id) or answers
            step = Letter(answers).answered(reply, self.office.clock())
            await self.office.record(step, more=[reply]).wait()

    # A word

    async def _route(self, incoming: Incoming) -> None:
        word = keyword_of(incoming.text)
        taking = self.keywords.taking(incoming.number, word)
        owner = taking.key if taking else self.owner_of(incoming.number) or ""
        async with self._arriving(incoming, owner) as message:
            await self._give(taking, message, word)

    async def _give(self, taking: Keyword | None, message: Message, word: str) -> None:
        now = self.office.clock()
        if taking is None:
            log.warning("a message that nobody takes", number=message.number, to=message.own)
            await self.office.record(Letter(evolve(message, reason="nobody takes it")).arrived(now)).wait()
            return
        message = evolve(message, notify=taking.callback_url)
        if taking.script is None:
            await self.office.record(Letter(message).received(word, now)).wait()
            return
        await self._run(taking, message, word)

    async def _run(self, taking: Keyword, message: Message, word: str) -> None:
        office, now = self.office, self.office.clock()
        try:
            key = await office.store.key(taking.key)
            if key is None or key.revoked is not None:
                raise Refusal("the key that bound the keyword was revoked")
            started = await self.read(key, taking)
            call_id = message.message_id.partition(".")[0]
            arrival = events.Arrival(message.message_id, message.number, message.own, message.text, word)
            letter = Letter(evolve(message, call_id=call_id)).arrived(now)
            commit = await self.begin(key, call_id, evolve(started, message=arrival), letter)
        except (TooMany, Unavailable) as error:
            # Whoever brought it is asked to bring it again.
            raise NotNow(str(error)) from error
        except Refusal as error:
            log.error("a message cannot be taken by its script", script=taking.script, why=str(error))
            lost = evolve(message, reason=f"its script could not run: {error}")
            commit = office.record(Letter(lost).received(word, now))
        await commit.wait()

    @asynccontextmanager
    async def _arriving(self, incoming: Incoming, key: str) -> AsyncIterator[Message]:
        """Give the message that came in, and is paid; what is not kept is brought, and paid, again."""
        message = await self._message(incoming, key)
        try:
            yield message
        except Exception:
            self.office.prices.refund(key, message.bill or Decimal(0))
            raise

    async def _message(self, incoming: Incoming, key: str) -> Message:
        now = self.office.clock()
        await self.know(key)
        segments = incoming.fragment.of if incoming.fragment else 1
        bill = self.office.prices.incoming(key, incoming.number, segments)
        return Message(
            f"{self.new_id()}.sms",
            key,
            True,
            incoming.sender,
            incoming.number,
            incoming.text,
            now,
            "received",
            now,
            segments=segments,
            carrier=incoming.connection,
            bill=bill,
        )


def _row(incoming: Incoming, at: float) -> FragmentRow:
    fragment = incoming.fragment
    assert fragment
    return FragmentRow(
        incoming.connection,
        incoming.sender,
        incoming.number,
        fragment.reference,
        fragment.number,
        fragment.of,
        incoming.text,
        at,
    )
