"""Scripts and cases that a command is given: what cannot be read is a complaint."""

from collections.abc import Iterator
from contextlib import contextmanager

from ringful.command.errors import CommandError
from ringful.grammar.errors import ScriptError


@contextmanager
def readable() -> Iterator[None]:
    """Say of what is read within why it cannot be.  Raises CommandError."""
    try:
        yield
    except ScriptError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}", 2) from error
