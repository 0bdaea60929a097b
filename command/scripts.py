"""`ringful check` and `ringful format`: scripts as text."""

import sys
from pathlib import Path

from ringful.command.errors import CommandError
from ringful.command.files import write_whole
from ringful.grammar import checker, nodes
from ringful.grammar.errors import Problem, ScriptError, render
from ringful.grammar.parser import parse
from ringful.grammar.printer import show


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
        text = _read(file)
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
        text = _read(file)
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
    return script, checker.check(script, _used(file, script))


def _explained(file: Path, script: nodes.Script, config: Path | None) -> str:
    # It reads sounds, and what reads those takes longer to load than a script to check.
    from ringful.command.bounds import explained
    from ringful.command.settings import configuration

    return explained(script, _used(file, script), configuration(config))


def _used(file: Path, script: nodes.Script) -> dict[str, nodes.Script]:
    """Read the scripts that *script* uses, by paths from its own folder; what is wrong in them is theirs."""
    found = {}
    for use in script.uses:
        other = file.parent / use.path
        try:
            found[use.path] = parse(other.read_text(encoding="utf-8"), str(other))
        except (OSError, UnicodeDecodeError, ScriptError):
            # The checker says that there is no such script.
            continue
    return found


def _read(file: Path) -> str:
    try:
        # Bytes, since line ends are a part of the form.
        return file.read_bytes().decode()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", 2) from error
    except UnicodeDecodeError:
        raise CommandError(f"{file}: it is no UTF-8 text") from None
