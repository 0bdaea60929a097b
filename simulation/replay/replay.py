"""Calls of the past in virtual time: under another script, and as golden cases."""

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, frozen

from ringful.grammar.errors import ScriptError
from ringful.ground.complaint import Complaint
from ringful.interpreter.settings import Settings
from ringful.interpreter.sources import Source
from ringful.interpreter.trace import Tracer
from ringful.simulation.cases.agreement import disagreement, told
from ringful.simulation.cases.case import Case, PhoneBlock, StepLine
from ringful.simulation.cases.difference import difference
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.cases.writer import show_case
from ringful.simulation.replay.masking import Mask, mask_case, typed_keys
from ringful.simulation.replay.retelling import retell
from ringful.simulation.replay.retold_phones import Keys
from ringful.simulation.simulate import Simulation
from ringful.store.port import Entry


@frozen
class Replay:
    """How a call would have gone; *notes* say what had to be assumed."""

    trace: str
    difference: list[str]
    """Empty: it would have gone the same."""
    notes: list[str]
    apart: str = ""
    """Where the call itself goes otherwise in virtual time than it went; then nothing is as it was."""


def replay(entries: Sequence[Entry], source: Source | None, *, keys: Keys = "answering") -> Replay:
    """Replay the call of *entries* with the script *source* (None: its own).

    Raises Complaint where the journal cannot be replayed, ScriptError where the script cannot.
    """
    case = _retold(entries, Path("replay"), keys)
    base = _run(case)
    notes: list[str] = []
    apart = compare(entries, base)
    changed = base
    if source:
        params = {param.name for param in source.script.params}
        left = [name for name in case.params if name not in params]
        notes += [f"the script has no param `{name}`: it is left out" for name in left]
        given = {name: value for name, value in case.params.items() if name in params}
        after = _retold(entries, Path("replay"), "after")
        changed, more = _patient(evolve(case, source=source, params=given), after)
        notes += more
    texts = {"script": case.source.text}
    if source:
        texts |= {one.name: one.text for one in (source, *source.uses.values())}
    lines = [] if _says(base) == _says(changed) else difference(base.trace, changed.trace, texts)
    return Replay(changed.trace, lines, notes, apart)


def _says(simulation: Simulation) -> list[tuple[float, str, str, str]]:
    """Give what a run did, without the places in its script."""
    lines = Tracer().lines(simulation.entries)
    return [(line.at, line.leg, line.verb, line.text) for line in lines]


def _retold(entries: Sequence[Entry], path: Path, keys: Keys) -> Case:
    try:
        return retell(entries, path, keys=keys)
    except ValueError as error:
        raise Complaint(f"this call cannot be retold: {error}") from error


def _run(case: Case) -> Simulation:
    simulation = Simulation(case)
    simulation.go()
    return simulation


def _patient(case: Case, after: Case) -> tuple[Simulation, list[str]]:
    """Run *case*; where a far end waits for a sound that never comes, let it do as in *after*."""
    notes: list[str] = []
    while True:
        simulation = _run(case)
        stuck = _stuck(simulation, case.phones)
        if stuck is None:
            return simulation, notes
        phone, step = stuck
        waiting = case.phones[phone].steps[step]
        assert waiting.when
        notes.append(
            f"{_said(waiting)} answered {waiting.when.sound!r}, which is not heard now: "
            "it is taken so long after the step before"
        )
        steps = list(case.phones[phone].steps)
        steps[step] = after.phones[phone].steps[step]
        phones = list(case.phones)
        phones[phone] = evolve(phones[phone], steps=tuple(steps))
        case = evolve(case, phones=phones)


def _stuck(simulation: Simulation, phones: Sequence[PhoneBlock]) -> tuple[int, int] | None:
    """Give the phone and the step that waits for a sound that was never heard."""
    for far_end in simulation.phones.far_ends:
        for place, phone in enumerate(phones):
            step = far_end.awaited
            if phone.number != far_end.far_end.number or step is None:
                continue
            when = phone.steps[step].when
            if when and not any(when.sound in sound for sound in far_end.sounds):
                return place, step
    return None


def _said(step: StepLine) -> str:
    return f"{step.verb} {' '.join(step.arguments)}".strip()


def compare(entries: Sequence[Entry], simulation: Simulation, mask: Mask | None = None) -> str:
    """Say where *simulation* is not what the journal *entries* tell, or nothing."""
    # Messages have journals of their own, which are not the call's.
    call_id = next(iter(simulation.runs), "call-1")
    own = (entry for entry in simulation.entries if entry.call_id == call_id)
    real, virtual = Tracer().lines(entries), Tracer().lines(own)
    if mask:
        # Which keys were pressed is not compared: those of codes are others.
        real = [evolve(one, text="" if one.verb == "pressed" else mask.text(one.text)) for one in real]
        virtual = [evolve(one, text="" if one.verb == "pressed" else one.text) for one in virtual]
    return disagreement(told(real, entries[0].call_id), told(virtual, call_id))


def golden(entries: Sequence[Entry], settings: Settings, path: Path, *, keys: Keys) -> tuple[str, str]:
    """Make a masked case of *entries*; give its text, and where its trace is not that of the call."""
    mask = Mask()
    text = show_case(_retold(entries, path, keys))
    text = mask_case(text, typed_keys(entries, settings), mask)
    try:
        case = parse_case(text, path)
    except ScriptError as error:
        raise Complaint(f"the case of this call cannot be read back: {error}") from error
    simulation = _run(case)
    return case_text(case, text, simulation), compare(entries, simulation, mask)


def case_text(case: Case, text: str, simulation: Simulation) -> str:
    """Give the whole case, with the trace that comes out."""
    return evolve(case, above=text).rewritten(simulation.trace)
