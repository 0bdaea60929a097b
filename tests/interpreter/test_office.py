"""Messages on their way out and in: what is kept, sent, told, and in which order."""

from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
import trio
from attrs import evolve

from ringful.ground.faults import Fence
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.calls.switchboard import TooMany
from ringful.interpreter.effects import SendMessage
from ringful.interpreter.events import MessageRefused
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.keywords import Keywords
from ringful.interpreter.messages.office import MessageSettings, Office
from ringful.interpreter.messages.outbox import Outbox
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.messages.room import MessageRoom
from ringful.interpreter.money.rates import INBOUND, Rate, RateTable
from ringful.interpreter.money.till import Till
from ringful.messages.port import Fragment, Incoming, NotNow, Receipt
from ringful.store.open import open_store
from ringful.store.port import Key, Keyword, Message, Write
from tests.carrier import TestCarrier, take

KEY = Key("k", "c2VjcmV0", "test", 0.0)
OTHER = Key("o", "b3RoZXI=", "other", 0.0)
OWN, ANN, BOB = "+15125550000", "+15125550001", "+15125550002"
HOOK, OTHER_HOOK = "http://app.example/sms", "http://app.example/other"
SETTINGS = MessageSettings(OWN, replies={"stop": "bye", "start": "hello", "help": "helped"}, usual="smpp")


class Clock:
    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


class Rig:
    def __init__(self, store, carrier, clock, settings):
        self.store, self.carrier, self.clock, self.posts, self.begun = store, carrier, clock, [], []
        self.office = Office(
            store, self.posts.append, {carrier.carrier: carrier}, settings, lambda _key, _number: True, clock
        )
        self.keywords, self.numbers = Keywords(store, "US"), Numbers(store, "US")
        self.full = False
        self.inbox = Inbox(
            self.office, self.keywords, self._read, self._begin, self._id, lambda _number: None, self._know
        )

    def _id(self):
        return f"r1-{uuid4().hex}"

    async def _read(self, key, keyword):
        from ringful.grammar.reading.parser import parse
        from ringful.interpreter.events import Started

        return Started(parse('inbound sms "+15125550000"\n'))

    async def _know(self, key):
        pass

    async def _begin(self, key, call_id, started, letter):
        if self.full:
            raise TooMany("too many", 1.0)
        self.begun.append((key.key, call_id, started))
        return self.store.submit(Write(entries=letter.entries, posts=letter.posts, messages=[letter.message]))

    async def send(self, message_id, number=ANN, text="hello", notify=HOOK, key=KEY, **more):
        letter = self.office.take(
            key, "r1-x", "", SendMessage(message_id, number, text, notify=notify, **more)
        )
        if isinstance(letter, MessageRefused):
            return letter
        write = Write(entries=letter.entries, posts=letter.posts, messages=[letter.message])
        await self.store.submit(write).wait()
        for post in letter.posts:
            self.posts.append(post)
        self.office.dispatch(letter.message)
        return letter.message

    async def comes(self, text, sender=ANN, number=OWN, fragment=None):
        await self.carrier.desk.received(Incoming("test", sender, number, text, fragment))

    async def until(self, true):
        with trio.fail_after(10):
            while not true():  # noqa: ASYNC110
                await trio.sleep(0.002)

    async def stands(self, message_id):
        """Give how a message stands in the store."""
        return await self.store.message(message_id)

    async def until_stands(self, message_id, state):
        with trio.fail_after(10):
            while (await self.stands(message_id)).state != state:  # noqa: ASYNC110
                await trio.sleep(0.002)
        return await self.stands(message_id)

    def told(self, **wanted):
        return [post.fields for post in self.posts if wanted.items() <= post.fields.items()]


@asynccontextmanager
async def rig(folder, carrier=None, clock=None, settings=SETTINGS):
    async with open_store(f"sqlite:///{folder}/ringful.db") as store, trio.open_nursery() as nursery:
        for key in (KEY, OTHER):
            await store.put_key(key)
        made = Rig(store, carrier or TestCarrier(), clock or Clock(), settings)
        await MessageRoom(made.office, made.inbox).open([made.carrier], Fence(nursery))
        with trio.fail_after(10):
            await made.carrier.up.wait()
        yield made
        nursery.cancel_scope.cancel()


