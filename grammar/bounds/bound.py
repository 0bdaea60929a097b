"""The longest time that a script can hold its lines, and what that can cost.

The bound is worked out from the text, along the longest way, and every second of it is some line's.
What the text does not say is either assumed, and told (how long an announcement is), or has no
bound but the longest duration of a call, and that is told too.  What a leg costs begins at its
answer.  Not counted: what is queued through REST, and the moments that networks take.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, TypeAlias, assert_never

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.grammar.bounds.costs import Part, Time, part
from ringful.grammar.bounds.durations import Durations, Limits
from ringful.grammar.bounds.placed import Many, placed
from ringful.grammar.flows import flows_of
from ringful.grammar.showing.printer import show_expression
from ringful.grammar.span import Span
from ringful.grammar.tones import literal

__all__ = ["Bound", "LegBound", "Limits", "Price", "longest"]

_NO_SCRIPTS: Mapping[str, nodes.Script] = {}

Price: TypeAlias = Callable[[str | None, int], Decimal]
"""(number or None for any, started seconds) to the most that such a leg can cost."""

Kept: TypeAlias = Literal["text", "own leg", "maximum"]
"""What bounds a leg: its own text, the end of the script's own leg, or the longest duration of a call."""


@frozen
class LegBound:
    """How long one leg can be held."""

    what: str
    span: Span
    number: str | None
    """The number that is called, where the text says it."""
    ringing: int
    """Milliseconds before the answer, at most."""
    talking: int
    """Milliseconds after it, at most: never more than the longest duration of a call."""
    kept: Kept = "text"
    alone: int | None = None
    """Milliseconds that its text alone lets it last; None is without a bound."""
    parts: tuple[Part, ...] = ()
    count: Many = 1
    """How many such legs the script can place; None where the text does not say."""
    rung: bool = True
    """We ring it; if not, it came in, and costs nothing."""

    def cost(self, price: Price) -> Decimal | None:
        """Give the most that such legs can cost, or None where the text does not say how many there are."""
        if not self.rung:
            return Decimal(0)
        return None if self.count is None else price(self.number, -(-self.talking // 1000)) * self.count


@frozen
class Bound:
    """How long a script can hold lines: its own leg first, then those that it places."""

    legs: tuple[LegBound, ...] = ()
    limits: Limits = field(factory=Limits)

    def cost(self, price: Price) -> Decimal | None:
        """Give the most that the script can cost, or None where the text does not say how many legs."""
        total = Decimal(0)
        for leg in self.legs:
            cost = leg.cost(price)
            if cost is None:
                return None
            total += cost
        return total


def longest(
    script: nodes.Script,
    uses: Mapping[str, nodes.Script] = _NO_SCRIPTS,
    limits: Limits | None = None,
) -> Bound:
    """Give the longest time that *script*, which has no errors, can hold lines."""
    limits = limits or Limits()
    flows = flows_of(script, uses)
    calls = placed(script.body, flows, limits)
    durations = Durations(flows, limits, [call for call, _ in calls])
    own = _own(script, durations, limits)
    further = [_further(call, count, own, durations, limits) for call, count in calls]
    return Bound((*((own,) if own else ()), *further), limits)


def _own(script: nodes.Script, durations: Durations, limits: Limits) -> LegBound | None:
    match script.header:
        case nodes.Call() as call:
            time = durations.block(script.body).longest
            return _held(_said(call), call, durations.ringing(call), time, limits.maximum, "maximum")
        case nodes.Inbound() as inbound:
            time = durations.block(script.body).longest
            what = f"inbound {show_expression(inbound.number)}"
            return _held(what, inbound, 0, time, limits.maximum, "maximum")
        case nodes.InboundSms() | None:
            return None
        case _:
            assert_never(script.header)


def _further(
    call: nodes.Call,
    count: Many,
    own: LegBound | None,
    durations: Durations,
    limits: Limits,
) -> LegBound:
    time = durations.block(call.block).longest
    if call.name:
        # It stays up for the script to do things with it.
        time += part(call.span, f"{call.name} stays up", None, "until the script ends, or hangs it up")
    most = limits.maximum if own is None else own.talking
    kept: Kept = "maximum" if own is None else "own leg"
    return _held(_said(call), call, durations.ringing(call), time, most, kept, count)


def _held(
    what: str,
    header: nodes.Call | nodes.Inbound,
    ringing: int,
    time: Time,
    most: int,
    kept: Kept,
    count: Many = 1,
) -> LegBound:
    beyond = time.endless or time.milliseconds > most
    return LegBound(
        what,
        header.span,
        literal(header.number),
        ringing,
        most if beyond else time.milliseconds,
        kept if beyond else "text",
        None if time.endless else time.milliseconds,
        time.parts(),
        count,
        isinstance(header, nodes.Call),
    )


def _said(call: nodes.Call) -> str:
    name = f" as {call.name}" if call.name else ""
    return f"call {show_expression(call.number)}{name}"
