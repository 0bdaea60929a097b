"""Flows and the scripts that are used: they exist, they are given what they take, they end."""

from collections.abc import Iterator, Mapping
from itertools import islice

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.errors import MAX_PROBLEMS, Problem
from ringful.grammar.flows import Flows
from ringful.grammar.spell import suggest


def check_flows(script: nodes.Script, uses: Mapping[str, nodes.Script], flows: Flows) -> list[Problem]:
    """Check what *script* defines, names and uses."""
    return [
        *_uses(script, uses),
        *_params(script),
        *_twice(script, uses),
        *_recursive(script, flows),
        *islice(check_dos(script.body, flows), MAX_PROBLEMS),
    ]


def check_dos(block: nodes.Block, flows: Flows) -> Iterator[Problem]:
    """Check that each ``do`` names a flow and gives it its values."""
    for statement in within(block):
        if not isinstance(statement, nodes.Do):
            continue
        flow = flows.by_name.get(statement.flow)
        if flow is None:
            hint = suggest(statement.flow, flows.by_name) or _known(flows)
            yield Problem("unknown-flow", f"there is no flow `{statement.flow}`", statement.span, hint)
        elif len(flow.parameters) != len(statement.arguments):
            message = f"`{flow.name}` takes {_values(len(flow.parameters))}, not {len(statement.arguments)}"
            hint = f"flow {flow.name}({', '.join(flow.parameters)})"
            yield Problem("arguments", message, statement.span, hint)


def _known(flows: Flows) -> str:
    names = sorted(flows.by_name)
    return (
        f"flows: {', '.join(names[:20])}"
        if names
        else "write `flow NAME() { … }`, or `use` a script that has it"
    )


def _values(count: int) -> str:
    return {0: "no value", 1: "one value"}.get(count, f"{count} values")


def _uses(script: nodes.Script, uses: Mapping[str, nodes.Script]) -> Iterator[Problem]:
    seen: set[str] = set()
    for use in script.uses:
        if use.path not in uses:
            hint = suggest(use.path, uses)
            yield Problem("unknown-script", f"there is no script `{use.path}`", use.span, hint)
        if use.path in seen:
            yield Problem("double", f"`{use.path}` is used twice", use.span, severity="warning")
        seen.add(use.path)


def _params(script: nodes.Script) -> Iterator[Problem]:
    seen: set[str] = set()
    for param in script.params:
        if param.name in seen:
            yield Problem("double", f"there is a second param `{param.name}`", param.span)
        seen.add(param.name)


def _twice(script: nodes.Script, uses: Mapping[str, nodes.Script]) -> Iterator[Problem]:
    where = {
        one.name: f"in `{use.path}`"
        for use in script.uses
        if use.path in uses
        for one in uses[use.path].body.statements
        if isinstance(one, nodes.Flow)
    }
    for statement in script.body.statements:
        if not isinstance(statement, nodes.Flow):
            continue
        if statement.name in where:
            message = f"there is a flow `{statement.name}` already, {where[statement.name]}"
            yield Problem("double", message, statement.span)
        where[statement.name] = f"at line {statement.span.line}"


def _recursive(script: nodes.Script, flows: Flows) -> Iterator[Problem]:
    for statement in script.body.statements:
        if isinstance(statement, nodes.Flow) and statement.name in flows.recursive:
            message = f"the flow `{statement.name}` leads back to itself"
            yield Problem(
                "recursion", message, statement.span, "use `repeat N times { … }` for what is done again"
            )
