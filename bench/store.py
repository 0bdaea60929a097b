"""How many durable writes a second the store takes, by how many tasks wait for them at once.

    python bench/store.py [FOLDER]

Each task submits one journal line, waits until it is durable, and submits the next: what a call does
at every turn.  The database is made in FOLDER (default: the current one), since it is that disk which
is measured.
"""

import sys
import tempfile
import time
from pathlib import Path

import trio

from ringful.store.open import open_store
from ringful.store.port import Entry, Write
from ringful.store.sql import SqlStore

WRITERS = (1, 16, 128, 1024)
SECONDS = 2.0


async def write(store: SqlStore, call_id: str) -> int:
    """Write lines one after another until it is cancelled; give how many became durable."""
    n = 0
    with trio.move_on_after(SECONDS):
        while True:
            entry = Entry(call_id, n + 1, time.time(), "event", "TonePressed", {"leg": call_id, "tone": "1"})
            await store.submit(Write(entries=[entry])).wait()
            n += 1
    return n


async def measure(folder: Path, writers: int) -> float:
    """Give the durable writes per second of *writers* tasks."""
    counts: list[int] = []

    async def count(call_id: str) -> None:
        counts.append(await write(store, call_id))

    async with open_store(f"sqlite:///{folder}/{writers}.db") as store, trio.open_nursery() as nursery:
        for number in range(writers):
            nursery.start_soon(count, f"call-{number}")
    return sum(counts) / SECONDS


def main() -> None:
    """Print a line for each number of writers."""
    parent = sys.argv[1] if len(sys.argv) > 1 else "."
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        for writers in WRITERS:
            rate = trio.run(measure, Path(folder), writers)
            print(f"{writers:5} writers  {rate:9,.0f} writes/s", flush=True)


if __name__ == "__main__":
    main()
