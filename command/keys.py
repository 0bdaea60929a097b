"""`ringful keys`: who may use the API."""

import math
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import trio
from attrs import evolve
from cyclopts import App, Parameter

from ringful.command.errors import CommandError
from ringful.command.pick import pick
from ringful.command.readers import Unfit, seconds
from ringful.command.settings import configuration
from ringful.ground.files import keep_private
from ringful.interpreter.tell import stamp
from ringful.store.keys import new_key_id, new_secret
from ringful.store.open import open_store
from ringful.store.port import Key
from ringful.store.window import seqs_of

T = TypeVar("T")

ANYWHERE = ("+",)
"""The prefix that every number has."""
LONGEST = 366 * 24 * 3600.0
"""Seconds that an old secret may hold at most."""

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
        What its calls may cost in all.
    """
    key = Key(
        new_key_id(),
        new_secret(),
        _name("NAME", name),
        time.time(),
        signing=signing,
        prefixes=tuple(_prefix(one) for one in prefix or ()),
        calls_per_second=_rate(calls_per_second),
        concurrent=_concurrent(concurrent),
        spending_cap=_cap(cap),
    )

    async def put() -> None:
        async with open_store(configuration(config).store.url) as store:
            await store.put_key(key)

    keep_private()
    trio.run(put)
    print(key.key, key.secret)


def _fitting(option: str, value: T, fits: object, wanted: str) -> T:
    if not fits:
        raise CommandError(f"{option}: expected {wanted}, not {value}", 2)
    return value


def _name(option: str, name: str) -> str:
    return _fitting(option, name, name.isprintable() and name.strip(), "a name in one line")


def _rate(value: float | None) -> float | None:
    return _fitting("--calls-per-second", value, _above_nothing(value), "a number above 0")


def _concurrent(value: int | None) -> int | None:
    return _fitting("--concurrent", value, _above_nothing(value), "a number above 0")


def _cap(cap: Decimal | None) -> Decimal | None:
    return _fitting("--cap", cap, cap is None or (cap.is_finite() and cap >= 0), "an amount")


def _above_nothing(value: float | None) -> bool:
    return value is None or 0 < value < math.inf


def _prefix(written: str) -> str:
    return _fitting(
        "--prefix", written, re.fullmatch(r"\+?\d{1,15}", written, re.ASCII), "digits such as +1512"
    )


@app.command(name="list")
def list_keys(*, config: Path | None = None) -> None:
    """List the keys; secrets are not shown."""

    async def read() -> list[Key]:
        async with open_store(configuration(config).store.url, make=False) as store:
            return list(await store.keys())

    now = time.time()
    for key in trio.run(read):
        print("  ".join([key.key, key.name, *_notes(key, now)]))


def _notes(key: Key, now: float) -> Iterator[str]:
    if key.revoked is not None:
        yield "revoked"
    if not key.signing:
        yield "UNSIGNED requests are taken"
    if key.prefixes:
        yield f"may call {_reach(key)}"
    if key.calls_per_second is not None:
        yield f"{key.calls_per_second:g} calls/s"
    if key.concurrent is not None:
        yield f"{key.concurrent} calls at once"
    if key.spending_cap is not None:
        yield f"may spend {key.spending_cap}"
    if until := _overlap(key, now):
        yield f"its old secret holds until {until}"


def _reach(key: Key) -> str:
    if key.prefixes == ANYWHERE:
        return "anywhere"
    return ",".join(key.prefixes) or "the server's own country"


def _overlap(key: Key, now: float) -> str:
    """Say until when the key's old secret holds; nothing if it does not."""
    return stamp(key.old_until) if key.old_secret and key.old_until and now < key.old_until else ""


