"""The workers of a pool: started on demand, one kept warm, one always at the entrance, idle ones let go.

What a worker had (its ports, its seats, its place at the entrance) is given to nobody before its
process has ended.
"""

import math
import os
import time
from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Protocol

import structlog
import trio

from ringful.ground.faults import Tasks, fault
from ringful.media import worker_process
from ringful.media.incoming import Reception
from ringful.media.ranges import Range, Ranges
from ringful.media.worker_process import Start, WorkerProcess, start_worker

log = structlog.get_logger()

PAUSES = (0.0, 0.1, 1.0, 5.0, 30.0)
"""Seconds before a worker takes the place of one that is gone: those that live shortly come later."""
LIVES_SECONDS = 5.0
"""A worker that dies sooner than this died of its start."""
IDLE_SECONDS = 30.0
"""How long a worker without calls is kept, beyond the one that is kept warm."""
ANY_PORT_TRIES = 10
"""How often a port that the kernel gives is tried."""
IN_AT_ONCE = 10
"""Calls in that begin at a worker within a moment; its gate refuses some more than that."""
CALLS_A_SPARE = 8
"""Calls that are up for each place that is kept free beside one: a worker takes a moment to start."""
GRANTED = 4
"""Calls that the wheel's library grants a worker: what is reckoned with until a worker has said it."""


class Owner(worker_process.Owner, Protocol):
    """Who has workers."""

    def began(self) -> None:
        """Hear that there is a worker more."""

    def none_began(self, why: str) -> None:
        """Hear that no worker can be started."""

    def buried(self, worker: WorkerProcess) -> None:
        """Hear that *worker* has ended: all that it had is lost."""


