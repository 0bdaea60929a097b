"""What a script's body holds, gone over once for all checks.

Most checks look for a few kinds of statements, and most scripts have few of them: so each looks at
those alone, and at nothing where there are none.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TypeVar

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import blocks_of, expressions_of, within
from ringful.grammar.walk import BARE, is_plain, walk

StatementT = TypeVar("StatementT", bound=nodes.Line)


@frozen(eq=False)
class Index:
    """The statements of a body and of all its blocks."""

    by_kind: Mapping[type, tuple[nodes.Statement, ...]]
    """Those of each kind that there are, in the order of the text."""
    own: tuple[nodes.Statement, ...]
    """Those of the script itself: all but what stands in its flows."""
    flows: Mapping[int, tuple[nodes.Statement, ...]]
    """Those of each of its flows, by the flow's identity."""
    inside: Mapping[int, tuple[nodes.Node, ...]]
    """All nodes of the expressions that stand in a statement itself, by its identity; parents come first."""

    def has(self, *kinds: type) -> bool:
        """Say whether there are statements of one of these *kinds*."""
        return not self.by_kind.keys().isdisjoint(kinds)

    def of(self, kind: type[StatementT]) -> Iterator[StatementT]:
        """Give the statements of a *kind*, in the order of the text."""
        return iter(self.by_kind.get(kind, ()))  # type: ignore[arg-type]  # they are of that kind


def index_of(body: nodes.Block) -> Index:
    """Go over *body*."""
    by_kind: defaultdict[type, list[nodes.Statement]] = defaultdict(list)
    inside: dict[int, tuple[nodes.Node, ...]] = {}
    own: list[nodes.Statement] = []
    flows: dict[int, tuple[nodes.Statement, ...]] = {}
    for top in body.statements:
        under = [one for _, block in blocks_of(top) for one in within(block)]
        for statement in (top, *under):
            by_kind[statement.__class__].append(statement)
            inside[id(statement)] = inside_of(statement)
        own.append(top)
        if top.__class__ is nodes.Flow:
            flows[id(top)] = tuple(under)
        else:
            own += under
    known = {kind: tuple(several) for kind, several in by_kind.items()}
    return Index(known, tuple(own), flows, inside)


def inside_of(line: nodes.Line) -> tuple[nodes.Node, ...]:
    """Give the nodes of all expressions that stand in *line* itself, parents first."""
    found: list[nodes.Node] = []
    for one in expressions_of(line):
        if one.__class__ in BARE or (one.__class__ is nodes.Text and is_plain(one)):
            found.append(one)
        else:
            found += walk(one)
    return tuple(found)
