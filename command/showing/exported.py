"""Many records, written as they are read: page by page, to a file that is whole or not there, or printed."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal, Protocol, TextIO, TypeAlias, TypeVar

from ringful.command.errors import CommandError
from ringful.http.tables import head, rows

Format: TypeAlias = Literal["csv", "json"]
PAGE = 1000
"""Records that are read at a time."""
_T = TypeVar("_T")


class Read(Protocol[_T]):
    """Read the records behind *after*."""

    async def __call__(self, after: _T | None) -> Sequence[_T]:
        """`PAGE` of them at most."""
        ...


async def write(
    to: TextIO,
    form: Format,
    columns: Sequence[str],
    read: Read[_T],
    show: Callable[[_T], Mapping[str, Any]],
) -> None:
    """Write all that is *read*: as a table (CSV, RFC 4180), or a JSON object on each line."""
    if form == "csv":
        to.write(head(columns))
    page = await read(None)
    while page:
        shown = [show(one) for one in page]
        if form == "csv":
            to.write(rows(columns, shown))
        else:
            to.writelines(json.dumps({name: one[name] for name in columns}) + "\n" for one in shown)
        page = await read(page[-1])


@contextmanager
def destination(file: Path | None) -> Iterator[TextIO]:
    """Give where to write: *file*, which is replaced once all is written, or what is printed.

    Raises CommandError.
    """
    if file is None:
        # Lines end as the form has it, wherever this runs.
        sys.stdout.reconfigure(newline="")  # type: ignore[union-attr]
        yield sys.stdout
        return
    file = file.resolve()
    new = None
    try:
        # What others said is nobody else's to read.
        new = NamedTemporaryFile(  # noqa: SIM115  # it is closed before it is put in its place
            "w", dir=file.parent, prefix=f".{file.name}.", delete=False, newline="", encoding="utf-8"
        )
        with new:
            yield new  # type: ignore[misc]  # it is a text file
        os.replace(new.name, file)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", 2) from error
    finally:
        if new is not None:
            with suppress(OSError):
                os.unlink(new.name)
