"""Keys that something stands ready for: ``on tone`` runs a block, ``until`` leaves one, by an event too.

Each takes keys that no statement waits for; of two that want the same, the inner one.  Several keys
in a row (``*2``) are held until it is plain what they are: the rest that nobody wants goes where it
would have gone at once.
"""

from collections.abc import Callable
from typing import TypeVar

from ringful.grammar import nodes
from ringful.grammar.tones import covers, starts
from ringful.interpreter.evaluate import patterns_of, text_of
from ringful.interpreter.leg import Connection, EventHandler, Leg, ToneHandler
from ringful.interpreter.running import Scope
from ringful.interpreter.statements.control import Broke, Returned
from ringful.interpreter.statements.keys import WentBack
from ringful.interpreter.strand import BlockCut, LegChanged, Signal, StrandEnded
from ringful.media import port

_Handler = TypeVar("_Handler", ToneHandler, EventHandler)


def on_tone(run_on: Scope, statement: nodes.OnTone) -> None:
    """Have a block run whenever one of the tones is pressed."""
    patterns = patterns_of(statement.tones, run_on.names)
    handler = ToneHandler(patterns, statement.block, run_on.names, statement.name)
    run_on.need_leg().tone_handlers.append(handler)
    run_on.listening.append(handler)


async def until(run_on: Scope, statement: nodes.Until) -> None:
    """Run the block, and leave it when one of the tones is pressed."""
    leg, names = run_on.need_leg(), run_on.names
    handler = ToneHandler(patterns_of(statement.tones, names), None, names, statement.name)
    if statement.name:
        names[statement.name] = None
    await _leave_by(run_on, leg, statement, handler, leg.tone_handlers)


async def until_event(run_on: Scope, statement: nodes.UntilEvent) -> None:
    """Run the block, and leave it when the event comes; one that has come already leaves it at once."""
    leg, run, names = run_on.need_leg(), run_on.run, run_on.names
    event = text_of(statement.event, names)
    kept = next((one for one in run.unheard if one.name == event), None)
    if statement.name:
        names[statement.name] = kept.fields if kept else None
    if kept:
        run.unheard.remove(kept)
        run.take_way(statement, "left")
        return
    handler = EventHandler(event, statement.name, None, leg, names)
    await _leave_by(run_on, leg, statement, handler, run.event_handlers)


async def _leave_by(
    run_on: Scope,
    leg: Leg,
    statement: nodes.Until | nodes.UntilEvent,
    handler: _Handler,
    handlers: list[_Handler],
) -> None:
    """Run the block of *statement* until it ends, or *handler*, one of *handlers* meanwhile, leaves it."""
    run, led = run_on.run, list[Exception]()
    connection = leg.connection
    strand = run.spawn(leg, _inside(run_on.on(leg, run_on.names), statement.block, led))
    handlers.append(handler)
    ended = StrandEnded(strand.number)
    try:
        signal = await run_on.wait(lambda s: s == ended or (isinstance(s, BlockCut) and s.by is handler))
    finally:
        if handler in handlers:
            handlers.remove(handler)
        strand.cancel()
    if led:
        raise led[0]
    run.take_way(statement, "left" if isinstance(signal, BlockCut) else "done")
    await _settled(run_on, leg, connection)


async def _settled(run_on: Scope, leg: Leg, connection: Connection | None) -> None:
    """Wait until what was cut short is over, so that its name holds what came of it."""
    while cut := [number for number, one in leg.recordings.items() if one.left]:
        await run_on.wait(_is_end_of(leg, cut))
    while leg.connection not in (None, connection):
        await run_on.wait(lambda s: s == LegChanged(leg.name))


def _is_end_of(leg: Leg, recordings: list[int]) -> Callable[[Signal], bool]:
    def is_end(signal: Signal) -> bool:
        match signal:
            case port.RecordingEnded(name, number) | port.RecordingFailed(name, number):
                return name == leg.name and number in recordings
        return False

    return is_end


async def _inside(run_on: Scope, block: nodes.Block, led: list[Exception]) -> None:
    """Run *block*; where a statement leads out of it, say so in *led*."""
    try:
        await run_on.block(block)
    except (Broke, Returned, WentBack) as away:
        led.append(away)


def handler_of(leg: Leg, keys: str) -> ToneHandler | None:
    """Give the handler that *keys* are for, the innermost; None: they are for none."""
    fit = (one for one in reversed(leg.tone_handlers) if any(covers(each, keys) for each in one.patterns))
    return next(fit, None)


def go_on(leg: Leg, keys: str) -> bool:
    """Say whether some handler wants *keys* and more."""
    longer = [each for one in leg.tone_handlers for each in one.patterns if len(each) > len(keys)]
    return starts(longer, keys)
