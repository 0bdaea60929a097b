"""What the statements of control flow mean: conditions, loops, flows, waits."""

from collections.abc import Iterable
from typing import assert_never

from ringful.grammar import nodes
from ringful.grammar.flows import MAX_NESTED
from ringful.grammar.functions import BOUND_BY_CALL, BOUND_BY_MESSAGE
from ringful.interpreter.evaluate import Fault, count_of, evaluate, seconds_of, truth
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.values import Value


class Broke(Exception):
    """``break``: caught by the loop."""


class Returned(Exception):
    """``return``: caught by the flow, which has *value*."""

    def __init__(self, value: Value = None) -> None:
        super().__init__()
        self.value = value


async def choose(run_on: Scope, statement: nodes.If) -> None:
    """Run one of the two blocks."""
    if truth(evaluate(statement.condition, run_on.names), statement.condition.span):
        run_on.run.take_way(statement, "then")
        await run_on.block(statement.then)
    else:
        run_on.run.take_way(statement, "else")
        await run_on.block(statement.otherwise or nodes.Block())


def let(run_on: Scope, statement: nodes.Let) -> None:
    """Bind a name to a value."""
    run_on.names[statement.name] = evaluate(statement.value, run_on.names)


def leave_loop(_: Scope, __: nodes.Break) -> None:
    """End the loop."""
    raise Broke


def leave_flow(run_on: Scope, statement: nodes.Return) -> None:
    """End the flow."""
    raise Returned(None if statement.value is None else evaluate(statement.value, run_on.names))


def nothing(_: Scope, __: nodes.Flow) -> None:
    """Do nothing: flows were gathered before the run began."""


async def loop(run_on: Scope, statement: nodes.Repeat | nodes.For) -> None:
    """Run the block for each of its turns."""
    match statement:
        case nodes.Repeat(times):
            turns: Iterable[Value] = (None for _ in range(count_of(times, run_on.names)))
        case nodes.For(_, items):
            found = evaluate(items, run_on.names)
            if not isinstance(found, tuple):
                raise Fault("`for` needs a list", items.span)
            turns = found
            run_on.run.take_way(statement, "items" if found else "nothing")
        case _:
            assert_never(statement)
    try:
        for turn in turns:
            if isinstance(statement, nodes.For):
                run_on.names[statement.name] = turn
            await run_on.block(statement.block)
    except Broke:
        return


async def do(run_on: Scope, statement: nodes.Do) -> None:
    """Run a flow, in a scope of its own."""
    flow = run_on.flows.get(statement.flow)
    if flow is None:
        raise Fault(f"there is no flow `{statement.flow}`", statement.span)
    if len(flow.parameters) != len(statement.arguments):
        raise Fault(f"`{flow.name}` takes {len(flow.parameters)} value(s)", statement.span)
    if run_on.depth >= MAX_NESTED:
        raise Fault(f"flows nest deeper than {MAX_NESTED}", statement.span)
    values = [evaluate(argument, run_on.names) for argument in statement.arguments]
    names = run_on.run.names
    bound = {name: names.get(name) for name in ("call_id", "caller", "called", "answered_at")}
    if run_on.run.started.message:
        bound |= {name: names[name] for name in BOUND_BY_MESSAGE}
    if run_on.run.started.offer:
        bound |= {name: names[name] for name in BOUND_BY_CALL}
    scope = bound | dict(zip(flow.parameters, values, strict=True))
    value: Value = None
    try:
        await run_on.on(run_on.leg, scope, deeper=1).block(flow.block)
    except Returned as returned:
        value = returned.value
    if statement.name:
        run_on.names[statement.name] = value


async def wait(run_on: Scope, statement: nodes.Wait) -> None:
    """Let time pass; the next sound is fetched meanwhile."""
    run_on.look_ahead()
    seconds = seconds_of(statement.duration, run_on.names)
    await run_on.within(seconds, lambda _: False, on_queued=run_on.look_ahead)


def flows_of(run: Running) -> dict[str, nodes.Flow]:
    """Give the flows that the script of *run* can name."""
    scripts = [*run.started.uses.values(), run.script]
    return {
        statement.name: statement
        for script in scripts
        for statement in script.body.statements
        if isinstance(statement, nodes.Flow)
    }
