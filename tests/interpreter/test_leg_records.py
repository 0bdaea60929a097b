"""Each leg has one record, whatever ended it; it is kept with the turn that ended it, and never changes."""

from decimal import Decimal
from pathlib import Path

import pytest
import trio
from attrs import evolve

from ringful.grammar.reading.parser import parse
from ringful.http.reading.parameters import LEG_OUTCOMES
from ringful.interpreter import events
from ringful.interpreter.calls.arrivals import Arrivals
from ringful.interpreter.calls.ends import record_of, take
from ringful.interpreter.calls.node import NodeLimits
from ringful.interpreter.calls.recover import recover
from ringful.interpreter.calls.switchboard import CannotStart
from ringful.interpreter.calls.view import rebuild
from ringful.interpreter.events import Interrupted, Started
from ringful.interpreter.run import Run
from ringful.media import port
from ringful.simulation.cases.reader import read_case
from ringful.simulation.phones import world
from ringful.simulation.simulate import run_case
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, Key, LegFilter, LegRecord, Number, Write
from tests.grammar.test_bounds_hold import CASES
from tests.house import KEY, SETTINGS, Rig, answers, busy, house
from tests.interpreter.test_recover import UP, lived

FIRST, SECOND = "15125550001", "15125550002"


async def legs_of(rig: Rig, call_id: str) -> dict[str, LegRecord]:
    """Give the records of a call's legs, and see that they cost what the call does."""
    await kept(rig)
    found = await rig.store.find_legs(LegFilter(call_id=call_id))
    record = await rig.store.call(call_id)
    assert record is not None
    if record.bill is not None:
        assert sum((leg.bill for leg in found), Decimal(0)) == record.bill
    for leg in found:
        assert leg == await rig.store.leg(leg.leg_id)
    return {leg.leg_id.removeprefix(call_id): leg for leg in found}


async def run(rig: Rig, script: str, **params: str) -> dict[str, LegRecord]:
    """Run *script* to its end; give the records of its legs."""
    call_id = rig.switchboard.new_id()
    started = Started(parse(script), params, label="red", origin=events.Origin("sales", 3))
    await rig.switchboard.place(KEY, call_id, started)
    await rig.quiet()
    return await legs_of(rig, call_id)


async def test_all_that_is_known_of_a_leg(tmp_path: Path) -> None:
    async with house(tmp_path, answers(FIRST)) as rig:
        legs = await run(rig, f'call "{FIRST}" from "15125550009"\nplay "short"\nhangup\n')
        (leg,) = legs.values()
        assert (leg.leg_id, leg.key, leg.inbound, leg.number) == (leg.call_id, "k", False, FIRST)
        assert (leg.own, leg.label, leg.script, leg.version) == ("15125550009", "red", "sales", 3)
        assert (leg.outcome, leg.ended_by, leg.seconds) == ("completed", "script", 1)
        assert leg.answered is not None
        assert leg.created <= leg.answered < leg.ended
        assert leg.bill == SETTINGS.rates.bill(FIRST, 1)
        assert leg.bill > 0


@pytest.mark.parametrize(
    ("script", "far", "outcome", "by"),
    [
        (f'call "{FIRST}"\nstay\n', busy(FIRST), "busy", "far end"),
        (
            f'call "{FIRST}"\nstay\n',
            world.FarEnd(FIRST, (world.Refuse("unreachable"),)),
            "unreachable",
            "trunk",
        ),
        (
            f'call "{FIRST}"\ncall "447700900000" as other {{ stay }}\n',
            answers(FIRST),
            "notallowed",
            "server",
        ),
        (f'call "{FIRST}"\nhangup\n', answers(FIRST), "completed", "script"),
        (
            f'call "{FIRST}"\nstay\n',
            answers(FIRST, world.HangUp(world.After(0.05))),
            "completed",
            "far end",
        ),
        (f'call "{FIRST}"\nlet x = 1 / 0\n', answers(FIRST), "completed", "script"),
    ],
)
async def test_how_a_leg_ended_and_who_ended_it(
    tmp_path: Path, script: str, far: world.FarEnd, outcome: str, by: str
) -> None:
    async with house(tmp_path, far) as rig:
        legs = await run(rig, script)
        leg = legs.get(".other") or legs[""]
        assert (leg.outcome, leg.ended_by) == (outcome, by)
        assert (leg.seconds is None) == (leg.answered is None)


async def test_every_leg_of_a_call_has_its_own(tmp_path: Path) -> None:
    script = f'call "{FIRST}"\ncall "{SECOND}" as other {{ play "short" }}\nhangup\n'
    async with house(tmp_path, answers(FIRST), answers(SECOND)) as rig:
        legs = await run(rig, script)
        assert sorted(legs) == ["", ".other"]
        assert {leg.call_id for leg in legs.values()} == {legs[""].leg_id}