async def test_a_message_is_sent_and_each_step_is_told_in_order(tmp_path):
    async with rig(tmp_path) as here:
        await here.send("a.sms", text="x" * 41)
        sent = await here.until_stands("a.sms", "sent")
        assert (sent.segments, sent.parts, sent.carrier) == (3, ("sent",) * 3, "smpp")
        for part in (2, 1, 3):
            assert (await here.stands("a.sms")).state == "sent"
            await here.carrier.desk.receipt(Receipt("test", f"a.sms#{part}", "delivered"))
        assert (await here.stands("a.sms")).state == "delivered"
        await here.until(lambda: here.told(status="delivered"))
        told = here.told(action="MessageStatus", messageId="a.sms")
        assert [(one["n"], one["status"]) for one in told] == [
            ("1", "queued"),
            ("2", "sent"),
            ("3", "delivered"),
        ]
        assert told[0]["callee"] == "15125550001"
        assert told[0]["segments"] == "3"
        names = [entry.name for entry in await here.store.journal("a.sms")]
        assert names == ["MessageQueued", "Notify", "MessageSent", "Notify", "MessageDelivered", "Notify"]


async def test_a_message_is_being_sent_in_the_store_before_it_leaves(tmp_path):
    seen = []
    carrier = TestCarrier(lambda carrier, sent: seen.append(sent))
    async with rig(tmp_path, carrier) as here:
        await here.send("a.sms")
        await here.until(lambda: seen)
        assert (await here.stands("a.sms")).state == "sending"


async def test_a_failed_receipt_is_told_once_whatever_comes_after_it(tmp_path):
    async with rig(tmp_path) as here:
        await here.send("a.sms", text="x" * 30)
        await here.until_stands("a.sms", "sent")
        for part, delivery in ((1, "failed"), (2, "failed"), (1, "delivered"), (2, "delivered")):
            await here.carrier.desk.receipt(Receipt("test", f"a.sms#{part}", delivery, "absent subscriber"))
        assert (await here.stands("a.sms")).state == "failed"
        await here.until(lambda: here.told(status="failed"))
        (failed,) = here.told(messageId="a.sms", status="failed")
        assert failed["reason"] == "absent subscriber"
        assert not here.told(status="delivered")


async def test_a_receipt_that_overtakes_its_answer_is_not_lost(tmp_path):
    held = []
    async with rig(tmp_path, TestCarrier(lambda carrier, sent: held.append(sent))) as here:
        await here.send("a.sms")
        await here.until(lambda: held)
        await here.carrier.desk.receipt(Receipt("test", "a.sms#1", "delivered"))
        take(here.carrier, held[0])
        await here.until_stands("a.sms", "delivered")
        await here.until(lambda: here.told(status="delivered"))
        assert [one["status"] for one in here.told(messageId="a.sms")] == ["queued", "sent", "delivered"]


async def test_receipts_for_no_message_are_counted_and_hurt_nobody(tmp_path):
    async with rig(tmp_path) as here:
        for n in range(1200):
            await here.carrier.desk.receipt(Receipt("test", f"none-{n}", "delivered"))
        assert here.office.counts.unknown_receipts == 200
        await here.send("a.sms")
        await here.until_stands("a.sms", "sent")


async def test_what_was_not_taken_is_sent_again_and_not_told_twice(tmp_path):
    tries = []

    def refuse_twice(carrier, sent):
        tries.append(sent.attempt)
        if len(tries) < 3:
            carrier.desk.again(sent, "throttled", 0.0)
            carrier.desk.again(sent, "throttled", 0.0)  # Told twice: it waits once.
        else:
            take(carrier, sent)

    async with rig(tmp_path, TestCarrier(refuse_twice)) as here:
        await here.send("a.sms")
        stands = await here.until_stands("a.sms", "sent")
        assert tries == [1, 2, 3]
        assert stands.twice == 0
        names = [entry.name for entry in await here.store.journal("a.sms")]
        assert names.count("MessageDelayed") == 1


async def test_what_may_have_arrived_is_sent_again_counted_and_marked(tmp_path):
    def lose_once(carrier, sent):
        if sent.attempt == 1:
            carrier.desk.taken(sent, 1, 2, carrier.name, "one")
            carrier.desk.unsure(sent, 2, "the connection was lost")
        else:
            assert sent.taken == {1}
            take(carrier, sent)

    async with rig(tmp_path, TestCarrier(lose_once)) as here:
        await here.send("a.sms", text="x" * 30)
        stands = await here.until_stands("a.sms", "sent")
        assert stands.twice == 1
        assert here.office.counts.perhaps_twice == 1


