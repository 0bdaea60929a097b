"""What holds a secret: the names whose value is one, or is made of one.

A value made of a secret is secret too, through `let`, texts, lists and the values that flows are given
and return.
A comparison of a secret is not, nor is its `length`: a script must be able to judge it.  The checker
holds secrets back where a text says that they would be seen, and a run masks what it writes down.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from attrs import Factory, define, frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.flows import Flows

Place: TypeAlias = tuple[str, str]
"""A flow's name (nothing for the script itself) and a name in it."""

RETURNED = "return …"
"""What stands for the value that a flow returns: a place as any name is, and it is written as no name is."""

_JUDGED = frozenset({"or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in"})


@define
class _Graph:
    """Which names get their value from which."""

    to: dict[Place, list[Place]] = Factory(dict)
    secret: list[Place] = Factory(list)

    def carry(self, value: nodes.Expression, scope: str, to: Place) -> None:
        for source in carried(value):
            self.to.setdefault((scope, source.id), []).append(to)


@frozen
class Secrets:
    """The secrets of a script and of all flows that it can name."""

    names: Mapping[Place, str]
    """Every name that holds a secret, and the name of the secret that it holds."""
    scopes: Mapping[str, nodes.Block]
    """What runs in each scope: the script's body (under nothing) and the blocks of flows."""

    def source(self, scope: str, name: str) -> str | None:
        """Give the secret that *name* holds in *scope*, or None if it holds none."""
        return self.names.get((scope, name))

    def holds(self, scope: str, expression: nodes.Expression) -> bool:
        """Say whether a secret can be read from *expression*'s value."""
        return any((scope, name.id) in self.names for name in carried(expression))


def secrets_of(script: nodes.Script, flows: Flows, given: Collection[str] = ()) -> Secrets:
    """Find the secrets of *script* and its *flows*; names that are *given* hold one from the start."""
    own = tuple(one for one in script.body.statements if not isinstance(one, nodes.Flow))
    scopes = {"": nodes.Block(own)} | {name: flow.block for name, flow in flows.by_name.items()}
    graph = _Graph(secret=[("", name) for name in given])
    graph.secret += [("", param.name) for param in script.params if param.secret]
    statements = [(scope, one) for scope, block in scopes.items() for one in within(block)]
    graph.secret += [
        (scope, one.name) for scope, one in statements if isinstance(one, nodes.Gather) and one.secret
    ]
    if not graph.secret:
        return Secrets({}, scopes)
    for param in script.params:
        if param.default is not None:
            graph.carry(param.default, "", ("", param.name))
    for scope, statement in statements:
        _connect(statement, scope, graph, flows)
    return Secrets(_reached(graph), scopes)


def _connect(statement: nodes.Statement, scope: str, graph: _Graph, flows: Flows) -> None:
    match statement:
        case nodes.Let(name, value) | nodes.For(name, value) | nodes.Pick(value, name):
            graph.carry(value, scope, (scope, name))
        case nodes.Return(nodes.Node() as value) if scope:
            graph.carry(value, scope, (scope, RETURNED))
        case nodes.Do(flow, arguments) if flow in flows.by_name:
            for parameter, argument in zip(flows.by_name[flow].parameters, arguments, strict=False):
                graph.carry(argument, scope, (flow, parameter))
            if statement.name:
                graph.carry(nodes.Name(RETURNED), flow, (scope, statement.name))


def _reached(graph: _Graph) -> dict[Place, str]:
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
        case _:
            return


@frozen
class Masks:
    """What a run must not write down in clear."""

    any: bool = False
    """The script has secrets at all."""
    fields: Mapping[int, frozenset[str]] = Factory(dict)
    """The fields with a secret, by the identity of the statement that sends them."""
    names: Mapping[int, frozenset[str]] = Factory(dict)
    """The names that hold a secret, by the identity of each `follow`."""


def masks_of(script: nodes.Script, flows: Flows, given: Collection[str] = ()) -> Masks:
    """Find what a run of *script* must mask."""
    secrets = secrets_of(script, flows, given)
    if not secrets.names:
        return Masks()
    fields: dict[int, frozenset[str]] = {}
    names: dict[int, frozenset[str]] = {}
    for scope, block in secrets.scopes.items():
        inside = frozenset(name for within_scope, name in secrets.names if within_scope == scope)
        for statement in within(block):
            if isinstance(statement, nodes.Ask | nodes.Follow | nodes.Notify) and statement.fields:
                entries = statement.fields.entries
                fields[id(statement)] = frozenset(
                    entry.key for entry in entries if secrets.holds(scope, entry.value)
                )
            if isinstance(statement, nodes.Follow):
                names[id(statement)] = inside
    return Masks(True, fields, names)
