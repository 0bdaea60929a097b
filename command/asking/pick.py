"""Which key is meant: the one that is named, by its ID or its name, or the only one."""

from collections.abc import Sequence

from ringful.command.errors import CommandError
from ringful.store.port import Key, Reads


def pick(keys: Sequence[Key], wanted: str) -> Key:
    """Give the key with the ID *wanted*, or the only one of that name: one that holds, if there are several.

    Raises CommandError.
    """
    by_id = [key for key in keys if key.key == wanted]
    named = [key for key in keys if key.name == wanted]
    found = by_id or [key for key in named if key.revoked is None] or named
    if not found:
        raise CommandError(f"there is no key {wanted}; see: ringful keys list")
    if len(found) > 1:
        raise CommandError(f"several keys are called {wanted}: say which by its ID: {_listed(found)}", 2)
    return found[0]


async def owner(store: Reads, wanted: str | None) -> str | None:
    """Give the ID of the key that is *wanted*, as `pick` does; None: none is named."""
    return None if wanted is None else pick(await store.keys(), wanted).key


def usable(keys: Sequence[Key], wanted: str | None) -> Key:
    """Give the key to use: the one that is *wanted*, or the only one that holds.  Raises CommandError."""
    if wanted is not None:
        found = pick(keys, wanted)
        if found.revoked is not None:
            raise CommandError(f"the key {found.name} ({found.key}) was revoked; see: ringful keys list")
        return found
    holding = [key for key in keys if key.revoked is None]
    if not holding:
        raise CommandError("there is no key; make one: ringful keys add NAME")
    if len(holding) > 1:
        raise CommandError(f"there are several keys: say --key NAME, or RINGFUL_KEY: {_listed(holding)}", 2)
    return holding[0]


def _listed(keys: Sequence[Key]) -> str:
    return ", ".join(f"{key.name} ({key.key})" for key in keys)