async def test_the_record_is_there_with_the_turn_that_ended_the_leg(tmp_path: Path) -> None:
    script = f'call "{FIRST}"\ncall "{SECOND}" as other {{ hangup }}\nstay\n'
    async with house(tmp_path, answers(FIRST), answers(SECOND)) as rig:
        call_id = rig.switchboard.new_id()
        await rig.switchboard.place(KEY, call_id, Started(parse(script)))
        call = rig.switchboard.live[call_id]
        await rig.until(lambda: (leg := call.run.legs.get(f"{call_id}.other")) and leg.state == "over")
        assert call.committed
        await call.committed.wait()
        (leg,) = await rig.store.find_legs(LegFilter(call_id=call_id))
        assert leg.leg_id == f"{call_id}.other"
        assert call.run.over == []
        call.run.post(Interrupted("hangup"))
        await rig.quiet()
        assert len(await legs_of(rig, call_id)) == 2


async def test_the_conferences_that_a_leg_was_in(tmp_path: Path) -> None:
    script = f'call "{FIRST}"\njoin "one" for 50ms\njoin "two" for 50ms\njoin "one" for 50ms\nhangup\n'
    async with house(tmp_path, answers(FIRST)) as rig:
        legs = await run(rig, script)
        (leg,) = legs.values()
        rooms = [one.partition(".")[2] for one in leg.conferences]
        assert rooms, leg
        for conference in leg.conferences:
            assert [one.leg_id for one in await rig.store.find_legs(LegFilter(conference=conference))] == [
                leg.leg_id
            ]
            cost = await rig.store.cost(LegFilter(conference=conference))
            assert (cost.count, cost.bill) == (1, leg.bill)
        # A room is nobody's phone, and has no record of its own.
        assert not [one for one in await rig.store.find_legs(LegFilter()) if one.leg_id in leg.conferences]


async def test_a_call_of_which_nothing_can_be_made_keeps_what_is_known_of_its_legs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nobody expected this")

    async with house(tmp_path, answers(FIRST)) as rig:
        call_id = await rig.up(FIRST)
        monkeypatch.setattr(Run, "drain", fail)
        monkeypatch.setattr(Run, "abandon", fail)
        rig.switchboard.live[call_id].give_up("a fault of the server")
        await rig.quiet()
        record = await rig.store.call(call_id)
        assert record
        assert record.outcome == "lost"
        (leg,) = (await legs_of(rig, call_id)).values()
        assert (leg.outcome, leg.ended_by, leg.bill, leg.ended) == ("lost", "lost", 0, record.ended)
        assert leg.answered is not None


async def test_a_call_that_is_given_up_keeps_and_bills_its_legs(tmp_path: Path) -> None:
    async with house(tmp_path, answers(FIRST)) as rig:
        call_id = await rig.up(FIRST)
        rig.switchboard.live[call_id].give_up("a fault of the server")
        await rig.quiet()
        (leg,) = (await legs_of(rig, call_id)).values()
        assert (leg.outcome, leg.ended_by) == ("lost", "lost")
        assert leg.bill == SETTINGS.rates.bill(FIRST, leg.seconds or 0) > 0


def test_what_the_media_measured_and_what_was_paid_for() -> None:
    ended = (1012.0, port.HungUp("r1-a", "callee", "", port.Quality(500, 3, 2.5)))
    run = rebuild("r1-a", lived(f'call "{FIRST}"\nstay\n', *UP, ended), SETTINGS)
    (leg,) = take(run, "k")
    assert (leg.packets, leg.lost, leg.jitter_ms, leg.seconds) == (500, 3, 2.5, 10)
    assert (leg.created, leg.rung, leg.answered, leg.ended) == (1000.0, 1001.0, 1002.0, 1012.0)
    # Of a leg whose key could pay no more, only what was paid is billed.
    ours = run.legs["r1-a"]
    ours.paid = 4
    assert record_of(run, ours, "k").seconds == 4


# After a crash


async def recovered(tmp_path: Path, entries: list[Entry], *known: LegRecord) -> list[LegRecord]:
    async with open_store(f"sqlite:///{tmp_path}/r.db") as store:
        record = CallRecord("r1-a", "K", FIRST, "live", 1000.0, answered=1002.0)
        await store.submit(Write(entries=entries, calls=[record], legs=known, beats=[("r1", 1005.0)])).wait()
        await recover(store, SETTINGS, tmp_path, lambda _: None, 1100.0)
        found = await store.find_legs(LegFilter(key="K"))
        ended = await store.call("r1-a")
        assert ended
        assert sum((leg.bill for leg in found), Decimal(0)) == (ended.bill or 0)
        return list(found)


async def test_a_leg_that_was_up_when_the_server_died(tmp_path: Path) -> None:
    (leg,) = await recovered(tmp_path, lived(f'call "{FIRST}"\nstay\n', *UP))
    assert (leg.outcome, leg.ended_by, leg.ended, leg.seconds) == ("lost", "lost", 1005.0, 3)


async def test_a_leg_that_had_ended_before_keeps_the_record_that_it_had(tmp_path: Path) -> None:
    script = f'call "{FIRST}"\ncall "{SECOND}" as other {{ stay }}\nstay\n'
    entries = lived(script, *UP, (1003.0, port.Refused("r1-a.other", "busy", 486)))
    before = LegRecord("r1-a.other", "r1-a", "K", False, SECOND, "", 1.0, 2.0, "busy", "x", Decimal(0))
    found = {leg.leg_id: leg for leg in await recovered(tmp_path, entries, before)}
    assert found["r1-a.other"] == before
    assert found["r1-a"].outcome == "lost"


