"""The trunks of a server, watched: where calls come in, and what is said of them in the keys' own names."""

import re
from collections.abc import Callable
from functools import partial

from ringful.command.configuration.address import split_address
from ringful.command.configuration.config import Config
from ringful.interpreter.calls.trunk_failures import meaning
from ringful.media.pool import Pool
from ringful.media.trunking.standing import Surroundings
from ringful.media.trunking.watch import TrunkWatch
from ringful.media.trunks import Trunk

_OTHERWISE = {"trunk": "address"}
"""Keys of the short form that have another name in a table."""


def watch_of(config: Config, pool: Pool) -> TrunkWatch:
    """Make the watch over the trunks of *config*, which *pool* heeds; it has not begun."""

    def entrance(trunk: Trunk) -> str | None:
        host = split_address(config.sip.bind)[0]
        known = config.sip.public_address or ("" if host == "0.0.0.0" else host)
        return f"{known}:{pool.entrance}" if pool.entrance else None

    watch = TrunkWatch(config.sip.ways, pool.names, surroundings(config, entrance))
    pool.avoided = lambda: watch.avoided
    return watch


def surroundings(config: Config, entrance: Callable[[Trunk], str | None] = lambda _: None) -> Surroundings:
    """Give what a watch must know."""
    named = partial(in_keys, tables=bool(config.sip.trunks))
    return Surroundings(meaning, named, entrance, options=config.sip.options)


def in_keys(trunk: Trunk, said: str, *, tables: bool) -> str:
    """Name the keys of *trunk* in what is *said* of ``sip.trunk``, where trunks are *tables*."""
    if not tables:
        return said
    return re.sub(
        r"\bsip\.(trunk|username|password|from_number)\b",
        lambda found: f"sip.trunks.{trunk.name}.{_OTHERWISE.get(found[1], found[1])}",
        said,
    )
