"""Legs and messages by the API: lists in pages, tables, one message with all about it; and what they cost."""

import csv
import io
import itertools
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from ringful.grammar.reading.parser import parse
from ringful.http.leg_records import COLUMNS
from ringful.interpreter.events import Interrupted, Started
from ringful.store import find
from ringful.store.engine import parse_url, reading_engine, writing_engine
from ringful.store.migrate import upgrade
from ringful.store.port import (
    CallRecord,
    Entry,
    LegFilter,
    LegRecord,
    Message,
    MessageFilter,
    Post,
    Write,
)
from tests.house import KEY, OTHER, Rig, answers, house
from tests.inside import asked

PHONE = "+15125550001"


def a_leg(n: int, key: str = "k") -> LegRecord:
    """Give a leg that differs from the others in everything; two of each three ended at the same time."""
    return LegRecord(
        f"r1-{n * 7919 % 1000:03}",
        f"r1-{n // 2}",
        key,
        n % 3 == 0,
        f"1512555{n % 4:04}",
        "+18005550000",
        1000.0,
        2000.0 + n // 3,
        ("completed", "busy", "noanswer", "lost")[n % 4],
        "script",
        Decimal(n) / 100,
        label=(None, "red")[n % 2],
        conferences=("c.one",) if n % 5 == 0 else (),
    )


def a_message(n: int, key: str = "k") -> Message:
    """Give a message that differs from the others."""
    inbound = n % 3 == 0
    return Message(
        f"r1-{n * 7919 % 1000:03}.sms",
        key,
        inbound,
        f"+1512555{n % 4:04}",
        "+18005550000",
        f"text {n}",
        1700000000.0 + n // 3,
        "received" if inbound else ("sent", "delivered", "failed")[n % 3],
        1700000000.0 + n,
        bill=Decimal(n) / 1000,
        label=(None, "red")[n % 2],
    )


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with house(tmp_path, answers("15125550001"), answers("15125550002")) as made:
        legs = [a_leg(n, "k" if n < 40 else "o") for n in range(50)]
        messages = [a_message(n, "k" if n < 40 else "o") for n in range(50)]
        await made.store.submit(Write(legs=legs, messages=messages)).wait()
        yield made


async def paged(rig: Rig, method: str, name: str, **given: str) -> list[str]:
    """Give the IDs of all pages of a list."""
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = await rig.json(method, limit="7", **given, **after)
        found += [one[f"{name}Id"] for one in answer[f"{name}s"]]
        if answer["next"] is None:
            return found
        after = {"after": answer["next"]}


async def test_every_filter_of_legs_in_pages_finds_just_what_is_wanted(rig: Rig) -> None:
    known = sorted((a_leg(n) for n in range(40)), key=lambda leg: (leg.ended, leg.leg_id), reverse=True)
    every: list[list[tuple[dict[str, str], Any]]] = [
        [({}, lambda _: True), ({"direction": "inbound"}, lambda leg: leg.inbound)],
        [({}, lambda _: True), ({"outcome": "busy"}, lambda leg: leg.outcome == "busy")],
        [({}, lambda _: True), ({"number": "5125550001"}, lambda leg: leg.number == "15125550001")],
        [({}, lambda _: True), ({"label": "red"}, lambda leg: leg.label == "red")],
        [({}, lambda _: True), ({"confCallId": "c.one"}, lambda leg: leg.conferences)],
        [
            ({}, lambda _: True),
            ({"from": "000002003", "to": "000002011"}, lambda leg: 2003 <= leg.ended < 2011),
        ],
    ]
    for chosen in itertools.product(*every):
        given = {name: value for query, _ in chosen for name, value in query.items()}
        wanted = [leg.leg_id for leg in known if all(fits(leg) for _, fits in chosen)]
        assert await paged(rig, "QueryLegs", "leg", **given) == wanted, given
    assert await paged(rig, "QueryLegs", "leg", callId="r1-3") == [
        leg.leg_id for leg in known if leg.call_id == "r1-3"
    ]


