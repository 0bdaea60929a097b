"""Say a bound so that a person can follow it: which lines it comes from, and what was assumed."""

from collections.abc import Iterator
from decimal import Decimal

from ringful.grammar.bounds.bound import Bound, LegBound, Price
from ringful.grammar.bounds.costs import MOST, Part

MOST_LINES = 200
"""More lines of one leg's share are not told."""


def explain(bound: Bound, price: Price | None = None, currency: str = "") -> str:
    """Say the bound of each leg and where it comes from, and with *price* what it can cost."""
    lines = [line for leg in bound.legs for line in _leg(leg, price, currency)]
    if not lines:
        lines.append("this script holds no line")
    if price is not None:
        cost = bound.cost(price)
        most = "no bound: how many calls there are is worked out as the script runs"
        lines.append(f"cost: {most}" if cost is None else f"cost: {_money(cost, currency)} at most")
    return "\n".join(lines)


def _leg(leg: LegBound, price: Price | None, currency: str) -> Iterator[str]:
    many = {1: "", None: ", any number of times"}.get(leg.count, f", up to {leg.count} times")
    ringing = f"{_said(leg.ringing)} ringing, then " if leg.rung else ""
    yield f"{leg.span}: {leg.what}{many}: {ringing}{_said(leg.talking)} at most"
    if leg.kept != "text":
        alone = "without a bound" if leg.alone is None else _said(leg.alone)
        ends = (
            "the end of the script's own leg" if leg.kept == "own leg" else "the longest duration of a call"
        )
        yield f"  by its text alone {alone}; {ends} ends it after {_said(leg.talking)}"
    shown = sorted(_joined(leg.parts), key=lambda one: (one.span.path != leg.span.path, one.span))
    yield from (f"  {_part(one, leg.span.path)}" for one in shown[:MOST_LINES])
    if len(shown) > MOST_LINES:
        yield f"  … and {len(shown) - MOST_LINES} more lines"
    cost = leg.cost(price) if price is not None and leg.rung else None
    if cost is not None:
        number = "" if leg.number is not None else ", at the highest rate: the number is not known"
        yield f"  costs {_money(cost, currency)} at most{number}"


def _joined(parts: tuple[Part, ...]) -> list[Part]:
    """Join the parts of one line where they are alike."""
    joined: dict[Part, int] = {}
    for one in parts:
        key = Part(one.span, one.what, one.milliseconds, one.note)
        joined[key] = joined.get(key, 0) + one.times
    return [Part(one.span, one.what, one.milliseconds, one.note, times) for one, times in joined.items()]


def _part(one: Part, path: str) -> str:
    file = f"{one.span.path}, " if one.span.path != path else ""
    time = "no bound" if one.milliseconds is None else _said(one.milliseconds)
    times = f" x {one.times}" if 1 < one.times < MOST else " x very often" if one.times > 1 else ""
    note = f" ({one.note})" if one.note else ""
    return f"{file}line {one.span.line}: {one.what} {time}{times}{note}"


def _money(amount: Decimal, currency: str) -> str:
    whole = amount == amount.to_integral_value()
    shown = amount.to_integral_value() if whole else amount.normalize()
    return f"{shown:f} {currency}".rstrip()


def _said(milliseconds: int) -> str:
    """Say a time as people do: ``1 h 2 min 3 s``."""
    seconds, rest = divmod(milliseconds, 1000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours >= 1000:
        return "more than 1000 h"
    second = f"{seconds}.{rest:03}".rstrip("0") if rest else str(seconds)
    words = [(hours, f"{hours} h"), (minutes, f"{minutes} min"), (seconds or rest, f"{second} s")]
    return " ".join(word for number, word in words if number) or "0 s"
