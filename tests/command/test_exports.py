"""`ringful calls export`, `ringful messages`: all of it, in order, page by page; nothing half written."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import trio
from attrs import evolve

from ringful.command.showing import exported
from ringful.http.leg_records import COLUMNS
from ringful.http.message_records import COLUMNS as OF_MESSAGES
from ringful.interpreter.tell import stamp
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, LegRecord, Message, Write
from tests.http.test_records_api import a_leg, a_message
from tests.typed import ringful

Run = Callable[..., str]


def put(write: Write) -> None:
    async def written() -> None:
        async with open_store("sqlite:///ringful.db") as store:
            await store.submit(write).wait()

    trio.run(written)


@pytest.fixture
def keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    """A store with legs and messages of two keys; a page has seven."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exported, "PAGE", 7)
    one, other = (ringful(capsys, "keys", "add", name)[0].split()[0] for name in ("one", "other"))
    owners = [one if n < 40 else other for n in range(50)]
    put(
        Write(
            legs=[a_leg(n, key) for n, key in enumerate(owners)],
            messages=[a_message(n, key) for n, key in enumerate(owners)],
        )
    )
    return one, other


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must do."""

    def done(*arguments: object) -> str:
        output, errors, code = ringful(capsys, *arguments)
        assert (errors, code) == ("", 0)
        return output

    return done


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def by_end(key: str, other: str) -> list[LegRecord]:
    legs = [a_leg(n, key if n < 40 else other) for n in range(50)]
    return sorted(legs, key=lambda leg: (leg.ended, leg.leg_id))


def test_every_leg_is_a_line_the_oldest_first(keys: tuple[str, str], run: Run) -> None:
    found = rows(run("calls", "export"))
    known = by_end(*keys)
    assert [one["legId"] for one in found] == [leg.leg_id for leg in known]
    assert tuple(found[0]) == ("key", *COLUMNS)
    for one, leg in zip(found, known, strict=True):
        assert (one["key"], Decimal(one["billAmount"]), one["ended"]) == (leg.key, leg.bill, stamp(leg.ended))
        assert one["conferences"] == " ".join(leg.conferences)


def test_as_json_each_line_is_an_object(keys: tuple[str, str], run: Run) -> None:
    lines = run("calls", "export", "--format", "json", "--key", "other").splitlines()
    found = [json.loads(line) for line in lines]
    assert [one["legId"] for one in found] == [leg.leg_id for leg in by_end(*keys) if leg.key == keys[1]]
    assert found[0]["sipStatus"] is None
    assert isinstance(found[0]["conferences"], list)


def test_a_span_of_time_has_its_beginning_and_not_its_end(keys: tuple[str, str], run: Run) -> None:
    found = rows(run("calls", "export", "--from", "000002003", "--to", "000002011"))
    assert [one["legId"] for one in found] == [
        leg.leg_id for leg in by_end(*keys) if 2003 <= leg.ended < 2011
    ]
    # Two months that meet hold every leg once.
    first, second = run("calls", "export", "--to", "000002007"), run("calls", "export", "--from", "000002007")
    assert len(rows(first)) + len(rows(second)) == 50


def test_nothing_is_a_table_without_rows(keys: tuple[str, str], run: Run) -> None:
    assert rows(run("calls", "export", "--from", "2100-01-01")) == []
    assert run("calls", "export", "--from", "2100-01-01", "--format", "json") == ""


def test_a_file_is_whole_and_nobody_elses(keys: tuple[str, str], run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("old")
    assert run("calls", "export", "--output", str(file)) == ""
    assert file.read_bytes().decode() == run("calls", "export")
    assert file.stat().st_mode & 0o077 == 0
    assert not list(tmp_path.glob(".out*"))


def test_a_file_that_cannot_be_written_is_told_and_what_was_there_stays(
    keys: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, errors, code = ringful(capsys, "calls", "export", "--output", str(tmp_path / "none" / "out.csv"))
    assert (code, "No such file or directory" in errors, errors.count("\n")) == (2, True, 1)
    file = tmp_path / "out.csv"
    file.write_text("old")

    def full(*_: object) -> str:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(exported, "rows", full)
    _, errors, code = ringful(capsys, "calls", "export", "--output", str(file))
    assert (code, "No space left on device" in errors) == (2, True)
    assert file.read_text() == "old"
    assert not list(tmp_path.glob(".out*"))


def test_who_reads_no_more_ends_it_quietly(keys: tuple[str, str]) -> None:
    command = Path(sys.executable).with_name("ringful")
    put(Write(legs=[evolve(a_leg(n), leg_id=f"r1-x{n}") for n in range(3000)]))
    with subprocess.Popen(
        [command, "calls", "export"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("key,legId,")
        process.stdout.close()
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        (["--format", "xml"], "--format", 2),
        (["--format", "CSV "], "--format", 2),
        (["--from", "yesterday"], "--from must be a time such as 2026-01-31T09:00:00Z", 2),
        (["--from", "2026-02-30"], "--from must be a time", 2),
        (["--to", "2026-13-01"], "--to must be a time", 2),
        (["--to", ""], "--to must be a time", 2),
        (["--to", "nan"], "--to must be a time", 2),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from: expected a time before --to", 2),
        (["--from", "2026-01-01", "--to", "2026-01-01"], "--from: expected a time before --to", 2),
        (["--key", "nobody"], "there is no key nobody; see: ringful keys list", 1),
        (["--key", ""], "there is no key", 1),
        (["--lable", "x"], "--lable", 2),
    ],
)
@pytest.mark.parametrize("what", ["calls", "messages"])
def test_what_cannot_be_exported(
    keys: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    what: str,
    options: list[str],
    said: str,
    code: int,
) -> None:
    output, errors, ended = ringful(capsys, what, "export", *options)
    assert (ended, output, errors.count("\n")) == (code, "", 1)
    assert said in errors


# Messages


def test_messages_are_exported_with_what_would_be_a_formula_as_text(keys: tuple[str, str], run: Run) -> None:
    evil = evolve(a_message(60, keys[0]), text='=cmd|"/C calc"\r\n+1', created=1800000000.0)
    put(Write(messages=[evil]))
    found = rows(run("messages", "export"))
    assert (len(found), tuple(found[0])) == (51, ("key", *OF_MESSAGES))
    assert found[-1]["text"] == "'" + evil.text
    assert found[-1]["number"] == "+15125550000"
    times = [one["created"] for one in found]
    assert times == sorted(times)
    as_json = [json.loads(line) for line in run("messages", "export", "--format", "json").splitlines()]
    assert as_json[-1]["text"] == evil.text


def test_messages_are_listed(keys: tuple[str, str], run: Run) -> None:
    def ids(*options: str) -> list[str]:
        return [line.split()[0] for line in run("messages", "list", *options).splitlines()]

    every = ids("--limit", "1000")
    assert len(every) == 50
    assert ids("--limit", "5", "--after", every[4]) == every[5:10]
    assert len(ids("--key", "other")) == 10
    assert len(ids("--direction", "inbound")) == len(ids("--state", "received")) == 17
    assert len(ids("--label", "red")) == 25
    assert len(ids("--number", "512 555 0001")) == 13
    assert ids("--from", "2100-01-01") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--state", "ended"], "--state must be one of queued"),
        (["--state", "delivred"], "did you mean delivered?"),
        (["--direction", "up"], "--direction must be inbound or outbound"),
        (["--limit", "0"], "--limit: expected 1 or more, not 0"),
        (["--limit", "x"], "--limit"),
        (["--after", "none"], "there is no message none; see: ringful messages list"),
        (["--number", "Bob"], "--number must be a phone number"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "--from: expected a time before --to"),
    ],
)
def test_what_cannot_be_listed(
    keys: tuple[str, str], capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    output, errors, code = ringful(capsys, "messages", "list", *options)
    assert (output, errors.count("\n"), code in (1, 2)) == ("", 1, True)
    assert said in errors


def test_one_message_is_shown_with_what_happened_to_it(
    keys: tuple[str, str], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    message: Message = a_message(5, keys[0])
    entry = Entry(message.message_id, 1, 1.0, "event", "MessageFailed", {"reason": "nobody has that number"})
    put(Write(entries=[entry]))
    shown = run("messages", "show", message.message_id)
    assert f"messageId: {message.message_id}\n" in shown
    assert "text: text 5\n" in shown
    assert "nobody has that number" in shown.splitlines()[-1]
    output, errors, code = ringful(capsys, "messages", "show", "r1-none.sms")
    assert (output, code) == ("", 1)
    assert "there is no message r1-none.sms; see: ringful messages list" in errors


# What a key has to pay


def test_a_key_is_shown_what_it_has_to_pay_by_months_and_days(
    keys: tuple[str, str], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    key = run("keys", "add", "payer", "--cap", "1.00").split()[0]
    january, february = 1767225600.0, 1769904000.0  # 2026, 0:00 UTC.
    legs = [
        evolve(a_leg(n), leg_id=f"p{n}", call_id=f"p{n}", key=key, ended=ended, bill=Decimal("0.1"))
        for n, ended in enumerate((january, january + 86400, february - 0.001, february))
    ]
    text = evolve(a_message(1, key), message_id="p.sms", created=january, bill=Decimal("0.01"))
    calls = [CallRecord(leg.call_id, key, "1", "ended", 1.0, ended=leg.ended, bill=leg.bill) for leg in legs]
    put(Write(legs=legs, messages=[text], calls=calls))
    assert run("keys", "bill", "payer") == (
        "2026-01  3 legs 0.3  1 message 0.01  0.31\n"
        "2026-02  1 leg 0.1  0 messages 0  0.1\n"
        "total  4 legs 0.4  1 message 0.01  0.41\n"
    )
    assert run("keys", "bill", key, "--by", "day").splitlines()[0] == (
        "2026-01-01  1 leg 0.1  1 message 0.01  0.11"
    )
    assert run("keys", "bill", "payer", "--from", "2026-02-01") == (
        "2026-02  1 leg 0.1  0 messages 0  0.1\ntotal  1 leg 0.1  0 messages 0  0.1\n"
    )
    assert run("keys", "bill", "payer", "--to", "2020-01-01") == "total  0 legs 0  0 messages 0  0\n"
    assert "spent: 0.41 of 1.00, 0.59 left\n" in run("keys", "show", "payer")
    (line,) = [one for one in run("keys", "list").splitlines() if key in one]
    assert line.endswith("spent 0.41 of 1.00, 0.59 left")
    # The bill of a month is what its export adds up to.
    month = rows(run("calls", "export", "--key", "payer", "--from", "2026-01-01", "--to", "2026-02-01"))
    assert sum(Decimal(one["billAmount"]) for one in month) == Decimal("0.3")


def test_what_was_spent_above_a_cap_leaves_nothing(keys: tuple[str, str], run: Run) -> None:
    key = run("keys", "add", "payer", "--cap", "0.05", "--most-cost", "0.02").split()[0]
    put(Write(calls=[CallRecord("p", key, "1", "ended", 1.0, ended=5.0, bill=Decimal("0.07"))]))
    shown = run("keys", "show", "payer")
    assert "spent: 0.07 of 0.05, 0 left\n" in shown
    assert "a script may cost: 0.02 at most\n" in shown
    assert run("keys", "bill", "payer").splitlines()[0] == (
        "1970-01  0 legs 0  0 messages 0  1 earlier call 0.07  0.07"
    )
    run("keys", "set", "payer", "--no-most-cost", "--no-cap")
    shown = run("keys", "show", "payer")
    assert "spent: 0.07\n" in shown
    assert "a script may cost: anything\n" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bill", "nobody"], "there is no key nobody; see: ringful keys list"),
        (["bill"], "KEY"),
        (["bill", "one", "--by", "week"], "--by"),
        (["bill", "one", "--by", ""], "--by"),
        (["bill", "one", "--from", "never"], "--from must be a time"),
        (
            ["bill", "one", "--from", "2026-02-01", "--to", "2026-01-01"],
            "--from: expected a time before --to",
        ),
        (["bill", "one", "--to", "2026-00-01"], "--to must be a time"),
        (["add", "x", "--most-cost", "much"], "--most-cost"),
        (["add", "x", "--most-cost", "-1"], "--most-cost: expected an amount, not -1"),
        (["add", "x", "--most-cost", "nan"], "--most-cost: expected an amount, not NaN"),
        (["add", "x", "--most-cost", "inf"], "--most-cost: expected an amount, not Infinity"),
        (["set", "one", "--most-cost", "1", "--no-most-cost"], "only one of --most-cost and --no-most-cost"),
        (["set", "one", "--most-cost", "-0.01"], "--most-cost: expected an amount, not -0.01"),
    ],
)
def test_what_no_bill_and_no_limit_can_be(
    keys: tuple[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    output, errors, code = ringful(capsys, "keys", *arguments)
    assert (output, errors.count("\n"), code in (1, 2)) == ("", 1, True)
    assert said.lower() in errors.lower()
