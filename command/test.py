"""`ringful test` and `ringful simulate`: scripts in virtual time."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringful.command.arguments.pairs import pair
from ringful.command.arguments.readable import readable
from ringful.command.errors import CommandError
from ringful.command.showing.progress import Progress
from ringful.ground.files import write_whole
from ringful.interpreter.sources import read_source
from ringful.interpreter.values import Value, from_json
from ringful.simulation.cases.case import ENDING
from ringful.simulation.cases.junit import junit as as_junit
from ringful.simulation.cases.reader import parse_case
from ringful.simulation.cases.spread import processes, try_spread
from ringful.simulation.cases.verdicts import Verdict, counts, find_cases, ran, try_cases
from ringful.simulation.coverage import coverage_of
from ringful.simulation.mutation.mutation import Mutation
from ringful.simulation.mutation.mutation import report as mutations
from ringful.simulation.simulate import run_case
from ringful.simulation.sweep.report import report
from ringful.simulation.sweep.sweep import Sweep, sweep_all


def test(
    *paths: Path,
    update: bool = False,
    only: Annotated[str, Parameter(alias="-k")] = "",
    coverage: bool = False,
    fail_under: float | None = None,
    junit: Path | None = None,
    sweep: bool = False,
    mutate: bool = False,
    jobs: int | None = None,
) -> None:
    """Run golden cases; exit 1 if any trace is not what its case says.

    Parameters
    ----------
    paths
        Case files, or folders of them; this folder, where none is named.
    update
        Write what came out into the cases, and show what that changed.
    only
        Run the cases alone whose path holds this text.
    coverage
        Show which statements, and which ways on from them, no case has seen.
    fail_under
        Exit 1 if the coverage (with --mutate, the share of changes that were noticed) is below so
        many percent.
    junit
        Write the results to this file as JUnit XML.
    sweep
        Run each case again and again with a hang-up, a failure or a key put in at every step, and hold
        that each run ends properly whatever comes.
    mutate
        Change the scripts in one place after another, and show the changes that no case notices.
    jobs
        Run the cases in so many processes; else in as many as there are processors, and fewer than a
        hundred cases in one.  With --coverage, --sweep or --mutate it is always one.
    """
    if jobs is not None and jobs < 1:
        raise CommandError(f"--jobs: {jobs} processes can do nothing", 2)
    found = find_cases(paths or (Path(),), only)
    if not found:
        named = f" that holds {only!r} in its path" if only else ""
        raise CommandError(f"there is no case here{named}: a case's name ends in {ENDING}", 2)
    verdicts = []
    looked_into = coverage or sweep or mutate or fail_under is not None
    for verdict in _tried(found, update, 1 if looked_into else jobs or processes(len(found))):
        # What happened in all of them would be much to keep.
        verdicts.append(verdict if looked_into else verdict.alone)
        if verdict.told:
            print(verdict.told)
    good = all(verdict.is_good for verdict in verdicts)
    print(counts(verdicts))
    if junit:
        write_whole(junit, as_junit(verdicts))
    if coverage or (fail_under is not None and not mutate):
        good = _covered(verdicts, None if mutate else fail_under) and good
    if sweep:
        good = _swept(verdicts) and good
    if mutate:
        good = _mutated(verdicts, fail_under) and good
    if not good:
        sys.exit(1)


def _tried(found: list[Path], update: bool, jobs: int) -> Iterator[Verdict]:
    if jobs == 1:
        return try_cases(found, update=update)
    return try_spread(found, min(jobs, len(found)), update=update)


def _covered(verdicts: list[Verdict], least: float | None) -> bool:
    seen = coverage_of(ran(verdicts))
    print(seen.report(Path()), end="")
    return _is_enough(seen.total(), least)


def _swept(verdicts: list[Verdict]) -> bool:
    began = time.perf_counter()
    progress = Progress(sys.stderr)

    def tell(done: int, parts: int, sweep: Sweep) -> None:
        rate = round(sweep.runs / (time.perf_counter() - began))
        told = f"sweep: {done} of {parts} parts, {sweep.runs} runs, {rate} a second"
        progress.tell(f"{told}; {len(sweep.found)} things broken")

    swept = sweep_all([one.case for one in ran(verdicts)], tell)
    progress.clear()
    print(report(swept, time.perf_counter() - began), end="")
    return not swept.found


def _mutated(verdicts: list[Verdict], least: float | None) -> bool:
    mutation = Mutation()
    mutation.mutate(ran(verdicts))
    print(mutations(mutation), end="")
    return _is_enough(mutation.score, least)


def _is_enough(percent: float, least: float | None) -> bool:
    if least is None or percent >= least:
        return True
    print(f"that is less than the {least:g} % asked for")
    return False


def simulate(
    file: Path, *, phones: Path, param: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None
) -> None:
    """Show the trace of a script in virtual time.

    Parameters
    ----------
    phones
        What the far ends and the web do: a file as the upper part of a golden case, without its script.
    param
        A value of the script, e.g. order=A-1; JSON, or else taken as text.
    """
    with readable():
        case = parse_case(phones.read_text(encoding="utf-8"), phones, read_source(file))
        for name, value in map(pair, param or ()):
            case.params[name] = _value(value)
        simulation = run_case(case)
    print(simulation.trace, end="")


def _value(written: str) -> Value:
    try:
        return from_json(json.loads(written))
    except ValueError:
        return written
