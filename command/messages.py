"""`ringful messages`: the text messages of this server, both ways."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from attrs import evolve
from cyclopts import App, Parameter

from ringful.command.arguments.records import Given, messages
from ringful.command.asking.pick import owner
from ringful.command.asking.stored import read_stored
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.command.showing.exported import PAGE, destination, write
from ringful.http.message_records import COLUMNS, message_as_json, message_as_text, message_in_full
from ringful.http.present import as_lines
from ringful.interpreter.trace import Tracer, render
from ringful.store.port import Entry, Message, Reads

app = App(name="messages", help="Text messages, both ways.")


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
    if limit < 1:
        raise CommandError(f"--limit: expected 1 or more, not {limit}", 2)
    settings = configuration(config)
    wanted = messages(settings.sip.country, Given(state, direction, number, label, since, until))

    async def found(store: Reads) -> Sequence[Message]:
        place = None if after is None else await store.message(after)
        if after is not None and place is None:
            raise CommandError(f"there is no message {after}; see: ringful messages list")
        of_key = evolve(wanted, key=await owner(store, key))
        return await store.find_messages(of_key, after=place, limit=limit)

    for message in read_stored(settings, found):
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

    async def every(store: Reads) -> None:
        of_key = evolve(wanted, key=await owner(store, key))

        async def read(after: Message | None) -> Sequence[Message]:
            return await store.find_messages(of_key, after=after, limit=PAGE, oldest=True)

        def show(message: Message) -> dict[str, object]:
            return {"key": message.key, **message_as_json(message)}

        await write(to, form, ("key", *COLUMNS), read, show)

    with destination(output) as to:
        read_stored(settings, every)


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
