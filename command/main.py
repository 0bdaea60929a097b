"""The `ringful` command: which commands there are, and how they end.

Exit codes: 0 done, 1 the thing asked about is wrong, 2 usage or configuration.  An error is one
readable line on standard error, never a traceback.
"""

import logging
import os
import sys
from collections.abc import Sequence

import cyclopts
import structlog

from ringful.command import calls, demo, keys, phone, scripts, serve, sign
from ringful.command import test as cases
from ringful.command.errors import CommandError, first_of
from ringful.store.port import StoreError

app = cyclopts.App(
    name="ringful", help="A self-hosted programmable-voice server.", version_flags=["--version"]
)
app.command(serve.serve)
app.command(demo.demo)
app.command(phone.phone)
app.command(scripts.check)
app.command(scripts.format)
app.command(cases.simulate)
app.command(cases.test)
app.command(sign.sign)
app.command(keys.app)
app.command(calls.app)


def main() -> None:
    """Run the command that the arguments name."""
    # Only what serves logs, and says so; a command's errors are its one line.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    run(sys.argv[1:])


def run(arguments: Sequence[str]) -> None:
    """Run the command that *arguments* name; an error ends in SystemExit."""
    try:
        app(list(arguments), exit_on_error=False, print_error=False)
    except BaseException as error:
        message, code = ending(first_of(error))
        if message:
            print(f"ringful: {message}", file=sys.stderr)
        sys.exit(code)


def ending(error: BaseException) -> tuple[str, int]:
    """Give the line that says what *error* means, and its exit code.  Raises it where that is wanted."""
    match error:
        case SystemExit():
            raise error
        case cyclopts.CycloptsError():
            return " ".join(str(error).split()), 2
        case CommandError():
            return str(error), error.code
        case StoreError():
            return str(error), 2
        case KeyboardInterrupt():
            return "", 130
        case BrokenPipeError():
            # Whoever read us has enough; what is left to write at the end must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return "", 1
    if os.environ.get("RINGFUL_TRACE"):
        raise error
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return f"a fault of ringful itself: {said} (RINGFUL_TRACE=1 shows where)", 1


if __name__ == "__main__":
    main()
