"""Loads and files for figures, as `ringful bench` takes them."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from ringful.command.errors import CommandError
from ringful.grammar.spell import suggest

Printed: TypeAlias = Annotated[Path | None, Parameter(allow_leading_hyphen=True)]
"""A file, or ``-`` for standard output."""
MOST = 500
"""More calls at once is a mistake of typing: this is one machine, and its far end is on it."""


def counts(option: str, written: str, example: str, most: int = MOST, least: int = 0) -> tuple[int, ...]:
    """Read numbers such as ``4,20,60``, each once; *least* of them must be there.  Raises CommandError."""
    found = [one.strip() for one in written.split(",") if one.strip()]
    good = all(re.fullmatch(r"[0-9]{1,4}", one) and 0 < int(one) <= most for one in found)
    if not good or len(found) < least:
        raise CommandError(f"{option} {written}: numbers from 1 to {most}, as {example}", 2)
    return tuple(dict.fromkeys(int(one) for one in found))


def chosen(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Give *names*, each once, or all that are *known* where there is none.  Raises CommandError (code 2)."""
    known, names = list(known), list(names)
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f"there are: {', '.join(known)}"
            raise CommandError(f"there is no workload `{name}`; {hint}", 2)
    return list(dict.fromkeys(names)) or known


def writable(*files: Path | None) -> None:
    """See now whether *files* can be written in the end.  Raises CommandError (code 2)."""
    for file in files:
        if file is None or file == Path("-"):
            continue
        folder = file.absolute().parent
        there(folder)
        if file.is_dir() or not os.access(folder, os.W_OK):
            raise CommandError(f"{file}: no file can be written there", 2)


def there(folder: Path) -> None:
    """See whether *folder* is one.  Raises CommandError (code 2)."""
    if not folder.is_dir():
        raise CommandError(f"{folder}: there is no such folder", 2)
