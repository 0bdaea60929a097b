"""`ringful serve`: the server."""

import signal
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import structlog
import trio

from ringful.command.config import Config, exposure
from ringful.command.errors import CommandError, first_of
from ringful.command.house import Joined, open_house
from ringful.command.missing import look_at_trunk, missing
from ringful.command.ports import not_bound, usable_sip
from ringful.command.settings import configuration
from ringful.ground.faults import Fence
from ringful.ground.log import set_up
from ringful.http.serve import serve as serve_http

log = structlog.get_logger()


def serve(*, config: Path | None = None) -> None:
    """Start the server; it prints its addresses when it is ready.

    Parameters
    ----------
    config
        The configuration file; ringful.toml in this folder, where none is named.
    """
    settings = configuration(config)
    set_up(settings.log.format, settings.log.level)
    for line in (*exposure(settings), *missing(settings, time.time())):
        log.warning(line)
    usable_sip(settings.sip.bind)
    try:
        trio.run(_serve, settings)
    except BaseException as error:
        first = first_of(error)
        if isinstance(first, OSError):
            raise CommandError(f"the server cannot start: {first}", 2) from error
        raise


async def _serve(config: Config) -> None:
    async with open_house(config) as house, trio.open_nursery() as nursery:
        stopping = trio.Event()
        for key in await house.store.keys():
            if not key.signing and key.revoked is None:
                log.warning(
                    "requests of this key need no signature: for a trial only", key=key.key, name=key.name
                )
        try:
            urls = await nursery.start(partial(serve_http, house.app, config.http.bind, stopping.wait))
        except* OSError as errors:
            first = first_of(errors)
            assert isinstance(first, OSError)
            raise not_bound("http.bind", config.http.bind, first) from first
        for address in house.pool.addresses:
            print(f"sip:{address}", flush=True)
        print("  ".join(urls), flush=True)
        Fence(nursery).start_soon(look_at_trunk, config)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            await _until_told(signals)
            await _drain(house, config, signals)
        stopping.set()
        nursery.cancel_scope.deadline = trio.current_time() + 5


async def _until_told(signals: AsyncIterator[int]) -> None:
    async for _ in signals:
        return


async def _drain(house: Joined, config: Config, signals: AsyncIterator[int]) -> None:
    """Let live calls go on for a while; a second signal hangs them up properly."""
    switchboard = house.switchboard
    log.info("draining: no new calls are taken", live=len(switchboard.live))

    async def hang_up_when_told_again() -> None:
        async for _ in signals:
            switchboard.hang_up_all("shutdown")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_up_when_told_again)
        await switchboard.drain(config.limits.drain)
        with trio.move_on_after(5):
            await house.deliverer.until_idle()
        nursery.cancel_scope.cancel()
