"""Look at a run: all that is known of a call, and the call as a script.

A call that has ended is looked at through its journal: the events are fed to a new run, which then
stands where the old one stood.
"""

from collections.abc import Mapping, Sequence

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.showing.printer import show, show_statement
from ringful.interpreter import effects, events
from ringful.interpreter.calls.switchboard import (
    CallView,
    FailureView,
    RecordingView,
    TaskView,
    ViewState,
)
from ringful.interpreter.hearing import begun
from ringful.interpreter.journal import decode_event
from ringful.interpreter.run import Door, Run
from ringful.interpreter.settings import Settings
from ringful.store.port import CallRecord, Entry, RecordingFile

NONE: Mapping[str, float] = {}


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


def view(run: Run, created: float, now: float = 0.0, removed: Mapping[str, float] = NONE) -> CallView:
    """Tell all that is known *now* of *run*, which was placed at *created*.

    *removed* are the recordings whose files are gone, and since when.
    """
    leg, came, offer = run.subject, run.started.came, run.started.offer
    recorded = [one for each in run.legs.values() for one in each.recorded]
    return CallView(
        call_id=run.call_id,
        callee=came[0] if came else leg.number if leg else "",
        caller=came[1] if came else leg.caller_id if leg else None,
        inbound=came is not None,
        state=_state(run),
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
            RecordingView(
                run.settings.links.to(one.file, now), one.duration_ms / 1000, one.size, removed.get(one.file)
            )
            for one in recorded
        ),
        quality=leg.quality if leg else None,
        failures=tuple(FailureView(one.what, one.why, one.times) for one in run.failures),
        label=run.started.label or None,
        conference=None if run.started.plan is None else run.started.plan.name,
        trunk=(leg.trunk or None) if leg else None,
        caller_name=(offer.name or None) if offer else None,
        diverted_from=(offer.diverted_from or None) if offer else None,
    )


def _state(run: Run) -> ViewState:
    leg = run.subject
    if run.ended:
        return "ended"
    if leg is None:
        return "running"
    if leg.room:
        return "waiting" if leg.answered_at is None else "up"
    return "up" if leg.state == "up" else "ringing"


def view_of_record(
    record: CallRecord, recordings: Sequence[RecordingFile], settings: Settings, now: float
) -> CallView:
    """Tell what is left of a call whose journal was removed."""
    seconds = None
    if record.answered is not None and record.ended is not None:
        seconds = begun(record.answered, record.ended)
    return CallView(
        call_id=record.call_id,
        callee=record.callee,
        caller=record.caller,
        inbound=record.caller is not None,
        state="ended",
        created=record.created,
        answered=record.answered,
        ended=record.ended,
        outcome=record.outcome,
        origin=None,
        duration=seconds,
        bill=record.bill,
        tasks=(),
        recordings=tuple(
            RecordingView(settings.links.to(one.file, now), one.duration_ms / 1000, one.size, one.removed)
            for one in recordings
        ),
        quality=None,
        label=record.label,
        conference="" if record.is_conference else None,
        pruned=record.pruned or now,
        trunk=record.trunk,
    )


def pruned(record: CallRecord, entries: Sequence[Entry]) -> bool:
    """Say whether the journal of a call was removed, or is being removed: it lacks its beginning."""
    return record.state == "ended" and (not entries or entries[0].n != 1)


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
        f"left out: now {entry.data.get('operation') or entry.data['statement']}"
        for entry in entries
        if entry.name in ("Interrupted", "Steered")
    )
    body = nodes.Block((*own, *queued, *stay), closing=left_out)
    return show(evolve(run.script, body=body))