async def test_every_filter_of_messages_in_pages_finds_just_what_is_wanted(rig: Rig) -> None:
    known = sorted((a_message(n) for n in range(40)), key=lambda m: (m.created, m.message_id), reverse=True)
    every: list[list[tuple[dict[str, str], Any]]] = [
        [({}, lambda _: True), ({"direction": "outbound"}, lambda one: not one.inbound)],
        [({}, lambda _: True), ({"state": "delivered"}, lambda one: one.state == "delivered")],
        [({}, lambda _: True), ({"number": "5125550001"}, lambda one: one.number == "+15125550001")],
        [({}, lambda _: True), ({"label": "red"}, lambda one: one.label == "red")],
        [
            ({}, lambda _: True),
            ({"from": "1700000003", "to": "1700000011"}, lambda m: 1700000003 <= m.created < 1700000011),
        ],
    ]
    for chosen in itertools.product(*every):
        given = {name: value for query, _ in chosen for name, value in query.items()}
        wanted = [one.message_id for one in known if all(fits(one) for _, fits in chosen)]
        assert await paged(rig, "QueryMessages", "message", **given) == wanted, given


async def test_the_oldest_first_is_the_same_the_other_way_round(rig: Rig) -> None:
    newest = await rig.store.find_legs(LegFilter(), limit=100)
    found: list[LegRecord] = []
    while page := await rig.store.find_legs(
        LegFilter(), after=found[-1] if found else None, limit=7, oldest=True
    ):
        found += page
    assert found == list(reversed(newest))
    texts = await rig.store.find_messages(MessageFilter(), limit=100)
    behind = await rig.store.find_messages(MessageFilter(), after=texts[10], limit=100, oldest=True)
    assert list(behind) == list(reversed(texts[:10]))


async def test_lists_as_lines_and_as_tables(rig: Rig) -> None:
    lines = (await rig.get("QueryLegs", limit="1000")).splitlines()
    said = await rig.ask("QueryLegs", format="csv", limit="1000")
    read = list(csv.DictReader(io.StringIO(said.text, newline="")))
    assert tuple(read[0]) == COLUMNS
    assert [one["legId"] for one in read] == [line.split()[0] for line in lines]
    assert {one["own"] for one in read} == {"+18005550000"}
    assert sum(Decimal(one["billAmount"]) for one in read) == sum(
        (a_leg(n).bill for n in range(40)), Decimal(0)
    )
    for method in ("QueryCalls", "QueryMessages"):
        head = (await rig.ask(method, format="csv", limit="3")).text
        assert head.splitlines()[0].split(",")[0] in ("callId", "messageId")
    assert len((await rig.get("QueryMessages", limit="5")).splitlines()) == 5


async def test_a_table_is_said_to_be_one(rig: Rig) -> None:
    answer = await asked(
        rig.app, f"/QueryLegs/apikey/{KEY.key}", {"format": "csv"}, accept="application/json"
    )
    assert answer.kind.startswith("text/csv")


async def test_a_text_that_came_in_is_no_formula(rig: Rig) -> None:
    evil = evolve(a_message(99), text='=HYPERLINK("http://x.example";"a"),\r\n@x', created=1800000000.0)
    await rig.store.submit(Write(messages=[evil])).wait()
    said = await rig.ask("QueryMessages", format="csv", limit="1")
    (read,) = csv.DictReader(io.StringIO(said.text, newline=""))
    assert read["text"] == "'" + evil.text
    assert read["number"] == "+15125550003"
    (line,) = (await rig.get("QueryMessages", limit="1")).splitlines()
    assert "@x" in line


async def test_all_about_one_message(rig: Rig) -> None:
    message = evolve(
        a_message(98),
        segments=2,
        parts=("sent", "delivered"),
        reply_to="r1-1.sms",
        reason="late",
        lines=1,
        told=1,
    )
    entry = Entry(message.message_id, 1, 1700000000.0, "event", "MessageFailed", {"reason": "late"})
    post = Post("e1", "k", message.message_id, 1, "http://x.example/", {"action": "MessageStatus"}, 1.0)
    await rig.store.submit(Write(entries=[entry], posts=[post], messages=[message])).wait()
    found = await rig.json("QueryMessage", messageId=message.message_id)
    assert (found["segments"], found["parts"], found["reason"]) == (2, ["sent", "delivered"], "late")
    assert (found["replyTo"], found["billAmount"], found["text"]) == ("r1-1.sms", "0.098", "text 98")
    assert found["callbacks"]["waiting"] == 1
    assert [line["text"] for line in found["trace"]]
    text = await rig.get("QueryMessage", messageId=message.message_id)
    assert "late" in text.splitlines()[-1]


