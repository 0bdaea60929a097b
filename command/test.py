"""`ringful test` and `ringful simulate`: scripts in virtual time."""

import difflib
import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ringful.command.errors import CommandError
from ringful.command.simulation import Simulation, run_case
from ringful.grammar.errors import ScriptError
from ringful.interpreter.case_reader import parse_case, read_case
from ringful.interpreter.cases import ENDING, Case
from ringful.interpreter.sources import read_source
from ringful.interpreter.values import Value, from_json


def test(*paths: Path, update: bool = False) -> None:
    """Run golden cases; exit 1 if any trace is not what its case says.

    Parameters
    ----------
    paths
        Case files, or folders of them; this folder, where none is named.
    update
        Write what came out into the cases.
    """
    cases = find_cases(paths or (Path(),))
    if not cases:
        raise CommandError(f"there are no cases here: their names end in {ENDING}", 2)
    failed = sum(not _try(path, update=update) for path in cases)
    print(f"{len(cases) - failed} passed, {failed} failed")
    if failed:
        sys.exit(1)


def find_cases(paths: tuple[Path, ...]) -> list[Path]:
    """Give the case files at *paths*, sorted.  Raises CommandError."""
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path}: there is no such file or folder", 2)
        found |= set(path.rglob(f"*{ENDING}")) if path.is_dir() else {path}
    return sorted(found)


def _try(path: Path, *, update: bool) -> bool:
    try:
        case = read_case(path)
        trace = run_case(case).trace
    except ScriptError as error:
        print(f"{path}: {error}")
        return False
    except OSError as error:
        print(f"{path}: {error.filename}: {error.strerror}")
        return False
    if trace == case.below:
        return True
    if update:
        path.write_text(case.rewritten(trace), encoding="utf-8")
        print(f"{path}: updated")
        return True
    print(f"{path}: the trace is another:")
    sys.stdout.writelines(difference(case, trace))
    return False


def difference(case: Case, trace: str) -> list[str]:
    """Show where *trace* is not what *case* says."""
    wanted, came = case.below.splitlines(keepends=True), trace.splitlines(keepends=True)
    return list(difflib.unified_diff(wanted, came, "the case", "this run", n=2))


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
    try:
        case = parse_case(phones.read_text(encoding="utf-8"), phones, read_source(file))
        for one in param or ():
            name, equals, value = one.partition("=")
            if not equals:
                raise CommandError(f"{one!r}: expected name=value", 2)
            case.params[name] = _value(value)
        simulation: Simulation = run_case(case)
    except ScriptError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}", 2) from error
    print(simulation.trace, end="")


def _value(text: str) -> Value:
    try:
        return from_json(json.loads(text))
    except ValueError:
        return text
