"""Events of one's own: ``signal``, ``wait event``, ``on event``.

An event is for a run.  A strand that waits for it takes it; otherwise every handler for it runs; and
what nobody takes is kept for who waits later.
"""

from ringful.grammar import nodes
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import Fault, evaluate, seconds_of, text_of
from ringful.interpreter.leg import EventHandler
from ringful.interpreter.running import Running, Scope
from ringful.interpreter.strand import BlockCut, Signal
from ringful.interpreter.values import Value

MOST_SENT = 10_000
"""Events that one run sends: two that answer each other would never end."""
MOST_KEPT = 64


def send(run_on: Scope, statement: nodes.Signal) -> None:
    """Send an event to this run, or to another one."""
    run, names = run_on.run, run_on.names
    event = text_of(statement.event, names)
    fields: dict[str, Value] = {}
    for entry in statement.fields.entries if statement.fields else ():
        fields[entry.key] = evaluate(entry.value, names)
    call = text_of(statement.call, names) if statement.call else run.call_id
    run.signals += 1
    if run.signals > MOST_SENT:
        raise Fault(f"this call has sent {MOST_SENT} events, which is as many as it may", statement.span)
    run.perform(effects.Signal(call, event, fields))


async def wait_event(run_on: Scope, statement: nodes.WaitEvent) -> None:
    """Go on when the event comes, or has come; bind what came with it."""
    run, names = run_on.run, run_on.names
    event = text_of(statement.event, names)
    limit = seconds_of(statement.limit, names) if statement.limit else None
    came: Signal | None = next((one for one in run.unheard if one.name == event), None)
    if isinstance(came, events.Signalled):
        run.unheard.remove(came)
    else:
        came = await run_on.within(limit, lambda s: isinstance(s, events.Signalled) and s.name == event)
    if statement.name:
        names[statement.name] = came.fields if isinstance(came, events.Signalled) else None
    run.take_way(statement, "else" if came is None else "event")
    if came is None and statement.otherwise:
        await run_on.block(statement.otherwise)


def on_event(run_on: Scope, statement: nodes.OnEvent) -> None:
    """Have a block run whenever the event comes, for the rest of this block."""
    event = text_of(statement.event, run_on.names)
    handler = EventHandler(event, statement.name, statement.block, run_on.leg, run_on.names)
    run_on.listening.append(handler)
    run_on.run.event_handlers.append(handler)


def hear(run: Running, event: events.Signalled) -> None:
    """Give an event to whom it is for."""
    if run.signal(event):
        return
    fit = [one for one in run.event_handlers if one.event == event.name and not (one.leg and one.leg.closing)]
    # An `until event` waits for it: of several, the inner one.
    if leaves := next((one for one in reversed(fit) if one.block is None), None):
        if leaves.name:
            leaves.names[leaves.name] = event.fields
        run.signal(BlockCut(leaves))
        return
    for handler in fit:
        if handler.block:
            bound = {handler.name: event.fields} if handler.name else {}
            run.begin_block(handler.leg, handler.block, {**handler.names, **bound})
    if not fit and len(run.unheard) < MOST_KEPT:
        run.unheard.append(event)