ODD = [
    ({"limit": "0"}, "limit.invalid"),
    ({"limit": "1001"}, "limit.invalid"),
    ({"limit": "-3"}, "limit.invalid"),
    ({"limit": "٣"}, "limit.invalid"),
    ({"limit": "1e3"}, "limit.invalid"),
    ({"format": "pdf"}, "format.invalid"),
    ({"format": "json"}, "format.invalid"),
    ({"number": "Bob"}, "number.invalid"),
    ({"number": "9" * 40}, "number.invalid"),
    ({"number": "%"}, "number.invalid"),
    ({"label": "x" * 201}, "label.invalid"),
    ({"label": "a\u202eb"}, "label.invalid"),
    ({"label": "a\nb"}, "label.invalid"),
    ({"direction": "sideways"}, "direction.invalid"),
    ({"direction": "in"}, "direction.invalid"),
    ({"from": "yesterday"}, "from.invalid"),
    ({"from": "2026-02-30"}, "from.invalid"),
    ({"from": "2026-13-01"}, "from.invalid"),
    ({"from": "2026-01-31T25:00"}, "from.invalid"),
    ({"from": "0"}, "from.invalid"),
    ({"from": "-1700000000"}, "from.invalid"),
    ({"to": "nan"}, "to.invalid"),
    ({"to": "1e9"}, "to.invalid"),
    ({"to": "99999999999999"}, "to.invalid"),
    ({"from": "2026-01-31", "to": "2026-01-31"}, "from.invalid"),
    ({"from": "2026-01-31", "to": "2026-01-30"}, "from.invalid"),
    ({"after": "../x"}, "after.invalid"),
    ({"after": "x" * 101}, "after.invalid"),
    ({"after": "' OR 1=1"}, "after.invalid"),
    ({"afetr": "x"}, "afetr.unknown"),
    ({"apikey": "o"}, "apikey.unknown"),
]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "trio"


async def test_odd_input_is_told_and_says_what_would_do(tmp_path: Path) -> None:
    own = {
        "QueryLegs": [
            ({"outcome": "BUSY"}, "outcome.invalid"),
            ({"outcome": "live"}, "outcome.invalid"),
            ({"outcome": "scriptfailed"}, "outcome.invalid"),
            ({"state": "busy"}, "state.unknown"),
            ({"after": "r1-none"}, "leg.unknown"),
            ({"after": "r1-mine"}, ""),
            ({"callId": "a b"}, "callId.invalid"),
            ({"callId": "r1-none"}, ""),
            ({"confCallId": "*"}, "confCallId.invalid"),
        ],
        "QueryMessages": [
            ({"state": "ended"}, "state.invalid"),
            ({"state": "delivred"}, "state.invalid"),
            ({"state": "Sent"}, "state.invalid"),
            ({"outcome": "busy"}, "outcome.unknown"),
            ({"after": "r1-none.sms"}, "message.unknown"),
            ({"messageId": "r1-none.sms"}, "messageId.unknown"),
        ],
    }
    async with house(tmp_path) as rig:
        await rig.store.submit(Write(legs=[evolve(a_leg(1), leg_id="r1-mine")])).wait()
        for method, more in own.items():
            for query, code in ODD + more:
                said = await rig.ask(method, **query)
                assert (said.code, said.status == 200) == (code, not code), (method, query, said)
                assert said.text.count("\n") <= 1
        assert "did you mean delivered?" in (await rig.ask("QueryMessages", state="delivred")).text
        for message_id, code in (
            ("", "messageId.missing"),
            ("r1-none.sms", "message.unknown"),
            ("a b", "messageId.invalid"),
        ):
            assert (await rig.ask("QueryMessage", messageId=message_id)).code == code


async def test_nobody_sees_what_is_anothers(rig: Rig) -> None:
    theirs, mine = a_leg(45, "o").leg_id, a_leg(3).leg_id
    assert (await rig.ask("QueryLegs", after=theirs)).code == "leg.unknown"
    assert (await rig.ask("QueryLegs", after=mine)).status == 200
    message = a_message(45, "o").message_id
    assert (await rig.ask("QueryMessage", messageId=message)).code == "message.unknown"
    assert (await rig.ask("QueryMessages", after=message)).code == "message.unknown"
    assert (await rig.ask("QueryMessage", OTHER, messageId=message)).status == 200


