"""What calls and messages cost: pure and exact.

A row of the table is for one direction and for numbers with one prefix, and may say what calls cost, what
messages cost, or both; and from when on.  Of the rows that say what is asked for, the one counts that has
the longest matching prefix and is in force; of several with that prefix, the newest.
"""

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from attrs import Factory, field, frozen

from ringful.interpreter.money.amounts import UNITS, amount_of, units_of

Direction: TypeAlias = Literal["outbound", "inbound"]
Matter: TypeAlias = Literal["call", "message"]
OUTBOUND: Direction = "outbound"
INBOUND: Direction = "inbound"
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
MATTERS: tuple[Matter, ...] = get_args(Matter)


@frozen
class Rate:
    """The price of calls and messages of numbers that begin with *prefix* (digits; empty: all others).

    The number is whom we call, and of what comes in, our own number that was called.
    """

    prefix: str = ""
    per_minute: Decimal | None = None
    """None: this row says nothing of calls."""
    connection: Decimal = Decimal(0)
    """The fee of an answered call, however short."""
    first: int = 1
    """The seconds that are billed at least."""
    following: int = 1
    """The steps, in seconds, in which more is billed."""
    direction: Direction = "outbound"
    per_segment: Decimal | None = None
    """The price of each segment of a message.  None: this row says nothing of messages."""
    since: float | None = None
    """From when on it is in force; None: ever."""
    source: str = field(default="", eq=False, repr=False)
    row: int = field(default=0, eq=False, repr=False)

    @property
    def place(self) -> str:
        """Where it is written."""
        return f"{self.source}{self.row}" if self.source else "the table"

    def says(self, matter: Matter) -> bool:
        """Say whether it has a price for calls, or for messages."""
        return (self.per_minute if matter == "call" else self.per_segment) is not None

    def steps(self, seconds: int) -> int:
        """Give how many steps are billed beyond the first seconds of a call of *seconds* started ones."""
        return max(0, -(-(seconds - self.first) // self.following))

    def billed(self, seconds: int) -> int:
        """Give how many seconds are billed of a call of *seconds* started ones."""
        return self.first + self.steps(seconds) * self.following

    def line(self) -> tuple[int, int, int]:
        """Give the *a*, *b* and *c* by which *n* billed seconds cost ``(a + b * n) // c`` units."""
        a, b = (self.per_minute or Decimal(0)).as_integer_ratio()
        c, d = self.connection.as_integer_ratio()
        whole = 60 * b * d
        return 2 * UNITS * c * 60 * b + whole, 2 * UNITS * a * d, 2 * whole

    def price(self, seconds: int) -> Decimal:
        """Give the price of an answered call of so many started seconds, rounded half up."""
        a, b, c = self.line()
        return amount_of((a + b * self.billed(seconds)) // c)

    def within(self, amount: Decimal, least: int, most: int) -> int:
        """Give for how many of *most* seconds *amount* pays, in whole steps; for *least* in any case."""
        if self.price(most) <= amount:
            return most
        fine, over = self.steps(least), self.steps(most)
        while over - fine > 1:
            middle = (fine + over) // 2
            if self.price(self.first + middle * self.following) <= amount:
                fine = middle
            else:
                over = middle
        return min(most, max(least, self.first + fine * self.following))

    def message(self, segments: int) -> Decimal:
        """Give the price of a message of so many segments, rounded half up."""
        return amount_of(units_of((self.per_segment or Decimal(0)) * segments))


FREE = Rate(per_minute=Decimal(0), per_segment=Decimal(0))
"""What holds where nothing is said."""

_Rows: TypeAlias = Mapping[str, tuple[Rate, ...]]
"""By prefix, the newest first."""
_Index: TypeAlias = Mapping[tuple[Direction, Matter], tuple[int, _Rows]]
"""The rows of a kind, and how long the longest of their prefixes is."""


def _begins(rate: Rate) -> float:
    return -math.inf if rate.since is None else rate.since


def _index(rates: tuple[Rate, ...]) -> _Index:
    made: dict[tuple[Direction, Matter], dict[str, tuple[Rate, ...]]] = {}
    several: set[tuple[tuple[Direction, Matter], str]] = set()
    for rate in rates:
        for matter in MATTERS:
            if not rate.says(matter):
                continue
            kind = (rate.direction, matter)
            rows = made.setdefault(kind, {})
            if rate.prefix in rows:
                rows[rate.prefix] += (rate,)
                several.add((kind, rate.prefix))
            else:
                rows[rate.prefix] = (rate,)
    for kind, prefix in several:
        made[kind][prefix] = tuple(sorted(made[kind][prefix], key=_begins, reverse=True))
    return {kind: (max(map(len, rows)), rows) for kind, rows in made.items()}


@frozen
class RateTable:
    """All rates; where no row says anything of a call or a message, it is free."""

    rates: tuple[Rate, ...] = ()
    currency: str = "USD"
    _index: _Index = field(
        init=False, eq=False, repr=False, default=Factory(lambda self: _index(self.rates), takes_self=True)
    )

    def find(
        self, number: str, direction: Direction = "outbound", matter: Matter = "call", at: float = math.inf
    ) -> Rate | None:
        """Give the row that counts for *number* at the time *at*; None: there is none."""
        return next(self.matching(number, direction, matter, at), None)

    def matching(
        self, number: str, direction: Direction, matter: Matter, at: float = math.inf
    ) -> Iterator[Rate]:
        """Give the rows that are in force *at* that time and match *number*, the one that counts first."""
        longest, rows = self._index.get((direction, matter), (0, {}))
        digits = number.lstrip("+")
        for length in range(min(longest, len(digits)), -1, -1):
            for rate in rows.get(digits[:length], ()):
                if rate.since is None or rate.since <= at:
                    yield rate

    def next_change(self, number: str, direction: Direction, matter: Matter, at: float) -> Rate | None:
        """Give the row that will count for *number* next, after *at*; None: none that is known of."""
        coming = self._coming(number, direction, matter, at)
        return min(coming, key=lambda one: (one.since or 0.0, -len(one.prefix)), default=None)

    def _coming(self, number: str, direction: Direction, matter: Matter, at: float) -> Iterator[Rate]:
        """Give the rows that will count for *number* after *at*, or would if no later one did."""
        longest, rows = self._index.get((direction, matter), (0, {}))
        digits = number.lstrip("+")
        now = self.find(number, direction, matter, at)
        for length in range(len(now.prefix) if now else 0, min(longest, len(digits)) + 1):
            for rate in rows.get(digits[:length], ()):
                if rate.since is not None and rate.since > at:
                    yield rate

    def says(self, direction: Direction, matter: Matter) -> bool:
        """Say whether anything of that kind has a price."""
        return (direction, matter) in self._index

    def prefixes(self, direction: Direction, matter: Matter) -> int:
        """Give how many prefixes of that kind have a price."""
        return len(self._index[direction, matter][1]) if self.says(direction, matter) else 0

    def bill(self, number: str, seconds: int, at: float = math.inf) -> Decimal:
        """Give the price of a call to *number*, answered at *at* (or by the newest rate)."""
        return (self.find(number, at=at) or FREE).price(seconds)

    def message(self, number: str, segments: int, direction: Direction, at: float) -> Decimal:
        """Give the price of a message at the time *at*: to *number*, or to our own *number*."""
        return (self.find(number, direction, "message", at) or FREE).message(segments)
