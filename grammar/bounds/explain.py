"""Say a bound so that a person can follow it: which lines it comes from, and what was assumed."""

from collections.abc import Iterator
from decimal import Decimal

from ringful.grammar.bounds.bound import Bound, Dear, FollowBound, LegBound, MessageBound, Prices
from ringful.grammar.bounds.costs import MOST, Part

MOST_LINES = 200
"""More lines of one leg's share are not told."""


def explain(bound: Bound, prices: Prices | None = None, currency: str = "") -> str:
    """Say the bound of each leg and where it comes from, and with *prices* what it can cost."""
    lines = [line for leg in bound.legs for line in _leg(leg, prices, currency)]
    if not lines:
        lines.append("this script holds no line")
    lines += [line for one in bound.messages for line in _message(one, prices, currency)]
    lines += [f"{one.span}: {one.what}: {_ANYTHING}" for one in bound.follows]
    if prices is not None:
        cost = bound.cost(prices)
        most = _unbounded(bound) if cost is None else f"{money(cost, currency)} at most"
        lines.append(f"cost: {most}")
    return "\n".join(lines)


_ANYTHING = "what is answered may call and send anything"


def _unbounded(bound: Bound) -> str:
    known = [one.count is not None for one in bound.legs] + [one.count is not None for one in bound.messages]
    if bound.follows and all(known):
        return "no bound: an application says what is called and sent"
    what = "messages" if all(leg.count is not None for leg in bound.legs) else "calls"
    return f"no bound: how many {what} there are is worked out as the script runs"


def why_dear(one: Dear, prices: Prices, currency: str) -> str:
    """Say in a clause why *one* costs so much, or how it is that nobody can say what it costs."""
    where = f"`{one.what}` ({_place(one)})"
    if isinstance(one, FollowBound):
        return f"{where} runs what an application answers, which may call and send anything"
    cost = one.cost(prices)
    if cost is None:
        return f"how often {where} is done is worked out as the script runs"
    times = f", {one.count} times" if one.count != 1 else ""
    if isinstance(one, LegBound):
        return f"{where} can last {said(one.talking)}{times}, which costs {money(cost, currency)}"
    segments = f"{one.segments} segment{'' if one.segments == 1 else 's'}"
    return f"{where} can have {segments}{times}, which costs {money(cost, currency)}"


def _place(one: Dear) -> str:
    file = f"{one.span.path}, " if one.span.path else ""
    return f"{file}line {one.span.line}"


def _message(one: MessageBound, prices: Prices | None, currency: str) -> Iterator[str]:
    many = {1: "", None: ", any number of times"}.get(one.count, f", up to {one.count} times")
    yield f"{one.span}: {one.what}{many}: {one.segments} segment{'' if one.segments == 1 else 's'} at most"
    cost = one.cost(prices) if prices is not None else None
    if cost is not None and (one.sent or cost):
        yield f"  costs {money(cost, currency)} at most{_any(one.number)}"


def _any(number: str | None) -> str:
    return "" if number is not None else ", at the highest rate: the number is not known"


def _leg(leg: LegBound, prices: Prices | None, currency: str) -> Iterator[str]:
    many = {1: "", None: ", any number of times"}.get(leg.count, f", up to {leg.count} times")
    ringing = f"{said(leg.ringing)} ringing, then " if leg.rung else ""
    yield f"{leg.span}: {leg.what}{many}: {ringing}{said(leg.talking)} at most"
    if leg.kept != "text":
        alone = "without a bound" if leg.alone is None else said(leg.alone)
        ends = (
            "the end of the script's own leg" if leg.kept == "own leg" else "the longest duration of a call"
        )
        yield f"  by its text alone {alone}; {ends} ends it after {said(leg.talking)}"
    shown = sorted(_joined(leg.parts), key=lambda one: (one.span.path != leg.span.path, one.span))
    yield from (f"  {_part(one, leg.span.path)}" for one in shown[:MOST_LINES])
    if len(shown) > MOST_LINES:
        yield f"  … and {len(shown) - MOST_LINES} more lines"
    cost = leg.cost(prices) if prices is not None else None
    if cost is not None and (leg.rung or cost):
        yield f"  costs {money(cost, currency)} at most{_any(leg.number)}"


def _joined(parts: tuple[Part, ...]) -> list[Part]:
    """Join the parts of one line where they are alike."""
    joined: dict[Part, int] = {}
    for one in parts:
        key = Part(one.span, one.what, one.milliseconds, one.note)
        joined[key] = joined.get(key, 0) + one.times
    return [Part(one.span, one.what, one.milliseconds, one.note, times) for one, times in joined.items()]


def _part(one: Part, path: str) -> str:
    file = f"{one.span.path}, " if one.span.path != path else ""
    time = "no bound" if one.milliseconds is None else said(one.milliseconds)
    times = f" x {one.times}" if 1 < one.times < MOST else " x very often" if one.times > 1 else ""
    note = f" ({one.note})" if one.note else ""
    return f"{file}line {one.span.line}: {one.what} {time}{times}{note}"


def money(amount: Decimal, currency: str) -> str:
    """Say an amount."""
    whole = amount == amount.to_integral_value()
    shown = amount.to_integral_value() if whole else amount.normalize()
    return f"{shown:f} {currency}".rstrip()


def said(milliseconds: int) -> str:
    """Say a time as people do: ``1 h 2 min 3 s``."""
    seconds, rest = divmod(milliseconds, 1000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours >= 1000:
        return "more than 1000 h"
    second = f"{seconds}.{rest:03}".rstrip("0") if rest else str(seconds)
    words = [(hours, f"{hours} h"), (minutes, f"{minutes} min"), (seconds or rest, f"{second} s")]
    return " ".join(word for number, word in words if number) or "0 s"
