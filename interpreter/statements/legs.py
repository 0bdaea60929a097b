"""What the statements about a leg's life mean: ``call``, ``stay``, ``hangup``, handlers, ``start``.

`ring_and` and `body_and_hang_up` are the lives themselves: what a run begins a leg with.
"""

from attrs import evolve

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import Fault, as_text, evaluate, seconds_of, text_if
from ringful.interpreter.running import Scope
from ringful.interpreter.statements import bridge
from ringful.interpreter.statements.outcome import of_leg
from ringful.interpreter.strand import Cancelled, LegOver
from ringful.interpreter.task import Task
from ringful.interpreter.values import Value
from ringful.media import port

_LINE = "line"
"""What a leg is called that `connect to` places."""


async def ring_and(run_on: Scope, call: nodes.Call, block: nodes.Block) -> None:
    """Ring the leg, and when it is answered run *block* on it; then hang up.

    A further leg that has a name stays up after its block, for the script to do things with it.
    """
    run, leg = run_on.run, run_on.need_leg()
    limit = seconds_of(call.ring, run_on.names) if call.ring else run.settings.ring_timeout
    if leg is not run.subject and (pause := run.until_turn()):
        await run_on.within(pause, lambda _: False)
    leg.state = "ringing"
    run.position = call.span
    run.perform(effects.Ring(leg.name, leg.number, leg.caller_id, leg.shown))
    with run_on.ahead(lambda: block.statements):
        run_on.look_ahead()
        answered = await run_on.within(
            limit,
            lambda s: isinstance(s, port.Answered) and s.leg == leg.name,
            on_queued=run_on.look_ahead,
        )
    if answered is None:
        run.close(leg, "no answer")
        raise Cancelled
    await run_on.body(block)
    if call.name and leg is not run.subject:
        await bridge.remain(run_on)
    run.close(leg, "script")


async def body_and_hang_up(run_on: Scope, block: nodes.Block) -> None:
    """Run *block* on the leg, and then hang up."""
    await run_on.body(block)
    run_on.run.close(run_on.need_leg(), "script")


def shown_of(call: nodes.Call, names: dict[str, Value]) -> tuple[str | None, port.Shown | None]:
    """Give the caller ID of *call*, and what else is shown of who calls.  Raises Fault.

    An empty caller ID is that of a caller who withheld it, and so it stays withheld.
    """
    caller_id = text_if(call.caller_id, names) or None
    empty = call.caller_id is not None and evaluate(call.caller_id, names) == ""
    shown = port.Shown(text_if(call.named, names), call.withheld or empty, text_if(call.diverted, names))
    return caller_id, None if shown == port.PLAINLY else shown


def call(run_on: Scope, statement: nodes.Call) -> None:
    """Place another leg and run its block on it, at the same time."""
    placed = _placed(run_on, statement)
    if statement.name:
        run_on.names[statement.name] = placed


async def connect_to(run_on: Scope, statement: nodes.ConnectTo) -> None:
    """Call somebody, or several, and connect the first who answers; they are hung up at its end."""
    run = run_on.run
    placed = _placed(run_on, evolve(statement.call, name=_LINE))
    others = [run.legs[str(one)] for one in (placed if isinstance(placed, tuple) else (placed,))]
    if not others:
        raise Fault("`connect to all` needs at least one number", statement.number.span)
    try:
        await bridge.connect_with(run_on, statement, others)
    finally:
        if not run_on.need_leg().closing:
            for other in others:
                run.close(other, "script")


def _placed(run_on: Scope, statement: nodes.Call) -> Value:
    """Place what *statement* calls; give the ID of the leg, or of each."""
    if not statement.every:
        return _place(run_on, statement, None)
    numbers = evaluate(statement.number, run_on.names)
    if not isinstance(numbers, tuple):
        raise Fault("`all` needs a list of numbers", statement.number.span)
    run_on.run.steps += len(numbers)
    texts = [as_text(number, statement.number.span) for number in numbers]
    return tuple(_place(run_on, statement, number) for number in texts)


