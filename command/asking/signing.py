"""What a command signs with: which key, at which server, with which seq."""

import os
import time
from urllib.parse import urlsplit

from attrs import frozen

from ringful.command.asking.pick import usable
from ringful.command.configuration.config import Config
from ringful.command.errors import CommandError
from ringful.store.port import Reads
from ringful.store.window import seqs_of

_UNITS = (1_000_000, 1_000, 1)
"""Nanoseconds of what a seq may count: milliseconds, microseconds, nanoseconds."""
_DAY = 24 * 3600 * 1_000_000_000


def next_seq(newest: int) -> int:
    """Give a seq above *newest*: the clock in the unit in which the key's clients count, where they do.

    It is above what two commands in a row took, also before the first of them was used.
    """
    now = time.time_ns()
    for unit in _UNITS:
        if newest <= (now + _DAY) // unit:
            return max(now // unit, newest + 1)
    return newest + 1


def base_of(settings: Config, url: str | None) -> str:
    """Give the server's address."""
    base = url or settings.http.public_url or f"http://{settings.http.bind}"
    if urlsplit(base).scheme not in ("http", "https"):
        raise CommandError(f"{base!r}: expected an address such as http://127.0.0.1:8080", 2)
    return base.rstrip("/")


@frozen
class Found:
    """A key to sign with, its secret, and the newest seq that is known to be used."""

    key: str
    secret: str
    newest: int = 0


def find_key(settings: Config, wanted: str | None, secret: str | None) -> Found:
    """Find what to sign with: what is given, or else RINGFUL_KEY and RINGFUL_SECRET, or as the store has it.

    A key of the store may be meant by its name; where none is, it is the only one.  Raises CommandError.
    """
    wanted = wanted or os.environ.get("RINGFUL_KEY") or None
    secret = secret or os.environ.get("RINGFUL_SECRET") or None
    if wanted is not None and secret is not None:
        return Found(wanted, secret)

    # Who is given both asks no store, and does not wait for what reads one.
    from ringful.command.asking.stored import read_stored

    async def look(store: Reads) -> Found:
        key = usable(await store.keys(), wanted)
        used = await store.used_seqs(seqs_of(key))
        return Found(key.key, secret or key.secret, max(used, default=0))

    return read_stored(settings, look)
