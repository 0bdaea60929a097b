"""`ringful check` and `ringful format`: scripts as text."""

import sys
from pathlib import Path

from ringful.command.errors import CommandError
from ringful.grammar import nodes
from ringful.grammar.checking import checker
from ringful.grammar.errors import Problem, ScriptError, render
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.ground.complaint import Complaint
from ringful.ground.files import read_text, write_whole


def check(*files: Path, explain: bool = False, config: Path | None = None) -> None:
    """Show the problems of scripts, with the place of each; exit 1 if any must not run.

    Parameters
    ----------
    explain
        Say too how long each script can hold its lines, line by line, and what it can cost.
    config
        Where the limits, rates and announcements are taken from.
    """
    wrong = False
    for file in _named(files):
        text = read_text(file)
        script, problems = _checked(file, text)
        bad = any(problem.is_error for problem in problems)
        wrong = wrong or bad
        for problem in problems:
            print(render(problem, text))
        if explain and script is not None and not bad:
            print(_explained(file, script, config))
    if wrong:
        sys.exit(1)


def format(*files: Path, check: bool = False) -> None:  # noqa: A001 (the command's name)
    """Rewrite scripts in the canonical form; exit 1 if any cannot be read.

    Parameters
    ----------
    check
        Change nothing, say which files are not in the canonical form, and exit 1 if there are any.
    """
    wrong = False
    for file in _named(files):
        text = read_text(file)
        try:
            shown = show(parse(text, str(file)))
        except ScriptError as error:
            wrong = True
            for problem in error.problems:
                print(render(problem, text), file=sys.stderr)
            continue
        if check and shown != text:
            wrong = True
            print(f"{file}: not in the canonical form")
        elif shown != text:
            write_whole(file, shown)
    if wrong:
        sys.exit(1)


def _named(files: tuple[Path, ...]) -> tuple[Path, ...]:
    if not files:
        raise CommandError("name at least one script", 2)
    return files


def _checked(file: Path, text: str) -> tuple[nodes.Script | None, tuple[Problem, ...]]:
    try:
        script = parse(text, str(file))
    except ScriptError as error:
        return None, error.problems
    uses, unusable = _used(file, script)
    found = checker.check(script, uses)
    # What stands in the way is said of each use, instead of that there is no such script.
    told = {problem.span for problem in unusable}
    rest = (one for one in found if one.code != "unknown-script" or one.span not in told)
    return script, tuple(sorted((*unusable, *rest), key=lambda one: (one.span, one.code)))


def _explained(file: Path, script: nodes.Script, config: Path | None) -> str:
    # It reads sounds, and what reads those takes longer to load than a script to check.
    from ringful.command.bounds import explained
    from ringful.command.settings import configuration

    return explained(script, _used(file, script)[0], configuration(config))


def _used(file: Path, script: nodes.Script) -> tuple[dict[str, nodes.Script], list[Problem]]:
    """Read the scripts that *script* uses, itself or by another one, and say why some cannot be.

    Paths count from the folder of the script that says them.  What is wrong in a script is its own.
    """
    found: dict[str, nodes.Script] = {}
    unusable: list[Problem] = []
    waiting = [(use.path, file.parent / use.path, use) for use in script.uses]
    while waiting:
        name, other, use = waiting.pop(0)
        if name in found or not other.exists():
            # Where there is none, the checker says so.
            continue
        try:
            found[name] = parse(read_text(other), str(other))
        except ScriptError as error:
            message = f"`{name}` cannot be used: {error.problems[0].span}: {error.problems[0].message}"
            unusable.append(Problem("unknown-script", message, use.span, f"see: ringful check {other}"))
        except Complaint as error:
            unusable.append(Problem("unknown-script", f"`{name}` cannot be used: {error}", use.span))
        else:
            waiting += [(one.path, other.parent / one.path, use) for one in found[name].uses]
    return found, unusable
