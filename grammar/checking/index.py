"""What a script's body holds, gone over once for all checks.

Most checks look for a few kinds of statements, and most scripts have few of them: so each looks at
those alone, and at nothing where there are none.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import NO_BLOCKS, blocks_of, expressions_of
from ringful.grammar.walk import BARE, MAX_DEPTH, children, is_plain

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
    inside: Mapping[int, Sequence[nodes.Node]]
    """All nodes of the expressions that stand in a statement itself, by its identity; parents come first."""
    shallow: bool
    """So little stands in one another that nothing can be too deep."""

    def has(self, *kinds: type) -> bool:
        """Say whether there are statements of one of these *kinds*."""
        return not self.by_kind.keys().isdisjoint(kinds)

    def of(self, kind: type[StatementT]) -> Iterator[StatementT]:
        """Give the statements of a *kind*, in the order of the text."""
        return iter(self.by_kind.get(kind, ()))  # type: ignore[arg-type]  # they are of that kind


def index_of(body: nodes.Block) -> Index:
    """Go over *body*."""
    by_kind: defaultdict[type, list[nodes.Statement]] = defaultdict(list)
    inside: dict[int, Sequence[nodes.Node]] = {}
    own: list[nodes.Statement] = []
    flows: dict[int, tuple[nodes.Statement, ...]] = {}
    shallow = True
    for top in body.statements:
        statements, most = _from(top)
        for statement in statements:
            by_kind[statement.__class__].append(statement)
            inside[id(statement)] = found = inside_of(statement)
            if len(found) > most:
                most = len(found)
        shallow = shallow and most <= MAX_DEPTH
        if top.__class__ is nodes.Flow:
            own.append(top)
            flows[id(top)] = tuple(statements[1:])
        else:
            own += statements
    known = {kind: tuple(several) for kind, several in by_kind.items()}
    return Index(known, tuple(own), flows, inside, shallow)


def _from(top: nodes.Statement) -> tuple[list[nodes.Statement], int]:
    """Give *top* and all statements in its blocks, and how many blocks stand in one another at most.

    The number may be too large, where statements have several blocks.
    """
    found, most = [top], 0
    waiting = [iter(block.statements) for _, block in reversed(blocks_of(top))]
    while waiting:
        most = max(most, len(waiting))
        for statement in waiting[-1]:
            found.append(statement)
            if statement.__class__ not in NO_BLOCKS and (blocks := blocks_of(statement)):
                waiting += [iter(block.statements) for _, block in reversed(blocks)]
                break
        else:
            waiting.pop()
    return found, most


def inside_of(line: nodes.Line) -> Sequence[nodes.Node]:
    """Give the nodes of all expressions that stand in *line* itself, parents first."""
    waiting: list[nodes.Node] = [*expressions_of(line)]
    waiting.reverse()
    found: list[nodes.Node] = []
    while waiting:
        one = waiting.pop()
        found.append(one)
        if isinstance(one, nodes.Text):
            if not is_plain(one):
                waiting += [part for part in reversed(one.parts) if not isinstance(part, str)]
        elif one.__class__ not in BARE:
            waiting += reversed(children(one))
    return found