# What it has cost


async def kept(rig: Rig, *, quiet: bool = True) -> None:
    """Wait until nothing lives (if it shall be *quiet*), and until all is on the disk."""
    if quiet:
        await rig.quiet()
    await rig.store.submit(Write(beats=[("x", 1.0)])).wait()


async def test_a_call_shows_its_legs_with_their_bills(rig: Rig) -> None:
    script = 'call "15125550001"\ncall "15125550002" as other { hangup }\nplay "short"\nhangup\n'
    await rig.switchboard.place(KEY, "r1-x", Started(parse(script)))
    await kept(rig)
    found = await rig.json("QueryCall", callId="r1-x")
    assert {leg["legId"] for leg in found["legs"]} == {"r1-x", "r1-x.other"}
    assert sum(Decimal(leg["billAmount"]) for leg in found["legs"]) == Decimal(found["billAmount"]) > 0
    assert "cost" not in found
    assert "legs: r1-x.other  15125550002  completed" in await rig.get("QueryCall", callId="r1-x")


async def test_a_conference_costs_what_the_legs_cost_that_were_in_it(rig: Rig) -> None:
    def script(number: str) -> str:
        return f'call "{number}"\njoin "room"\nhangup\n'

    for call_id, number in (("r1-x", "15125550001"), ("r1-y", "15125550002")):
        await rig.switchboard.place(KEY, call_id, Started(parse(script(number))))
    await rig.until(lambda: any(len(room.members) == 2 for room in rig.phones.rooms))
    conference = next(one for one in rig.switchboard.live.values() if one.is_conference).run.call_id
    assert (await rig.json("QueryConf", confCallId=conference))["cost"] == {"legs": 0, "billAmount": "0"}
    rig.switchboard.live["r1-x"].run.post(Interrupted("hangup"))
    await rig.until(lambda: "r1-x" not in rig.switchboard.live)
    await kept(rig, quiet=False)
    first = await rig.json("QueryCall", callId="r1-x")
    now = await rig.json("QueryConf", confCallId="room")
    assert now["cost"] == {"legs": 1, "billAmount": first["billAmount"]}
    rig.switchboard.live["r1-y"].run.post(Interrupted("hangup"))
    await kept(rig)
    second = await rig.json("QueryCall", callId="r1-y")
    found = await rig.json("QueryCall", callId=conference)
    total = Decimal(first["billAmount"]) + Decimal(second["billAmount"])
    assert (found["cost"]["legs"], Decimal(found["cost"]["billAmount"])) == (2, total)
    assert {leg["legId"] for leg in found["legs"]} == {"r1-x", "r1-y"}


async def test_a_call_of_before_there_were_records_shows_no_legs(rig: Rig) -> None:
    old = CallRecord(
        "r1-old", "k", "15125550001", "ended", 1.0, 2.0, 5.0, "completed", Decimal("7"), pruned=9.0
    )
    await rig.store.submit(Write(calls=[old])).wait()
    found = await rig.json("QueryCall", callId="r1-old")
    assert (found["legs"], found["billAmount"]) == ([], "7")


async def test_days_of_a_key_are_exact(rig: Rig) -> None:
    day, cent = 86400.0, Decimal("0.1")
    legs = [
        evolve(a_leg(n), leg_id=f"r1-b{n}", key="b", ended=day * 10 + n % 3 * day, bill=cent)
        for n in range(30)
    ]
    edge = [
        evolve(a_leg(1), leg_id="r1-e1", key="b", ended=day * 11 - 0.001, bill=cent),
        evolve(a_leg(1), leg_id="r1-e2", key="b", ended=day * 11, bill=cent),
    ]
    texts = [evolve(a_message(n), message_id=f"m{n}", key="b", created=day * 11, bill=cent) for n in range(3)]
    old = CallRecord("r1-old", "b", "1", "ended", 1.0, ended=day * 9, bill=Decimal("0.3"))
    none = CallRecord("r1-none", "b", "", "ended", 1.0, ended=day * 9, bill=Decimal("0.00"))
    known = CallRecord(legs[0].call_id, "b", "1", "ended", 1.0, ended=day * 9, bill=Decimal("5"))
    await rig.store.submit(Write(legs=[*legs, *edge], messages=texts, calls=[old, none, known])).wait()
    found = {one.day: one for one in await rig.store.bills("b")}
    assert sorted(found) == [9, 10, 11, 12]
    assert (found[9].earlier.count, found[9].earlier.bill) == (1, Decimal("0.3"))
    assert (found[10].legs.count, found[10].legs.bill) == (11, Decimal("1.1"))
    assert (found[11].legs.bill, found[11].messages.bill) == (Decimal("1.1"), Decimal("0.3"))
    part = await rig.store.bills("b", since=day * 11, until=day * 12)
    assert [one.day for one in part] == [11]


