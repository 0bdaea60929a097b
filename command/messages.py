"""`ringful messages`: the text messages of this server, both ways."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from ringful.command.arguments.records import Given, messages
from ringful.command.asking.listing import Found, export, newest
from ringful.command.asking.stored import read_stored
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.http.message_records import COLUMNS, message_as_json, message_as_text, message_in_full
from ringful.http.present import as_lines
from ringful.interpreter.trace import Tracer, render
from ringful.store.port import Entry, Message, Reads

app = App(name="messages", help="Text messages, both ways.")


def _messages(store: Reads) -> tuple[Callable[[str], Awaitable[Message | None]], Found[Message]]:
    return store.message, store.find_messages


@app.command(name="list")
def list_messages(
    *,
    key: str | None = None,
    direction: str | None = None,
    state: str | None = None,
    number: str | None = None,
    label: str | None = None,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    after: str | None = None,
    limit: int = 50,
    config: Path | None = None,
) -> None:
    """List the newest messages.

    Parameters
    ----------
    key
        Only the messages of this key: its ID or its name.
    direction
        inbound or outbound.
    state
        queued, sending, sent, delivered, failed or received.
    number
        Only messages to this phone, or from it.
    label
        Only messages that are called so.
    since
        Only messages made then or later: 2026-01-31T09:00:00Z, or Unix seconds.
    until
        Only messages made before.
    after
        Only messages behind this one, the last of the page before.
    limit
        How many, at most.
    """
    settings = configuration(config)
    wanted = messages(settings.sip.country, Given(state, direction, number, label, since, until))
    for message in newest(settings, wanted, "message", _messages, key=key, after=after, limit=limit):
        print(message_as_text(message))


@app.command(name="export")
def export_messages(
    *,
    form: Annotated[Literal["csv", "json"], Parameter(name="--format")] = "csv",
    key: str | None = None,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    output: Path | None = None,
    config: Path | None = None,
) -> None:
    """Write a line for each message, the oldest first, with its text where that is kept.

    Parameters
    ----------
    form
        csv, or json: an object on each line.
    key
        Only those of this key: its ID or its name.
    since
        Only messages made then or later: 2026-01-31T09:00:00Z, or Unix seconds.
    until
        Only messages made before.
    output
        The file to write, which is replaced once all is written; without it, the lines are printed.
    """
    settings = configuration(config)
    wanted = messages(settings.sip.country, Given(since=since, until=until))
    export(settings, wanted, _messages, COLUMNS, message_as_json, key=key, form=form, output=output)


@app.command
def show(message_id: str, *, config: Path | None = None) -> None:
    """Show all about a message, and what happened to it, line by line."""

    async def found(store: Reads) -> tuple[Message | None, Sequence[Entry]]:
        return await store.message(message_id), await store.journal(message_id)

    message, entries = read_stored(configuration(config), found)
    if message is None:
        raise CommandError(f"there is no message {message_id}; see: ringful messages list")
    print(as_lines(message_in_full(message)), end="")
    print(render(Tracer().lines(entries)), end="")
