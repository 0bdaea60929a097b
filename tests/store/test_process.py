"""Other processes: one that is killed, and one that shares the database."""

import signal
import subprocess
import sys
from functools import partial

import pytest
import trio

from ringful.store.open import open_store
from ringful.store.port import Key

WRITES_FOREVER = """
import sys, trio
from ringful.store.open import open_store
from ringful.store.port import Entry, Post, Write

async def write(store, call_id):
    n = 0
    while True:
        n += 1
        entry = Entry(call_id, n, 0.0, "event", "Ringing", {"n": n})
        post = Post(f"{call_id}.{n}", "K", call_id, n, "http://x.example", {}, 0.0)
        await store.submit(Write(entries=[entry], posts=[post])).wait()
        print(call_id, n, flush=True)

async def main():
    async with open_store(sys.argv[1]) as store, trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(write, store, f"call-{number}")

trio.run(main)
"""

ADDS_A_KEY = """
import sys, trio
from ringful.store.open import open_store
from ringful.store.port import Key

async def main():
    async with open_store(sys.argv[1]) as store:
        await store.put_key(Key("K", "S", "another process's", 1.0, revoked=float(sys.argv[2]) or None))

trio.run(main)
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/ringful.db"


async def test_what_was_acknowledged_survives_a_kill(url):
    command = [sys.executable, "-c", WRITES_FOREVER, url]
    acknowledged = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: ASYNC220
        for said in child.stdout:
            if not said.endswith("\n"):
                break  # The kill cut it off: nobody was told.
            call_id, n = said.split()
            acknowledged[call_id] = int(n)
            if sum(acknowledged.values()) == 300:
                child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert sum(acknowledged.values()) >= 300
    async with open_store(url) as store:
        pending = await store.pending_posts()
        for call_id, n in acknowledged.items():
            journal = await store.journal(call_id)
            assert [entry.n for entry in journal] == list(range(1, len(journal) + 1))
            assert len(journal) >= n
            # A write is all or nothing: a line without its callback would be half of one.
            assert len([state for state in pending if state.post.call_id == call_id]) == len(journal)


async def run(script, *args):
    await trio.run_process([sys.executable, "-c", script, *args])


async def test_a_key_of_another_process_works_at_once_and_stops_when_it_is_revoked(url):
    async with open_store(url) as store:
        assert await store.key("K") is None
        await run(ADDS_A_KEY, url, "0")
        assert await store.key("K") == Key("K", "S", "another process's", 1.0)
        await run(ADDS_A_KEY, url, "5")
        with trio.fail_after(30):
            while (await store.key("K")).revoked is None:  # noqa: ASYNC110
                await trio.sleep(0.01)


async def test_processes_that_open_a_new_database_at_once_make_it_once(url):
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(partial(run, ADDS_A_KEY, url, "0"))
    async with open_store(url) as store:
        assert len(await store.keys()) == 1
