"""`ringful keys`: who may use the API."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import trio
from attrs import evolve
from cyclopts import App, Parameter

from ringful.command.errors import CommandError
from ringful.command.settings import configuration
from ringful.store.keys import new_key_id, new_secret
from ringful.store.open import open_store
from ringful.store.port import Key

app = App(name="keys", help="API keys.")


@app.command
def add(
    name: str,
    *,
    config: Path | None = None,
    signing: bool = True,
    prefix: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    calls_per_second: float | None = None,
    concurrent: int | None = None,
    cap: Decimal | None = None,
) -> None:
    """Make a key for NAME, and print "KEY SECRET".

    Parameters
    ----------
    signing
        --no-signing takes unsigned requests, for a trial only.
    prefix
        What may be called, e.g. +1512; without any, the server's own country.
    cap
        What its calls may cost in all.
    """
    key = Key(
        new_key_id(),
        new_secret(),
        name,
        time.time(),
        None,
        signing,
        calls_per_second,
        concurrent,
        tuple(prefix or ()),
        cap,
    )

    async def put() -> None:
        async with open_store(configuration(config).store.url) as store:
            await store.put_key(key)

    trio.run(put)
    print(key.key, key.secret)


@app.command(name="list")
def list_keys(*, config: Path | None = None) -> None:
    """List the keys; secrets are not shown."""

    async def read() -> list[Key]:
        async with open_store(configuration(config).store.url) as store:
            return list(await store.keys())

    for key in trio.run(read):
        notes = ["revoked"] if key.revoked else []
        notes += [] if key.signing else ["UNSIGNED requests are taken"]
        notes += [f"may call {','.join(key.prefixes)}"] if key.prefixes else []
        print("  ".join([key.key, key.name, *notes]))


@app.command
def revoke(key: str, *, config: Path | None = None) -> None:
    """Take KEY out of use, at once."""

    async def end() -> None:
        async with open_store(configuration(config).store.url) as store:
            known = await store.key(key)
            if known is None:
                raise CommandError(f"there is no key {key}; see: ringful keys list")
            await store.put_key(evolve(known, revoked=time.time()))

    trio.run(end)
