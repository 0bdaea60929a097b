"""The rows of a rate table as somebody wrote them: each value read, or refused with what would do."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from ringful.interpreter.money.rates import DIRECTIONS, MATTERS, Direction, Matter, Rate
from ringful.interpreter.tell import stamp

_DIGITS = re.compile(r"\+?\d{0,15}", re.ASCII)
_COMMA = re.compile(r"\d+,\d+")
_ODD = re.compile(r"[^ -~]|_")
"""What Python takes in a number, and nobody means in a price: ``1_0``, digits of other scripts."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DEAREST = 1_000_000
_FINEST = 40
"""Decimals of an amount."""
_LONGEST = 1_000_000
"""Seconds of an increment."""


class Unfit(Exception):
    """A value of a row is not what its column wants: it should be *wanted*, and not *found*."""

    def __init__(self, column: str, wanted: str, found: Any = None) -> None:
        super().__init__(wanted)
        self.column = column
        self.wanted = wanted
        self.found = found


def amount(value: Any) -> Decimal:
    """Read an amount of money: a number, or, as some prefer, a text that holds one.  Raises ValueError."""
    wanted = "an amount such as 0.012"
    if isinstance(value, str) and _COMMA.fullmatch(value):
        raise ValueError(f"{wanted}, with a point and no comma")
    odd = isinstance(value, bool | float) or (isinstance(value, str) and _ODD.search(value))
    try:
        found = Decimal("nan") if odd else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        found = Decimal("nan")
    if not found.is_finite() or found.is_signed():
        raise ValueError(wanted)
    exponent = found.as_tuple().exponent
    if found > _DEAREST or not isinstance(exponent, int) or exponent < -_FINEST:
        raise ValueError(f"{wanted}, of {_DEAREST} at most, with {_FINEST} decimals at most")
    return found


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a whole number of at least 1")
    if value > _LONGEST:
        raise ValueError(f"a whole number of seconds, {_LONGEST} at most")
    return value


def _prefix(value: Any) -> str:
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError("digits such as 1512")
    return value.lstrip("+")


def _direction(value: Any) -> Direction:
    for known in DIRECTIONS:
        if value == known:
            return known
    raise ValueError("outbound or inbound")


def moment(value: Any) -> float:
    """Read a time: a date, or a date and a time of day, in UTC where no zone is said.  Raises ValueError."""
    if isinstance(value, str) and _DATE.match(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime) or not 1970 < value.year < 9999:
        raise ValueError("a time such as 2026-03-01 or 2026-03-01T06:00:00Z")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "prefix": _prefix,
    "direction": _direction,
    "per_minute": amount,
    "connection": amount,
    "first": _whole,
    "following": _whole,
    "per_segment": amount,
    "from": moment,
}
"""What a row may say, and how each is read."""

_FIELDS = {"from": "since"}


def rate_of(row: Mapping[str, Any], source: str, n: int) -> Rate:
    """Read a row, the *n*-th of *source*.  Raises Unfit."""
    made = {field_of(column): value_of(column, value) for column, value in row.items()}
    return Rate(**made, source=source, row=n)


def field_of(column: str) -> str:
    """Give the field of a rate that *column* is about."""
    return _FIELDS.get(column, column)


def value_of(column: str, value: Any) -> Any:
    """Read what *column* says.  Raises Unfit."""
    read = COLUMNS.get(column)
    if read is None:
        raise Unfit("a key", f"one of the keys {', '.join(COLUMNS)}", column)
    try:
        return read(value)
    except ValueError as error:
        raise Unfit(column, str(error), value) from None


def flaws(rates: Sequence[Rate]) -> Iterator[str]:
    """Say what is wrong with the rows together, each thing with its place and what would do."""
    known: dict[tuple[Direction, Matter, str, float | None], Rate] = {}
    for rate in rates:
        said = [matter for matter in MATTERS if rate.says(matter)]
        if "call" not in said and (not said or rate.connection or rate.first != 1 or rate.following != 1):
            yield (
                f"{rate.place}: the row says no price of calls: give per_minute (0: they are free), "
                "or per_segment alone where it is for messages"
            )
        for matter in said:
            first = known.setdefault((rate.direction, matter, rate.prefix, rate.since), rate)
            if first is not rate:
                yield (
                    f"{rate.place}: {_named(rate)} has its price of {matter}s in {first.place} already: "
                    "leave one of the two out, or give one another `from`"
                )
                break
    for (direction, matter), rate in {key[:2]: rate for key, rate in reversed(known.items())}.items():
        if (direction, matter, "", None) not in known:
            column = "per_minute" if matter == "call" else "per_segment"
            yield (
                f"{rate.place}: no row says what {direction} {matter}s of all other numbers cost, "
                "and they would be free by accident: add one with an empty prefix and no `from` "
                f"({column} 0, where they are to be free)"
            )


def _named(rate: Rate) -> str:
    since = "" if rate.since is None else f" from {stamp(rate.since)}"
    return f"{rate.direction}, {f'prefix {rate.prefix}' if rate.prefix else 'no prefix'}{since}"
