"""Flows and the scripts that are used: they exist, they are given what they take, they end."""

from collections.abc import Iterator, Mapping
from itertools import islice

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.checking.index import Index
from ringful.grammar.errors import MAX_PROBLEMS, Problem
from ringful.grammar.flows import MAX_NESTED, Flows
from ringful.grammar.spell import suggest


def check_flows(
    script: nodes.Script, uses: Mapping[str, nodes.Script], flows: Flows, index: Index
) -> list[Problem]:
    """Check what *script* defines, names and uses."""
    if not (flows.by_name or script.uses or script.params or index.has(nodes.Do)):
        return []
    return [
        *_uses(script, uses),
        *_params(script),
        *_twice(script, uses),
        *_recursive(script, flows),
        *islice(_dos(index, flows), MAX_PROBLEMS),
        *islice(_too_deep(index, flows), 1),
        *_never_named(script, flows, index),
    ]


def _dos(index: Index, flows: Flows) -> Iterator[Problem]:
    """Check that each ``do`` names a flow and gives it its values."""
    for statement in index.of(nodes.Do):
        flow = flows.by_name.get(statement.flow)
        if flow is None:
            hint = suggest(statement.flow, flows.by_name) or _known(flows)
            yield Problem("unknown-flow", f"there is no flow `{statement.flow}`", statement.span, hint)
        elif statement.name and not _returns(flow):
            message = f"`{flow.name}` returns no value, so `{statement.name}` would always be none"
            hint = f"write `return VALUE` in it, or leave out `as {statement.name}`"
            yield Problem("arguments", message, statement.span, hint)
        elif len(flow.parameters) != len(statement.arguments):
            message = f"`{flow.name}` takes {_values(len(flow.parameters))}, not {len(statement.arguments)}"
            hint = f"flow {flow.name}({', '.join(flow.parameters)})"
            yield Problem("arguments", message, statement.span, hint)


def _returns(flow: nodes.Flow) -> bool:
    """Say whether *flow* has a value on some way through it."""
    return any(isinstance(one, nodes.Return) and one.value is not None for one in within(flow.block))


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
        elif not _flows_in(use.path, uses) and not uses[use.path].uses:
            message = f"`{use.path}` has no flow, and nothing else of it is used"
            hint = "`use` makes the flows of another script known here; it runs no statement of it"
            yield Problem("no-flow", message, use.span, hint, "warning")
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
    where: dict[str, str] = {}
    for use in _each_once(script.uses):
        for name in _flows_in(use.path, uses):
            if name in where:
                message = f"`{use.path}` has a flow `{name}`, and there is one already, {where[name]}"
                yield Problem("double", message, use.span, "give one of them another name")
            where[name] = f"in `{use.path}`"
    for statement in script.body.statements:
        if not isinstance(statement, nodes.Flow):
            continue
        if statement.name in where:
            message = f"there is a flow `{statement.name}` already, {where[statement.name]}"
            yield Problem("double", message, statement.span)
        where[statement.name] = f"at line {statement.span.line}"


def _each_once(uses: tuple[nodes.Use, ...]) -> tuple[nodes.Use, ...]:
    first: dict[str, nodes.Use] = {}
    for use in uses:
        first.setdefault(use.path, use)
    return tuple(first.values())


def _flows_in(path: str, uses: Mapping[str, nodes.Script]) -> tuple[str, ...]:
    statements = uses[path].body.statements if path in uses else ()
    return tuple(dict.fromkeys(one.name for one in statements if isinstance(one, nodes.Flow)))


def _recursive(script: nodes.Script, flows: Flows) -> Iterator[Problem]:
    for statement in script.body.statements:
        if isinstance(statement, nodes.Flow) and statement.name in flows.recursive:
            message = f"the flow `{statement.name}` leads back to itself"
            yield Problem(
                "recursion", message, statement.span, "use `repeat N times { … }` for what is done again"
            )


def _too_deep(index: Index, flows: Flows) -> Iterator[Problem]:
    too_deep = flows.too_deep
    for statement in index.of(nodes.Do):
        if statement.flow in too_deep:
            message = f"`{statement.flow}` leads through more than {MAX_NESTED} flows, one in another"
            yield Problem("too-deep", message, statement.span, "join some of them into one flow")


def _never_named(script: nodes.Script, flows: Flows, index: Index) -> Iterator[Problem]:
    """Flows that nothing leads to, in a script that is whole: not where others may name them."""
    if script.header is None or index.has(nodes.Follow) or not index.has(nodes.Flow):
        return
    scopes = [one for one in script.body.statements if not isinstance(one, nodes.Flow)]
    waiting = [one.flow for one in within(nodes.Block(tuple(scopes))) if isinstance(one, nodes.Do)]
    named: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in named:
            named.add(name)
            waiting += flows.named.get(name, ())
    for statement in script.body.statements:
        if isinstance(statement, nodes.Flow) and statement.name not in named | flows.recursive:
            message = f"nothing leads here: no `do` names `{statement.name}`"
            hint = f"write `do {statement.name}({', '.join(statement.parameters)})`, or leave it out"
            yield Problem("unreachable", message, statement.span, hint, "warning")
