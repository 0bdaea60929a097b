"""Scripts that are too dear: those that can cost more than their key lets one script cost.

What a script is started with counts as if it stood in its text: the numbers of a list that is given are as
many as they are.  What is bound again in the script is what the run makes of it.
"""

from collections.abc import Mapping
from decimal import Decimal

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.bounds.bound import Limits, longest
from ringful.grammar.bounds.explain import money, why_dear
from ringful.grammar.checking.names import ever_bound_by
from ringful.interpreter.closing import closed
from ringful.interpreter.evaluate import Fault
from ringful.interpreter.events import Started
from ringful.interpreter.money.dearest import Dearest
from ringful.interpreter.params import bind
from ringful.interpreter.settings import Settings
from ringful.interpreter.values import Value

_NO_SOUNDS: Mapping[str, int] = {}


def limits_of(settings: Settings, sounds: Mapping[str, int] = _NO_SOUNDS) -> Limits:
    """Give what a run is held to where its script does not say."""
    return Limits(
        ring=round(settings.ring_timeout * 1000),
        maximum=round(settings.max_duration * 1000),
        first_key=round(settings.first_key * 1000),
        between_keys=round(settings.between_keys * 1000),
        tries=settings.tries,
        record=round(settings.record_limit * 1000),
        ask=round(settings.ask_limit * 1000),
        sounds=sounds,
        segments=settings.segments,
    )


def why_too_dear(started: Started, most: Decimal, settings: Settings) -> str:
    """Say why what *started* says can cost more than *most*; nothing if it cannot.

    A script may be long: not for trio's own thread.
    """
    rates = settings.rates
    prices = Dearest(rates)
    bound = longest(_given(started), started.uses, limits_of(settings))
    cost = bound.cost(prices)
    if cost is not None and cost <= most:
        return ""
    dearest = bound.dearest(prices)
    assert dearest
    why = why_dear(dearest, prices, rates.currency)
    limit = f"and a script of this key may cost {money(most, rates.currency)} at most"
    if cost is None:
        return f"nobody can say what this script can cost, {limit}: {why}"
    return f"this script can cost {money(cost, rates.currency)}, {limit}: {why}"


def _given(started: Started) -> nodes.Script:
    """Give the script with the values of its params in their places, as far as they stay what they are."""
    script = started.script
    names: dict[str, Value] = {}
    try:
        bind(script, started.params, names)
        header = closed(script.header, names) if script.header else None
        return evolve(script, header=header, body=_closed(script.body, names))
    except Fault:
        return script  # It will fail as it starts.


def _closed(body: nodes.Block, names: Mapping[str, Value]) -> nodes.Block:
    flows = [one for one in body.statements if isinstance(one, nodes.Flow)]
    others = [one for one in body.statements if not isinstance(one, nodes.Flow)]
    again = {name for one in within(nodes.Block(tuple(others))) for name in ever_bound_by(one)}
    stay = {name: value for name, value in names.items() if name not in again}
    # A flow has names of its own alone.
    return evolve(body, statements=(*(closed(one, stay) for one in others), *flows))
