"""Golden cases on disk: which there are, and whether each gives the trace that it says."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from attrs import evolve, frozen

from ringful.grammar.errors import ScriptError
from ringful.ground.complaint import Complaint
from ringful.ground.files import write_whole
from ringful.simulation.cases.case import ENDING, Case
from ringful.simulation.cases.difference import difference, without_places
from ringful.simulation.cases.reader import read_case
from ringful.simulation.cases.unused import unused
from ringful.simulation.promises import broken_promises
from ringful.simulation.simulate import Simulation, run_case


@frozen
class Verdict:
    """What came of one case; *said* tells why it did not pass, or what was updated."""

    path: Path
    title: str
    state: Literal["passed", "failed", "wrong", "updated", "broken"]
    """``wrong``: it could not be run; ``broken``: it does not what the case promises."""
    said: str = ""
    seconds: float = 0.0
    simulation: Simulation | None = None

    @property
    def is_good(self) -> bool:
        """Say whether there is nothing to mend."""
        return self.state in ("passed", "updated")

    @property
    def alone(self) -> "Verdict":
        """The same without its simulation, which holds all that happened."""
        return evolve(self, simulation=None)

    @property
    def told(self) -> str:
        """What an author is told of it; nothing of one that passed."""
        if not self.said:
            return ""
        return "\n".join(
            [f"{self.path}: {_STATES[self.state]}", *(f"  {line}" for line in self.said.splitlines()), ""]
        )


_STATES = {
    "passed": "warning: it gives what nothing uses:",
    "updated": "updated",
    "failed": "the trace is another:",
    "wrong": "it cannot be run:",
    "broken": "it breaks a promise:",
}
_COUNTED = {
    "passed": "passed",
    "failed": "failed",
    "wrong": "could not be run",
    "updated": "updated",
    "broken": "broke a promise",
}


def counts(verdicts: Sequence[Verdict]) -> str:
    """Say in one line how many cases came out how."""
    found = {said: sum(one.state == state for one in verdicts) for state, said in _COUNTED.items()}
    return ", ".join(f"{count} {said}" for said, count in found.items() if count or said == "passed")


def ran(verdicts: Sequence[Verdict]) -> list[Simulation]:
    """Give what ran, of the cases that could be."""
    return [one.simulation for one in verdicts if one.simulation]


def find_cases(paths: tuple[Path, ...], only: str = "") -> list[Path]:
    """Give the case files at *paths* whose path holds *only*, sorted.  Raises Complaint."""
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise Complaint(f"{path}: there is no such file or folder", 2)
        found |= set(path.rglob(f"*{ENDING}")) if path.is_dir() else {path}
    return sorted(path for path in found if only.lower() in str(path).lower())


def try_cases(paths: Sequence[Path], *, update: bool = False) -> Iterator[Verdict]:
    """Run each case; with *update*, write what came out into it."""
    for path in paths:
        began = time.perf_counter()
        verdict = _try(path, update=update)
        seconds = time.perf_counter() - began
        yield Verdict(path, verdict.title, verdict.state, verdict.said, seconds, verdict.simulation)


def _try(path: Path, *, update: bool) -> Verdict:
    title = path.name.removesuffix(ENDING).replace("_", " ")
    try:
        case = read_case(path)
        title = case.title
        simulation = run_case(case)
    except ScriptError as error:
        return Verdict(path, title, "wrong", str(error))
    except OSError as error:
        return Verdict(path, title, "wrong", f"{error.filename}: {error.strerror}")
    except UnicodeDecodeError:
        return Verdict(path, title, "wrong", f"{path}: it is no UTF-8 text")
    except Exception as error:  # a fault of ours must not keep the other cases from running
        return Verdict(path, title, "wrong", f"a fault of ringful itself: {type(error).__name__}: {error}")
    trace = simulation.trace
    if broken := list(broken_promises(case.promises, simulation.entries)):
        said = "\n".join(f"{one.law}: {one.said}" for one in broken)
        return Verdict(path, title, "broken", said, simulation=simulation)
    # A script's line that has only moved is no other call; with *update* the case follows it.
    if trace == case.below or (not update and without_places(trace) == without_places(case.below)):
        return Verdict(path, title, "passed", "\n".join(unused(simulation)), simulation=simulation)
    said = show_difference(case, trace)
    if not update:
        return Verdict(path, title, "failed", said, simulation=simulation)
    write_whole(path, case.rewritten(trace))
    return Verdict(path, title, "updated", said, simulation=simulation)


def show_difference(case: Case, trace: str) -> str:
    """Show where *trace* is not what *case* says."""
    if not case.below.strip():
        return "the case says no trace yet; `--update` writes it"
    source = case.source
    texts = {one.name.rpartition("/")[2]: one.text for one in (*source.uses.values(), source)}
    lines = difference(case.below, trace, texts)
    moved = without_places(case.below) == without_places(trace)
    same = (
        "only lines of the script have moved"
        if moved
        else "the lines are the same, but not the blanks in them"
    )
    return "\n".join(lines or [same])