@app.command
def show(key: str, *, config: Path | None = None) -> None:
    """Show all about KEY (its ID or its name) but its secrets."""

    async def read() -> tuple[Key, Decimal, int]:
        async with open_store(configuration(config).store.url, make=False) as store:
            found = pick(await store.keys(), key)
            used = await store.used_seqs(seqs_of(found))
            return found, await store.spent(found.key), max(used, default=0)

    found, spent, newest = trio.run(read)
    own = "the configuration's"
    told = {
        "key": found.key,
        "name": found.name,
        "created": stamp(found.created),
        "revoked": stamp(found.revoked) if found.revoked is not None else "no",
        "signing": "yes" if found.signing else "no: UNSIGNED requests are taken",
        "may call": _reach(found),
        "calls per second": own if found.calls_per_second is None else f"{found.calls_per_second:g}",
        "calls at once": own if found.concurrent is None else str(found.concurrent),
        "spent": f"{spent:f}" + ("" if found.spending_cap is None else f" of {found.spending_cap}"),
        "newest seq": str(newest or "none was used"),
        "old secret": f"holds until {until}" if (until := _overlap(found, time.time())) else "none holds",
    }
    print("".join(f"{name}: {value}\n" for name, value in told.items()), end="")


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
) -> None:
    """Change what KEY (its ID or its name) may do: only what is named.

    A running server knows it within a second; calls that are up go on as they began.

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
        What its calls may cost in all.
    no_cap
        They may cost anything.
    """
    _one_of("--prefix", prefix is not None, "--any-prefix", any_prefix, "--no-prefixes", no_prefixes)
    _one_of("--calls-per-second", calls_per_second is not None, "--no-calls-per-second", no_calls_per_second)
    _one_of("--concurrent", concurrent is not None, "--no-concurrent", no_concurrent)
    _one_of("--cap", cap is not None, "--no-cap", no_cap)
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _name("--name", name)
    if signing is not None:
        changes["signing"] = signing
    if prefix is not None:
        changes["prefixes"] = tuple(_prefix(one) for one in prefix)
    if any_prefix or no_prefixes:
        changes["prefixes"] = ANYWHERE if any_prefix else ()
    if calls_per_second is not None or no_calls_per_second:
        changes["calls_per_second"] = _rate(calls_per_second)
    if concurrent is not None or no_concurrent:
        changes["concurrent"] = _concurrent(concurrent)
    if cap is not None or no_cap:
        changes["spending_cap"] = _cap(cap)
    if not changes:
        raise CommandError("nothing to change is named; see: ringful keys set --help", 2)
    _change(config, key, lambda known: evolve(known, **changes))


def _one_of(*pairs: object) -> None:
    """Hold that only one of these options is given: names and whether each is."""
    given = [name for name, is_given in zip(pairs[::2], pairs[1::2], strict=True) if is_given]
    if len(given) > 1:
        raise CommandError(f"give only one of {' and '.join(str(name) for name in given)}", 2)


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
    while_ = _overlap_of("24h" if overlap is None else overlap)
    now = time.time()

    def renewed(known: Key) -> Key:
        if known.revoked is not None:
            raise CommandError(f"the key {known.name} ({known.key}) was revoked")
        until = _overlap(known, now)
        if end:
            if not until:
                raise CommandError(f"no old secret of {known.name} ({known.key}) holds")
            return evolve(known, old_secret=None, old_until=None)
        if until and while_:
            raise CommandError(
                f"an old secret of {known.name} ({known.key}) holds until {until}: "
                "drop it with --end first, or both with --for 0s"
            )
        old = (known.secret, now + while_) if while_ else (None, None)
        return evolve(
            known,
            secret=new_secret(),
            old_secret=old[0],
            old_until=old[1],
            generation=known.generation + 1,
        )

    changed = _change(config, key, renewed)
    if not end:
        print(changed.key, changed.secret)


def _overlap_of(written: str) -> float:
    try:
        found = seconds(written)
    except Unfit:
        found = math.inf
    _fitting("--for", written, found <= LONGEST, "a duration such as 24h, 366 days at most")
    return found


@app.command
def revoke(key: str, *, config: Path | None = None) -> None:
    """Take KEY (its ID or its name) out of use, at once."""
    _change(config, key, lambda known: evolve(known, revoked=known.revoked or time.time()))


def _change(config: Path | None, wanted: str, change: Callable[[Key], Key]) -> Key:
    """Put what *change* makes of the key in its place; give that."""

    async def put() -> Key:
        async with open_store(configuration(config).store.url, make=False) as store:
            known = pick(await store.keys(), wanted)
            changed = change(known)
            if changed != known:
                await store.put_key(changed)
            return changed

    return trio.run(put)
