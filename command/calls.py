"""`ringful calls`: the calls of this server, live and ended."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import trio
from attrs import evolve
from cyclopts import App, Parameter

from ringful.command.errors import CommandError
from ringful.command.pick import pick
from ringful.command.serving.house import run_settings
from ringful.command.settings import configuration
from ringful.grammar.errors import ScriptError
from ringful.ground.files import write_whole
from ringful.http.present import record_as_text
from ringful.http.reading import parameters as p
from ringful.http.reading.requests import call_filter
from ringful.interpreter.calls.view import as_script, pruned, rebuild
from ringful.interpreter.sources import read_source
from ringful.interpreter.trace import Tracer, render
from ringful.simulation.replay.replay import golden, replay
from ringful.simulation.replay.retold_phones import Keys
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
def list_calls(
    *,
    key: str | None = None,
    state: str | None = None,
    number: str | None = None,
    label: str | None = None,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    after: str | None = None,
    limit: int = 50,
    config: Path | None = None,
) -> None:
    """List the newest calls.

    Parameters
    ----------
    key
        Only the calls of this key: its ID or its name.
    state
        live, ended, or an outcome such as completed or busy.
    number
        Only calls to this number, or from it.
    label
        Only calls that are called so.
    since
        Only calls placed then or later: 2026-01-31T09:00:00Z, or Unix seconds.
    until
        Only calls placed before.
    after
        Only calls behind this one, the last of the page before.
    limit
        How many, at most.
    """
    country = configuration(config).sip.country
    numbers = _read("--number", number, p.any_number(country)) or ()
    start, end = _read("--from", since, p.moment), _read("--to", until, p.moment)
    if start is not None and end is not None and start >= end:
        raise CommandError("--from: expected a time before --to", 2)
    if limit < 1:
        raise CommandError(f"--limit: expected 1 or more, not {limit}", 2)
    wanted = call_filter(
        _read("--state", state, p.call_state), numbers, _read("--label", label, p.label), start, end
    )

    async def found(store: Store) -> Sequence[CallRecord]:
        place = None if after is None else await store.call(after)
        if after is not None and place is None:
            raise CommandError(f"there is no call {after}; see: ringful calls list")
        owner = None if key is None else pick(await store.keys(), key).key
        return await store.find_calls(evolve(wanted, key=owner), after=place, limit=limit)

    for call in _with_store(config, found):
        print(record_as_text(call))


def _read(option: str, written: str | None, read: Callable[[str, str], _T]) -> _T | None:
    """Read what an option says, as the API reads its parameter."""
    try:
        return None if written is None else read(option, written.strip())
    except p.BadParameter as bad:
        raise CommandError(str(bad), 2) from bad


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
