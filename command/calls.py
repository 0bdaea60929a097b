"""`ringful calls`: the calls of this server, live and ended."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import trio
from cyclopts import App

from ringful.command.errors import CommandError
from ringful.command.house import run_settings
from ringful.command.settings import configuration
from ringful.interpreter.tell import stamp
from ringful.interpreter.trace import Tracer, render
from ringful.interpreter.view import as_script, rebuild
from ringful.store.open import open_store
from ringful.store.port import CallRecord, Entry, Store

app = App(name="calls", help="Calls, live and ended.")
_T = TypeVar("_T")


def _with_store(config: Path | None, read: Callable[[Store], Awaitable[_T]]) -> _T:
    async def opened() -> _T:
        async with open_store(configuration(config).store.url) as store:
            return await read(store)

    return trio.run(opened)


def _journal(config: Path | None, call_id: str) -> list[Entry]:
    entries = _with_store(config, lambda store: store.journal(call_id))
    if not entries:
        raise CommandError(f"there is no call {call_id}; see: ringful calls list")
    return list(entries)


@app.command(name="list")
def list_calls(*, config: Path | None = None, limit: int = 50) -> None:
    """List the newest calls."""
    for call in _with_store(config, lambda store: store.calls(limit=limit)):
        print(_line(call))


def _line(call: CallRecord) -> str:
    bill = "" if call.bill is None else format(call.bill, "f")
    seconds = f"{call.ended - call.answered:.0f} s" if call.ended and call.answered else ""
    return "  ".join(
        [call.call_id, stamp(call.created), call.callee, call.outcome or call.state, seconds, bill]
    ).rstrip()


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
