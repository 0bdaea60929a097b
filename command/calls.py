"""`ringful calls`: the calls of this server, live and ended; `one_call` looks into one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from attrs import evolve
from cyclopts import App, Parameter

from ringful.command.asking.pick import pick
from ringful.command.asking.stored import read_stored
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.http.records import record_as_text
from ringful.store.port import CallFilter, CallRecord, Reads

app = App(name="calls", help="Calls, live and ended.")

OF_ONE_CALL = {
    "show": "Show what happened on a call, line by line.",
    "script": "Show a call as a script.",
    "replay": "Show how a call would have gone under another script; "
    "exit 1 if that is otherwise than it went.",
    "golden": "Make a golden case of a call, with its numbers and codes masked.",
}
"""What looks into a call: imported when it is run, since a list must not wait for the whole language."""
for _name, _said in OF_ONE_CALL.items():
    app.command(f"ringful.command.one_call:{_name}", name=_name, help=_said)


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
    if limit < 1:
        raise CommandError(f"--limit: expected 1 or more, not {limit}", 2)
    settings = configuration(config)
    filters = (state, number, label, since, until)
    wanted = CallFilter() if filters == (None,) * 5 else _wanted(settings.sip.country, *filters)

    async def found(store: Reads) -> Sequence[CallRecord]:
        place = None if after is None else await store.call(after)
        if after is not None and place is None:
            raise CommandError(f"there is no call {after}; see: ringful calls list")
        owner = None if key is None else pick(await store.keys(), key).key
        return await store.find_calls(evolve(wanted, key=owner), after=place, limit=limit)

    for call in read_stored(settings, found):
        print(record_as_text(call))


def _wanted(country: str, *filters: str | None) -> CallFilter:
    # Whoever only lists does not wait for what reads numbers and times.
    from ringful.command.arguments.calls import wanted

    return wanted(country, *filters)
