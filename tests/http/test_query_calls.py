"""QueryCalls lists a key's calls: by time, state, number, label; in pages; each read off an index."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from ringful.http.reading.call_filter import call_filter
from ringful.store import find
from ringful.store.engine import parse_url, reading_engine, writing_engine
from ringful.store.migrate import upgrade
from ringful.store.open import open_store
from ringful.store.port import CallFilter, CallRecord, Write
from tests.asking import ask, ask_json
from tests.server import Server, free_port, receiver, server
from tests.typed import ringful as command

NUMBER = "15125551234"


# The store


def a_call(n: int, key: str = "K") -> CallRecord:
    """Give a call that differs from the others in everything; two of each three have the same time."""
    inbound, ended = n % 5 == 0, n % 4 != 0
    return CallRecord(
        f"r1-{n * 7919 % 1000:03}",
        key,
        "+18005550000" if inbound else f"1512555{n % 3:04}",
        "ended" if ended else "live",
        float(n // 3),
        answered=float(n) if n % 2 else None,
        ended=float(n + 10) if ended else None,
        outcome=("completed", "busy", "noanswer")[n % 3] if ended else "",
        caller=f"+1512555{n % 3:04}" if inbound else None,
        label=(None, "red", "blue")[n % 3],
    )


def right(call: CallRecord, wanted: CallFilter) -> bool:
    """Say what `CallFilter` says, in another way."""
    return all(
        (
            wanted.key in (None, call.key),
            wanted.state in (None, call.state),
            wanted.outcome in (None, call.outcome),
            wanted.label in (None, call.label),
            not wanted.numbers or bool({call.callee, call.caller} & set(wanted.numbers)),
            wanted.since is None or call.created >= wanted.since,
            wanted.until is None or call.created < wanted.until,
        )
    )


async def test_every_filter_in_pages_finds_just_what_is_wanted(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/r.db") as store:
        known = [a_call(n, "K" if n < 90 else "L") for n in range(120)]
        await store.submit(Write(calls=known)).wait()
        known.sort(key=lambda call: (call.created, call.call_id), reverse=True)
        for key, state, numbers, label, (since, until) in itertools.product(
            ("K", None),
            (None, "live", "ended", "busy"),
            ((), ("+15125550001", "15125550001")),
            (None, "red"),
            ((None, None), (3.0, 20.0)),
        ):
            made = call_filter(state, numbers, label, since, until)
            wanted = CallFilter(
                key, made.state, made.outcome, made.numbers, made.label, made.since, made.until
            )
            found: list[CallRecord] = []
            while page := await store.find_calls(wanted, after=found[-1] if found else None, limit=7):
                found += page
            assert found == [call for call in known if right(call, wanted)]


async def test_new_calls_move_no_page(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/r.db") as store:
        known = [a_call(n) for n in range(30)]
        await store.submit(Write(calls=known[:20])).wait()
        wanted = CallFilter("K")
        first = await store.find_calls(wanted, limit=10)
        await store.submit(Write(calls=known[20:])).wait()
        second = await store.find_calls(wanted, after=first[-1], limit=10)
        assert {call.call_id for call in (*first, *second)} == {call.call_id for call in known[:20]}


@pytest.mark.parametrize("after", [None, a_call(7)], ids=["first page", "next page"])
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (CallFilter("K"), "calls_of_key"),
        (CallFilter("K", since=1.0, until=2.0), "calls_of_key"),
        (CallFilter("K", outcome="busy"), "calls_of_outcome"),
        (CallFilter("K", outcome="busy", since=1.0), "calls_of_"),
        (CallFilter("K", label="x"), "calls_of_label"),
        (CallFilter("K", numbers=("1", "+1"), until=2.0), "calls_of_calle"),
        (CallFilter("K", state="live"), "calls_"),
        (CallFilter("K", state="ended"), "calls_"),
        (CallFilter(), "calls_by_time"),
    ],
)
def test_each_is_read_off_an_index(
    tmp_path: Path, wanted: CallFilter, index: str, after: CallRecord | None
) -> None:
    url = parse_url(f"sqlite:///{tmp_path}/r.db")
    made = writing_engine(url)
    upgrade(made)
    made.dispose()
    engine = reading_engine(url)
    with engine.connect() as connection:
        for query in find.queries(wanted, after, 10):
            said = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            plan = [str(row.detail) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {said}"))]
            assert plan[0].startswith("SEARCH calls USING INDEX" if wanted.key else "S")
            assert index in plan[0]
            # What is sorted, if anything, are calls of the very same moment.
            parts = ("LAST TERM", "RIGHT PART")
            assert plan[1:] in ([], *([f"USE TEMP B-TREE FOR {part} OF ORDER BY"] for part in parts))
    engine.dispose()


# The API


@pytest.fixture(scope="module")
def ringful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose trunk leads nowhere, with five calls."""
    folder = tmp_path_factory.mktemp("calls")
    with server(folder, f"127.0.0.1:{free_port()}") as running, receiver({}) as web:
        for n in range(4):
            name = f"{web.url}/{n}"
            running.ask("Call", callee=f"1512555000{n % 2}", label=f"batch {n % 2}", callbackUrl=name)
        run = 'call "15125550009"\n'
        made = ask_json(
            running, "Run", {"script": run, "label": "ein Läufer", "callbackUrl": f"{web.url}/run"}
        )
        assert made["callId"]
        while len(web.told) < 6:  # Each CallFailed, and the end of the run.
            path, fields, _ = web.arrived.get(timeout=30)
            web.told.append((path, fields))
            wanted = "ein Läufer" if path == "/run" else f"batch {int(path[1:]) % 2}"
            assert fields["label"] == wanted
        yield running


