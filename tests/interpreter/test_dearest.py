"""The most that things can cost: no rate that counts at any time makes them dearer."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ringful.interpreter.money.dearest import Dearest
from ringful.interpreter.money.rates import Rate, RateTable

NUMBER = "15125550001"
_rates = st.builds(
    Rate,
    prefix=st.sampled_from(["", "1", "1512", "44"]),
    per_minute=st.sampled_from([Decimal("0.01"), Decimal(1), Decimal(7)]),
    per_segment=st.sampled_from([Decimal("0.01"), Decimal(1), Decimal(7)]),
    direction=st.sampled_from(["outbound", "inbound"]),
    since=st.sampled_from([None, 10.0, 20.0]),
)


def _which(rate: Rate) -> object:
    return rate.prefix, rate.direction, rate.since


@given(st.lists(_rates, max_size=8, unique_by=_which), st.sampled_from([0.0, 10.0, 15.0, 20.0]))
def test_nothing_is_ever_dearer(rates: list[Rate], at: float) -> None:
    table = RateTable(tuple(rates))
    most = Dearest(table)
    bill = table.bill(NUMBER, 60, at)
    assert bill <= most.call(NUMBER, 60) <= most.call(None, 60)
    sent = table.message(NUMBER, 3, "outbound", at)
    assert sent <= most.message(NUMBER, 3) <= most.message(None, 3)
    came = table.message(NUMBER, 3, "inbound", at)
    assert came <= most.inbound_message(NUMBER, 3) <= most.inbound_message(None, 3)


def test_until_a_cheaper_row_begins_the_shorter_prefix_counts() -> None:
    rates = (Rate("", Decimal(1)), Rate("1512", Decimal("0.01"), since=1e10))
    assert Dearest(RateTable(rates)).call(NUMBER, 60) == 1


def test_a_row_that_always_holds_hides_those_of_shorter_prefixes() -> None:
    rates = (Rate("", Decimal(1)), Rate("1512", Decimal("0.01")), Rate("1512", Decimal("0.02"), since=1e10))
    assert Dearest(RateTable(rates)).call(NUMBER, 60) == Decimal("0.02")
