"""Calls that come in at the pool, from an independent SIP stack."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from ringful.command.demonstration.sounds import melody
from ringful.media import port
from tests.media.test_pool import Line, line
from tests.server import PATIENCE, free_port
from tests.sipp import calling

OURS = "+18005550000"


@asynccontextmanager
async def open_line(
    folder: Path, answer: "port.RefusalReason | None" = None, **settings: Any
) -> AsyncIterator[tuple[Line, "trio.MemoryReceiveChannel[str]"]]:
    """Give a pool that takes every call as ``c1``, ``c2`` and so on, or refuses it; and their names."""
    async with line(folder, **settings) as calls:
        offered, names = trio.open_memory_channel[str](1000)
        taken = 0

        def desk(offer: port.Offer) -> port.Taken | port.RefusalReason:
            nonlocal taken
            assert (offer.caller, offer.called, offer.trunk) == ("+15125550100", OURS, "trunk")
            if answer:
                return answer
            taken += 1
            offered.send_nowait(f"c{taken}")
            return port.Taken(f"c{taken}", calls.send.send_nowait)

        calls.pool.open(desk)
        yield calls, names


async def gone(far: Any) -> int:
    with trio.fail_after(PATIENCE):
        return int(await trio.to_thread.run_sync(far.wait, PATIENCE))


@pytest.mark.parametrize("scenario", ["call", "call_video_first"])
async def test_a_call_is_answered_and_its_key_is_heard(tmp_path: Path, scenario: str) -> None:
    (tmp_path / "tone.wav").write_bytes(melody([440], 0.6))
    async with open_line(tmp_path) as (calls, names):
        with calling(scenario, tmp_path, OURS, calls.pool.addresses[0]) as far:
            assert await names.receive() == "c1"
            calls.pool.answer("c1")
            await calls.next(port.Answered, "c1")
            calls.pool.play("c1", 1, port.Announcement("tone.wav"))
            assert (await calls.next(port.PlaybackEnded, "c1")).reason == "end"
            assert (await calls.next(port.TonePressed, "c1")).tone == "1"
            calls.pool.hang_up("c1")
            assert (await calls.next(port.HungUp, "c1")).by == "server"
            assert await gone(far) == 0


async def test_a_delayed_offer_is_answered(tmp_path: Path) -> None:
    async with open_line(tmp_path) as (calls, names):
        with calling("call_without_sdp", tmp_path, OURS, calls.pool.addresses[0]) as far:
            calls.pool.answer(await names.receive())
            await calls.next(port.Answered, "c1")
            assert (await calls.next(port.HungUp, "c1")).by == "callee"
            assert await gone(far) == 0


@pytest.mark.parametrize(
    ("reason", "status"), [("unreachable", 404), ("busy", 486), ("rejected", 603), ("capacity", 503)]
)
async def test_a_caller_is_told_why_nobody_takes_the_call(
    tmp_path: Path, reason: port.RefusalReason, status: int
) -> None:
    scenario = "call_refused" if status in (486, 603) else f"call_{status}"
    async with open_line(tmp_path, reason) as (calls, _):
        with calling(scenario, tmp_path, OURS, calls.pool.addresses[0]) as far:
            assert await gone(far) == 0
        assert not calls.pool.legs


async def test_a_caller_gives_up(tmp_path: Path) -> None:
    async with open_line(tmp_path) as (calls, _):
        with calling("call_cancel", tmp_path, OURS, calls.pool.addresses[0]) as far:
            refused = await calls.next(port.Refused, "c1")
            assert (refused.reason, refused.sip_status) == ("cancelled", 487)
            assert await gone(far) == 0


async def test_a_flood_of_calls_that_nobody_takes_ends_no_worker(tmp_path: Path) -> None:
    async with open_line(tmp_path, "unreachable") as (calls, _):
        pid = calls.pool.workers[0].pid
        many = ["-m", "300", "-r", "300"]
        with calling("call_404", tmp_path, OURS, calls.pool.addresses[0], *many) as far:
            assert await gone(far) != 0  # Most find no place, and are told 486 by the library.
        # Places are free again when the library has forgotten the callers that went without a word.
        with trio.fail_after(PATIENCE):
            code = 1
            while code:
                with calling("call_404", tmp_path, OURS, calls.pool.addresses[0]) as far:
                    code = await gone(far)
        assert [worker.pid for worker in calls.pool.workers] == [pid]


async def test_the_entrance_is_there_again_when_its_worker_has_died(tmp_path: Path) -> None:
    async with open_line(tmp_path, first_port=free_port()) as (calls, names):
        (address,) = calls.pool.addresses
        with calling("call", tmp_path, OURS, address):
            calls.pool.answer(await names.receive())
            await calls.next(port.Answered, "c1")
            dead = calls.pool.workers[0]
            os.kill(dead.pid, signal.SIGKILL)
            assert (await calls.next(port.HungUp, "c1")).by == "lost"
        with trio.fail_after(PATIENCE):
            while dead in calls.pool.workers or address not in calls.pool.addresses:  # noqa: ASYNC110
                await trio.sleep(0.05)
        with calling("call_without_sdp", tmp_path, OURS, address) as far:
            calls.pool.answer(await names.receive())
            assert (await calls.next(port.HungUp, "c2")).by == "callee"
            assert await gone(far) == 0


async def test_calls_of_our_own_leave_places_at_the_entrance(tmp_path: Path) -> None:
    async with open_line(tmp_path) as (calls, _):
        entrance = calls.pool.workers[0]
        dead = f"127.0.0.1:{free_port()}"
        for number in range(5):
            calls.ring(f"d{number}", dead)
        with trio.fail_after(PATIENCE):
            while sum(len(worker.legs) for worker in calls.pool.workers) < 5:  # noqa: ASYNC110
                await trio.sleep(0.05)
        assert len(entrance.legs) == entrance.capacity - 2
