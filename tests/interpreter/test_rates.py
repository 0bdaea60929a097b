"""Bills are exact, monotonous, and follow the longest prefix."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.interpreter.money.dearest import Dearest
from ringful.interpreter.money.rates import Rate, RateTable

prices = st.decimals(0, 100, places=4)
steps = st.integers(1, 120)
made_rates = st.builds(
    Rate,
    prefix=st.text("0123456789", max_size=4),
    per_minute=prices,
    connection=prices,
    first=steps,
    following=steps,
)
tables = st.lists(made_rates, max_size=6, unique_by=lambda rate: rate.prefix).map(
    lambda r: RateTable(tuple(r))
)
numbers = st.text("0123456789", min_size=3, max_size=15)
durations = st.integers(0, 100_000)


def billed_seconds(rate, seconds):
    """Count increments one by one, as a person would."""
    billed = rate.first
    while billed < seconds:
        billed += rate.following
    return billed


@given(made_rates, st.integers(0, 2000), numbers)
def test_a_bill_is_the_fee_and_every_started_increment(rate, seconds, number):
    price = Fraction(rate.per_minute) * billed_seconds(rate, seconds) / 60 + Fraction(rate.connection)
    bill = Fraction(
        RateTable((Rate("", rate.per_minute, rate.connection, rate.first, rate.following),)).bill(
            number, seconds
        )
    )
    assert abs(bill - price) <= Fraction(1, 20_000)
    if (price * 10_000).denominator == 1:
        assert bill == price


@given(tables, numbers, durations, durations)
def test_a_longer_call_is_never_cheaper(table, number, one, other):
    shorter, longer = sorted((one, other))
    assert table.bill(number, shorter) <= table.bill(number, longer)


@given(tables, numbers, durations)
def test_a_leading_plus_makes_no_difference(table, number, seconds):
    assert table.bill(number, seconds) == table.bill(f"+{number}", seconds)


@given(tables, numbers, durations)
def test_only_the_longest_matching_prefix_counts(table, number, seconds):
    matching = sorted((r for r in table.rates if number.startswith(r.prefix)), key=lambda r: len(r.prefix))
    expected = RateTable((matching[-1],)).bill(number, seconds) if matching else 0
    assert table.bill(number, seconds) == expected


@given(tables, numbers, durations)
def test_a_bill_is_written_plainly(table, number, seconds):
    text = str(table.bill(number, seconds))
    assert "E" not in text
    assert Decimal(text) == table.bill(number, seconds)


@pytest.mark.parametrize(
    ("seconds", "bill"),
    [(1, "0.017"), (60, "0.017"), (61, "0.0182"), (66, "0.0182"), (67, "0.0194"), (3600, "0.725")],
)
def test_the_first_minute_whole_and_then_six_seconds(seconds, bill):
    table = RateTable((Rate("1", Decimal("0.012"), Decimal("0.005"), 60, 6),))
    assert table.bill("+15125550001", seconds) == Decimal(bill)


def test_without_rates_everything_is_free():
    assert RateTable().bill("15125550001", 3600) == 0
    assert RateTable((Rate("44", Decimal(1)),)).bill("15125550001", 3600) == 0


@given(tables, durations, numbers)
def test_no_number_costs_more_than_the_dearest(table, seconds, number):
    assert table.bill(number, seconds) <= Dearest(table).call(None, seconds)
    assert (
        any(table.bill(rate.prefix, seconds) <= Dearest(table).call(None, seconds) for rate in table.rates)
        or not table.rates
    )
