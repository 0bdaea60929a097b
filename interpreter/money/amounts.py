"""Amounts of money: exact, rounded once, and written plainly.

What is billed is a whole number of ten-thousandths (a *unit*), so that sums are sums of whole numbers and
nothing is ever lost between them.
"""

from decimal import Decimal

UNITS = 10_000
"""Units of one of the currency."""


def units_of(amount: Decimal) -> int:
    """Give *amount* in units, rounded half up."""
    top, bottom = amount.as_integer_ratio()
    return (2 * UNITS * top + bottom) // (2 * bottom)


def whole_units(amount: Decimal) -> int:
    """Give how many whole units there are in *amount*: what can be spent of it."""
    top, bottom = amount.as_integer_ratio()
    return UNITS * top // bottom


def amount_of(units: int) -> Decimal:
    """Give *units* as an amount, without needless noughts: ``0.0182``, ``5``."""
    exact = Decimal(units).scaleb(-4).normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact


def plain(amount: Decimal) -> str:
    """Write *amount* without an exponent."""
    return f"{amount:f}"


def plain_if(amount: Decimal | None) -> str | None:
    """Write *amount*, where there is one."""
    return None if amount is None else plain(amount)
