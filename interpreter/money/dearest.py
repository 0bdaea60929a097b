"""The most that things can cost by a rate table: what bounds are reckoned with.  Pure."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from attrs import frozen

from ringful.interpreter.money.rates import Direction, Matter, Rate, RateTable


@frozen
class Dearest:
    """See `grammar.bounds.bound.Prices`; a number that is not known is the dearest one.

    Of rows that are not in force yet, and of those that are no more, the dearest counts: a script may run at
    any time.
    """

    rates: RateTable

    def call(self, number: str | None, seconds: int) -> Decimal:
        """Give the price of a call of so many started seconds to *number*."""
        return self._most(number, "outbound", "call", lambda rate: rate.price(seconds))

    def inbound(self, number: str | None, seconds: int) -> Decimal:
        """Give the price of a call that came in to *number*."""
        return self._most(number, "inbound", "call", lambda rate: rate.price(seconds))

    def message(self, number: str | None, segments: int) -> Decimal:
        """Give the price of a message to *number*."""
        return self._most(number, "outbound", "message", lambda rate: rate.message(segments))

    def inbound_message(self, number: str | None, segments: int) -> Decimal:
        """Give the price of a message that came in to *number*."""
        return self._most(number, "inbound", "message", lambda rate: rate.message(segments))

    def _most(
        self, number: str | None, direction: Direction, matter: Matter, price: Callable[[Rate], Decimal]
    ) -> Decimal:
        if number is None:
            found = [one for one in self.rates.rates if one.direction == direction and one.says(matter)]
        else:
            found = list(self._ever(number, direction, matter))
        return max(map(price, found), default=Decimal(0))

    def _ever(self, number: str, direction: Direction, matter: Matter) -> Iterator[Rate]:
        """Give the rows that count for *number* at some time.

        A row that always holds hides those of shorter prefixes; until one begins, the shorter ones count.
        """
        hidden = 0
        for rate in self.rates.matching(number, direction, matter):
            if len(rate.prefix) < hidden:
                return
            yield rate
            if rate.since is None:
                hidden = len(rate.prefix)
