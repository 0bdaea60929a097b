"""The one place where the parts are joined."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from importlib.resources import files

import trio
from attrs import evolve, frozen

from ringful.command.configuration.address import split_address
from ringful.command.configuration.config import Config
from ringful.command.configuration.runs import run_settings
from ringful.command.serving.front import behind, front_of
from ringful.command.serving.messages import make_office, make_room, transports
from ringful.command.serving.seen import Parts, see
from ringful.command.serving.trunks import plans_of, watch_of
from ringful.ground.clock import SteadyClock
from ringful.ground.faults import Fence
from ringful.ground.lag import Lag
from ringful.http.app import App, make_app
from ringful.http.desks.children import simulate
from ringful.http.desks.library import Library as Scripts
from ringful.http.desks.messages import KeywordDesk
from ringful.http.desks.numbers import NumberDesk
from ringful.http.desks.recordings import RecordingDesk
from ringful.http.facade import Settings as FacadeSettings
from ringful.http.outward.addresses import refusal
from ringful.http.outward.callbacks import Deliverer
from ringful.http.outward.guard import guarded_client
from ringful.http.outward.outbound import Outbound
from ringful.http.outward.posting import open_poster
from ringful.http.reading.requests import Dialect
from ringful.interpreter.calls.arrivals import Arrivals
from ringful.interpreter.calls.limits import may_call
from ringful.interpreter.calls.live import House
from ringful.interpreter.calls.node import NodeLimits, Switchboard
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.calls.recover import recover
from ringful.interpreter.calls.retention import Retention
from ringful.interpreter.links import Links
from ringful.interpreter.messages.keywords import Keywords
from ringful.interpreter.messages.office import Office
from ringful.interpreter.settings import Settings
from ringful.interpreter.values import Value, from_json
from ringful.media import wav
from ringful.media.admission import BehindFront
from ringful.media.front.front import Front
from ringful.media.library.announcements import Library
from ringful.media.pool import Pool, PoolSettings, open_pool
from ringful.media.trunking.watch import TrunkWatch
from ringful.store.lock import Lock
from ringful.store.open import own_store
from ringful.store.port import Entry, Key, Post, Store
from ringful.store.window import accepted


@frozen
class Joined:
    """A server whose parts are joined and running, but for its HTTP."""

    store: Store
    lock: Lock
    pool: Pool
    switchboard: Switchboard
    deliverer: Deliverer
    app: App
    trunks: TrunkWatch
    front: Front | None


@asynccontextmanager
async def open_house(
    config: Config,
    *,
    watchers: tuple[Callable[[Entry], None], ...] = (),
    on_delivered: Callable[[Post], None] = lambda _: None,
) -> AsyncIterator[Joined]:
    """Join the parts as *config* says; what was up when the last server died is ended first.

    Raises StoreError where another server has the store, which is unhurt by it.
    """
    async with own_store(config.store.url) as (store, lock), trio.open_nursery() as nursery:
        tasks = Fence(nursery)
        secret = "" if config.recordings.public else await store.secret("links")
        settings = evolve(run_settings(config), link_secret=secret)
        recordings = config.store.recordings
        recordings.mkdir(parents=True, exist_ok=True)
        await recover(store, settings, recordings, wav.repair, time.time())
        # Two clients: announcements never wait for connections that receivers of callbacks hold.
        async with guarded_client(config.fetch.allow) as client, open_poster(config.fetch.allow) as poster:
            deliverer = Deliverer(store, poster, _secrets(store), tasks, on_delivered=on_delivered)
            await deliverer.take_up()
            outbound = Outbound(client)
            retention = Retention(store, recordings, config.store.keep, config.recordings.keep)
            tasks.start_soon(retention.run)
            library = Library(
                config.media.cache,
                config.media.folders,
                outbound.fetch,
                tasks,
                recordings=(settings.recordings_url, recordings),
                allowed=partial(_may_play, settings.links),
            )
            async with (
                front_of(config) as front,
                open_pool(pool_settings(config, behind(front, tasks) if front else None), library) as pool,
            ):
                carried, clock = transports(config, pool), SteadyClock()
                office = make_office(config, store, deliverer.deliver, carried, _allowed(config), clock)
                lag = Lag()
                joint = Joint(pool, store, deliverer, outbound, office, clock, lag)
                house = _house(config, settings, joint, watchers)
                switchboard = Switchboard(house, tasks, _limits(config))
                pool.telling = switchboard.turns
                tasks.start_soon(switchboard.beat)
                numbers = Numbers(store, config.sip.country, plans_of(config))
                await numbers.load()
                desk = NumberDesk(Scripts(store, shipped_scripts(), settings), numbers)
                keywords = KeywordDesk(desk.library, Keywords(store, config.sip.country), numbers)
                room = make_room(office, keywords, switchboard)
                await room.open(carried, tasks)
                pool.open(Arrivals(switchboard, numbers, desk.started, tasks).take)
                if front:
                    front.desk.take = pool.admission.take
                trunks = watch_of(config, pool, front)
                probes = see(config, Parts(store, pool, switchboard, deliverer, office, trunks, front))
                lag.observe = probes.metrics.loop_lag.observe
                tasks.start_soon(lag.watch)
                facade = FacadeSettings(
                    RecordingDesk(store, recordings, settings.links, retention.remove),
                    _dialect(config, settings),
                    simulate,
                    deliverer.look_for_resends,
                )
                app = make_app(switchboard, store, facade, desk, keywords, probes)
                yield Joined(store, lock, pool, switchboard, deliverer, app, trunks, front)
            nursery.cancel_scope.cancel()


@frozen
class Joint:
    """What the doors of live calls lead to."""

    pool: Pool
    store: Store
    deliverer: Deliverer
    outbound: Outbound
    office: Office
    clock: SteadyClock
    lag: Lag


def _house(
    config: Config, settings: Settings, joint: Joint, watchers: tuple[Callable[[Entry], None], ...]
) -> House:
    async def ask(url: str, fields: Mapping[str, str], want: str) -> Value:
        return from_json(await joint.outbound.ask(url, fields, want))

    return House(
        joint.pool,
        joint.store,
        joint.deliverer.deliver,
        ask,
        settings,
        config.store.recordings,
        _allowed(config),
        office=joint.office,
        watchers=list(watchers),
        clock=joint.clock,
        follow=joint.clock.follow,
        lag=joint.lag,
    )


def _allowed(config: Config) -> Callable[[Key, str], bool]:
    def allowed(key: Key, number: str) -> bool:
        return may_call(number, key.prefixes, config.sip.country, sip_uris=config.sip.allow_sip_uris)

    return allowed


def _limits(config: Config) -> NodeLimits:
    return NodeLimits(config.media.max_calls, config.limits.calls_per_second, config.limits.concurrent)


def _dialect(config: Config, settings: Settings) -> Dialect:
    return Dialect(
        config.sip.country,
        config.sip.allow_sip_uris,
        # The same few URLs come with each request.
        lru_cache(1024)(partial(refusal, allow=config.fetch.allow)),
        settings.recordings_url,
    )


def _may_play(links: Links, file: str, query: str) -> bool:
    """Say whether a recording's URL is one that we have told, however long ago."""
    return links.problem(file, query, None) is None


def shipped_scripts() -> dict[str, str]:
    """Read the scripts that come with ringful, by name."""
    folder = files("ringful.scripts")
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".call"): file.read_text(encoding="utf-8")
        for file in found
        if file.name.endswith(".call")
    }


def pool_settings(config: Config, front: BehindFront | None = None) -> PoolSettings:
    """Give what the media workers are told of the configuration."""
    host, first_port = split_address(config.sip.bind)
    sip = config.sip
    return PoolSettings(
        host,
        first_port,
        sip.ways,
        sip.public_address,
        config.media.public_address or sip.public_address,
        config.media.max_calls,
        config.media.silence_limit,
        config.media.ports,
        front,
        symmetric_rtp=config.media.symmetric_rtp,
    )


def _secrets(store: Store) -> Callable[[str], Awaitable[str | None]]:
    async def secret_of(key: str) -> str | None:
        known: Key | None = await store.key(key)
        return " ".join([secret for secret, _ in accepted(known, time.time())]) if known else None

    return secret_of
