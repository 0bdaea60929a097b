"""`ringful check` and `ringful format`: scripts as text."""

import sys
from pathlib import Path

from ringful.command.checking.checked import checked, used_by
from ringful.command.errors import CommandError
from ringful.grammar import nodes
from ringful.grammar.checking.checker import check as problems_of
from ringful.grammar.errors import ScriptError, render
from ringful.grammar.fixing import fixed
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
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
        script, problems = checked(file, text)
        bad = any(problem.is_error for problem in problems)
        wrong = wrong or bad
        for problem in problems:
            print(render(problem, text))
        if explain and script is not None and not bad:
            print(_explained(file, script, config))
    if wrong:
        sys.exit(1)


def format(*files: Path, check: bool = False, fix: bool = False) -> None:  # noqa: A001 (the command's name)
    """Rewrite scripts in the canonical form; exit 1 if any cannot be read.

    Parameters
    ----------
    check
        Change nothing, say which files are not in the canonical form, and exit 1 if there are any.
    fix
        Write old words of the language anew as well, e.g. `start call` for a further `call` without a block,
        and `why.reason` for a `why` that is taken for the word in it.
    """
    wrong = False
    for file in _named(files):
        text = read_text(file)
        try:
            shown = show(_parsed(text, str(file), fix=fix))
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


def _parsed(text: str, path: str, *, fix: bool) -> nodes.Script:
    """Parse *text*; with *fix* as it says in the words of today.  Raises ScriptError."""
    try:
        script = parse(text, path)
    except ScriptError as error:
        if not fix or fixed(text, error.problems) == text:
            raise
        text = fixed(text, error.problems)
        script = parse(text, path)
    return parse(fixed(text, problems_of(script)), path) if fix else script


def _named(files: tuple[Path, ...]) -> tuple[Path, ...]:
    if not files:
        raise CommandError("name at least one script", 2)
    return files


def _explained(file: Path, script: nodes.Script, config: Path | None) -> str:
    # It reads sounds, and what reads those takes longer to load than a script to check.
    from ringful.command.checking.bounds import explained
    from ringful.command.configuration.settings import configuration

    return explained(script, used_by(file, script)[0], configuration(config))