def listed(ringful: Server, **query: str) -> list[str]:
    return [one["label"] for one in ask_json(ringful, "QueryCalls", **query)["calls"]]


def test_the_newest_are_first_and_told_with_all_that_a_list_shows(ringful: Server) -> None:
    found = ask_json(ringful, "QueryCalls")
    assert found["next"] is None
    newest = found["calls"][0]
    told = {name: newest[name] for name in ("callee", "caller", "direction", "label", "state", "outcome")}
    assert told == {
        "callee": "15125550009",
        "caller": None,
        "direction": "outbound",
        "label": "ein Läufer",
        "state": "ended",
        "outcome": "unreachable",
    }
    assert [one["label"] for one in found["calls"][1:]] == ["batch 1", "batch 0", "batch 1", "batch 0"]
    lines = ask(ringful, "QueryCalls").text.splitlines()
    assert [line.split()[0] for line in lines] == [one["callId"] for one in found["calls"]]
    assert lines[0].endswith("15125550009  unreachable    0  by trunk  ein Läufer")
    assert ringful.query(newest["callId"])["label"] == "ein Läufer"


def test_by_label_number_state_and_time(ringful: Server) -> None:
    assert listed(ringful, label="batch 1") == ["batch 1"] * 2
    assert listed(ringful, number="+1 512 555 0000") == ["batch 0"] * 2
    assert listed(ringful, number="5125550000", label="batch 1") == []
    assert listed(ringful, state="live") == []
    assert len(listed(ringful, state="ended")) == len(listed(ringful, state="unreachable")) == 5
    assert listed(ringful, state="completed") == []
    times = [one["created"] for one in ask_json(ringful, "QueryCalls")["calls"]]
    assert times == sorted(times, reverse=True)
    assert len(listed(ringful, **{"from": "2020-01-01", "to": "2100-01-01T00:00:00+00:00"})) == 5
    assert listed(ringful, **{"from": "2100-01-01"}) == []
    assert listed(ringful, to="1700000000") == []


def test_page_by_page(ringful: Server) -> None:
    every = [one["callId"] for one in ask_json(ringful, "QueryCalls")["calls"]]
    first = ask_json(ringful, "QueryCalls", limit="2")
    second = ask_json(ringful, "QueryCalls", limit="2", after=first["next"])
    third = ask_json(ringful, "QueryCalls", limit="2", after=second["next"])
    assert [one["callId"] for page in (first, second, third) for one in page["calls"]] == every
    assert third["next"] is None
    assert ask_json(ringful, "QueryCalls", after=every[-1]) == {"calls": [], "next": None}


def test_another_key_sees_nothing_of_it(ringful: Server) -> None:
    newest = ask_json(ringful, "QueryCalls")["calls"][0]["callId"]
    mine = (ringful.key, ringful.secret)
    ringful.key, ringful.secret = ringful.command("keys", "add", "other").split()
    try:
        assert listed(ringful) == []
        assert ask(ringful, "QueryCalls", after=newest).status == 404
    finally:
        ringful.key, ringful.secret = mine


