"""The trunks of a server, watched: where calls come in, and what is said of them in the keys' own names."""

from collections.abc import Callable
from functools import partial

from attrs import evolve

from ringful.command.configuration.address import split_address
from ringful.command.configuration.config import Config
from ringful.command.serving.front import way_to
from ringful.interpreter.calls import trunk_failures as failures
from ringful.interpreter.calls.e164 import Plan
from ringful.media.front.front import Front
from ringful.media.pool import Pool
from ringful.media.trunking.standing import Surroundings
from ringful.media.trunking.watch import TrunkWatch
from ringful.media.trunks import Trunk


def watch_of(config: Config, pool: Pool, front: Front | None = None) -> TrunkWatch:
    """Make the watch over the trunks of *config*, which *pool* heeds; it has not begun."""

    def entrance(trunk: Trunk) -> str | None:
        if front:
            return front.settings.known_as
        host = split_address(config.sip.bind)[0]
        known = config.sip.public_address or ("" if host == "0.0.0.0" else host)
        return f"{known}:{pool.entrance}" if pool.entrance else None

    around = surroundings(config, entrance, front)
    if front is None:
        around = evolve(around, exchange=pool.through.exchange)
    watch = TrunkWatch(config.sip.ways, pool.ways.places, around)
    pool.ways.avoided = lambda: watch.avoided
    return watch


def plans_of(config: Config) -> dict[str, Plan]:
    """Give how each trunk writes the numbers of calls that come in."""
    return {
        trunk.name: Plan(trunk.country or config.sip.country, whole=trunk.numbers == "e164")
        for trunk in config.sip.ways
    }


def surroundings(
    config: Config,
    entrance: Callable[[Trunk], str | None] = lambda _: None,
    front: Front | None = None,
) -> Surroundings:
    """Give what a watch must know."""

    def named(trunk: Trunk, said: str) -> str:
        return failures.in_keys(known_as(trunk, tables=bool(config.sip.trunks)), said)

    way = partial(way_to, front) if front else None
    return Surroundings(
        failures.meaning, named, entrance, way, str(config.sip.tls_authorities), config.sip.options
    )


def known_as(trunk: Trunk, *, tables: bool) -> failures.Trunk:
    """Give what is said of *trunk* where a call failed; *tables*: trunks have tables of their own."""
    host = f"{trunk.host}:{trunk.port}" if trunk.port else trunk.host
    return failures.Trunk(host, trunk.ours.username, trunk.name, tables)