async def test_a_leg_that_ended_before_there_were_records_has_one_of_its_journal(tmp_path: Path) -> None:
    script = f'call "{FIRST}"\ncall "{SECOND}" as other {{ stay }}\nstay\n'
    entries = lived(script, *UP, (1003.0, port.Refused("r1-a.other", "busy", 486)))
    found = {leg.leg_id: leg for leg in await recovered(tmp_path, entries)}
    assert (found["r1-a.other"].outcome, found["r1-a.other"].sip_status) == ("busy", 486)


async def test_a_journal_that_cannot_be_read_leaves_what_the_record_says(tmp_path: Path) -> None:
    (leg,) = await recovered(tmp_path, [])
    assert (leg.leg_id, leg.number, leg.outcome, leg.answered) == ("r1-a", FIRST, "lost", 1002.0)
    assert leg.seconds == 3


@pytest.mark.parametrize(("answered", "legs"), [(None, 0), (1002.0, 1)])
async def test_what_may_have_been_a_text_has_no_leg(
    tmp_path: Path, answered: float | None, legs: int
) -> None:
    async with open_store(f"sqlite:///{tmp_path}/r.db") as store:
        record = CallRecord("r1-a", "K", "+1800", "live", 1000.0, answered=answered, caller="+1512")
        await store.submit(Write(calls=[record])).wait()
        await recover(store, SETTINGS, tmp_path, lambda _: None, 1100.0)
        found = await store.find_legs(LegFilter(key="K"))
        assert len(found) == legs
        for leg in found:
            assert (leg.inbound, leg.number, leg.own) == (True, "+1512", "+1800")


# Calls that come in and are not taken


class Lines:
    """One number is bound."""

    def known(self, written: str, trunk: str = "") -> str:
        return written

    def at(self, written: str, trunk: str = "") -> Number | None:
        return Number(written, "k", 0.0) if written == "+18005550000" else None


@pytest.mark.parametrize(
    ("limits", "change", "outcome"),
    [
        (NodeLimits(max_calls=0), {}, "capacity"),
        (NodeLimits(), {"concurrent": 0}, "busy"),
        (NodeLimits(), {"revoked": 1.0}, "unreachable"),
        (NodeLimits(), {"secret": "unreadable"}, "unreachable"),
    ],
)
async def test_a_call_that_came_in_and_was_turned_away(
    tmp_path: Path, limits: NodeLimits, change: dict[str, object], outcome: str
) -> None:
    async def read(key: Key, _: Number) -> Started:
        if key.secret == "unreadable":
            raise CannotStart("the script is gone", None)
        return Started(parse('inbound "+18005550000"\nstay\n'))

    async with house(tmp_path, limits=limits) as rig, trio.open_nursery() as nursery:
        told: list[str] = []
        rig.phones.hang_up = rig.phones.reject = lambda *given: told.append(str(given))  # type: ignore[method-assign]
        await rig.store.put_key(evolve(KEY, **change))
        desk = Arrivals(rig.switchboard, Lines(), read, nursery)
        taken = desk.take(port.Offer("+15125550100", "+18005550000"))
        if outcome == "capacity":
            assert taken == "capacity"
        else:
            assert isinstance(taken, port.Taken)
            await rig.until(lambda: told)
        await kept(rig)
        (leg,) = await rig.store.find_legs(LegFilter(key="k", inbound=True))
        assert (leg.outcome, leg.ended_by, leg.bill, leg.seconds) == (outcome, "server", 0, None)
        assert (leg.number, leg.own) == ("+15125550100", "+18005550000")
        assert await rig.store.call(leg.call_id) is None


async def test_a_call_for_a_number_that_is_nobodys_has_no_record(tmp_path: Path) -> None:
    async with house(tmp_path) as rig, trio.open_nursery() as nursery:
        desk = Arrivals(rig.switchboard, Lines(), _never, nursery)
        assert desk.take(port.Offer("+15125550100", "+18005550001")) == "unreachable"
        await kept(rig)
        assert not await rig.store.find_legs(LegFilter())


async def _never(_: Key, __: Number) -> Started:
    raise AssertionError("nothing is bound")


async def kept(rig: Rig) -> None:
    """Wait until all that was submitted is on the disk."""
    await rig.store.submit(Write(beats=[("x", 1.0)])).wait()


# Whatever a script does


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_each_leg_of_a_case_that_is_over_is_noted_once(path: Path) -> None:
    case = read_case(path)
    for one in run_case(case).runs.values():
        over = [leg.name for leg in one.over]
        assert sorted(over) == sorted(
            leg.name for leg in one.legs.values() if leg.state == "over" and not leg.room
        )
        records = take(one, "k")
        assert one.over == []
        if one.ended:
            assert sum((record.bill for record in records), Decimal(0)) == one.bill
        for record in records:
            assert record.outcome in LEG_OUTCOMES
            assert (record.seconds is None) == (record.answered is None)
            assert record.created <= record.ended
