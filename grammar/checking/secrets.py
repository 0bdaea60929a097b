"""Secrets: what is marked `secret` reaches no callback, no message, no address and no log.

`ask` and `follow` may send it in their fields, to the application that can judge it; traces mask
those.  What a flow of a used script does with a secret is told where the secret is given to it.
"""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import TypeAlias

from ringful.grammar import nodes
from ringful.grammar.blocks import expressions_of, within
from ringful.grammar.checking.index import Index
from ringful.grammar.checking.wants import wants_of
from ringful.grammar.errors import Problem
from ringful.grammar.flows import Flows
from ringful.grammar.secrets import Secrets, carried, secrets_of

_HINT = "compare it here, or send it in the fields of an `ask`"


def check_secrets(
    script: nodes.Script, flows: Flows, index: Index, given: Collection[str] = ()
) -> Iterator[Problem]:
    """Check where the secrets of *script* go; names that are *given* hold one from the start."""
    if not given and not any(param.secret for param in script.params) and not _keyed(flows, index):
        return
    secrets = secrets_of(script, flows, given)
    if not secrets.names:
        return
    own = {one.name for one in script.body.statements if isinstance(one, nodes.Flow)} | {""}
    leaks = _leaks(secrets, flows, frozenset(secrets.scopes) - own)
    for scope in own:
        for statement in within(secrets.scopes[scope]):
            yield from _sinks(statement, scope, secrets)
            if isinstance(statement, nodes.Do):
                yield from _given_away(statement, scope, secrets, flows, leaks)


def _keyed(flows: Flows, index: Index) -> bool:
    """Say whether secret keys are gathered anywhere, in flows of other scripts too."""
    if not flows.by_name:
        return any(one.secret for one in index.of(nodes.Gather))
    own = set(map(id, index.of(nodes.Flow)))
    others = (within(flow.block) for flow in flows.by_name.values() if id(flow) not in own)
    gathers = [*index.of(nodes.Gather), *chain.from_iterable(others)]
    return any(isinstance(one, nodes.Gather) and one.secret for one in gathers)


def _sinks(statement: nodes.Statement, scope: str, secrets: Secrets) -> Iterator[Problem]:
    for where, expression in _outward(statement):
        for name in carried(expression):
            source = secrets.source(scope, name.id)
            if source is not None:
                message = f"{_named(name.id, source)} and would reach {where}"
                yield Problem("secret", message, name.span, _HINT)
                break


def _named(name: str, source: str) -> str:
    return f"`{name}` is secret" + ("" if source == name else f" (it comes from `{source}`)")


def _outward(statement: nodes.Statement) -> Iterator[tuple[str, nodes.Expression]]:
    """Give what *statement* lets out, and where to."""
    match statement:
        case nodes.Notify(fields=nodes.Map() as fields):
            yield "a callback", fields
        case nodes.Signal(fields=nodes.Map() as fields):
            yield "an event, which is logged", fields
        case nodes.Give(value):
            yield "what the script is told of this leg", value
        case nodes.In(_, block):
            for inner in within(block):
                for expression in expressions_of(inner):
                    yield "the conference's queue, which is logged", expression
    for want in wants_of(statement):
        match want.sort:
            case "url":
                yield "an address, which is logged", want.expression
            case "text" | "any" if isinstance(statement, nodes.Sms):
                yield "a message", want.expression
            case "text" | "audio" | "sequence" | "number":
                yield "the call's trace", want.expression


_Leaks: TypeAlias = dict[str, dict[str, tuple[str, int]]]
"""The names of each flow that something lets out: where to, and at which line."""


def _leaks(secrets: Secrets, flows: Flows, foreign: frozenset[str]) -> _Leaks:
    """Find what *foreign* flows let out, by themselves or by flows that they name."""
    leaks: _Leaks = {}
    for flow in flows.order:
        # The flows that it names come before it.
        if flow not in foreign:
            continue
        found = leaks.setdefault(flow, {})
        made_of: dict[str, list[str]] = {}
        for statement in within(secrets.scopes[flow]):
            for where, expression in _all_outward(statement, flows, leaks):
                for name in carried(expression):
                    found.setdefault(name.id, (where, statement.span.line))
            if isinstance(statement, nodes.Let | nodes.For):
                value = statement.value if isinstance(statement, nodes.Let) else statement.items
                made_of.setdefault(statement.name, []).extend(name.id for name in carried(value))
        _spread(found, made_of)
    return leaks


def _all_outward(
    statement: nodes.Statement, flows: Flows, leaks: _Leaks
) -> Iterator[tuple[str, nodes.Expression]]:
    yield from _outward(statement)
    if isinstance(statement, nodes.Do) and statement.flow in leaks:
        parameters = flows.by_name[statement.flow].parameters
        for parameter, argument in zip(parameters, statement.arguments, strict=False):
            if parameter in leaks[statement.flow]:
                yield leaks[statement.flow][parameter][0], argument


def _spread(found: dict[str, tuple[str, int]], made_of: dict[str, list[str]]) -> None:
    """Hold that what a name in *found* is made of is let out with it."""
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        for source in made_of.get(name, ()):
            if source not in found:
                found[source] = found[name]
                waiting.append(source)


def _given_away(
    statement: nodes.Do,
    scope: str,
    secrets: Secrets,
    flows: Flows,
    leaks: _Leaks,
) -> Iterator[Problem]:
    """Say which secrets *statement* gives to a flow of another script that lets them out."""
    if statement.flow not in leaks:
        return
    for parameter, argument in zip(
        flows.by_name[statement.flow].parameters, statement.arguments, strict=False
    ):
        leak = leaks[statement.flow].get(parameter)
        secret = next((one for one in carried(argument) if (scope, one.id) in secrets.names), None)
        if leak and secret:
            named = _named(secret.id, secrets.names[scope, secret.id])
            message = f"{named} and would reach {leak[0]}, in `{statement.flow}` at its line {leak[1]}"
            yield Problem("secret", message, secret.span, _HINT)
