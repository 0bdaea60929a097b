"""Trees that differ from a tree in one place."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.walk import slots

NodeT = TypeVar("NodeT", bound=nodes.Node)

Edit = Callable[[nodes.Node], "Iterable[nodes.Node | None]"]
"""What may stand instead of a node; None: nothing, where a block or list holds it, or it may be left out."""


class Change(NamedTuple):
    """One place that was changed: the *old* node, the *new* one, and the line of the script it is in."""

    old: nodes.Node
    new: nodes.Node | None
    line: nodes.Line | None


def rewritten(node: NodeT, edit: Edit, line: nodes.Line | None = None) -> Iterator[tuple[NodeT, Change]]:
    """Give a copy of *node* for each thing that *edit* offers for one of the nodes under it."""
    line = node if isinstance(node, nodes.Line) else line
    for name in slots(type(node)):
        value = getattr(node, name)
        if isinstance(value, nodes.Node):
            for new, change in _changes(value, edit, line):
                if new is not None or _optional(node, name):
                    yield _with(node, name, new), change
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if isinstance(item, nodes.Node):
                    for new, change in _changes(item, edit, line):
                        middle = () if new is None else (new,)
                        yield _with(node, name, (*value[:place], *middle, *value[place + 1 :])), change


def _with(node: NodeT, name: str, value: Any) -> NodeT:
    fields: dict[str, Any] = {name: value}
    return evolve(node, **fields)


def _changes(
    node: nodes.Node, edit: Edit, line: nodes.Line | None
) -> Iterator[tuple[nodes.Node | None, Change]]:
    own = node if isinstance(node, nodes.Line) else line
    for new in edit(node):
        yield new, Change(node, new, own)
    yield from rewritten(node, edit, line)


def _optional(node: nodes.Node, name: str) -> bool:
    return any(one.name == name and one.default is None for one in getattr(type(node), "__attrs_attrs__", ()))
