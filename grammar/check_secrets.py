"""Secrets: what is marked `secret` reaches no callback, no message, no address and no log.

A value made of a secret is secret too, through `let`, texts, lists and the values given to flows.
A comparison of a secret is not, nor is its `length`: a script must be able to judge it.  `ask` and
`follow` may send it in their fields, to the application that can judge it; traces mask those.
"""

from collections.abc import Iterator

from attrs import Factory, define

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.errors import Problem
from ringful.grammar.flows import Flows
from ringful.grammar.wants import wants_of

_JUDGED = frozenset({"or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in"})

_Place = tuple[str, str]
"""A flow's name (nothing for the script itself) and a name in it."""


@define
class _Graph:
    """Which names get their value from which."""

    to: dict[_Place, list[_Place]] = Factory(dict)
    secret: list[_Place] = Factory(list)


def check_secrets(script: nodes.Script, flows: Flows) -> Iterator[Problem]:
    """Check where the secrets of *script* go."""
    graph = _Graph(secret=[("", param.name) for param in script.params if param.secret])
    own = [one for one in script.body.statements if isinstance(one, nodes.Flow)]
    scopes = {"": _without_flows(script.body), **{flow.name: flow.block for flow in own}}
    for scope, block in scopes.items():
        for statement in within(block):
            _connect(statement, scope, graph, flows)
    tainted = _reached(graph)
    if tainted:
        for scope, block in scopes.items():
            for statement in within(block):
                yield from _sinks(statement, scope, tainted)


def _without_flows(body: nodes.Block) -> nodes.Block:
    return nodes.Block(tuple(one for one in body.statements if not isinstance(one, nodes.Flow)))


def _connect(statement: nodes.Statement, scope: str, graph: _Graph, flows: Flows) -> None:
    match statement:
        case nodes.Gather(name=name, secret=True):
            graph.secret.append((scope, name))
        case nodes.Let(name, value) | nodes.For(name, value):
            for source in carried(value):
                graph.to.setdefault((scope, source.id), []).append((scope, name))
        case nodes.Do(flow, arguments) if flow in flows.by_name:
            for parameter, argument in zip(flows.by_name[flow].parameters, arguments, strict=False):
                for source in carried(argument):
                    graph.to.setdefault((scope, source.id), []).append((flow, parameter))


def _reached(graph: _Graph) -> dict[_Place, str]:
    """Give every name that holds a secret, and which one."""
    found = {place: place[1] for place in graph.secret}
    waiting = list(found)
    while waiting:
        place = waiting.pop()
        for further in graph.to.get(place, ()):
            if further not in found:
                found[further] = found[place]
                waiting.append(further)
    return found


def carried(expression: nodes.Expression) -> Iterator[nodes.Name]:
    """Give the names whose value can be read from *expression*'s."""
    match expression:
        case nodes.Name():
            yield expression
        case nodes.Text(parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from carried(part)
        case nodes.List(several):
            for one in several:
                yield from carried(one)
        case nodes.Apply(function, several) if function != "length":
            for one in several:
                yield from carried(one)
        case nodes.Map(entries):
            for entry in entries:
                yield from carried(entry.value)
        case nodes.Field(subject) | nodes.Index(subject):
            yield from carried(subject)
        case nodes.Unary("-", operand):
            yield from carried(operand)
        case nodes.Binary(operator, left, right) if operator not in _JUDGED:
            yield from carried(left)
            yield from carried(right)


def _sinks(statement: nodes.Statement, scope: str, tainted: dict[_Place, str]) -> Iterator[Problem]:
    for where, expression in _outward(statement):
        for name in carried(expression):
            source = tainted.get((scope, name.id))
            if source is None:
                continue
            of = "" if source == name.id else f" (it comes from `{source}`)"
            message = f"`{name.id}` is secret{of} and would reach {where}"
            yield Problem(
                "secret", message, name.span, "compare it here, or send it in the fields of an `ask`"
            )
            break


def _outward(statement: nodes.Statement) -> Iterator[tuple[str, nodes.Expression]]:
    """Give what *statement* lets out, and where to."""
    match statement:
        case nodes.Notify(fields=nodes.Map() as fields):
            yield "a callback", fields
    for want in wants_of(statement):
        match want.sort:
            case "url":
                yield "an address, which is logged", want.expression
            case "text" if isinstance(statement, nodes.Sms):
                yield "a message", want.expression
            case "text" | "audio" | "sequence" | "number":
                yield "the call's trace", want.expression
