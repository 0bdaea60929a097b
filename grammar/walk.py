"""Go over a tree without recursion.

A tree may be built by anyone and be as deep as memory: only `too_deep` may look at it before its
depth is known.  Parser, printer and checker ask it first, so that their own recursion is bounded.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from attrs import fields

from ringful.grammar import nodes
from ringful.grammar.errors import Problem

MAX_DEPTH = 64
"""How deep blocks may stand in blocks, and expressions in expressions."""

_PLAIN = frozenset({"span", "comments", "trailing", "spaced", "closing"})


LEAVES: frozenset[type] = frozenset({str, int, bool, Decimal, type(None)})
"""What a node can hold beside nodes and tuples."""

BARE: frozenset[type] = frozenset(
    {nodes.Name, nodes.Number, nodes.Duration, nodes.Boolean, nodes.Nothing, nodes.AnyTone}
)
"""Expressions that have nothing under them: half of all nodes."""

_known: dict[type, tuple[str, ...]] = {}
_holders: dict[type, Callable[[nodes.Node], Any]] = {}


def slots(kind: type) -> tuple[str, ...]:
    """Name the fields of *kind* that can hold nodes, in the order of their declaration."""
    if kind not in _known:
        _known[kind] = tuple(
            one.name for one in fields(kind) if one.name not in _PLAIN and not _holds_no_node(one.type)
        )
    return _known[kind]


def _holds_no_node(kind: Any) -> bool:
    """Say whether *kind* is a word or a number, or such or nothing."""
    alone = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return all(one in LEAVES or get_origin(one) is Literal for one in alone)


def held(node: nodes.Node) -> tuple[Any, ...]:
    """Give the values of the fields of *node* that can hold nodes."""
    hold = _holders.get(node.__class__)
    if hold is None:
        hold = _holders[node.__class__] = taking(slots(node.__class__))
    found: tuple[Any, ...] = hold(node)
    return found


def taking(names: Sequence[str]) -> Callable[[Any], Any]:
    """Give what takes the values of the fields *names* of something, as a tuple however many they are."""
    match names:
        case ():
            return lambda one: ()
        case (name,):
            return lambda one: (getattr(one, name),)
        case _:
            return attrgetter(*names)


def children(node: nodes.Node, leaves: frozenset[type] = LEAVES) -> list[nodes.Node]:
    """Give the nodes directly under *node*, but for those of the kinds *leaves*."""
    found: list[nodes.Node] = []
    for value in held(node):
        if value.__class__ in leaves:
            continue
        if value.__class__ is not tuple:
            found.append(value)
        elif value:
            found += [item for item in value if item.__class__ not in leaves]
    return found


def is_plain(text: nodes.Text) -> bool:
    """Say whether nothing is worked out in *text*."""
    parts = text.parts
    return not parts or (len(parts) == 1 and parts[0].__class__ is str)


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """Give *node* and everything under it, parents first and in order."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if one.__class__ not in BARE and (under := children(one)):
            waiting += reversed(under)


def too_deep(node: nodes.Node) -> Problem | None:
    """Say where the tree under *node* is deeper than MAX_DEPTH, if it is."""
    level = [node]
    for _ in range(MAX_DEPTH):
        level = [child for one in level if one.__class__ not in BARE for child in children(one)]
        if not level:  # As nearly always.
            return None
    return _deepest(node)


def _deepest(node: nodes.Node) -> Problem | None:
    waiting: list[tuple[nodes.Node, int, int]] = [(node, 0, 0)]
    while waiting:
        one, blocks, expressions = waiting.pop()
        match one:
            case nodes.Block():
                blocks, expressions = blocks + 1, 0
            case nodes.Line() | nodes.Script():
                expressions = 0
            case _:
                expressions += 1
        if blocks > MAX_DEPTH + 1 or expressions > MAX_DEPTH:
            what = "blocks" if blocks > MAX_DEPTH + 1 else "expressions"
            return Problem(
                "too-deep",
                f"{what} stand more than {MAX_DEPTH} deep in one another here",
                one.span,
                "put the inner part into a `flow`" if what == "blocks" else "take it apart with `let`",
            )
        waiting += [(child, blocks, expressions) for child in children(one)]
    return None
