"""Close a statement over the names of its place, so that it can run where they are not bound.

What is queued on a conference runs later, in another run.  Every expression whose names all have a
value is replaced by that value, written as the language writes it; so the statement in the
conference's journal says all that it does, just as one that came by REST.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar, get_args

from attrs import evolve, fields

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.checking.names import ever_bound_by
from ringful.grammar.walk import walk
from ringful.interpreter.evaluate import Fault, evaluate
from ringful.interpreter.values import Duration, Value, kind

N = TypeVar("N", bound=nodes.Node)

_EXPRESSIONS: tuple[type, ...] = get_args(nodes.Expression)


def closed(statement: N, names: Mapping[str, Value]) -> N:
    """Give *statement* with every expression replaced that *names* decide.  Raises Fault."""
    changes: dict[str, Any] = {}
    for one in fields(type(statement)):
        value = getattr(statement, one.name)
        if isinstance(value, nodes.Node):
            changes[one.name] = _closed(value, names)
        elif isinstance(value, tuple) and any(isinstance(item, nodes.Node) for item in value):
            changes[one.name] = tuple(
                _closed(item, names) if isinstance(item, nodes.Node) else item for item in value
            )
    return evolve(statement, **changes) if changes else statement


def _closed(node: nodes.Node, names: Mapping[str, Value]) -> nodes.Node:
    if not isinstance(node, _EXPRESSIONS) or isinstance(node, nodes.Map):
        return closed(node, names)
    used = [name.id for name in walk(node) if isinstance(name, nodes.Name)]
    if not used:
        return node
    if all(name in names for name in used):
        return literal(evaluate(node, names), node)  # type: ignore[arg-type]  # it is an expression
    return closed(node, names)


def literal(value: Value, where: nodes.Node) -> nodes.Expression:
    """Write *value* as the language does, at the place of *where*.  Raises Fault for a map."""
    span = where.span
    match value:
        case None:
            return nodes.Nothing(span=span)
        case bool():
            return nodes.Boolean(value, span=span)
        case str():
            return nodes.Text((value,) if value else (), span=span)
        case int() | Decimal():
            size = value if value >= 0 else -value
            number = nodes.Number(size, span=span)
            return nodes.Unary("-", number, span=span) if value < 0 else number
        case Duration(milliseconds):
            return nodes.Duration(milliseconds, span=span)
        case tuple():
            return nodes.List(tuple(literal(item, where) for item in value), span=span)
        case _:
            raise Fault(f"{kind(value)} cannot be queued as a whole: name the field that you need", span)


def rebound(block: nodes.Block) -> frozenset[str]:
    """Give the names that the statements of *block* bind themselves."""
    return frozenset(name for statement in within(block) for name in ever_bound_by(statement))
