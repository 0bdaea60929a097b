"""How fast one run executes statements."""

from collections.abc import Iterator
from pathlib import Path

from ringful.bench import texts
from ringful.bench.figures import Effort, Figure, rates
from ringful.simulation.cases.case import Case
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.simulate import Simulation


def statements(effort: Effort) -> Iterator[Figure]:
    """Measure statements that only work things out, and such as go out to a phone and come back."""
    pure = _case(texts.inline(texts.PURE))
    about = f"one run: {_run(pure)} statements, `let` and `if` in loops; its journal is kept in memory"
    yield Figure("pure statements", "statements/s", rates(lambda: _run(pure), effort), about)
    playing = _case(texts.inline(texts.PLAYING) + texts.ANSWERED)
    about = (
        f"one run on a simulated leg: {_run(playing)} statements, play, notify and wait tone in a loop, "
        f"with their callbacks ({_entries(playing)} journal lines)"
    )
    yield Figure("statements on a leg", "statements/s", rates(lambda: _run(playing), effort), about)
    entries = rates(lambda: _entries(playing), effort)
    yield Figure("journal lines", "lines/s", entries, f"{about}, counted as lines")


def _case(text: str) -> Case:
    return parse_case(text, Path("statements.golden"))


def _run(case: Case) -> int:
    simulation = Simulation(case)
    simulation.go()
    return sum(way == "" for _, way in simulation.visited)


def _entries(case: Case) -> int:
    simulation = Simulation(case)
    simulation.go()
    return len(simulation.entries)
