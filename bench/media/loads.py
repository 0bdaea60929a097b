"""Loads: so many calls at once for so long, each with a pool and a far end of its own.

A load is begun call by call, and looked at when it has settled; calls that began before that count as
calls, and not for their times: a worker that starts takes the processor from all others.
"""

import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from attrs import field, frozen

from ringful.bench.media import measured
from ringful.bench.media.answering import Answering, open_far_end
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.media.jobs import Folder, Job, work
from ringful.bench.media.measured import Window
from ringful.bench.pace import Pace
from ringful.ground.complaint import Complaint
from ringful.media import port
from ringful.media.pool import Pool, PoolSettings, open_pool

IDLE_SECONDS = 10.0
PATIENCE = 20.0
"""Seconds within which all legs of a conference must be up."""
MOST_PAUSE = 0.5
"""Seconds between a call and the next in its place, at most: they spread by themselves."""


@frozen
class Work:
    """What came out of the main job at many calls."""

    calls: int
    """At once."""
    jobs: tuple[Job, ...]
    heard: dict[str, Heard]
    window: Window
    late: Lateness


@frozen
class Shape:
    """Conferences: how many legs are in each, and how many there are."""

    legs: int
    rooms: int

    def __str__(self) -> str:
        return f"{self.legs}x{self.rooms}"

    @property
    def all(self) -> int:
        """The legs of all of them."""
        return self.legs * self.rooms


@frozen
class Talk:
    """What came out of conferences."""

    shape: Shape
    heard: dict[str, Heard]
    window: Window
    late: Lateness
    ended: tuple[str, ...] = field(default=())
    """What became of legs that were over before the end."""


class LoadError(Complaint):
    """A load could not be put on; the message says why."""


@asynccontextmanager
async def _ready(calls: int) -> AsyncIterator[tuple[Pool, Answering, Path]]:
    with TemporaryDirectory() as made:
        folder = Folder(Path(made))
        folder.make()
        async with open_far_end(calls) as far, open_pool(PoolSettings(max_calls=calls), folder) as pool:
            yield pool, far, Path(made)


async def _look(far: Answering, seconds: float) -> Window:
    before = measured.usage(far.pid)
    await trio.sleep(seconds)
    after = measured.usage(far.pid)
    return measured.between(before, after, measured.memory_mb(after.workers))


async def idle() -> tuple[float, float]:
    """Give what a worker without calls takes: milliseconds a second, and megabytes."""
    async with _ready(1) as (pool, far, _):
        await trio.sleep(1.0)
        pids = measured.workers_of(os.getpid(), far.pid)
        before, began = measured.fine_cpu_ms(pids), time.monotonic()
        await trio.sleep(IDLE_SECONDS)
        took = (measured.fine_cpu_ms(pids) - before) / (time.monotonic() - began)
        return took / len(pool.workers), measured.memory_mb(pids) / len(pool.workers)


async def main_job(calls: int, pace: Pace) -> Work:
    """Have *calls* at once do the main job, each followed by the next, and look at them for a while."""
    jobs: list[Job] = []
    async with _ready(calls) as (pool, far, folder):
        closing = trio.Event()

        async def place(number: int) -> None:
            await trio.sleep(pace.ramp * number / calls)
            turn = 0
            while not closing.is_set():
                name = f"job-{number}-{turn}"
                jobs.append(await work(pool, name, far.address(name), folder))
                turn += 1
                await trio.sleep(random.uniform(0, MOST_PAUSE))

        async with trio.open_nursery() as nursery:
            for number in range(calls):
                nursery.start_soon(place, number)
            await trio.sleep(pace.ramp + pace.settle)
            window = await _look(far, pace.seconds)
            closing.set()
        heard, late = await far.close()
        return Work(calls, tuple(jobs), heard, window, late)


def leg_name(number: int) -> str:
    """Give the name of a leg, by which the far end knows its tone too."""
    return f"talk-{number}"


async def conferences(shape: Shape, pace: Pace) -> Talk:
    """Have legs talk in conferences, all at once, and look at them for a while.  Raises LoadError."""
    async with _ready(shape.all) as (pool, far, _):
        rooms: port.Rooms = pool
        told: list[port.Event] = []
        changed = trio.Event()

        def sink(event: port.Event) -> None:
            nonlocal changed
            told.append(event)
            changed.set()
            changed = trio.Event()

        def over() -> tuple[str, ...]:
            return tuple(str(event) for event in told if isinstance(event, port.Refused | port.HungUp))

        async def up(count: int) -> None:
            with trio.move_on_after(PATIENCE):
                while sum(isinstance(event, port.Answered) for event in told) < count:
                    if over():
                        break
                    await changed.wait()
                else:
                    return
            raise LoadError(f"not all legs came up: {'; '.join(over()[:3]) or 'some did not answer'}")

        for number in range(shape.all):
            pool.ring(leg_name(number), far.address(leg_name(number)), None, sink)
            await trio.sleep(pace.ramp / shape.all)
        for number in range(shape.rooms):
            rooms.open_room(f"room-{number}", sink)
        await up(shape.all + shape.rooms)
        for number in range(shape.all):
            rooms.join(f"room-{number // shape.legs}", leg_name(number))
        await trio.sleep(pace.settle)
        window = await _look(far, pace.seconds)
        ended = over()
        for number in range(shape.all):
            pool.hang_up(leg_name(number))
        for number in range(shape.rooms):
            pool.hang_up(f"room-{number}")
        with trio.move_on_after(PATIENCE):
            while len(over()) < shape.all + shape.rooms:
                await changed.wait()
        heard, late = await far.close()
        return Talk(shape, heard, window, late, ended)