async def test_an_old_attempt_that_is_given_back_late_changes_nothing(tmp_path):
    async with rig(tmp_path, TestCarrier(lambda carrier, sent: None)) as here:
        await here.send("a.sms")
        await here.until(lambda: here.carrier.sent)
        first = here.carrier.sent[0]
        here.carrier.desk.again(first, "throttled")
        await here.until(lambda: len(here.carrier.sent) == 2)
        here.carrier.desk.unsure(first, 1, "late")
        assert (await here.stands("a.sms")).state == "sending"
        take(here.carrier, first)  # What it says of a part that was taken is true all the same.
        await here.until_stands("a.sms", "sent")


async def test_a_message_that_is_too_old_fails(tmp_path):
    def away(carrier, sent):
        carrier.open = trio.Event()
        carrier.desk.again(sent, "the SMSC is away", 0.0)

    clock, carrier = Clock(), TestCarrier(away)
    async with rig(tmp_path, carrier, clock, evolve(SETTINGS, validity=60.0)) as here:
        await here.send("a.sms")
        await here.until(lambda: here.office.known("a.sms").attempts == 2)
        clock.now += 61
        carrier.open.set()
        stands = await here.until_stands("a.sms", "failed")
        assert stands.reason == "the SMSC is away; it could not be sent in time"
        assert len(carrier.sent) == 1
        await here.until(lambda: here.told(status="failed"))


async def test_what_was_not_sent_is_taken_up_by_the_next_server(tmp_path):
    away = TestCarrier(lambda carrier, sent: None)
    async with rig(tmp_path, away) as here:
        await here.send("a.sms")
        await here.until(lambda: away.sent)
        away.open = trio.Event()
        for n in range(200):
            await here.send(f"b{n}.sms")
    carrier = TestCarrier()
    async with rig(tmp_path, carrier) as here:
        await here.until(lambda: len(carrier.sent) == 201)
        assert {one.message_id for one in carrier.sent} == {"a.sms", *(f"b{n}.sms" for n in range(200))}
        assert (await here.until_stands("a.sms", "sent")).twice == 1
        await here.until_stands("b199.sms", "sent")
        # What was ready, and had not left, was put back when the server ended in good order.
        assert sum([(await here.stands(f"b{n}.sms")).twice for n in range(200)]) == 1


async def test_keys_take_turns():
    outbox, sent = Outbox(), []
    for n in range(1000):
        outbox.put(_message(f"many-{n}", "k"), 0.0)
    for n in range(3):
        outbox.put(_message(f"few-{n}", "o"), 0.0)
    while len(outbox):
        sent += outbox.take(7, 0.0)
    assert [sent.index(f"few-{n}") for n in range(3)] == [1, 3, 5]
    assert [one for one in sent if one.startswith("many")] == [f"many-{n}" for n in range(1000)]


async def test_one_key_cannot_fill_the_outbox(tmp_path):
    carrier = TestCarrier()
    carrier.open = trio.Event()
    async with rig(tmp_path, carrier) as here:
        for n in range(20_000):
            here.office.outboxes["smpp"].put(_message(f"m{n}", "k"), 0.0)
        refused = await here.send("a.sms")
        assert refused.reason == "capacity"
        assert isinstance(await here.send("b.sms", key=OTHER), Message)


def _message(message_id, key):
    return Message(message_id, key, False, ANN, OWN, "x", 0.0, "queued", 0.0, carrier="smpp")


async def test_messages_of_a_revoked_key_are_not_sent(tmp_path):
    carrier = TestCarrier()
    async with rig(tmp_path, carrier) as here:
        await here.store.put_key(evolve(KEY, revoked=1.0))
        await here.send("a.sms")
        assert (await here.until_stands("a.sms", "failed")).reason == "the key was revoked"
        assert not carrier.sent


# Replies


async def test_a_reply_goes_to_the_newest_message_between_the_two_numbers(tmp_path):
    clock = Clock()
    async with rig(tmp_path, clock=clock) as here:
        for n, (number, hook) in enumerate(((ANN, HOOK), (ANN, OTHER_HOOK), (BOB, HOOK), (ANN, None))):
            clock.now += 1
            await here.send(f"{n}.sms", number, notify=hook)
        await here.comes("yes, please", ANN.lstrip("+"), OWN.lstrip("+"))
        await here.until(lambda: here.told(reply="yes, please"))
        (reply,) = here.told(reply="yes, please")
        assert (reply["from"], reply["messageId"], reply["to"]) == ("15125550001", "1.sms", "15125550000")
        (post,) = [one for one in here.posts if one.fields is reply]
        assert (post.url, post.call_id) == (OTHER_HOOK, "1.sms")
        kept = await here.stands(reply["replyId"])
        assert (kept.text, kept.reply_to, kept.state, kept.key) == ("yes, please", "1.sms", "received", "k")