class Workers:
    """The workers that run, and those that are being started."""

    def __init__(
        self,
        owner: Owner,
        start: Start,
        ranges: Ranges,
        reception: Reception,
        max_calls: int,
        nursery: Tasks,
        sip_ports: range | None = None,
    ) -> None:
        """*sip_ports*: those that workers behind a front may have."""
        self._owner, self._start_with, self._ranges = owner, start, ranges
        self._reception, self._max_calls, self._nursery = reception, max_calls, nursery
        self._sip_ports = deque(sip_ports or ())
        self.live: list[WorkerProcess] = []
        self._starting = 0
        self._granted = GRANTED
        self.started = self.died = 0
        """Workers that were started, and those that ended without having been let go."""
        self.shaken = 0
        """Workers whose library asserted, and that were kept alive."""
        self._in_a_row = 0
        """How many workers have died of their start since one did not."""
        self.unchecked = ""
        """Why SIP packets reach the library unchecked; empty where they are checked."""
        self._engine: tuple[str, str] | None = None
        """What makes the sound, and why that is no better; None until there was a worker."""
        self._changed = trio.Event()
        self._waiting: dict[object, float] = {}
        """Since when each call waits for a worker, the longest first."""
        self.closing = False

    @property
    def template(self) -> int | None:
        """The process that workers are forked from, if there is one now."""
        return self._start_with.templates.pid

    @property
    def engine(self) -> str:
        """What makes the sound, and why that is no better."""
        name, why = self._engine or ("none yet", "")
        return f"{name}: {why}" if why else name

    @property
    def packets(self) -> str:
        """Whether SIP packets are checked before the library sees them, and why they are not."""
        return (
            f"not checked, a hostile one can end a worker: {self.unchecked}" if self.unchecked else "checked"
        )

    def notice(self) -> None:
        """Have those look again who wait for a worker."""
        self._changed.set()
        self._changed = trio.Event()

    async def free(self, wanted: Callable[[], bool]) -> WorkerProcess | None:
        """Give a worker that can take a call, the fullest first; None when it is *wanted* no more."""
        place = object()
        self._waiting[place] = time.monotonic()
        try:
            return await self._free(wanted)
        finally:
            del self._waiting[place]

    @property
    def backlog(self) -> float:
        """For how many seconds the call has waited that waits longest for a worker; 0 where none does."""
        return time.monotonic() - next(iter(self._waiting.values())) if self._waiting else 0.0

    async def _free(self, wanted: Callable[[], bool]) -> WorkerProcess | None:
        while wanted() and not self.closing:
            with_room = [worker for worker in self.live if self._reception.room(worker)]
            if free := [worker for worker in with_room if not worker.is_rushed()]:
                chosen = max(free, key=lambda worker: len(worker.legs))
                chosen.rings.append(time.monotonic())
                return chosen
            if with_room:
                await trio.sleep(0.05)
                continue
            if not self._starting:
                self._start()
            await self._changed.wait()
        return None

    async def free_for_one_in(self, call_id: str, tried: Container[int]) -> WorkerProcess:
        """Give a worker that a call which comes in is sent to now, none of those at the ports *tried*."""
        while True:
            with_room = [one for one in self.live if one.free > 0 and one.port not in tried]
            if free := [one for one in with_room if not one.is_rushed(IN_AT_ONCE)]:
                chosen = min(free, key=lambda one: one.free)
                chosen.expect(call_id)
                return chosen
            if not self._starting and len(self.live) < self._most and not self.closing:
                self._start()
            with trio.move_on_after(0.05 if with_room else 1):
                await self._changed.wait()

    @property
    def _most(self) -> int:
        """How many workers there may be."""
        return math.ceil(self._max_calls / self._granted) + 1

    def keep_warm(self) -> None:
        """Have room at hand for the next calls, as far as more are allowed: the busier, the more."""
        if self._starting or self.closing or len(self.live) >= self._most:
            return
        calls = sum(len(worker.legs) for worker in self.live)
        if sum(self._reception.room(worker) for worker in self.live) <= calls // CALLS_A_SPARE:
            self._start()

    def start_one(self) -> None:
        """Have one worker more, whether or not there are calls for it."""
        self._start()

    def _start(self) -> None:
        self._starting += 1
        self._nursery.start_soon(self._run)

    async def _run(self) -> None:
        ports = worker = None
        try:
            ports = await self._ports()
            worker = await start_worker(self._start_with, ports, self._sip_ports_to_try())
        except Exception as error:
            fault("starting a media worker", error)
        finally:
            self._starting -= 1
            if worker is None and ports:
                self._ranges.give_back(ports)
        if worker is None:
            self._in_a_row += 1
            log.error("no media worker can be started: every call will fail until one can")
            self._owner.none_began("no media worker can be started")
            self.notice()
            if self._reception.lost:
                await self._replace(self._start)
            return
        await self._live(worker)

    def _sip_ports_to_try(self) -> list[int]:
        taken = {worker.port for worker in self.live}
        first = self._reception.at_port
        at: Iterable[int]
        if self._sip_ports:
            # The front knows calls by it: what one had that died is another's as late as may be.
            self._sip_ports.rotate(-1)
            at = self._sip_ports
        else:
            # A port that the kernel gives for UDP may be another's for TCP.
            at = range(first, first + 200) if first else [0] * ANY_PORT_TRIES
        return [one for one in at if one not in taken]

    async def _ports(self) -> Range:
        """Wait for ports that have rested."""
        while (found := self._ranges.take(self._granted)) is None:  # noqa: ASYNC110 (time alone brings them)
            await trio.sleep(0.5)
        return found

    async def _live(self, worker: WorkerProcess) -> None:
        """Have *worker* among those that run until it has ended; then see to another."""
        self._began(worker)
        began = time.monotonic()
        try:
            await worker.serve(self._owner)
        except Exception as error:
            fault("serving a media worker", error, pid=worker.pid)
        finally:
            self.live.remove(worker)
            self._ranges.give_back(worker.ports)
            self._bury(worker)
        self._in_a_row = 0 if time.monotonic() - began > LIVES_SECONDS else self._in_a_row + 1
        if self._reception.ended(worker):
            await self._replace(self._start)
        elif not worker.dismissed:
            await self._replace(self.keep_warm)

    def _began(self, worker: WorkerProcess) -> None:
        self._granted = worker.granted
        self.live.append(worker)
        self.started += 1
        self._reception.began(worker)
        if self._engine is None:
            self._engine = worker.engine, worker.why_python
            if worker.engine == "c":
                log.info("the media engine", engine=worker.engine)
            else:
                log.warning("the media engine", engine=worker.engine, why=worker.why_python)
            self.unchecked = worker.unchecked
            if worker.unchecked:
                log.warning(
                    "SIP packets are not checked: a hostile one can end a worker", why=worker.unchecked
                )
        self.notice()
        self._owner.began()
        self.keep_warm()

    async def _replace(self, start: Callable[[], None]) -> None:
        """Have *start* see to another worker: at once, or after a pause where none will live."""
        await trio.sleep(PAUSES[min(self._in_a_row, len(PAUSES) - 1)])
        if not self.closing:
            start()

    def _bury(self, worker: WorkerProcess) -> None:
        if not worker.dismissed:
            self.died += not self.closing
            log.error("a media worker died", pid=worker.pid, calls=len(worker.legs))
        self._owner.buried(worker)

    async def let_idle_go(self) -> None:
        """Dismiss workers that have been idle for a while; one is kept, and the entrance."""
        while True:
            await trio.sleep(IDLE_SECONDS / 6)
            try:
                self._let_idle_go()
            except Exception as error:
                fault("letting idle media workers go", error)

    def _let_idle_go(self) -> None:
        idle = [worker for worker in self.live if worker.idle]
        idle.sort(key=lambda worker: worker is not self._reception.entrance)
        for worker in [worker for worker in idle if worker.shaken]:
            worker.dismiss()
        for worker in idle[1:]:
            if time.monotonic() - worker.idle_since > IDLE_SECONDS and not worker.dismissed:
                worker.dismiss()

    async def warm(self) -> None:
        """Start the first worker, and return when it is ready.  Raises OSError where none can be had."""
        self._start()
        while not self.live:
            if not self._starting:
                raise OSError("no media worker can be started")
            with trio.move_on_after(0.5):
                await self._changed.wait()

    def close(self) -> None:
        """Start none any more, and let all go."""
        self.closing = True
        for worker in list(self.live):
            worker.dismiss()
        self.notice()

    async def why_mute(self) -> str:
        """Say why no worker does what it is told; nothing as soon as one has answered."""
        if not self.live:
            return "no media worker runs; the log says why none could be started"
        answered = trio.Event()

        async def ask(worker: WorkerProcess) -> None:
            await worker.ping()
            answered.set()

        async with trio.open_nursery() as nursery:
            for worker in self.live:
                nursery.start_soon(ask, worker)
            await answered.wait()
            nursery.cancel_scope.cancel()
        return ""


def engine_wanted() -> str:
    """Give the engine that is to be used: ``auto``, unless ``RINGFUL_ENGINE`` says ``python``.

    Raises OSError where it says anything else.
    """
    wanted = os.environ.get("RINGFUL_ENGINE") or "auto"
    if wanted not in ("auto", "python"):
        raise OSError(f"RINGFUL_ENGINE: expected auto or python, not {wanted!r}")
    return wanted
