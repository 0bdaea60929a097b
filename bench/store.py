"""How many durable writes a second the store takes, by how many tasks wait at once, and what they cost.

Each task submits one journal line, waits until it is durable, and submits the next: what a call does
at every turn.  It is the disk of the folder where the database is made that is measured.  The cost is
that of whole calls one after another, each of whose writes is waited for: no company makes it less.
"""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from ringful.bench.figures import Effort, Figure
from ringful.bench.writes import TURNS, main_job
from ringful.store.open import open_store
from ringful.store.port import Entry, Write
from ringful.store.sql import SqlStore

WRITERS = (1, 16, 128, 1024)


def store(effort: Effort) -> Iterator[Figure]:
    """Measure durable writes a second, for several numbers of writers."""
    for writers in WRITERS:
        tasks = f"{writers:,} task" + ("" if writers == 1 else "s")
        about = f"{tasks} at once, each waits until its line is on the disk (SQLite, full sync); by the clock"
        with TemporaryDirectory(dir=effort.folder) as folder:
            measure = partial(_measure, Path(folder), writers, effort.seconds)
            each = tuple(trio.run(measure) for _ in range(effort.rounds))
        yield Figure(f"durable writes, {tasks}", "writes/s", each, about)
    with TemporaryDirectory(dir=effort.folder) as folder:
        each = tuple(trio.run(partial(_cost, Path(folder), effort.seconds)) for _ in range(effort.rounds))
    about = f"the {len(TURNS)} writes of a call that does the main job, each waited for; CPU of the process"
    yield Figure("a call's writes", "ms", each, about)


async def _measure(folder: Path, writers: int, seconds: float) -> float:
    counts: list[int] = []

    async def count(call_id: str) -> None:
        counts.append(await _write(opened, call_id, seconds))

    async with open_store(_new(folder)) as opened, trio.open_nursery() as nursery:
        for number in range(writers):
            nursery.start_soon(count, f"call-{number}")
    return sum(counts) / seconds


def _new(folder: Path) -> str:
    return f"sqlite:///{folder}/{time.monotonic_ns()}.db"


async def _cost(folder: Path, seconds: float) -> float:
    """Write call after call; give the milliseconds that one takes."""
    async with open_store(_new(folder)) as opened:

        async def write(number: int) -> None:
            for one in main_job(number):
                await opened.submit(one).wait()

        await write(0)  # What is done once only is not a part of it.
        done, began = 0, time.process_time()
        while done == 0 or time.process_time() - began < seconds:
            done += 1
            await write(done)
        return (time.process_time() - began) / done * 1000


async def _write(opened: SqlStore, call_id: str, seconds: float) -> int:
    """Write lines one after another until *seconds* have passed; give how many became durable."""
    n = 0
    with trio.move_on_after(seconds):
        while True:
            entry = Entry(call_id, n + 1, time.time(), "event", "TonePressed", {"leg": call_id, "tone": "1"})
            await opened.submit(Write(entries=[entry])).wait()
            n += 1
    return n