async def test_a_reply_that_comes_too_late_answers_nothing(tmp_path):
    clock = Clock()
    async with rig(tmp_path, clock=clock) as here:
        await here.send("a.sms")
        clock.now += SETTINGS.window + 1
        await here.comes("yes")
        assert not here.told(reply="yes")
        (kept,) = [one for one in await here.store.find_messages(_any()) if one.inbound]
        assert kept.reason == "nobody takes it"


def _any():
    from ringful.store.port import MessageFilter

    return MessageFilter()


async def test_other_texts_go_to_their_keyword(tmp_path):
    async with rig(tmp_path) as here:
        for word, key, hook in (("JOIN", KEY, HOOK), ("*", OTHER, OTHER_HOOK)):
            await here.keywords.bind(key, Keyword(OWN, word, key.key, 0.0, callback_url=hook), ())
        for text, key in (("join now", "k"), ("Jóin!", "k"), ("joined", "o"), ("🎉", "o"), ("", "o")):
            await here.comes(text, BOB)
            await here.until(lambda text=text: here.told(action="MessageReceived", message=text))
            (told,) = here.told(action="MessageReceived", message=text)
            (post,) = [one for one in here.posts if one.fields is told]
            assert (post.key, post.url) == (key, HOOK if key == "k" else OTHER_HOOK), text
            assert told["from"] == "15125550002"


async def test_a_script_is_begun_for_its_keyword_and_both_are_kept_together(tmp_path):
    async with rig(tmp_path) as here:
        await here.keywords.bind(KEY, Keyword(OWN, "JOIN", "k", 0.0, script="club"), ())
        await here.comes("join the club")
        ((key, call_id, started),) = here.begun
        assert (key, started.message.text, started.message.keyword) == ("k", "join the club", "JOIN")
        assert started.message.message_id == f"{call_id}.sms"
        assert (await here.stands(f"{call_id}.sms")).call_id == call_id
        here.full = True
        with pytest.raises(NotNow, match="too many"):
            await here.comes("join again")
        assert len([one for one in await here.store.find_messages(_any()) if one.inbound]) == 1


async def test_a_long_text_that_comes_in_parts_is_one_message(tmp_path):
    async with rig(tmp_path) as here:
        await here.send("a.sms")
        async with trio.open_nursery() as nursery:
            for part, text in ((3, "three"), (1, "one "), (2, "two ")):
                nursery.start_soon(partial(here.comes, text, fragment=Fragment("77", part, 3)))
        await here.comes("another", fragment=Fragment("78", 1, 3))
        await here.until(lambda: here.told(reply="one two three"))
        assert len([one for one in await here.store.find_messages(_any()) if one.inbound]) == 1
        await here.comes("two ", fragment=Fragment("77", 2, 3))  # Again: it is a part of nothing yet.
        assert len(here.told(messageId="a.sms", reply="one two three")) == 1


# Wishes


@pytest.mark.parametrize(
    "text", ["STOP", "stop", " Stop. ", "unsubscribe", "Stop all", "ARRÊT", "opt-out", "QUIT!"]
)
async def test_who_wants_no_more_gets_none_and_is_told_so_once(tmp_path, text):
    async with rig(tmp_path) as here:
        await here.send("a.sms")
        await here.until_stands("a.sms", "sent")
        await here.comes(text)
        await here.comes(text)
        await here.until(lambda: len(here.carrier.sent) == 2)
        assert [one.text for one in here.carrier.sent] == ["hello", "bye"]
        refused = await here.send("b.sms")
        assert refused.reason == "optedout"
        assert "START" in refused.detail
        await here.until(lambda: len(here.told(action="MessageReceived", wish="stop")) == 2)
        assert not [one for one in here.posts if "reply" in one.fields]
    async with rig(tmp_path) as here:
        assert (await here.send("c.sms")).reason == "optedout"
        assert isinstance(await here.send("d.sms", BOB), Message)
        await here.comes("start")
        assert isinstance(await here.send("e.sms"), Message)
        await here.until(lambda: "hello" in [one.text for one in here.carrier.sent])


