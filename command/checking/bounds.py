"""How long a script can hold its lines in this house, and what that costs here."""

import time
from collections.abc import Mapping
from decimal import Decimal

from ringful.command.configuration.config import Config
from ringful.command.configuration.runs import run_settings
from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.bounds.bound import Limits, longest
from ringful.grammar.bounds.explain import explain
from ringful.grammar.tones import literal
from ringful.media.library.local import milliseconds_of


def explained(script: nodes.Script, uses: Mapping[str, nodes.Script], config: Config) -> str:
    """Say how long *script*, which has no errors, can hold its lines, and what it can cost."""
    rates = config.rates.rates

    def price(number: str | None, seconds: int) -> Decimal:
        # It may be answered later, when another rate is in force.
        return rates.most(seconds) if number is None else rates.at_most(number, seconds, time.time())

    bound = longest(script, uses, limits_of(config, _sounds(script, uses, config)))
    if rates.rates:
        return explain(bound, price, rates.currency)
    return f"{explain(bound)}\ncost: no rates are configured"


def limits_of(config: Config, sounds: Mapping[str, int]) -> Limits:
    """Give what a run of this house is held to where its script does not say."""
    settings = run_settings(config)
    return Limits(
        ring=round(settings.ring_timeout * 1000),
        maximum=round(settings.max_duration * 1000),
        first_key=round(settings.first_key * 1000),
        between_keys=round(settings.between_keys * 1000),
        tries=settings.tries,
        record=round(settings.record_limit * 1000),
        ask=round(settings.ask_limit * 1000),
        sounds=sounds,
    )


def _sounds(script: nodes.Script, uses: Mapping[str, nodes.Script], config: Config) -> dict[str, int]:
    """Give the lengths of the announcements that lie in the library's folders."""
    named = {
        name
        for one in (script, *uses.values())
        for statement in within(one.body)
        if isinstance(statement, nodes.Play) and (name := literal(statement.audio))
    }
    lengths = {name: milliseconds_of(name, config.media.folders) for name in sorted(named)}
    return {name: length for name, length in lengths.items() if length is not None}
