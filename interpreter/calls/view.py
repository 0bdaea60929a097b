"""Look at a run: all that is known of a call, and the call as a script.

A call that has ended is looked at through its journal: the events are fed to a new run, which then
stands where the old one stood.
"""

from collections.abc import Sequence

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.showing.printer import show, show_statement
from ringful.interpreter import effects, events
from ringful.interpreter.calls.switchboard import CallView, FailureView, RecordingView, TaskView
from ringful.interpreter.journal import decode_event
from ringful.interpreter.run import Door, Run
from ringful.interpreter.settings import Settings
from ringful.store.port import Entry


class Deaf:
    """A door that does nothing: for runs that are only looked at."""

    def perform(self, effect: effects.Effect) -> None:
        """Do nothing: it was done when it was real."""

    def now(self) -> float:
        """Give no time: a journal's events bring their own."""
        return 0.0


def rebuild(call_id: str, entries: Sequence[Entry], settings: Settings, door: Door | None = None) -> Run:
    """Make the run that *entries* were written by, as it stood after the last of them.

    Raises ValueError where the journal does not begin with the run's beginning.
    """
    happened = [entry for entry in entries if entry.kind == "event"]
    if not happened or happened[0].name != "Started":
        raise ValueError(f"the journal of {call_id} has no beginning")
    started = decode_event(happened[0])
    assert isinstance(started, events.Started)
    run = Run(started, call_id, door or Deaf(), settings, journal=lambda _: None)
    for entry in happened:
        run.handle(decode_event(entry), entry.at)
    return run


def view(run: Run, created: float) -> CallView:
    """Tell all that is known of *run*, which was placed at *created*."""
    leg, offer = run.subject, run.started.offer
    up = leg is not None and leg.state == "up"
    recorded = [one for each in run.legs.values() for one in each.recorded]
    return CallView(
        call_id=run.call_id,
        callee=offer.called if offer else leg.number if leg else "",
        caller=offer.caller if offer else leg.caller_id if leg else None,
        inbound=offer is not None,
        state="ended" if run.ended else "up" if up else "ringing" if leg else "running",
        created=created,
        answered=leg.answered_at if leg else None,
        ended=leg.ended_at if leg else run.now if run.ended else None,
        outcome=run.outcome,
        origin=run.started.origin,
        duration=run.duration,
        bill=run.bill if run.ended else None,
        tasks=tuple(
            TaskView(task.number, show_statement(task.statement), task.state, task.detail)
            for task in run.tasks
        ),
        recordings=tuple(
            RecordingView(run.settings.recordings_url + one.file, one.duration_ms / 1000, one.size)
            for one in recorded
        ),
        quality=leg.quality if leg else None,
        failures=tuple(FailureView(one.what, one.why, one.times) for one in run.failures),
        label=run.started.label or None,
    )


def as_script(run: Run, entries: Sequence[Entry]) -> str:
    """Show the call as a script: its own statements, then what was queued, in order.

    Immediate operations have no place in a script; a comment says which were left out.
    """
    queued = [task.statement for task in run.tasks]
    own = list(run.script.body.statements)
    stay = [own.pop()] if own and isinstance(own[-1], nodes.Stay) else []
    if queued and isinstance(queued[-1], nodes.Hangup):
        stay = []
    left_out = tuple(
        f"left out: now {entry.data['operation']}" for entry in entries if entry.name == "Interrupted"
    )
    body = nodes.Block((*own, *queued, *stay), closing=left_out)
    return show(evolve(run.script, body=body))
