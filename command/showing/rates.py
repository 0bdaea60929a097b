"""Rates as text: a row, and the arithmetic of a bill, in words."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.rates import DIRECTIONS, MATTERS, Matter, Rate, RateTable
from ringful.interpreter.tell import stamp


def in_words(rate: Rate, currency: str, matter: Matter) -> str:
    """Say what *rate* says of calls, or of messages."""
    numbers = f"prefix {rate.prefix}" if rate.prefix else "all other numbers"
    since = "" if rate.since is None else f", from {stamp(rate.since)} on"
    if matter == "message":
        return f"{numbers}: {plain(rate.per_segment or Decimal(0))} {currency} a segment{since}"
    steps = "by the second" if rate.following == 1 else f"in steps of {rate.following} s"
    fee = f", {plain(rate.connection)} to connect" if rate.connection else ""
    price = f"{plain(rate.per_minute or Decimal(0))} {currency} a minute{fee}"
    return f"{numbers}: {price}; {rate.first} s at least, then {steps}{since}"


def call_in_words(rate: Rate, seconds: int, currency: str) -> Iterator[str]:
    """Show how a call of *seconds* comes to its price."""
    steps, billed = rate.steps(seconds), rate.billed(seconds)
    more = f" and {steps} * {rate.following} s" if steps else ""
    yield f"{seconds} s: {rate.first} s{more}, so {billed} s are billed"
    per_minute = rate.per_minute or Decimal(0)
    exact = Fraction(rate.connection) + Fraction(per_minute) * billed / 60
    fee = f"{plain(rate.connection)} + " if rate.connection else ""
    yield f"{fee}{plain(per_minute)} * {billed} / 60 {_equals(exact, rate.price(seconds))} {currency}"


def message_in_words(rate: Rate, segments: int, currency: str) -> Iterator[str]:
    """Show how a message comes to its price."""
    each = rate.per_segment or Decimal(0)
    is_told = _equals(Fraction(each) * segments, rate.message(segments))
    yield f"{plain(each)} * {segments} {is_told} {currency}"


def _equals(exact: Fraction, told: Decimal) -> str:
    rounded = exact != Fraction(told)
    return f"is, rounded to a ten-thousandth (half up), {plain(told)}" if rounded else f"= {plain(told)}"


def summary(rates: Sequence[Rate], currency: str) -> Iterator[str]:
    """Say what a table has prices of."""
    table = RateTable(tuple(rates), currency)
    yield f"{len(rates)} rows, in {currency}"
    for matter in MATTERS:
        for direction in DIRECTIONS:
            kind = f"{direction} {matter}s"
            if not table.says(direction, matter):
                yield f"{kind}: free, since no row says anything of them"
                continue
            other = min(
                (one for one in rates if one.says(matter) and one.direction == direction and not one.prefix),
                key=lambda one: one.since or 0.0,
            )
            count = table.prefixes(direction, matter) - 1
            yield f"{kind}: {count} prefixes; {in_words(other, currency, matter)} ({other.place})"
