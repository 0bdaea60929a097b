"""Money on live calls: caps hold while calls are up, bills stay what they were, and both after a crash."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import trio
from attrs import evolve

from ringful.grammar.reading.parser import parse
from ringful.interpreter import events
from ringful.interpreter.calls.recover import recover
from ringful.interpreter.calls.view import rebuild
from ringful.interpreter.events import Started
from ringful.interpreter.journal import decode_event
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.media import port
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, Key, Write
from tests.house import HOOK, KEY, SETTINGS, Rig, answers, house, never

ANN, BEN, DEAD = "15125550002", "15125550003", "15125550009"
DEAR = Settings(rates=RateTable((Rate(per_minute=Decimal(60)),)))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, never(DEAD), answers(None)) as made:
        yield made


async def cap(rig: Rig, amount: str | None) -> None:
    await rig.store.put_key(evolve(KEY, spending_cap=None if amount is None else Decimal(amount)))


async def bills(rig: Rig) -> list[Decimal | None]:
    await rig.store.submit(Write()).wait()
    return [one.bill for one in await rig.store.calls()]


async def test_a_cap_ends_a_call_that_is_up(rig: Rig) -> None:
    await cap(rig, "0.02")
    call_id = await rig.up(ANN, callbackUrl=HOOK)
    told = await rig.hears("SpendingCapReached")
    assert (told["callId"], told["spent"], told["cap"]) == (call_id, "0.02", "0.02")
    end = await rig.hears("ServerHangup")
    assert (end["reason"], end["billAmount"]) == ("spending cap", "0.02")
    await rig.quiet()
    assert await rig.store.spent(KEY.key) == Decimal("0.02")
    refused = await rig.ask("Call", callee=ANN)
    assert (refused.status, refused.code) == (403, "call.notallowed")
    assert "this key has spent 0.02, and its cap is 0.02" in refused.text


async def test_what_rings_cannot_be_spent_twice(rig: Rig) -> None:
    await cap(rig, "0.02")
    rings = [await rig.get("Call", callee=DEAD, callbackUrl=HOOK) for _ in range(2)]
    refused = await rig.ask("Call", callee=ANN)
    assert refused.status == 403
    assert "this key has 0 left of its cap of 0.02, and this call costs 0.01 at least" in refused.text
    await rig.get("Hangup", callId=rings[0])
    await rig.hears("CallFailed", callId=rings[0])
    await rig.up(ANN, callbackUrl=HOOK)
    await rig.hears("SpendingCapReached")


async def test_a_leg_of_a_script_is_refused_with_its_reason(rig: Rig) -> None:
    await cap(rig, "0.01")
    script = parse(f'call "{ANN}" notify "{HOOK}"\ncall "{BEN}" notify "{HOOK}" {{ stay }}\nstay\n')
    await rig.switchboard.place(await found(rig), rig.switchboard.new_id(), Started(script))
    assert (await rig.hears("CallFailed"))["reason"] == "notallowed"
    (refused,) = [entry.data for entry in rig.entries if entry.name == "Refused"]
    assert refused["detail"] == ("this key has 0 left of its cap of 0.01, and this call costs 0.01 at least")
    await rig.quiet()
    assert sum(bill or 0 for bill in await bills(rig)) == Decimal("0.01")


async def found(rig: Rig) -> Key:
    key = await rig.store.key(KEY.key)
    assert key
    return key


async def test_a_cap_that_is_changed_holds_for_calls_that_are_up(rig: Rig) -> None:
    call_id = await rig.up(ANN, callbackUrl=HOOK)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rig.switchboard.beat, 0.02)
        await rig.settle()
        assert call_id in rig.switchboard.live
        await cap(rig, "0.01")
        end = await rig.hears("ServerHangup")
        nursery.cancel_scope.cancel()
    assert end["reason"] == "spending cap"
    # What was paid when the cap was lowered is billed, and nothing for the moment that its end takes.
    assert int(end["duration"]) - 1 <= Decimal(end["billAmount"]) * 100 <= int(end["duration"])


async def test_without_a_cap_nothing_is_timed(rig: Rig) -> None:
    await rig.up(ANN)
    assert rig.switchboard.till.soonest == float("inf")
    await cap(rig, "1000000")
    await rig.up(BEN)
    assert rig.switchboard.till.soonest < float("inf")
    await cap(rig, None)
    await rig.up(BEN)
    assert rig.switchboard.till.soonest == float("inf")


async def test_what_was_spent_is_read_once_and_counted_on(rig: Rig) -> None:
    old = CallRecord("r1-old", KEY.key, ANN, "ended", 1.0, bill=Decimal("0.015"))
    await rig.store.submit(Write(calls=[old])).wait()
    await cap(rig, "0.03")
    first = await rig.up(ANN, callbackUrl=HOOK)
    await rig.get("Hangup", callId=first)
    await rig.hears("ServerHangup", callId=first)
    refused = await rig.ask("Call", callee=ANN)
    assert "this key has 0.005 left of its cap of 0.03" in refused.text


async def test_a_price_stays_what_it_was_when_the_table_changes(rig: Rig) -> None:
    call_id = await rig.up(ANN, callbackUrl=HOOK)
    await rig.get("Hangup", callId=call_id)
    end = await rig.hears("ServerHangup")
    await rig.quiet()
    entries = await rig.store.journal(call_id)
    (price,) = [decode_event(entry) for entry in entries if entry.name == "Priced"]
    assert price == events.Priced(call_id, "0.6", "0", 1, 1)
    assert format(rebuild(call_id, entries, DEAR).bill, "f") == end["billAmount"]
    assert (await rig.json("QueryCall", callId=call_id))["billAmount"] == end["billAmount"]


async def test_a_call_of_old_shows_the_bill_that_was_kept(rig: Rig) -> None:
    call_id = await rig.up(ANN)
    await rig.get("Hangup", callId=call_id)
    await rig.quiet()
    record = await rig.store.call(call_id)
    assert record
    # Its journal, as it was before prices stood in it.
    old = [
        entry._replace(call_id="r1-old", n=n)
        for n, entry in enumerate(
            (one for one in await rig.store.journal(call_id) if one.name != "Priced"), 1
        )
    ]
    kept = evolve(record, call_id="r1-old", bill=Decimal("7.5"))
    await rig.store.submit(Write(entries=old, calls=[kept])).wait()
    assert (await rig.json("QueryCall", callId="r1-old"))["billAmount"] == "7.5"


# After a crash


class Door:
    """A door whose clock is set by hand; it does nothing."""

    at = 1000.0

    def perform(self, effect: object) -> None:
        """Do nothing."""

    def now(self) -> float:
        """Give the time that was set."""
        return self.at


def lived(*happened: tuple[float, events.Event]) -> list[Entry]:
    entries: list[Entry] = []
    door = Door()
    script = parse(f'call "{ANN}" notify "{HOOK}"\nstay\n')
    run = Run(Started(script), "r1-a", door, SETTINGS, journal=entries.append)
    run.start()
    run.drain()
    for at, event in happened:
        door.at = at
        run.post(event)
        run.drain()
    return entries


PRICE = events.Priced("r1-a", "6", "0.5", 1, 1)


@pytest.mark.parametrize(
    ("price", "limit", "bill"),
    [
        (PRICE, None, "1.5"),  # Half to connect, and ten seconds of 0.1.
        (None, None, "0.1"),  # Of old: by the table of today.
        (PRICE, "100", "1.5"),
        (PRICE, "0.9", "0.9"),  # Four seconds could be paid before the last sign of life.
        (PRICE, "0.93", "0.9"),
        (PRICE, "0.1", "0.6"),  # Lowered since: what the journal has seen was paid.
    ],
)
async def test_a_call_that_was_up_is_billed_by_its_price_and_within_the_cap(
    tmp_path: Path, price: events.Event | None, limit: str | None, bill: str
) -> None:
    priced = [(1002.0, price)] if price else []
    entries = lived(*priced, (1002.0, port.Answered("r1-a")), (1003.0, port.TonePressed("r1-a", "1")))
    async with open_store(f"sqlite:///{tmp_path}/ringful.db") as store:
        await store.put_key(evolve(KEY, spending_cap=None if limit is None else Decimal(limit)))
        record = CallRecord("r1-a", KEY.key, ANN, "live", 1000.0, answered=1002.0)
        await store.submit(Write(entries=entries, calls=[record], beats=[("r1", 1012.0)])).wait()
        posts = await recover(store, SETTINGS, tmp_path, lambda _: None, 1100.0)
        ended = await store.call("r1-a")
        assert ended
        assert ended.bill == Decimal(bill)
        assert await store.spent(KEY.key) == Decimal(bill)
        journal = await store.journal("r1-a")
    assert rebuild("r1-a", journal, DEAR).bill == Decimal(bill)
    held = limit is not None and Decimal(limit) < Decimal("1.5")
    actions = ["SpendingCapReached"] * held + ["ServerHangup"]
    assert [post.fields["action"] for post in posts] == actions
    assert posts[-1].fields["billAmount"] == bill
