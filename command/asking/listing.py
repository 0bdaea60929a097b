"""Records of the store, listed and exported: what the commands about calls and about messages share."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO, TypeAlias, TypeVar

from attrs import evolve

from ringful.command.asking.pick import owner
from ringful.command.asking.stored import read_stored
from ringful.command.configuration.config import Config
from ringful.command.errors import CommandError
from ringful.store.port import CallFilter, CallRecord, LegFilter, LegRecord, Message, MessageFilter, Reads

F = TypeVar("F", CallFilter, LegFilter, MessageFilter)
T = TypeVar("T", CallRecord, LegRecord, Message)
Found: TypeAlias = Callable[..., Awaitable[Sequence[T]]]
"""Reads the records that are wanted, *after* one of them, up to a *limit*: as the store does."""

Of: TypeAlias = Callable[[Reads], tuple[Callable[[str], Awaitable[T | None]], Found[T]]]
"""Give what reads one record of a store by its ID, and what finds many."""


def newest(
    settings: Config, wanted: F, kind: str, of: Of[T], *, key: str | None, after: str | None, limit: int
) -> Sequence[T]:
    """Give the newest records that are *wanted*, of *key* alone where one is named, behind *after*.

    Raises CommandError, StoreError.
    """
    if limit < 1:
        raise CommandError(f"--limit: expected 1 or more, not {limit}", 2)

    async def found(store: Reads) -> Sequence[T]:
        one, many = of(store)
        place = None if after is None else await one(after)
        if after is not None and place is None:
            raise CommandError(f"there is no {kind} {after}; see: ringful {kind}s list")
        return await many(evolve(wanted, key=await owner(store, key)), after=place, limit=limit)

    return read_stored(settings, found)


def export(
    settings: Config,
    wanted: F,
    of: Of[T],
    columns: Sequence[str],
    show: Callable[[T], dict[str, Any]],
    *,
    key: str | None,
    form: Literal["csv", "json"],
    output: Path | None,
) -> None:
    """Write all records that are *wanted*, the oldest first, each with its key.

    Raises CommandError, StoreError.
    """
    # Whoever only lists does not wait for what writes tables.
    from ringful.command.showing.exported import PAGE, destination, write

    async def every(store: Reads, to: TextIO) -> None:
        _, many = of(store)
        of_key = evolve(wanted, key=await owner(store, key))

        async def read(after: T | None) -> Sequence[T]:
            return await many(of_key, after=after, limit=PAGE, oldest=True)

        await write(to, form, ("key", *columns), read, lambda one: {"key": one.key, **show(one)})

    with destination(output) as to:
        read_stored(settings, lambda store: every(store, to))
