"""`ringful keys`: who may use the API."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from attrs import evolve
from cyclopts import App, Parameter

from ringful.command.arguments import keys as read
from ringful.command.asking.pick import pick
from ringful.command.asking.stored import read_stored, with_store
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.command.showing.keys import in_a_line, in_full
from ringful.ground.files import keep_private
from ringful.interpreter.money.bills import By, bill_as_text, bills, whole
from ringful.interpreter.tell import stamp
from ringful.store.keys import ANYWHERE, new_key_id, new_secret, old_until, rotated, without_old
from ringful.store.port import DayBill, Key, Reads, Store
from ringful.store.window import seqs_of

app = App(name="keys", help="API keys.")


@app.command
def add(
    name: str,
    *,
    config: Path | None = None,
    signing: bool = True,
    prefix: list[str] | None = None,
    calls_per_second: float | None = None,
    concurrent: int | None = None,
    cap: Decimal | None = None,
    most_cost: Decimal | None = None,
) -> None:
    """Make a key for NAME, and print "KEY SECRET".

    Parameters
    ----------
    config
        The configuration; ringful.toml, where none is named.
    signing
        --no-signing takes unsigned requests, for a trial only.
    prefix
        What may be called, e.g. +1512; may be repeated; without any, the server's own country.
    calls_per_second
        How fast it may place calls; the configuration's, where none is named.
    concurrent
        How many calls it may have at once; the configuration's, where none is named.
    cap
        What its calls and messages may cost in all; a call that can pay no more is hung up.
    most_cost
        What one script may cost at most: one that could cost more, or of which nobody can say, is not run.
    """
    key = Key(
        new_key_id(),
        new_secret(),
        read.name_of("NAME", name),
        time.time(),
        signing=signing,
        prefixes=read.prefixes(prefix),
        calls_per_second=read.rate(calls_per_second),
        concurrent=read.concurrent(concurrent),
        spending_cap=read.cap(cap),
        most_cost=read.most_cost(most_cost),
    )
    settings = configuration(config)
    keep_private()
    with_store(settings, lambda store: store.put_key(key), make=True)
    print(key.key, key.secret)


@app.command(name="list")
def list_keys(*, config: Path | None = None) -> None:
    """List the keys; secrets are not shown."""

    async def found(store: Reads) -> list[tuple[Key, Decimal]]:
        return [(key, await store.spent(key.key)) for key in await store.keys()]

    now = time.time()
    for key, spent in read_stored(configuration(config), found):
        print(in_a_line(key, spent, now))


@app.command
def show(key: str, *, config: Path | None = None) -> None:
    """Show all about KEY (its ID or its name) but its secrets."""

    async def found(store: Reads) -> tuple[Key, Decimal, int]:
        one = pick(await store.keys(), key)
        used = await store.used_seqs(seqs_of(one))
        return one, await store.spent(one.key), max(used, default=0)

    print(in_full(*read_stored(configuration(config), found), time.time()), end="")


@app.command
def bill(
    key: str,
    *,
    by: By = "month",
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    config: Path | None = None,
) -> None:
    """Show what KEY (its ID or its name) has to pay, by months or days (UTC), and in all.

    A leg is paid for when it ends, and a message when it is made.

    Parameters
    ----------
    by
        month or day.
    since
        Only what is of then or later: 2026-01-31T09:00:00Z, or Unix seconds.
    until
        Only what is of before.
    """
    # Whoever only lists does not wait for what reads times.
    from ringful.command.arguments.records import span

    start, end = span(since, until)

    async def found(store: Reads) -> Sequence[DayBill]:
        one = pick(await store.keys(), key)
        return await store.bills(one.key, since=start, until=end)

    shown = bills(read_stored(configuration(config), found), by)
    for one in (*shown, whole(shown)):
        print(bill_as_text(one))


_Flag = Annotated[bool, Parameter(negative=())]


@app.command(name="set")
def set_key(
    key: str,
    *,
    config: Path | None = None,
    name: str | None = None,
    signing: bool | None = None,
    prefix: Annotated[list[str] | None, Parameter(negative=())] = None,
    any_prefix: _Flag = False,
    no_prefixes: _Flag = False,
    calls_per_second: float | None = None,
    no_calls_per_second: _Flag = False,
    concurrent: int | None = None,
    no_concurrent: _Flag = False,
    cap: Decimal | None = None,
    no_cap: _Flag = False,
    most_cost: Decimal | None = None,
    no_most_cost: _Flag = False,
) -> None:
    """Change what KEY (its ID or its name) may do: only what is named.

    A running server knows it within a second, and holds calls that are up to a new cap within some more;
    otherwise they go on as they began.

    Parameters
    ----------
    name
        What it is called.
    signing
        --no-signing takes unsigned requests, for a trial only.
    prefix
        What may be called, instead of what was; may be repeated.
    any_prefix
        Every number may be called.
    no_prefixes
        Only the server's own country may be called.
    calls_per_second
        How fast it may place calls.
    no_calls_per_second
        As fast as the configuration says.
    concurrent
        How many calls it may have at once.
    no_concurrent
        As many as the configuration says.
    cap
        What its calls and messages may cost in all; a call that can pay no more is hung up.
    no_cap
        They may cost anything.
    most_cost
        What one script may cost at most: one that could cost more, or of which nobody can say, is not run.
    no_most_cost
        A script may cost anything.
    """
    read.one_of(prefix=prefix is not None, any_prefix=any_prefix, no_prefixes=no_prefixes)
    read.one_of(calls_per_second=calls_per_second is not None, no_calls_per_second=no_calls_per_second)
    read.one_of(concurrent=concurrent is not None, no_concurrent=no_concurrent)
    read.one_of(cap=cap is not None, no_cap=no_cap)
    read.one_of(most_cost=most_cost is not None, no_most_cost=no_most_cost)
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = read.name_of("--name", name)
    if signing is not None:
        changes["signing"] = signing
    if prefix is not None or any_prefix or no_prefixes:
        changes["prefixes"] = ANYWHERE if any_prefix else read.prefixes(prefix)
    if calls_per_second is not None or no_calls_per_second:
        changes["calls_per_second"] = read.rate(calls_per_second)
    if concurrent is not None or no_concurrent:
        changes["concurrent"] = read.concurrent(concurrent)
    if cap is not None or no_cap:
        changes["spending_cap"] = read.cap(cap)
    if most_cost is not None or no_most_cost:
        changes["most_cost"] = read.most_cost(most_cost)
    if not changes:
        raise CommandError("nothing to change is named; see: ringful keys set --help", 2)
    _change(config, key, lambda known: evolve(known, **changes))


@app.command
def rotate(
    key: str,
    *,
    overlap: Annotated[str | None, Parameter(name="--for")] = None,
    end: _Flag = False,
    config: Path | None = None,
) -> None:
    """Make a new secret for KEY (its ID or its name), and print "KEY SECRET".

    The old one holds for a while, so that whoever uses it can change over. The new one begins with seqs
    of its own.

    Parameters
    ----------
    overlap
        For how long the old secret holds: 24h where nothing is said; 0s drops it at once.
    end
        Make no secret, but drop the old one at once.
    """
    if end and overlap is not None:
        raise CommandError("give only one of --for and --end", 2)
    seconds = read.overlap("24h" if overlap is None else overlap)
    now = time.time()

    def renewed(known: Key) -> Key:
        _see_that_it_can(known, old_until(known, now), seconds, end=end)
        return without_old(known) if end else rotated(known, now + seconds if seconds else None)

    changed = _change(config, key, renewed)
    if not end:
        print(changed.key, changed.secret)


def _see_that_it_can(key: Key, until: float | None, seconds: float, *, end: bool) -> None:
    """Hold that *key*, whose old secret holds *until* then, can have what is asked for it."""
    which = f"{key.name} ({key.key})"
    if key.revoked is not None:
        raise CommandError(f"the key {which} was revoked")
    if end and until is None:
        raise CommandError(f"no old secret of {which} holds")
    if not end and until is not None and seconds:
        raise CommandError(
            f"an old secret of {which} holds until {stamp(until)}: "
            "drop it with --end first, or both with --for 0s"
        )


@app.command
def revoke(key: str, *, config: Path | None = None) -> None:
    """Take KEY (its ID or its name) out of use, at once."""
    _change(config, key, lambda known: evolve(known, revoked=known.revoked or time.time()))


def _change(config: Path | None, wanted: str, change: Callable[[Key], Key]) -> Key:
    """Put what *change* makes of the key in its place; give that."""

    async def put(store: Store) -> Key:
        known = pick(await store.keys(), wanted)
        changed = change(known)
        if changed != known:
            await store.put_key(changed)
        return changed

    return with_store(configuration(config), put)
