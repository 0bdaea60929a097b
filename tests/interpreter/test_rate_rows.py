"""Rows of a rate table: taken as people and spreadsheets write them, or refused with place and remedy."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.interpreter.money.dearest import Dearest
from ringful.interpreter.money.rates import FREE, Rate, RateTable
from ringful.interpreter.money.rows import COLUMNS, flaws
from ringful.interpreter.money.sheet import read_sheet

PLAIN = b"prefix,per_minute,connection,first,following\n1512,0.012,0.005,60,6\n,0.10,,,\n"
ROWS = (Rate("1512", Decimal("0.012"), Decimal("0.005"), 60, 6), Rate("", Decimal("0.10")))


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def read(written):
    sheet = read_sheet(written if isinstance(written, bytes) else written.encode(), "r.csv")
    assert not sheet.flaws
    return sheet.rates


def wrong(written):
    sheet = read_sheet(written if isinstance(written, bytes) else written.encode(), "r.csv")
    return sheet.flaws


@pytest.mark.parametrize(
    "written",
    [
        PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b",", b";"),
        PLAIN.replace(b",", b"\t"),
        b"\n,,,,\n" + PLAIN.replace(b"\n", b"  \n\n"),
        PLAIN.replace(b"\n", b",,,\n"),
        PLAIN.replace(b"0.012", b'"0.012"').replace(b"60", b'" 60 "'),
        PLAIN.replace(b"1512", b"+1512"),
        PLAIN.replace(b",,,\n", b"\n"),
        PLAIN.replace(b"per_minute", b" Per_Minute "),
        PLAIN.removesuffix(b"\n"),
    ],
    ids=str,
)
def test_what_spreadsheets_write_is_taken(written):
    assert read(written) == ROWS


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "r.csv: it is empty: its first line names the columns, such as prefix,per_minute"),
        ("\n,,\n", "r.csv: it is empty"),
        (
            "prefix,price\n,1\n",
            "r.csv:1: there is no column 'price'; there are: prefix, direction, per_minute",
        ),
        ("1512,0.1\n", "r.csv:1: there is no column '1512'; there are: prefix"),
        ("per_minute\n1\n", "r.csv:1: the column prefix is missing; the first line names the columns"),
        ("prefix,per_minute,prefix\n", "r.csv:1: the column prefix is there twice: leave one of them out"),
        ("prefix,per_minute\n,-1\n", "r.csv:2: per_minute: expected an amount such as 0.012, not '-1'"),
        ("prefix,per_minute\n,nan\n", "r.csv:2: per_minute: expected an amount such as 0.012, not 'nan'"),
        (
            "prefix,per_minute\n,1e999\n",
            "r.csv:2: per_minute: expected an amount such as 0.012, of 1000000 at",
        ),
        (
            "prefix;per_minute\n;0,012\n",
            "r.csv:2: per_minute: expected an amount such as 0.012, with a point",
        ),
        ("prefix,per_minute\n,$1\n", "r.csv:2: per_minute: expected an amount such as 0.012, not '$1'"),
        (
            "prefix,per_minute\n,0,012\n",
            "r.csv:2: the row: expected 2 cells, as the head has, not ' | 0 | 012'",
        ),
        (
            "prefix,per_minute\n1.512E+03,1\n",
            "r.csv:2: prefix: expected digits such as 1512, not '1.512E+03'",
        ),
        ("prefix,per_minute\n\n1 512,1\n", "r.csv:3: prefix: expected digits such as 1512, not '1 512'"),
        ("prefix,per_minute,first\n,1,0\n", "r.csv:2: first: expected a whole number of at least 1, not 0"),
        (
            "prefix,per_minute,first\n,1,6.0\n",
            "r.csv:2: first: expected a whole number of at least 1, not '6.0'",
        ),
        (
            "prefix,per_minute,first\n,1,9999999\n",
            "r.csv:2: first: expected a whole number of seconds, 1000000",
        ),
        (
            "prefix,per_minute,direction\n,1,out\n",
            "r.csv:2: direction: expected outbound or inbound, not 'out'",
        ),
        ("prefix,per_minute,from\n,1,1/3/26\n", "r.csv:2: from: expected a time such as 2026-03-01 or"),
        (
            "prefix,per_minute\n1,\n,1\n",
            "r.csv:2: the row says no price of calls: give per_minute (0: they are",
        ),
        ("prefix,connection,per_segment\n,1,1\n", "r.csv:2: the row says no price of calls"),
        (
            "prefix,per_minute\n1,1\n1,2\n,1\n",
            "r.csv:3: outbound, prefix 1 has its price of calls in r.csv:2 al",
        ),
        (
            "prefix,per_minute\n1,1\n",
            "r.csv:2: no row says what outbound calls of all other numbers cost, and",
        ),
        (
            "prefix,per_minute,from\n,1,2026-01-01\n",
            "r.csv:2: no row says what outbound calls of all other num",
        ),
        (
            "prefix,per_segment\n44,1\n",
            "r.csv:2: no row says what outbound messages of all other numbers cost",
        ),
        ('prefix,per_minute\n,1\n"1,2\n3,4\n', "r.csv:3: the row that begins here is no CSV: unexpected end"),
        ("prefix,per_minute\n,-0\n", "r.csv:2: per_minute: expected an amount such as 0.012, not '-0'"),
        ("prefix,per_minute\n,1_0\n", "r.csv:2: per_minute: expected an amount such as 0.012, not '1_0'"),
        (
            "prefix,per_minute\n,\u0663\n",
            "r.csv:2: per_minute: expected an amount such as 0.012, not '\u0663'",
        ),
        (b"prefix,per_minute\n\xe91,2\n", 'r.csv:2: it is no UTF-8 text: save it as "CSV UTF-8"'),
        ("prefix,per_minute\n,1\n".encode("utf-16"), 'r.csv: it is no UTF-8 text: save it as "CSV UTF-8"'),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(written, said):
    (flaw,) = wrong(written)
    assert flaw.startswith(said)


def test_all_that_is_wrong_is_told_but_not_without_end():
    assert len(wrong("prefix,per_minute\nx,1\n1,y\n,1\n")) == 2
    many = wrong("prefix,per_minute\n" + "x,1\n" * 100_000)
    assert (len(many), many[-1]) == (101, "r.csv: there is more that is wrong; it is not told")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_that_a_file_may_hold_is_a_fault_of_ours(written):
    for head in (b"", b"prefix,per_minute,first,from,direction,per_segment\n"):
        sheet = read_sheet(head + written, "r.csv")
        assert all("\n" not in flaw or flaw.startswith("r.csv") for flaw in sheet.flaws)
        RateTable(sheet.rates).bill("15125551234", 61)


def test_a_row_is_for_one_direction_and_calls_or_messages():
    table = RateTable(
        read(
            "prefix,direction,per_minute,per_segment\n,outbound,1,0.01\n44,outbound,2,\n4420,outbound,,0.05\n"
            ",inbound,0.5,0\n"
        )
    )
    assert [table.bill(number, 60) for number in ("15125551234", "+442012345678")] == [1, 2]
    found = [table.message(number, 3, "outbound", 0.0) for number in ("1512", "441", "+4420")]
    assert found == [Decimal("0.03"), Decimal("0.03"), Decimal("0.15")]
    assert table.find("44", "inbound").price(60) == Decimal("0.5")
    assert table.message("44", 3, "inbound", 0.0) == 0


def test_what_nothing_is_said_of_is_free_in_that_direction():
    table = RateTable(ROWS)
    assert table.find("1512", "inbound") is None
    assert (table.says("inbound", "call"), table.says("outbound", "call")) == (False, True)
    assert (table.prefixes("inbound", "call"), table.prefixes("outbound", "call")) == (0, 2)
    assert table.message("1512", 9, "outbound", 0.0) == FREE.message(9) == 0


def test_the_newest_rate_that_is_in_force_counts():
    table = RateTable(
        read(
            "prefix,per_minute,from\n,1,\n1,2,\n1,4,2026-03-01\n1,3,2026-02-01T00:00:00+01:00\n15,9,2026-03-02\n"
        )
    )
    for when, price in [
        ("1970-01-02", 2),
        ("2026-01-31T22:59:59", 2),
        ("2026-01-31T23:00:00", 3),
        ("2026-03-01", 4),
        ("2026-03-02", 9),
    ]:
        assert table.bill("1512", 60, at(when)) == price
    assert table.bill("1512", 60) == 9
    assert table.next_change("1512", "outbound", "call", at("2026-02-15")).per_minute == 4
    assert table.next_change("1512", "outbound", "call", at("2026-03-01")).per_minute == 9
    assert table.next_change("44", "outbound", "call", 0.0) is None


def test_what_a_call_can_cost_at_most_is_said_with_the_rates_to_come():
    table = RateTable(
        read(
            "prefix,per_minute,from\n,1,\n1,5,\n1,2,2026-01-01\n1,3,2026-03-01\n15,1,2026-02-01\n,9,2026-04-01\n"
        )
    )
    assert Dearest(table).call("1512", 60) == 5
    assert Dearest(table).call("44", 60) == 9
    assert Dearest(RateTable()).call("44", 60) == 0


def test_from_makes_of_one_prefix_several_rows():
    row = Rate("1", Decimal(1))
    base = Rate("", Decimal(0))
    assert list(flaws([base, row, Rate("1", Decimal(2), since=1.0)])) == []
    assert len(list(flaws([base, row, Rate("1", Decimal(2))]))) == 1
    assert list(flaws([base, row, Rate("1", per_segment=Decimal(2)), Rate(per_segment=Decimal(2))])) == []


numbers = st.text("0123456789", min_size=1, max_size=15)
rates = st.lists(
    st.builds(
        Rate,
        prefix=st.text("01", max_size=4),
        per_minute=st.integers(0, 99).map(Decimal),
        direction=st.sampled_from(["outbound", "inbound"]),
        since=st.none() | st.integers(1, 9).map(float),
    ),
    max_size=20,
    unique_by=lambda one: (one.prefix, one.direction, one.since),
)


@given(rates, st.text("01", max_size=6), st.sampled_from(["outbound", "inbound"]), st.integers(-1, 10))
def test_the_row_is_the_one_that_a_person_would_find(rows, number, direction, when):
    fitting = [
        one
        for one in rows
        if one.direction == direction
        and number.startswith(one.prefix)
        and (one.since is None or one.since <= when)
    ]
    best = max(
        fitting, key=lambda one: (len(one.prefix), -1 if one.since is None else one.since), default=None
    )
    assert RateTable(tuple(rows)).find(number, direction, "call", when) == best


def test_every_column_is_in_the_page_about_billing():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "billing.md").read_text(encoding="utf-8")
    assert all(f"| `{column}` |" in page for column in COLUMNS)
