"""The desk of a carrier, when the store, the transport or the other side does its worst."""

import pytest
import trio
from attrs import evolve

from ringful.interpreter.effects import SendMessage
from ringful.interpreter.messages import desk
from ringful.interpreter.messages.outbox import Outbox
from ringful.messages.port import Receipt
from ringful.store.port import StoreError, Write
from tests.carrier import TestCarrier, take
from tests.interpreter.test_office import ANN, BOB, KEY, SETTINGS, Clock, _message, rig


class Sometimes:
    """A store that is asked as *before* says; what that gives is what goes on."""

    def __init__(self, store):
        self._store, self.before = store, {}

    def __getattr__(self, name):
        real = getattr(self._store, name)
        before = self.before.get(name)
        return before(real) if before else real


def _failing(_real):
    async def fail(*_args, **_more):
        raise StoreError("the disk is full")

    return fail


def _store(here):
    here.office.store = Sometimes(here.store)
    return here.office.store.before


async def test_a_read_that_fails_delays_messages_and_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(desk, "RETRY", 0.01)
    async with rig(tmp_path, clock=Clock()) as here:
        before = _store(here)
        before["key"] = _failing
        await here.send("a.sms")
        await here.until(lambda: here.office.known("a.sms").next_at > here.clock.now)
        assert not here.carrier.sent
        del before["key"]
        here.clock.now += 1
        await here.send("b.sms")
        await here.until_stands("a.sms", "sent")
        await here.until_stands("b.sms", "sent")


async def test_what_a_transport_held_when_it_failed_is_sent_again(tmp_path, monkeypatch):
    monkeypatch.setattr(desk, "RETRY", 0.01)

    def fail_once(carrier, sent):
        if sent.attempt == 1:
            carrier.desk.taken(sent, 1, 2, carrier.name, "one")
            raise RuntimeError("a fault of the transport")
        take(carrier, sent)

    async with rig(tmp_path, TestCarrier(fail_once)) as here:
        await here.send("a.sms", text="x" * 30)
        stands = await here.until_stands("a.sms", "sent")
        assert (stands.twice, here.carrier.sent[1].taken) == (1, {1})
        assert len(here.carrier.sent) == 2


async def test_a_receipt_that_comes_while_its_answer_is_being_noted_is_not_lost(tmp_path):
    held = []
    async with rig(tmp_path, TestCarrier(lambda _carrier, sent: held.append(sent))) as here:
        await here.send("a.sms")
        await here.until(lambda: held)

        def slow(real):
            async def read(*args):
                found = await real(*args)
                take(here.carrier, held[0])
                return found

            return read

        _store(here)["remote_part"] = slow
        await here.carrier.desk.receipt(Receipt("test", "a.sms#1", "delivered"))
        await here.until_stands("a.sms", "delivered")


async def test_what_turns_out_to_have_been_taken_is_not_sent_again(tmp_path):
    """The answer to the first attempt comes while the second one is being made ready."""
    late = []

    def unsure(carrier, sent):
        late.append(sent)
        if sent.attempt == 1:
            carrier.desk.unsure(sent, 1, "the connection was lost")

    async with rig(tmp_path, TestCarrier(unsure)) as here:

        def slow(real):
            async def read(*args):
                found = await real(*args)
                if late:
                    take(here.carrier, late[0])
                return found

            return read

        _store(here)["key"] = slow
        await here.send("a.sms")
        await here.until_stands("a.sms", "sent")
        await here.send("b.sms", BOB)
        await here.until(lambda: late[-1].message_id == "b.sms")
        assert [one.message_id for one in here.carrier.sent] == ["a.sms", "b.sms"] + ["b.sms"] * (
            len(late) - 2
        )
        assert (await here.stands("a.sms")).state == "sent"


@pytest.mark.parametrize("many", [1, 300])
async def test_messages_fail_in_time_although_the_other_side_is_away(tmp_path, monkeypatch, many):
    monkeypatch.setattr(desk, "SWEEP", 0.01)
    clock, carrier = Clock(), TestCarrier()
    carrier.open = trio.Event()
    async with rig(tmp_path, carrier, clock, evolve(SETTINGS, validity=60.0)) as here:
        for n in range(many):
            await here.send(f"{n}.sms")
        clock.now += 61
        for n in range(many):
            await here.until_stands(f"{n}.sms", "failed")
        await here.until(lambda: len(here.told(status="failed")) == many)
        assert len(here.office.outboxes["smpp"]) == 0
        carrier.open.set()
        await here.send("last.sms")
        await here.until_stands("last.sms", "sent")
        assert [one.message_id for one in carrier.sent] == ["last.sms"]
        assert len(here.told(status="failed")) == many


async def test_what_was_ready_is_not_sent_to_who_wants_none_since(tmp_path):
    carrier = TestCarrier()
    carrier.open = trio.Event()
    async with rig(tmp_path, carrier) as here:
        await here.send("a.sms")
        await here.until_stands("a.sms", "sending")
        await here.comes("STOP")
        carrier.open.set()
        assert "no more messages" in (await here.until_stands("a.sms", "failed")).reason
        await here.until(lambda: [one.text for one in carrier.sent] == ["bye"])


async def test_no_message_is_said_to_come_twice_that_never_left(tmp_path):
    carrier = TestCarrier()
    carrier.open = trio.Event()
    async with rig(tmp_path, carrier) as here:
        made = [
            here.office.take(KEY, "r1-x", "", SendMessage(f"{n}.sms", ANN, "hello")).message
            for n in range(200)
        ]
        await here.store.submit(Write(messages=made)).wait()
        for message in made:
            here.office.dispatch(message)
        await here.until_stands("127.sms", "sending")
    after = TestCarrier()
    async with rig(tmp_path, after) as here:
        await here.until(lambda: len(after.sent) == 200)
        assert here.office.counts.perhaps_twice == 0


def test_what_waits_no_longer_leaves_its_place():
    outbox = Outbox()
    for n in range(10):
        outbox.put(_message(f"k{n}", "k"), 0.0)
        outbox.put(evolve(_message(f"o{n}", "o"), next_at=5.0), 0.0)
    outbox.drop({"k0", "k1", "o3", "none"} | {f"o{n}" for n in range(3)})
    assert len(outbox) == 14
    assert outbox.take(99, 0.0) == [f"k{n}" for n in range(2, 10)]
    assert outbox.take(99, 6.0) == [f"o{n}" for n in range(4, 10)]
    assert len(outbox) == 0
