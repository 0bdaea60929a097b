"""`ringful calls`: the calls of this server, live and ended; `one_call` looks into one."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from ringful.command.asking.listing import Found, export, newest
from ringful.command.configuration.settings import configuration
from ringful.http.records import record_as_text
from ringful.store.port import CallFilter, CallRecord, LegRecord, Reads

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
    settings = configuration(config)
    filters = (state, number, label, since, until)
    wanted = CallFilter() if filters == (None,) * 5 else _wanted(settings.sip.country, *filters)
    for call in newest(settings, wanted, "call", _calls, key=key, after=after, limit=limit):
        print(record_as_text(call))


@app.command(name="export")
def export_legs(
    *,
    form: Annotated[Literal["csv", "json"], Parameter(name="--format")] = "csv",
    key: str | None = None,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    output: Path | None = None,
    config: Path | None = None,
) -> None:
    """Write a line for each leg that is over, by its end, the oldest first: what bills are made of.

    Parameters
    ----------
    form
        csv, or json: an object on each line.
    key
        Only those of this key: its ID or its name.
    since
        Only legs that ended then or later: 2026-01-31T09:00:00Z, or Unix seconds.
    until
        Only legs that ended before.
    output
        The file to write, which is replaced once all is written; without it, the lines are printed.
    """
    # Whoever only lists does not wait for what reads times.
    from ringful.command.arguments.records import Given, legs
    from ringful.http.leg_records import COLUMNS, leg_as_json

    settings, wanted = configuration(config), legs(Given(since=since, until=until))
    export(settings, wanted, _legs, COLUMNS, leg_as_json, key=key, form=form, output=output)


def _calls(store: Reads) -> tuple[Callable[[str], Awaitable[CallRecord | None]], Found[CallRecord]]:
    return store.call, store.find_calls


def _legs(store: Reads) -> tuple[Callable[[str], Awaitable[LegRecord | None]], Found[LegRecord]]:
    return store.leg, store.find_legs


def _wanted(
    country: str,
    state: str | None,
    number: str | None,
    label: str | None,
    since: str | None,
    until: str | None,
) -> CallFilter:
    # Whoever only lists does not wait for what reads numbers and times.
    from ringful.command.arguments.records import Given, calls

    return calls(country, Given(state, None, number, label, since, until))
