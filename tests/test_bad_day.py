"""A bad day: what can go wrong around a server with calls up, provoked for real.

After each, every accepted call has exactly one final event, callbacks came in order, and every
recording that was told can be read; and the server takes calls again.
"""

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ringful.command.demonstration.sounds import melody
from tests.burden import Burden, burdened

CALLS = 20
KILLS = int(os.environ.get("RINGFUL_KILLS", "6"))
SOUND = melody([440, 660], 0.3)


@pytest.fixture(scope="module")
def burden(tmp_path_factory):
    with burdened(tmp_path_factory.mktemp("loaded"), SOUND) as made:
        yield made


def loaded(burden: Burden) -> None:
    """Have `CALLS` calls up, all of them recorded."""
    burden.accepted.clear()
    burden.told.clear()
    burden.place_many(CALLS)
    assert len(burden.accepted) == CALLS
    burden.hear(lambda: burden.have("RecordStart") == CALLS)


def takes_calls_again(burden: Burden) -> None:
    call_id = burden.place()
    burden.hear(lambda: "RecordStart" in burden.actions(call_id))
    burden.hang_up()
    burden.settle()
    assert "RecordComplete" in burden.actions(call_id)


def test_a_worker_that_is_killed_takes_only_its_own_calls_with_it(burden):
    loaded(burden)
    # The newest ones are at hand for calls to come, and have none.
    victim = min(burden.workers())
    os.kill(victim, signal.SIGKILL)
    # Its calls end as lost; the others are still there to be hung up.
    burden.hear(lambda: burden.have("ServerHangup") >= 1)
    lost = [one for one in burden.accepted if "ServerHangup" in burden.actions(one)]
    burden.hang_up()
    burden.settle()
    reasons = {one: burden.told[one][-1]["reason"] for one in burden.accepted}
    assert 1 <= sum(reason == "lost" for reason in reasons.values()) <= 4
    assert {reasons[one] for one in lost} == {"lost"}
    for one in burden.accepted:
        # A recording that had hardly begun when its worker was killed has nothing in it yet.
        ends = {"RecordComplete", "RecordFailed"} if reasons[one] == "lost" else {"RecordComplete"}
        assert len(ends & set(burden.actions(one))) == 1
    takes_calls_again(burden)


def test_a_database_that_another_process_locks_for_ten_seconds_costs_no_call(burden):
    loaded(burden)
    database = sqlite3.connect(burden.ringful.folder / "ringful.db", isolation_level=None, timeout=10)
    database.execute("BEGIN IMMEDIATE")
    released = threading.Event()

    def ask() -> None:
        # What is asked for meanwhile waits, and is done.
        burden.hang_up()
        released.set()

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(10)  # It is the fault itself that lasts so long.
    assert not released.is_set()
    database.execute("ROLLBACK")
    database.close()
    asking.join()
    burden.settle()
    assert all(burden.told[one][-1]["reason"] == "api" for one in burden.accepted)
    takes_calls_again(burden)


def test_a_server_that_is_killed_again_and_again_loses_no_call(tmp_path):
    chance = random.Random(7)
    with burdened(tmp_path, SOUND) as burden:
        for _ in range(KILLS):
            placing = threading.Thread(target=burden.place_many, args=(CALLS,))
            placing.start()
            # Somewhere in the middle of it: after so many callbacks.
            burden.hear_more(chance.randrange(1, 3 * CALLS))
            burden.ringful.kill()
            placing.join()
            burden.ringful.start()
        burden.settle()
        assert len(burden.accepted) > KILLS
        takes_calls_again(burden)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode and not os.environ.get("CI"):
        pytest.skip(f"no disk can be mounted here: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full_ends_recordings_and_no_server(small_disk):
    with burdened(small_disk, SOUND, RINGFUL_STORE__MIN_FREE="500kB") as burden:
        burden.place_many(8)
        burden.hear(lambda: burden.have("RecordStart") == len(burden.accepted))
        assert burden.ready()["disk"] == ""
        ballast = Path(small_disk / "ballast")
        _fill(ballast)
        while not burden.ready()["disk"]:
            pass  # It looks once a second, whoever asks.
        # Recordings that cannot go on say so; what cannot be written is not pretended.
        burden.hear(lambda: burden.have("RecordFailed") + burden.have("ServerHangup") >= 1)
        ballast.unlink()
        burden.hang_up()
        burden.settle()
        takes_calls_again(burden)
        assert burden.ringful.process
        assert burden.ringful.process.poll() is None


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            return


def test_a_clock_that_is_set_an_hour_ahead_makes_no_call_longer(tmp_path):
    library = list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not library and not os.environ.get("CI"):
        pytest.skip("faketime is not installed: apt-get install faketime")
    step = tmp_path / "step"
    step.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(library[0]),
        "FAKETIME_TIMESTAMP_FILE": str(step),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "RINGFUL_MEDIA__SILENCE_LIMIT": "off",
    }
    with burdened(tmp_path / "server", SOUND, **faked) as burden:
        burden.place_many(5)
        burden.hear(lambda: burden.have("PlayComplete") == 5)
        for offset in ("+3600", "-3600"):
            step.write_text(f"{offset}\n")
            call_id = burden.place()
            burden.hear(lambda told=call_id: "PlayComplete" in burden.actions(told))
        burden.hang_up()
        burden.settle()
        assert all(int(burden.told[one][-1]["duration"]) < 60 for one in burden.accepted)
        takes_calls_again(burden)
