"""What calls cost: pure and exact."""

from decimal import Decimal

from attrs import frozen


@frozen
class Rate:
    """The price of calls to numbers that begin with *prefix* (digits; empty: all others)."""

    prefix: str = ""
    per_minute: Decimal = Decimal(0)
    connection: Decimal = Decimal(0)
    """The fee of an answered call, however short."""
    first: int = 1
    """The seconds that are billed at least."""
    following: int = 1
    """The steps, in seconds, in which more is billed."""

    def price(self, seconds: int) -> Decimal:
        """Give the price of an answered call of so many started seconds."""
        steps = max(0, -(-(seconds - self.first) // self.following))
        billed = self.first + steps * self.following
        return self.connection + self.per_minute * billed / 60


@frozen
class RateTable:
    """All rates; the longest matching prefix counts, and where none matches a call is free."""

    rates: tuple[Rate, ...] = ()
    currency: str = "USD"

    def bill(self, number: str, seconds: int) -> Decimal:
        """Give the price of an answered call to *number*, to a ten-thousandth, rounded half up."""
        digits = number.lstrip("+")
        matching = [rate for rate in self.rates if digits.startswith(rate.prefix)]
        if not matching:
            return Decimal(0)
        return _rounded(max(matching, key=lambda rate: len(rate.prefix)).price(seconds))

    def most(self, seconds: int) -> Decimal:
        """Give the price of an answered call to the dearest number."""
        return max((_rounded(rate.price(seconds)) for rate in self.rates), default=Decimal(0))


def _rounded(price: Decimal) -> Decimal:
    exact = price.quantize(Decimal("0.0001"), rounding="ROUND_HALF_UP").normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact
