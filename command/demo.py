"""`ringful demo`: the first call, end to end, on this machine."""

from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from ringful.command.demonstration.first_call import first_call
from ringful.command.errors import CommandError, first_of


def demo() -> None:
    """Make the first call on this machine, and show what happens."""
    with TemporaryDirectory(prefix="ringful-demo-") as folder:
        try:
            trio.run(first_call, Path(folder))
        except BaseException as error:
            first = first_of(error)
            if isinstance(first, CommandError | KeyboardInterrupt):
                raise first from None
            raise CommandError(f"the demo failed: {first!r}") from error