def _place(run_on: Scope, statement: nodes.Call, number: str | None) -> str:
    """Place one leg; give its ID, which the leg's own block knows by the name."""
    run = run_on.run
    name = run.new_id(statement.name or str(len(run.legs)))
    names = dict(run_on.names)
    leg = run.new_leg(statement, name, names, number)
    leg.placed_by = run_on.leg.name if run_on.leg else None
    if statement.name:
        names[statement.name] = name
    inner = run_on.on(leg, names)
    run.spawn(leg, ring_and(inner, statement, statement.block or nodes.Block()))
    return name


async def wait_call(run_on: Scope, statement: nodes.WaitCall) -> None:
    """Wait until another leg (or each of several) is over, and bind what came of it."""
    legs = bridge.named_legs(run_on, statement.leg, statement)
    limit = seconds_of(statement.limit, run_on.names) if statement.limit else None
    if run_on.leg in legs:
        raise Fault(f"`{statement.leg}` is this leg itself", statement.span)
    timer = run_on.run.set_timer(limit) if limit is not None else None
    try:
        while living := [leg for leg in legs if leg.state != "over"]:
            over = LegOver(living[0].name)
            signal = await run_on.wait(
                lambda s, over=over: s == over or s == events.TimerFired(timer or 0)  # type: ignore[misc]
            )
            if signal != over:
                break
    finally:
        if timer:
            run_on.run.cancel_timer(timer)
    if statement.name:
        several = isinstance(run_on.names.get(statement.leg), tuple)
        came = tuple(of_leg(leg) for leg in legs)
        run_on.names[statement.name] = came if several else came[0]
    run_on.run.take_way(statement, "else" if living else "over")
    if living and statement.otherwise:
        await run_on.block(statement.otherwise)


def give(run_on: Scope, statement: nodes.Give) -> None:
    """Tell the script that placed this leg something: the last that is given counts."""
    run_on.need_leg().given = evaluate(statement.value, run_on.names)


def hang_up(run_on: Scope, statement: nodes.Hangup) -> None:
    """Hang up this leg, or the one that the statement names."""
    if statement.leg is None:
        run_on.run.close(run_on.need_leg(), "script")
        return
    for leg in bridge.named_legs(run_on, statement.leg, statement):
        run_on.run.close(leg, "script")


def on_hangup(run_on: Scope, statement: nodes.OnHangup) -> None:
    """Have a block run when the leg is over."""
    if run_on.leg:
        run_on.leg.hangup_handlers.append((statement.block, run_on.names))


def start(run_on: Scope, statement: nodes.Start) -> None:
    """Run a block beside what follows."""
    run_on.run.spawn(run_on.leg, run_on.on(run_on.leg, dict(run_on.names)).body(statement.block))


async def stay(run_on: Scope, statement: nodes.Stay) -> None:
    """Keep the leg up and run what is queued, until it ends or the limit has passed."""
    run, leg = run_on.run, run_on.need_leg()
    limit = seconds_of(statement.limit, run_on.names) if statement.limit else None
    own = leg is run.subject  # What is queued is for the script's own leg.
    timer = run.set_timer(limit) if limit is not None else None
    bridge.idle(run, leg, True)
    try:
        with run_on.ahead(run_on.queued):
            while timer is None or run.is_set(timer):
                if own and (task := run.next_task()):
                    await _run_task(run_on, task)
                else:
                    await run_on.wait(
                        lambda s: (
                            (own and isinstance(s, events.Queued | events.MemberCame))
                            or s == events.TimerFired(timer or 0)
                        )
                    )
    finally:
        bridge.idle(run, leg, False)
        if timer:
            run.cancel_timer(timer)


async def _run_task(run_on: Scope, task: Task) -> None:
    """Run one queued statement, and give it its outcome."""
    run = run_on.run
    task.state = "running"
    try:
        failure = await run_on.perform(task.statement)
    except Cancelled:
        # A queued `hangup` or `transfer` did what it was asked to; anything else was cut off.
        done = isinstance(task.statement, nodes.Hangup) or run_on.need_leg().closing == "transferred"
        run.settle(task, "done" if done else "interrupted", "" if done else "the call was hung up")
        raise
    except Fault as fault:
        run.settle(task, "failed", fault.message)
        raise
    run.settle(task, "failed" if failure else "done", failure)