@pytest.mark.parametrize(
    ("method", "query", "code"),
    [
        ("QueryCalls", {"limit": "0"}, "limit.invalid"),
        ("QueryCalls", {"limit": "1001"}, "limit.invalid"),
        ("QueryCalls", {"limit": "-1"}, "limit.invalid"),
        ("QueryCalls", {"limit": "ten"}, "limit.invalid"),
        ("QueryCalls", {"limit": "1.5"}, "limit.invalid"),
        ("QueryCalls", {"limit": "٣"}, "limit.invalid"),
        ("QueryCalls", {"limit": "9" * 40}, "limit.invalid"),
        ("QueryCalls", {"state": "LIVE"}, "state.invalid"),
        ("QueryCalls", {"state": "no answer"}, "state.invalid"),
        ("QueryCalls", {"state": "noanwser"}, "state.invalid"),
        ("QueryCalls", {"state": "zombie"}, "state.invalid"),
        ("QueryCalls", {"format": "xml"}, "format.invalid"),
        ("QueryCalls", {"state": "x' OR 1=1"}, "state.invalid"),
        ("QueryCalls", {"state": "a" * 40}, "state.invalid"),
        ("QueryCalls", {"number": "Bob"}, "number.invalid"),
        ("QueryCalls", {"number": "1"}, "number.invalid"),
        ("QueryCalls", {"number": "9" * 30}, "number.invalid"),
        ("QueryCalls", {"number": "+"}, "number.invalid"),
        ("QueryCalls", {"from": "yesterday"}, "from.invalid"),
        ("QueryCalls", {"from": "2026-02-30"}, "from.invalid"),
        ("QueryCalls", {"from": "2026-01-31T25:00"}, "from.invalid"),
        ("QueryCalls", {"from": "2026-01-31T09:00:00 01:00"}, "from.invalid"),
        ("QueryCalls", {"from": "0"}, "from.invalid"),
        ("QueryCalls", {"from": "-1700000000"}, "from.invalid"),
        ("QueryCalls", {"from": "1700000000000"}, "from.invalid"),
        ("QueryCalls", {"to": "1e9"}, "to.invalid"),
        ("QueryCalls", {"to": "nan"}, "to.invalid"),
        ("QueryCalls", {"to": "0001-01-01T00:00:00+23:59"}, ""),
        ("QueryCalls", {"to": "9999-12-31T23:59:59-23:59"}, ""),
        ("QueryCalls", {"from": "2026-01-31", "to": "2026-01-31"}, "from.invalid"),
        ("QueryCalls", {"from": "2026-01-31", "to": "2026-01-30"}, "from.invalid"),
        ("QueryCalls", {"after": "r1-none"}, "call.unknown"),
        ("QueryCalls", {"after": "../x"}, "after.invalid"),
        ("QueryCalls", {"label": "x" * 201}, "label.invalid"),
        ("QueryCalls", {"lable": "x"}, "lable.unknown"),
        ("QueryCalls", {"callId": "r1-none"}, "callId.unknown"),
        ("QueryCalls", {"key": "other"}, "key.unknown"),
        ("QueryCalls", {"label": ""}, ""),
        ("QueryCalls", {"label": "' OR 1=1 --"}, ""),
        ("Call", {"callee": NUMBER, "label": "x" * 201}, "label.invalid"),
        ("Call", {"callee": NUMBER, "label": "a\nb"}, "label.invalid"),
        ("Call", {"callee": NUMBER, "label": "a\x00b"}, "label.invalid"),
        ("Call", {"callee": NUMBER, "label": "a\u2028b"}, "label.invalid"),
        ("Call", {"callee": NUMBER, "label": "a\u202eb"}, "label.invalid"),
        ("Run", {"name": "none", "label": "a\x7fb"}, "label.invalid"),
        ("Run", {"name": "none", "file": "../x"}, "name.unknown"),
    ],
)
def test_odd_input_is_told_or_finds_nothing(
    ringful: Server, method: str, query: dict[str, str], code: str
) -> None:
    before = len(listed(ringful))
    answer = ask(ringful, method, **query)
    if method == "Run" and "file" in query:
        assert answer.status in (400, 404)
    else:
        assert answer.code == code if code else answer.status == 200
    assert answer.text.count("\n") <= 5
    assert len(listed(ringful)) == before


def test_labels_that_are_as_long_and_as_odd_as_may_be(ringful: Server) -> None:
    for label in ("x" * 200, "Größe 4½ 東京", "a&b=c %+'\"", "0"):
        ringful.ask("Call", callee=NUMBER, label=label)
        assert listed(ringful, label=label) == [label]


# The command


def test_the_command_lists_as_the_api_does(tmp_path: Path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    key = command(capsys, "keys", "add", "me")[0].split()[0]

    async def put() -> None:
        async with open_store("sqlite:///ringful.db") as store:
            await store.submit(Write(calls=[a_call(n, key) for n in range(12)])).wait()

    trio.run(put)

    def ids(*options: str) -> list[str]:
        output, errors, code = command(capsys, "calls", "list", *options)
        assert (errors, code) == ("", 0)
        return [line.split()[0] for line in output.splitlines()]

    every = ids()
    assert len(every) == 12
    assert ids("--key", "me") == ids("--key", key) == every
    assert ids("--limit", "5", "--after", every[4]) == every[5:10]
    assert len(ids("--state", "live")) == 3
    assert len(ids("--label", "red")) == 4
    assert len(ids("--number", "5125550001")) == 4
    assert ids("--from", "2020-01-01") == []
    assert ids("--to", "2020-01-01", "--state", "busy", "--key", "me") == [
        one for one in every if one in ids("--state", "busy")
    ]
    for options, said in (
        (["--key", "nobody"], "there is no key nobody"),
        (["--state", "LIVE"], "--state must be one of live, ended, completed"),
        (["--number", "Bob"], "--number must be a phone number"),
        (["--from", "x"], "--from must be a time such as 2026-01-31T09:00:00Z"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from: expected a time before --to"),
        (["--limit", "0"], "--limit: expected 1 or more, not 0"),
        (["--after", "r1-none"], "there is no call r1-none"),
        (["--label", "x" * 201], "--label must be up to 200 printable characters"),
    ):
        output, errors, code = command(capsys, "calls", "list", *options)
        assert (output, errors.count("\n")) == ("", 1)
        assert code in (1, 2)
        assert said in errors
