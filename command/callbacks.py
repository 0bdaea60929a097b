"""`ringful callbacks`: those that were not delivered, and sending them again.

They are read and marked in the store, whether a server runs or not: a running one looks for what
is marked every two seconds, and another one takes it up when it starts.
"""

from pathlib import Path

from cyclopts import App

from ringful.command.asking.stored import read_stored, with_store
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.http.desks.callbacks import as_json, as_text, word
from ringful.http.reading.callbacks import STATES, UNDELIVERED
from ringful.store.port import PostState, Store
from ringful.store.resend import resend_parked, resend_these

app = App(name="callbacks", help="Callbacks that were not delivered, and sending them again.")


@app.command(name="list")
def list_callbacks(
    *,
    parked: bool = False,
    waiting: bool = False,
    call: str | None = None,
    key: str | None = None,
    limit: int = 100,
    config: Path | None = None,
) -> None:
    """List the callbacks that were not delivered, the oldest first; exit 1 if there are none.

    Parameters
    ----------
    parked
        Only those that are sent no more.
    waiting
        Only those that are yet to be sent, or sent again.
    call
        Only those of this call.
    key
        Only those of this key.
    limit
        How many at most.
    """
    if limit < 1:
        raise CommandError(f"--limit: expected a number above 0, not {limit}", 2)
    states = UNDELIVERED if parked == waiting else STATES["parked" if parked else "waiting"]
    found = read_stored(
        configuration(config), lambda store: store.find_posts(states, call_id=call, key=key, limit=limit)
    )
    for one in found:
        print(as_text(one))
    if not found:
        raise CommandError("there are no such callbacks")


@app.command
def show(event: str, *, config: Path | None = None) -> None:
    """Show how a callback stands, and what it tells."""
    one = read_stored(configuration(config), lambda store: store.post(event))
    if one is None:
        raise CommandError(f"there is no callback {event}; see: ringful callbacks list")
    for name, value in as_json(one).items():
        if value is not None:
            print(f"{name}: {value}")
    for name, value in one.post.fields.items():
        print(f"field {name}: {value}")


@app.command
def resend(
    *events: str,
    url: str | None = None,
    call: str | None = None,
    key: str | None = None,
    all: bool = False,  # noqa: A002 (the option's name)
    config: Path | None = None,
) -> None:
    """Send parked callbacks again, as if they were new; exit 1 if there are none such.

    Parameters
    ----------
    events
        Which; without any, all that fit the options.
    url
        Those to this URL.
    call
        Those of this call.
    key
        Those of this key.
    all
        All there are.
    """
    chosen = [bool(events), any(one is not None for one in (url, call, key)), all]
    if sum(chosen) != 1:
        raise CommandError("say which: events, or --url, --call, --key, or --all", 2)

    async def do(store: Store) -> int:
        if events:
            return await resend_these(store, [await _parked(store, event) for event in dict.fromkeys(events)])
        return await resend_parked(store, url=url, call_id=call, key=key)

    many = with_store(configuration(config), do)
    if not many:
        raise CommandError("there are no such callbacks that are parked; see: ringful callbacks list")
    print(f"{many} callback{'' if many == 1 else 's'} will be sent again")


async def _parked(store: Store, event: str) -> PostState:
    one = await store.post(event)
    if one is None:
        raise CommandError(f"there is no callback {event}; see: ringful callbacks list")
    if one.state != "parked":
        raise CommandError(f"the callback {event} is {word(one.state)}; only parked ones are sent again")
    return one
