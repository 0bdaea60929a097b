"""What options say of a key: what fits, as it is kept; else a CommandError (code 2) names the option."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

from ringful.command.configuration.readers import Unfit, seconds
from ringful.command.errors import CommandError

_T = TypeVar("_T")

LONGEST = 366 * 24 * 3600.0
"""Seconds that an old secret may hold at most."""


def name_of(option: str, name: str) -> str:
    """Read what a key is called."""
    return _fitting(option, name, name.isprintable() and name.strip(), "a name in one line")


def prefixes(given: Sequence[str] | None) -> tuple[str, ...]:
    """Read the beginnings of the numbers that may be called."""
    return tuple(_prefix(one) for one in given or ())


def _prefix(written: str) -> str:
    fits = re.fullmatch(r"\+?\d{1,15}", written, re.ASCII)
    return _fitting("--prefix", written, fits, "digits such as +1512")


def rate(value: float | None) -> float | None:
    """Read how many calls may be placed in a second."""
    return _fitting("--calls-per-second", value, _above_nothing(value), "a number above 0")


def concurrent(value: int | None) -> int | None:
    """Read how many calls may be up at once."""
    return _fitting("--concurrent", value, _above_nothing(value), "a number above 0")


def cap(value: Decimal | None) -> Decimal | None:
    """Read what calls may cost in all."""
    return _amount("--cap", value)


def most_cost(value: Decimal | None) -> Decimal | None:
    """Read what one script may cost."""
    return _amount("--most-cost", value)


def _amount(option: str, value: Decimal | None) -> Decimal | None:
    return _fitting(option, value, value is None or (value.is_finite() and value >= 0), "an amount")


def overlap(written: str) -> float:
    """Read for how many seconds an old secret holds."""
    try:
        found = seconds(written)
    except Unfit:
        found = math.inf
    _fitting("--for", written, found <= LONGEST, "a duration such as 24h, 366 days at most")
    return found


def one_of(**given: bool) -> None:
    """Hold that only one of these options is given, each by its name and whether it is."""
    named = [f"--{name.replace('_', '-')}" for name, is_given in given.items() if is_given]
    if len(named) > 1:
        raise CommandError(f"give only one of {' and '.join(named)}", 2)


def _fitting(option: str, value: _T, fits: object, wanted: str) -> _T:
    if not fits:
        raise CommandError(f"{option}: expected {wanted}, not {value}", 2)
    return value


def _above_nothing(value: float | None) -> bool:
    return value is None or 0 < value < math.inf
