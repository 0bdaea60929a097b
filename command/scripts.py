"""`ringful check` and `ringful format`: scripts as text."""

import sys
from pathlib import Path

from ringful.command.errors import CommandError
from ringful.grammar.errors import ScriptError, render
from ringful.grammar.parser import parse
from ringful.grammar.printer import show


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", 2) from error
    except UnicodeDecodeError:
        raise CommandError(f"{file}: it is no UTF-8 text", 1) from None


def check(*files: Path) -> None:
    """Show the problems of scripts, with the place of each; exit 1 if there are any errors."""
    wrong = False
    for file in files:
        text = _read(file)
        try:
            parse(text, str(file))
        except ScriptError as error:
            wrong = True
            for problem in error.problems:
                print(render(problem, text))
    if wrong:
        sys.exit(1)


def format(*files: Path, check: bool = False) -> None:  # noqa: A001 (the command's name)
    """Rewrite scripts in the canonical form.

    Parameters
    ----------
    check
        Only say which files are not in it; exit 1 if there are any.
    """
    odd = False
    for file in files:
        text = _read(file)
        try:
            shown = show(parse(text, str(file)))
        except ScriptError as error:
            raise CommandError("\n".join(render(problem, text) for problem in error.problems)) from error
        if shown == text:
            continue
        odd = True
        if check:
            print(f"{file}: not in the canonical form")
        else:
            file.write_text(shown, encoding="utf-8")
    if odd and check:
        sys.exit(1)
