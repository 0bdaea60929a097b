"""The longest time that a script can hold its lines, and what that can cost.

The bound is worked out from the text, along the longest way, and every second of it is some line's.
What the text does not say is either assumed, and told (how long an announcement is), or has no
bound but the longest duration of a call, and that is told too.  What a leg costs begins at its
answer; a message costs what its segments do.  Not counted: what is queued through REST, and the moments
that networks take.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias, assert_never

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.bounds.costs import Part, Time, part
from ringful.grammar.bounds.durations import HELD, STEERED, Durations, Limits
from ringful.grammar.bounds.placed import Many, begun
from ringful.grammar.bounds.texts import MOST, segments
from ringful.grammar.flows import flows_of
from ringful.grammar.showing.printer import show_expression
from ringful.grammar.span import Span
from ringful.grammar.tones import literal

__all__ = ["Bound", "LegBound", "Limits", "MessageBound", "Prices", "longest"]

_NO_SCRIPTS: Mapping[str, nodes.Script] = {}


class Prices(Protocol):
    """The most that things can cost; a number that is None may be any."""

    def call(self, number: str | None, seconds: int) -> Decimal:
        """Give the price of a call of so many started seconds to *number*."""

    def inbound(self, number: str | None, seconds: int) -> Decimal:
        """Give the price of a call that came in to *number*, one of ours."""

    def message(self, number: str | None, segments: int) -> Decimal:
        """Give the price of a message to *number*."""

    def inbound_message(self, number: str | None, segments: int) -> Decimal:
        """Give the price of a message that came in to *number*, one of ours."""


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
    """We ring it; if not, it came in."""

    def cost(self, prices: Prices) -> Decimal | None:
        """Give the most that such legs can cost, or None where the text does not say how many there are."""
        price = prices.call if self.rung else prices.inbound
        return None if self.count is None else price(self.number, -(-self.talking // 1000)) * self.count


@frozen
class MessageBound:
    """How many messages one statement can send, or the one by which a script began."""

    what: str
    span: Span
    number: str | None
    """The number that it goes to, or that it came in to, where the text says it."""
    segments: int
    """Of each, at most."""
    count: Many = 1
    """How many there can be; None where the text does not say."""
    sent: bool = True
    """We send it; if not, it came in."""

    def cost(self, prices: Prices) -> Decimal | None:
        """Give the most that they can cost, or None where the text does not say how many there are."""
        price = prices.message if self.sent else prices.inbound_message
        return None if self.count is None else price(self.number, self.segments) * self.count


@frozen
class FollowBound:
    """That an application says what runs: it may call and send what it likes."""

    what: str
    span: Span
    count: Many = None

    def cost(self, _: Prices) -> Decimal | None:
        """Give None: there is no bound."""
        return None


Dear: TypeAlias = LegBound | MessageBound | FollowBound
"""What a script has to pay for."""


@frozen
class Bound:
    """How long a script can hold lines: its own leg first, then those that it places; and what it sends."""

    legs: tuple[LegBound, ...] = ()
    limits: Limits = field(factory=Limits)
    messages: tuple[MessageBound, ...] = ()
    follows: tuple[FollowBound, ...] = ()

    @property
    def all(self) -> tuple[Dear, ...]:
        """Everything that costs."""
        return (*self.legs, *self.messages, *self.follows)

    def cost(self, prices: Prices) -> Decimal | None:
        """Give the most that the script can cost, or None where the text does not say how much there is."""
        total = Decimal(0)
        for one in self.all:
            cost = one.cost(prices)
            if cost is None:
                return None
            total += cost
        return total

    def dearest(self, prices: Prices) -> Dear | None:
        """Give what costs the most, which is rather what has no bound; None: nothing costs anything."""
        costs = [(cost is None, cost or Decimal(0), one) for one in self.all for cost in [one.cost(prices)]]
        return max(costs, key=lambda cost: cost[:2])[2] if costs else None


def longest(
    script: nodes.Script,
    uses: Mapping[str, nodes.Script] = _NO_SCRIPTS,
    limits: Limits | None = None,
) -> Bound:
    """Give the longest time that *script*, which has no errors, can hold lines."""
    limits = limits or Limits()
    flows = flows_of(script, uses)
    found = begun(script.body, flows, limits)
    calls = [(one, count) for one, count in found if isinstance(one, nodes.Call)]
    blocks = (script.body, *(flow.block for flow in flows.by_name.values()))
    every = [one for block in blocks for one in within(block)]
    held = HELD if any(isinstance(one, nodes.OnTone) and _plays(one.block) for one in every) else ""
    if any(
        isinstance(one, nodes.PausePlay) or (isinstance(one, nodes.Skip) and one.way != "on") for one in every
    ):
        held = STEERED
    slowed = any(isinstance(one, nodes.Speed) for one in every)
    durations = Durations(flows, limits, [call for call, _ in calls], held=held, slowed=slowed)
    own = _own(script, durations, limits)
    further = [_further(call, count, own, durations, limits) for call, count in calls]
    return Bound(
        (*((own,) if own else ()), *further),
        limits,
        (*_came(script.header), *(_sent(one, n, limits) for one, n in found if isinstance(one, nodes.Sms))),
        tuple(
            FollowBound(f"follow {show_expression(one.url)}", one.span, count)
            for one, count in found
            if isinstance(one, nodes.Follow)
        ),
    )


def _plays(block: nodes.Block) -> bool:
    """Say whether something is heard in *block* while it goes on."""
    return any(
        isinstance(one, nodes.Say | nodes.Do) or (isinstance(one, nodes.Play) and not one.background)
        for one in within(block)
    )


def _came(header: nodes.Header | None) -> Iterator[MessageBound]:
    if isinstance(header, nodes.InboundSms):
        what = f"inbound sms {show_expression(header.number)}"
        yield MessageBound(what, header.span, literal(header.number), MOST, sent=False)


def _sent(sms: nodes.Sms, count: Many, limits: Limits) -> MessageBound:
    what = f"sms {show_expression(sms.number)}"
    return MessageBound(what, sms.span, literal(sms.number), segments(sms.text, limits.segments), count)


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
