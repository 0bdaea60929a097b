"""The `ringful` command: which commands there are, and how they end.

Exit codes: 0 done, 1 the thing asked about is wrong, 2 usage or configuration.  An error is one
readable line on standard error, never a traceback.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cyclopts

from ringful.command.errors import first_of
from ringful.ground import logger
from ringful.ground.complaint import Complaint
from ringful.store.port import StoreError

COMMANDS = {
    "serve:serve": "Start the server; it prints its addresses when it is ready.",
    "demo:demo": "Make the first call on this machine, and show what happens.",
    "phone:phone": "Answer calls, or make one: real SIP, in this process.",
    "scripts:check": "Show the problems of scripts, with the place of each; exit 1 if any must not run.",
    "scripts:format": "Rewrite scripts in the canonical form; exit 1 if any cannot be read.",
    "import_:import_": "Make a script, and its golden case, of a flow of another system; "
    "exit 1 if it does not say all.",
    "test:simulate": "Show the trace of a script in virtual time.",
    "run:run": "Start a script on a running server, and print what happens as it happens.",
    "test:test": "Run golden cases; exit 1 if any trace is not what its case says.",
    "bench:app": "Measure how fast ringful is on this machine.",
    "sign:sign": "Print a signed URL: ringful sign Call callee=15125551234.",
    "lsp:lsp": "Speak the language server protocol on standard input and output, for editors.",
    "keys:app": "API keys.",
    "rates:app": "What calls and messages cost.",
    "calls:app": "Calls, live and ended.",
    "queues:queues": "Show who waits in the queues of a key.",
    "messages:app": "Text messages, both ways.",
    "trunks:app": "Trunks: how they stand, and what is wrong with one.",
    "callbacks:app": "Callbacks that were not delivered, and sending them again.",
    "recordings:app": "Recordings.",
}
"""Where each command is, and what it does.

A command's module is imported when the command is run, and no sooner: `ringful --help` must not
wait for pjsua2 and the web.  A test holds the words here equal to those of the commands.
"""


_LOADED = 10_000
"""Objects made between two looks for rings while modules are loaded: as fast as to look at none, which
left 5 MB of SQLAlchemy's rings behind."""


def _version() -> str:
    # Loaded where it is asked for: it takes as long as the rest of this module.
    from importlib import metadata

    return metadata.version("ringful")


def app_for(arguments: Sequence[str]) -> cyclopts.App:
    """Make the app; the command that *arguments* name says what it does itself, at its own length."""
    app = cyclopts.App(
        name="ringful",
        help="A self-hosted programmable-voice server.",
        version=_version,
        version_flags=["--version"],
        version_format="plaintext",
    )
    for place, said in COMMANDS.items():
        module, _, function = place.partition(":")
        name = module if function == "app" else function.removesuffix("_")
        app.command(f"ringful.command.{place}", name=name, help=None if name in arguments[:1] else said)
    return app


def main() -> None:
    """Run the command that the arguments name, in a process of its own."""
    # What is still there at the end goes with the process: nothing looks through it once more.
    atexit.register(gc.freeze)
    run(sys.argv[1:])


def run(arguments: Sequence[str]) -> None:
    """Run the command that *arguments* name; an error ends in SystemExit."""
    try:
        with _loading():
            if arguments[:1] == ["serve"]:
                logger.load()
            app = app_for(arguments)
            command, bound, _ = app.parse_args(list(arguments), exit_on_error=False, print_error=False)
        # What loads structlog later is told so as well.
        logger.quiet = True
        if "structlog" in sys.modules:
            logger.silence()
        command(*bound.args, **bound.kwargs)
    except BaseException as error:
        message, code = ending(first_of(error))
        if message:
            print(f"ringful: {message}", file=sys.stderr)
        sys.exit(code)


@contextmanager
def _loading() -> Iterator[None]:
    """Look seldom for rings meanwhile: most of what is loaded stays."""
    usual = gc.get_threshold()
    gc.set_threshold(_LOADED)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def ending(error: BaseException) -> tuple[str, int]:
    """Give the line that says what *error* means, and its exit code.  Raises it where that is wanted."""
    match error:
        case SystemExit():
            raise error
        case cyclopts.CycloptsError():
            return " ".join(str(error).split()), 2
        case Complaint():
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
