"""Events that clients send to calls."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringful.grammar.reading.parser import parse
from ringful.interpreter.events import Started
from tests.house import HOOK, KEY, Rig, answers, house

SCRIPT = f"""call "15125550001"
wait event "paid" as payment for 1h
notify "{HOOK}" with {{ action: "paid", amount: payment.amount, dollars: payment["in"] }}
on event "again" as more {{ notify "{HOOK}" with {{ action: "again", turn: more.turn }} }}
stay
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers(None)) as made:
        yield made


async def test_an_event_comes_to_the_script_that_waits_for_it_whatever_it_does(rig: Rig) -> None:
    call_id = rig.switchboard.new_id()
    await rig.switchboard.place(KEY, call_id, Started(parse(SCRIPT)))
    assert await rig.get("Signal", callId=call_id, event="paid", amount="12.50", **{"in": "dollars"}) == ""
    told = await rig.hears("paid")
    assert (told["amount"], told["dollars"]) == ("12.50", "dollars")
    for turn in ("1", "2"):
        await rig.get("Signal", callId=call_id, event="again", turn=turn)
        await rig.hears("again", turn=turn)
    await rig.get("Hangup", callId=call_id)
    await rig.quiet()
    assert (await rig.ask("Signal", callId=call_id, event="paid")).status == 409


async def test_an_event_needs_a_name_and_a_call_of_the_key(rig: Rig) -> None:
    assert (await rig.ask("Signal", callId="r1-none", event="paid")).status == 404
    assert (await rig.ask("Signal", callId="r1-none")).code == "event.missing"
    assert (await rig.ask("Signal", callId="r1-none", event=" ")).code == "event.missing"
    assert (await rig.ask("Signal", event="paid")).code == "callId.missing"
