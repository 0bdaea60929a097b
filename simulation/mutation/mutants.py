"""Scripts with one small mistake: what a script's cases ought to notice.

Pure over the tree.  A mutant that the checker refuses, that reads the same, or that is certain to do
the same is none.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from attrs import evolve, frozen

from ringful.grammar import nodes
from ringful.grammar.checking.checker import check
from ringful.grammar.rewrite import Change, rewritten
from ringful.grammar.showing.printer import show
from ringful.grammar.span import Span
from ringful.simulation.mutation.mistakes import changed_statement, registered_later

_NOT: Mapping[str, nodes.BinaryOperator] = {
    "and": "or",
    "or": "and",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "+": "-",
    "-": "+",
}


@frozen
class Mutant:
    """A script with a mistake in the line at *place*."""

    script: nodes.Script
    place: Span
    old: nodes.Node
    new: nodes.Node | None
    """What stood there, and what stands there now."""


def mutants(script: nodes.Script, uses: Mapping[str, nodes.Script]) -> Iterator[Mutant]:
    """Give every mutant of *script*, which uses *uses*, in the order of the text."""
    known = {show(script)}
    for mutant, change in rewritten(script, _edits):
        if change.new is None and _changes_nothing(script, change.old):
            continue
        text = show(mutant)
        if text in known or any(problem.is_error for problem in check(mutant, uses)):
            continue
        known.add(text)
        yield Mutant(mutant, _place(change), change.old, change.new)


def _place(change: Change) -> Span:
    match change:
        case Change(nodes.Block(old), nodes.Block(new)) if old != new:
            return next(one.span for one, other in zip(old, new, strict=True) if one is not other)
        case _:
            return change.line.span if change.line else change.old.span


def _changes_nothing(script: nodes.Script, left_out: nodes.Node) -> bool:
    """Say whether leaving this out is certain to change nothing: a script that ends hangs up anyway."""
    runs = [one for one in script.body.statements if not isinstance(one, nodes.Flow)]
    return isinstance(left_out, nodes.Hangup) and left_out.leg is None and runs[-1:] == [left_out]


def _edits(node: nodes.Node) -> Iterator[nodes.Node | None]:
    match node:
        case nodes.Block(statements):
            yield from (evolve(node, statements=later) for later in registered_later(statements))
        case nodes.Duration(milliseconds):
            yield nodes.Duration(milliseconds * 2)
            yield nodes.Duration(milliseconds // 2)
        case nodes.Number(int() as value):
            yield nodes.Number(value + 1)
            if value > 0:
                yield nodes.Number(value - 1)
        case nodes.Number(value):
            yield nodes.Number(value + Decimal(1))
        case nodes.Boolean(value):
            yield nodes.Boolean(not value)
        case nodes.Binary(operator) if operator in _NOT:
            yield evolve(node, operator=_NOT[operator])
        case nodes.Entry():
            yield None
            if isinstance(node.value, nodes.Text):
                yield evolve(node, value=nodes.text("something else"))
        case nodes.Line():
            if not isinstance(node, nodes.Flow | nodes.Param | nodes.Use):
                yield None
            yield from changed_statement(node)
