"""A server from its start to its end: signals, addresses told, calls drained."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterable
from functools import partial

import structlog
import trio
from attrs import define, field

from ringful.command.configuration.config import Config
from ringful.command.errors import first_of
from ringful.command.serving.house import Joined, open_house
from ringful.command.serving.notify import notify
from ringful.command.serving.ports import not_bound
from ringful.ground.faults import Fence
from ringful.http.serve import serve as serve_http

log = structlog.get_logger()

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends the server; where a signal was ignored at the start, as nohup does with SIGHUP, it stays so."""

CLOSING = 60.0
"""Seconds that the end may take at most, once the calls have had their time."""

YOUNG = 10_000
"""Objects made between two looks for rings among the young ones: with Python's 700, a call has ten looks."""


@define
class _Told:
    """That the server is to end, and that it is to hang up."""

    end: trio.Event = field(factory=trio.Event)
    at_once: trio.Event = field(factory=trio.Event)
    terminals: list[int] = field(factory=lambda: [one for one in (1, 2) if os.isatty(one)])
    """Known from the start: a terminal that is gone does not say that it was one."""

    async def listen(self, signals: AsyncIterator[int]) -> None:
        async for number in signals:
            if number == signal.SIGHUP:
                _leave(self.terminals)
            (self.at_once if self.end.is_set() else self.end).set()


def _leave(terminals: Iterable[int]) -> None:
    """Write no more to a terminal that is gone: to fail at a line of the log would end the calls."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for file in terminals:
        os.dup2(nowhere, file)
    os.close(nowhere)


async def serving(config: Config) -> None:
    """Serve as *config* says, until a signal ends it."""
    heard = [one for one in ENDING if signal.getsignal(one) is not signal.SIG_IGN]
    # From the first moment on: one that comes before the server is ready ends the start of it.
    with trio.open_signal_receiver(*heard) as signals:
        async with trio.open_nursery() as nursery:
            told = _Told()
            nursery.start_soon(told.listen, signals)
            started = trio.Event()
            nursery.start_soon(_end_the_start, told, started, nursery.cancel_scope)
            await _run(config, told, started)
            nursery.cancel_scope.cancel()


async def _end_the_start(told: _Told, started: trio.Event, starting: trio.CancelScope) -> None:
    await told.end.wait()
    if not started.is_set():
        log.info("ended before it was ready")
        starting.cancel()


async def _run(config: Config, told: _Told, started: trio.Event) -> None:
    async with open_house(config) as house, trio.open_nursery() as nursery:
        stopping = trio.Event()
        for key in await house.store.keys():
            if not key.signing and key.revoked is None:
                log.warning(
                    "requests of this key need no signature: for a trial only", key=key.key, name=key.name
                )
        try:
            listen = partial(serve_http, most=config.http.max_connections)
            urls = await nursery.start(listen, house.app, config.http.bind, stopping.wait)
        except* OSError as errors:
            first = first_of(errors)
            assert isinstance(first, OSError)
            raise not_bound("http.bind", config.http.bind, first) from first
        started.set()
        _keep_what_is_loaded()
        addresses = [house.front.settings.known_as] if house.front else house.pool.addresses
        for address in addresses:
            print(f"sip:{address}", flush=True)
        print("  ".join(urls), flush=True)
        house.lock.tell([*(f"sip:{address}" for address in addresses), *urls])
        notify("READY=1")
        async with trio.open_nursery() as watching:
            house.trunks.start(Fence(watching))
            await told.end.wait()
            # Calls that come in are for others now, so registrations end before the drain.
            watching.cancel_scope.cancel()
        # However long the calls may go on, the unit need not know.
        patience = int((config.limits.drain + CLOSING) * 1_000_000)
        notify(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={patience}")
        await _drain(house, config, told)
        stopping.set()
        nursery.cancel_scope.deadline = trio.current_time() + 5


def _keep_what_is_loaded() -> None:
    """Take what was loaded out of what is looked through for rings.

    Modules, grammar and tables stay to the end; a whole look through them holds every call for 0.3 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


async def _drain(house: Joined, config: Config, told: _Told) -> None:
    """Let live calls go on for a while; a second signal hangs them up properly."""
    switchboard = house.switchboard
    if house.front:
        house.front.desk.take = None
    log.info("draining: no new calls are taken", live=len(switchboard.live))

    async def hang_up_when_told_again() -> None:
        await told.at_once.wait()
        switchboard.hang_up_all("shutdown")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hang_up_when_told_again)
        await switchboard.drain(config.limits.drain)
        with trio.move_on_after(5):
            await house.deliverer.until_idle()
        nursery.cancel_scope.cancel()
