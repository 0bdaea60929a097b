"""`ringful keys`: who may use the API."""

import math
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import trio
from attrs import evolve
from cyclopts import App

from ringful.command.errors import CommandError
from ringful.command.settings import configuration
from ringful.ground.files import keep_private
from ringful.store.keys import new_key_id, new_secret
from ringful.store.open import open_store
from ringful.store.port import Key

T = TypeVar("T")

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
        _fitting("NAME", name, name.isprintable() and name.strip(), "a name in one line"),
        time.time(),
        signing=signing,
        prefixes=tuple(_prefix(one) for one in prefix or ()),
        calls_per_second=_fitting(
            "--calls-per-second", calls_per_second, _above_nothing(calls_per_second), "a number above 0"
        ),
        concurrent=_fitting("--concurrent", concurrent, _above_nothing(concurrent), "a number above 0"),
        spending_cap=_fitting("--cap", cap, cap is None or (cap.is_finite() and cap >= 0), "an amount"),
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

    for key in trio.run(read):
        print("  ".join([key.key, key.name, *_notes(key)]))


def _notes(key: Key) -> Iterator[str]:
    if key.revoked is not None:
        yield "revoked"
    if not key.signing:
        yield "UNSIGNED requests are taken"
    if key.prefixes:
        yield f"may call {','.join(key.prefixes)}"
    if key.calls_per_second is not None:
        yield f"{key.calls_per_second:g} calls/s"
    if key.concurrent is not None:
        yield f"{key.concurrent} calls at once"
    if key.spending_cap is not None:
        yield f"may spend {key.spending_cap}"


@app.command
def revoke(key: str, *, config: Path | None = None) -> None:
    """Take KEY out of use, at once."""

    async def end() -> None:
        async with open_store(configuration(config).store.url, make=False) as store:
            known = await store.key(key)
            if known is None:
                raise CommandError(f"there is no key {key}; see: ringful keys list")
            if known.revoked is None:
                await store.put_key(evolve(known, revoked=time.time()))

    trio.run(end)
