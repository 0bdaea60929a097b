"""How long a script can hold its lines in this house, and what that costs here."""

from collections.abc import Mapping

from ringful.command.configuration.config import Config
from ringful.command.configuration.runs import run_settings
from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.bounds.bound import longest
from ringful.grammar.bounds.explain import explain
from ringful.grammar.tones import literal
from ringful.interpreter.money.dear import limits_of
from ringful.interpreter.money.dearest import Dearest
from ringful.media.library.local import milliseconds_of


def explained(script: nodes.Script, uses: Mapping[str, nodes.Script], config: Config) -> str:
    """Say how long *script*, which has no errors, can hold its lines, and what it can cost."""
    rates = config.rates.rates
    bound = longest(script, uses, limits_of(run_settings(config), _sounds(script, uses, config)))
    if rates.rates:
        return explain(bound, Dearest(rates), rates.currency)
    return f"{explain(bound)}\ncost: no rates are configured"


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
