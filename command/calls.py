"""`ringful calls`: the calls of this server, live and ended."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import trio
from cyclopts import App

from ringful.command.errors import CommandError
from ringful.command.files import write_whole
from ringful.command.house import run_settings
from ringful.command.replay import golden, replay
from ringful.command.settings import configuration
from ringful.grammar.errors import ScriptError
from ringful.interpreter.retold_phones import Keys
from ringful.interpreter.sources import read_source
from ringful.interpreter.tell import stamp
from ringful.interpreter.trace import Tracer, render
from ringful.interpreter.view import as_script, pruned, rebuild
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, Store

app = App(name="calls", help="Calls, live and ended.")
_T = TypeVar("_T")


def _with_store(config: Path | None, read: Callable[[Store], Awaitable[_T]]) -> _T:
    async def opened() -> _T:
        async with open_store(configuration(config).store.url, make=False) as store:
            return await read(store)

    return trio.run(opened)


def _journal(config: Path | None, call_id: str) -> list[Entry]:
    async def read(store: Store) -> tuple[CallRecord | None, list[Entry]]:
        return await store.call(call_id), list(await store.journal(call_id))

    record, entries = _with_store(config, read)
    if record and pruned(record, entries):
        raise CommandError(f"the journal of {call_id} is not kept any more (store.keep)")
    if not entries:
        raise CommandError(f"there is no call {call_id}; see: ringful calls list")
    return entries


@app.command(name="list")
def list_calls(*, config: Path | None = None, limit: int = 50) -> None:
    """List the newest calls."""
    for call in _with_store(config, lambda store: store.calls(limit=limit)):
        print(_line(call))


def _line(call: CallRecord) -> str:
    bill = "" if call.bill is None else format(call.bill, "f")
    seconds = f"{call.ended - call.answered:.0f} s" if call.ended and call.answered else ""
    return "  ".join(
        [call.call_id, stamp(call.created), _who(call), call.outcome or call.state, seconds, bill]
    ).rstrip()


def _who(call: CallRecord) -> str:
    if call.caller is None:
        return call.callee
    return f"{call.callee} called by {call.caller or 'nobody known'}"


@app.command
def show(call_id: str, *, config: Path | None = None) -> None:
    """Show what happened on a call, line by line."""
    print(render(Tracer().lines(_journal(config, call_id))), end="")


@app.command
def script(call_id: str, *, config: Path | None = None) -> None:
    """Show a call as a script."""
    entries = _journal(config, call_id)
    run = rebuild(call_id, entries, run_settings(configuration(config)))
    print(as_script(run, entries), end="")


@app.command(name="replay")
def replay_call(
    call_id: str, *, script: Path | None = None, keys: Keys = "answering", config: Path | None = None
) -> None:
    """Show how a call would have gone under another script; exit 1 if that is otherwise than it went.

    Parameters
    ----------
    script
        The script to try; without it, the call's own, which shows that the call can be replayed.
    keys
        What the far end's keys count from: answering (the sound that they came after), after (the
        key before), absolute (the beginning of the call).
    """
    try:
        replayed = replay(_journal(config, call_id), read_source(script) if script else None, keys=keys)
    except ScriptError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}", 2) from error
    for note in replayed.notes:
        print(f"note: {note}", file=sys.stderr)
    if not replayed.difference:
        print("identical: the call would have gone the same")
        return
    print("the call would have gone otherwise:")
    print("".join(f"  {line}\n" for line in replayed.difference), end="")
    sys.exit(1)


@app.command(name="golden")
def golden_case(
    call_id: str, *, to: Path | None = None, keys: Keys = "answering", config: Path | None = None
) -> None:
    """Make a golden case of a call, with its numbers and codes masked.

    Parameters
    ----------
    to
        The file to write; without it, the case is printed.
    keys
        What the far end's keys count from: answering (the sound that they came after), after (the
        key before), absolute (the beginning of the call).
    """
    settings = run_settings(configuration(config))
    text, apart = golden(_journal(config, call_id), settings, to or Path("call.golden"), keys=keys)
    if apart:
        print(f"note: the case goes otherwise than the call went:\n{apart}", file=sys.stderr)
    if to:
        write_whole(to, text)
    else:
        print(text, end="")
