"""`ringful calls show|script|replay|golden`: what happened on one call, and what would have."""

import sys
from pathlib import Path

from ringful.command.arguments.readable import readable
from ringful.command.asking.stored import read_stored
from ringful.command.configuration.runs import run_settings
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.ground.files import write_whole
from ringful.interpreter.calls.view import as_script, pruned, rebuild
from ringful.interpreter.sources import read_source
from ringful.interpreter.trace import Tracer, render
from ringful.simulation.replay.replay import golden as masked_case
from ringful.simulation.replay.replay import replay as replayed_call
from ringful.simulation.replay.retold_phones import Keys
from ringful.store.port import CallRecord, Entry, Reads


def _journal(config: Path | None, call_id: str) -> list[Entry]:
    async def read(store: Reads) -> tuple[CallRecord | None, list[Entry]]:
        return await store.call(call_id), list(await store.journal(call_id))

    record, entries = read_stored(configuration(config), read)
    if record and pruned(record, entries):
        raise CommandError(f"the journal of {call_id} is not kept any more (store.keep)")
    if not entries:
        raise CommandError(f"there is no call {call_id}; see: ringful calls list")
    return entries


def show(call_id: str, *, config: Path | None = None) -> None:
    """Show what happened on a call, line by line."""
    print(render(Tracer().lines(_journal(config, call_id))), end="")


def script(call_id: str, *, config: Path | None = None) -> None:
    """Show a call as a script."""
    entries = _journal(config, call_id)
    run = rebuild(call_id, entries, run_settings(configuration(config)))
    print(as_script(run, entries), end="")


def replay(
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
    with readable():
        tried = read_source(script) if script else None
        replayed = replayed_call(_journal(config, call_id), tried, keys=keys)
    for note in replayed.notes:
        print(f"note: {note}", file=sys.stderr)
    if replayed.apart:
        print("in virtual time the call itself goes otherwise than it went:")
        print("".join(f"  {line}\n" for line in replayed.apart.splitlines()), end="")
        if script and not replayed.difference:
            print("this script makes no difference to that")
    elif not replayed.difference:
        print("identical: the call would have gone the same")
        return
    if replayed.difference:
        print("the call would have gone otherwise:")
        print("".join(f"  {line}\n" for line in replayed.difference), end="")
    sys.exit(1)


def golden(
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
    text, apart = masked_case(_journal(config, call_id), settings, to or Path("call.golden"), keys=keys)
    if apart:
        print(f"note: the case goes otherwise than the call went:\n{apart}", file=sys.stderr)
    if to:
        write_whole(to, text)
    else:
        print(text, end="")