@pytest.mark.parametrize("oldest", [False, True])
@pytest.mark.parametrize("after", [None, a_leg(7)], ids=["first page", "next page"])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (LegFilter("k"), "legs_of_key"),
        (LegFilter("k", since=1.0, until=2.0, outcome="busy", label="x"), "legs_of_key"),
        (LegFilter(), "legs_by_time"),
        (LegFilter(since=1.0), "legs_by_time"),
        (LegFilter("k", call_id="r1-1"), "legs_of_call"),
        (LegFilter("k", conference="r1-1.room"), "sqlite_autoindex_legs_1"),
    ],
)
def test_lists_of_legs_are_read_off_an_index(
    tmp_path: Path, wanted: LegFilter, index: str, after: LegRecord | None, oldest: bool
) -> None:
    url = parse_url(f"sqlite:///{tmp_path}/r.db")
    made = writing_engine(url)
    upgrade(made)
    made.dispose()
    engine = reading_engine(url)
    with engine.connect() as connection:
        query = find.legs_like(wanted, after, 10, oldest=oldest)
        said = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        plan = [str(row.detail) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {said}"))]
        assert index in plan[0]
        if index in ("legs_of_key", "legs_by_time"):
            assert not any(one.startswith("USE TEMP B-TREE FOR ORDER BY") for one in plan)
    engine.dispose()


async def test_a_key_asks_what_it_has_to_pay(rig: Rig) -> None:
    capped = evolve(KEY, key="c", spending_cap=Decimal("1.00"), most_cost=Decimal("0.5"))
    await rig.store.put_key(capped)
    month = 1769904000.0  # 2026-02-01.
    legs = [
        evolve(a_leg(n), leg_id=f"c{n}", call_id=f"c{n}", key="c", ended=at, bill=Decimal("0.1"))
        for n, at in enumerate((month - 1, month))
    ]
    calls = [CallRecord(one.call_id, "c", "1", "ended", 1.0, ended=2.0, bill=one.bill) for one in legs]
    await rig.store.submit(Write(legs=legs, calls=calls)).wait()
    said = await rig.ask("QueryBill", capped)
    assert said.text == (
        "spent: 0.2\ncap: 1.00\nleft: 0.80\nmostCost: 0.5\n"
        "2026-01  1 leg 0.1  0 messages 0  0.1\n"
        "2026-02  1 leg 0.1  0 messages 0  0.1\n"
        "total  2 legs 0.2  0 messages 0  0.2\n"
    )
    table = (await rig.ask("QueryBill", capped, format="csv", by="day")).text.split("\r\n")
    assert table[0] == "span,legs,legsBill,messages,messagesBill,earlierCalls,earlierBill,billAmount"
    assert table[1] == "2026-01-31,1,0.1,0,0,0,0,0.1"
    found = await rig.json("QueryBill", by="day", **{"from": "2026-01-01"})
    assert found["total"]["messages"] == len(found["days"]) == 0
    assert (found["cap"], found["left"]) == (None, None)
    for query, code in (
        ({"by": "week"}, "by.invalid"),
        ({"by": "Days"}, "by.invalid"),
        ({"from": "x"}, "from.invalid"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "from.invalid"),
        ({"limit": "1"}, "limit.unknown"),
        ({"format": "html"}, "format.invalid"),
    ):
        assert (await rig.ask("QueryBill", capped, **query)).code == code
