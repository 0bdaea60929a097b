"""Workers' processes: forked from a template that may die, ended for certain, and never left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from ringful.media import port
from ringful.media.pool import PoolSettings
from ringful.media.ranges import UNIT
from ringful.media.templates import Templates
from tests.media.test_pool import line, write_tone
from tests.server import PATIENCE, free_port, phone

OWN_TEMPLATES = True
"""They are started as a node starts them, and not forked as for all other tests."""

NODE = """
import trio
from pathlib import Path
from ringful.media.pool import PoolSettings, open_pool

async def node():
    async with open_pool(PoolSettings(), None) as pool:
        (worker,) = pool.workers
        print("pids", pool.crew.template, worker.pid, flush=True)
        await trio.sleep_forever()

trio.run(node)
"""


def state(pid: int) -> str:
    """Give a process's state, ``Z`` for a zombie; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_a_template_that_dies_takes_no_call_with_it_and_another_takes_its_place(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 440, 0.3)
    with phone("--answer-after", "0s") as (address, _):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            (worker,) = calls.pool.workers
            template = calls.pool.crew.template
            assert template
            os.kill(template, signal.SIGKILL)
            with trio.fail_after(PATIENCE):
                while calls.pool.crew.template:  # noqa: ASYNC110 (nobody tells of it)
                    await trio.sleep(0.01)
            assert state(template) == ""
            calls.pool.play("a", 1, port.Announcement("tone.wav"))
            assert (await calls.next(port.PlaybackEnded)).reason == "end"
            worker.capacity = 1
            calls.ring("b", address)
            await calls.next(port.Answered, "b")
            assert len(calls.pool.workers) == 2
            assert calls.pool.crew.template not in (None, template)
            for leg in "ab":
                calls.pool.hang_up(leg)
                await calls.next(port.HungUp, leg)


async def test_a_worker_that_hangs_is_ended_and_leaves_no_zombie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.worker_process._END_SECONDS", 0.2)
    async with line(tmp_path) as calls:
        (worker,) = calls.pool.workers
        os.kill(worker.pid, signal.SIGSTOP)
        worker.dismiss()
        with trio.fail_after(PATIENCE):
            while worker in calls.pool.workers:  # noqa: ASYNC110 (nobody tells of it)
                await trio.sleep(0.01)
        await trio.to_thread.run_sync(until, lambda: state(worker.pid) == "")


@pytest.mark.parametrize("hangs", [False, True])
def test_a_node_that_is_killed_leaves_no_process_behind(hangs: bool) -> None:
    """Workers end by their sockets; the template sees to one that does not, before it ends itself."""
    with subprocess.Popen(
        [sys.executable, "-c", NODE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as node:
        try:
            assert node.stdout
            # Before it the log may say something.
            said = next(text for text in node.stdout if text.startswith("pids "))
            pids = [int(one) for one in said.split()[1:]]
            if hangs:
                os.kill(pids[1], signal.SIGSTOP)
        finally:
            node.kill()
    until(lambda: all(state(pid) in ("", "Z") for pid in pids))


async def test_a_template_that_will_not_live_is_said_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    templates = Templates()
    ours, theirs = socket.socketpair()
    with ours, theirs, trio.fail_after(PATIENCE), pytest.raises(OSError, match="does not live"):
        await templates.fork({}, theirs, 0)
    assert templates.pid is None
    templates.close()
    with pytest.raises(OSError, match="are being ended"):
        await templates.fork({}, theirs, 0)


def udp_ports(pid: int) -> set[int]:
    """Give the UDP ports at which a process listens."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            sockets.add(os.readlink(entry))
    lines = [text.split() for text in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return {int(one[1].partition(":")[2], 16) for one in lines if f"socket:[{one[9]}]" in sockets}


async def test_each_worker_has_rtp_ports_of_its_own(tmp_path: Path) -> None:
    first = free_port(4 * UNIT, even=True)
    with phone("--answer-after", "0s") as (address, _):
        async with line(tmp_path, rtp_ports=(first, first + 4 * UNIT - 1)) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            calls.pool.workers[0].capacity = 1
            calls.ring("b", address)
            await calls.next(port.Answered, "b")
            one, two = (worker for worker in calls.pool.workers if worker.legs)
            assert abs(one.ports.first - two.ports.first) >= UNIT
            for worker in (one, two):
                used = udp_ports(worker.pid) & set(range(first, first + 4 * UNIT))
                assert len(used) >= 2
                assert used <= set(range(worker.ports.first, worker.ports.first + worker.ports.count))
            doomed = one.ports
            os.kill(one.pid, signal.SIGKILL)
            await calls.next(port.HungUp)
            two.capacity = 1
            calls.ring("c", address)
            await calls.next(port.Answered, "c")
            assert doomed.first not in {worker.ports.first for worker in calls.pool.workers}


async def test_the_engine_is_what_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFUL_ENGINE", "python")
    async with line(tmp_path) as calls:
        assert [worker.engine for worker in calls.pool.workers] == ["python"]
        assert calls.pool.crew.engine.startswith("python: RINGFUL_ENGINE")
    monkeypatch.setenv("RINGFUL_ENGINE", "rust")
    with pytest.raises(OSError, match="RINGFUL_ENGINE: expected auto or python, not 'rust'"):
        PoolSettings()