@pytest.mark.parametrize(
    "text", ["stop by at eight", "please stop", "end of the week?", "start the car", "stopp"]
)
async def test_what_only_begins_like_a_wish_is_none(tmp_path, text):
    async with rig(tmp_path) as here:
        await here.send("a.sms")
        await here.comes(text)
        await here.until(lambda: here.told(reply=text))
        assert isinstance(await here.send("b.sms"), Message)


async def test_help_is_given_once_a_minute(tmp_path):
    clock = Clock()
    async with rig(tmp_path, clock=clock) as here:
        await here.send("a.sms")
        for _ in range(5):
            await here.comes("HELP")
        clock.now += 61
        await here.comes("info")
        await here.until(lambda: len(here.carrier.sent) == 3)
        assert [one.text for one in here.carrier.sent] == ["hello", "helped", "helped"]


async def test_messages_that_wait_are_not_sent_to_who_wants_none_since(tmp_path):
    carrier = TestCarrier()
    carrier.open = trio.Event()
    async with rig(tmp_path, carrier) as here:
        for n in range(100):
            await here.send(f"{n}.sms")
        await here.comes("STOP")
        carrier.open.set()
        stands = await here.until_stands("99.sms", "failed")
        assert "no more messages" in stands.reason


@pytest.mark.parametrize(
    "number", ["", "0", "abc", "+", "1" * 16, "sip:a@b", "+1512555000१", "112\0", "+1 512"]
)
async def test_what_is_no_number_is_refused(tmp_path, number):
    async with rig(tmp_path) as here:
        refused = await here.send("a.sms", number)
        assert refused.reason == "invalid"
        assert "+15125551234" in refused.detail
        assert (await here.send("b.sms", text="a\0b")).reason == "invalid"
        assert (await here.send("c.sms", operator="1")).detail.endswith("sms.mail")


PRICED = RateTable((Rate(per_segment=Decimal("0.02")), Rate(direction=INBOUND, per_segment=Decimal("0.01"))))


def priced(here):
    """Let messages cost something; give what the key has spent."""
    till = Till(PRICED, here.clock, lambda _seconds, _action: lambda: None)
    till.open("k", Decimal(0), Decimal(1))
    here.office.prices = Prices(till)
    return lambda: till.ledger.committed("k", here.clock())


async def test_a_text_that_is_brought_again_since_it_was_not_kept_is_paid_once(tmp_path):
    async with rig(tmp_path) as here:
        spent = priced(here)
        await here.keywords.bind(KEY, Keyword(OWN, "JOIN", "k", 0.0, script="club"), ())
        here.full = True
        for _ in range(5):
            with pytest.raises(NotNow, match="too many"):
                await here.comes("join the club")
        assert spent() == 0
        here.full = False
        await here.comes("join the club")
        assert spent() == Decimal("0.01") == await here.store.spent("k")


async def test_a_message_that_nothing_carries_any_more_costs_nothing(tmp_path):
    away = TestCarrier(lambda carrier, sent: None)
    away.open = trio.Event()
    async with rig(tmp_path, away) as here:
        priced(here)
        await here.send("a.sms")
        assert await here.store.spent("k") == Decimal("0.02")
    async with rig(tmp_path, TestCarrier(carrier="mail", name="mail")) as here:
        assert (await here.until_stands("a.sms", "failed")).bill == 0
        assert await here.store.spent("k") == 0
        await here.until(lambda: here.told(status="failed"))
        assert here.told(status="failed")[0]["billAmount"] == "0"


async def test_a_part_of_long_ago_is_no_part_of_a_new_text(tmp_path):
    clock = Clock()
    async with rig(tmp_path, clock=clock) as here:
        await here.send("a.sms")
        await here.until_stands("a.sms", "sent")
        await here.comes("old ", fragment=Fragment("8-7", 1, 2))
        clock.now += 2 * 86_400
        await here.comes("new two", fragment=Fragment("8-7", 2, 2))
        assert not here.told(reply="old new two")
        await here.comes("new one, ", fragment=Fragment("8-7", 1, 2))
        await here.until(lambda: here.told(reply="new one, new two"))


async def test_who_goes_to_and_fro_gets_each_answer_once_a_minute(tmp_path):
    clock = Clock()
    async with rig(tmp_path, clock=clock) as here:
        await here.send("a.sms")
        await here.until_stands("a.sms", "sent")
        for _ in range(5):
            await here.comes("STOP")
            await here.comes("START")
        clock.now += 61
        await here.comes("STOP")
        await here.until(lambda: len(here.carrier.sent) == 4)
        assert [one.text for one in here.carrier.sent] == ["hello", "bye", "hello", "bye"]
