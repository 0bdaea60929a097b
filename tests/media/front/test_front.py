"""Calls by way of the SIP front, both ways, and what happens when a part of it dies."""

import os
import random
import signal
from pathlib import Path

import pytest
import trio

from ringful.media import port
from ringful.media.trunks import Trunk
from tests.fuzz.sip import mutate
from tests.fuzz.torture import torture
from tests.media.front.fronted import HERE, fronted
from tests.media.sip_peer import sdp, sip_peer
from tests.server import PATIENCE

OURS = "+18005550000"


async def test_thirty_calls_in_at_once_are_all_taken_and_end_both_ways(tmp_path: Path) -> None:
    async with fronted(tmp_path) as behind, sip_peer() as peer:
        calls = [await peer.call(behind.address, OURS, sdp=sdp()) for _ in range(30)]
        for _ in calls:
            with trio.fail_after(PATIENCE):
                behind.pool.answer(await behind.offered.receive())
        for call in calls:
            said = await call.final()
            assert said.status == 200, said.first
            assert f"@{behind.address}" in said.header("contact")
            assert said.source == ("127.0.0.1", behind.front.settings.port)
            await call.ack(said)
        assert len(behind.pool.workers) == 8
        for call in calls[:15]:
            assert (await call.hang_up()).status == 200
        for name in list(behind.pool.legs):
            behind.pool.hang_up(name)
        ended = {call.name for call in calls[15:]}
        while ended:
            ended.discard((await peer.request("BYE")).header("call-id"))
        assert {one.source for one in peer.came} == {("127.0.0.1", behind.front.settings.port)}


async def test_a_call_out_goes_by_the_trunks_name_from_the_one_address(tmp_path: Path) -> None:
    async with sip_peer() as peer:
        at_port = int(peer.address.rpartition(":")[2])
        trunk = Trunk("north", "localhost", at_port, domain="voice.example", networks=(HERE,))
        async with fronted(tmp_path, trunk) as behind:
            behind.pool.ring("a", "+15125551234", None, behind.line.send.send_nowait)
            call = await peer.called()
            assert call.invite
            assert call.invite.uri == "sip:+15125551234@voice.example"
            assert call.invite.source == ("127.0.0.1", behind.front.settings.port)
            assert behind.address in call.invite.header("contact")
            assert not call.invite.headers.get("x-ringful-to")
            await call.answer(180)
            await behind.line.next(port.Ringing)
            await call.answer(200, sdp=sdp())
            await peer.request("ACK")
            await behind.line.next(port.Answered)
            # Within the call, both ways.
            assert (await call.ask("INVITE", sdp=sdp(version=2))).status == 200
            assert (await call.ask("OPTIONS")).status == 200
            behind.pool.transfer("a", 1, "+15125550199")
            refer = await peer.request("REFER")
            await call.answer(202, to=refer)
            assert (await call.hang_up()).status == 200
            assert isinstance(await behind.line.next(port.HungUp), port.HungUp)


async def test_a_cancelled_call_is_answered_487_and_leaves_no_place_taken(tmp_path: Path) -> None:
    async with fronted(tmp_path) as behind, sip_peer() as peer:
        call = await peer.call(behind.address, OURS, sdp=sdp())
        await call.provisional(180)
        assert (await call.cancel()).status == 200
        said = await call.final(1)
        assert said.status == 487
        await call.ack(said)
        await behind.line.next(port.Refused, "c1")
        assert not any(worker.expected for worker in behind.pool.workers)


async def test_far_ends_are_told_when_their_worker_dies(tmp_path: Path) -> None:
    async with sip_peer() as peer:
        at_port = int(peer.address.rpartition(":")[2])
        trunk = Trunk("north", "127.0.0.1", at_port, networks=(HERE,))
        async with fronted(tmp_path, trunk) as behind:
            up = await peer.call(behind.address, OURS, sdp=sdp())
            behind.pool.answer(await behind.offered.receive())
            await up.ack(await up.final())
            rings = await peer.call(behind.address, OURS, sdp=sdp())
            await rings.provisional(180)
            behind.pool.ring("a", "+15125551234", None, behind.line.send.send_nowait)
            called = await peer.called()
            await called.answer(180)
            await behind.line.next(port.Ringing)
            (worker,) = {leg.worker for leg in behind.pool.legs.values()}
            os.kill(worker.pid, signal.SIGKILL)
            assert (await peer.request("BYE")).header("call-id") == up.name
            refused = await rings.final(1)
            assert refused.status == 503
            assert refused.header("retry-after")
            assert (await peer.request("CANCEL")).header("call-id") == called.name


async def test_a_worker_that_hangs_takes_no_call_with_it(tmp_path: Path) -> None:
    async with fronted(tmp_path) as behind, sip_peer() as peer:
        (worker,) = behind.pool.workers
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            call = await peer.call(behind.address, OURS, sdp=sdp())
            behind.pool.answer(await behind.offered.receive())
            said = await call.final()
            assert said.status == 200
            await call.ack(said)
            assert len(behind.pool.workers) == 2
        finally:
            os.kill(worker.pid, signal.SIGCONT)


async def test_a_front_that_is_killed_loses_no_call(tmp_path: Path) -> None:
    async with fronted(tmp_path) as behind, sip_peer() as peer:
        calls = []
        for _ in range(2):
            call = await peer.call(behind.address, OURS, sdp=sdp())
            behind.pool.answer(await behind.offered.receive())
            await call.ack(await call.final())
            calls.append(call)
        running = behind.front.kamailio.process
        assert running
        os.killpg(running.pid, signal.SIGKILL)
        with trio.fail_after(PATIENCE):
            while behind.front.restarts == 0:  # noqa: ASYNC110 (nothing tells of it)
                await trio.sleep(0.01)
        assert (await calls[0].ask("INVITE", sdp=sdp(version=2))).status == 200
        assert (await calls[0].hang_up()).status == 200
        behind.pool.hang_up("c2")
        assert (await peer.request("BYE")).header("call-id") == calls[1].name
        new = await peer.call(behind.address, OURS, sdp=sdp())
        behind.pool.answer(await behind.offered.receive())
        assert (await new.final()).status == 200


async def test_a_front_that_hangs_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringful.media.front.front.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("ringful.media.front.process.END_SECONDS", 0.1)
    async with fronted(tmp_path) as behind, sip_peer() as peer:
        running = behind.front.kamailio.process
        assert running
        os.killpg(running.pid, signal.SIGSTOP)
        with trio.fail_after(PATIENCE):
            while behind.front.restarts == 0:  # noqa: ASYNC110 (nothing tells of it)
                await trio.sleep(0.01)
        call = await peer.call(behind.address, OURS, sdp=sdp())
        behind.pool.answer(await behind.offered.receive())
        assert (await call.final()).status == 200


async def test_a_node_that_is_away_means_503_with_retry_after(tmp_path: Path) -> None:
    async with fronted(tmp_path) as behind, sip_peer() as peer:

        async def thinks(method: str, call_id: str) -> int:
            await trio.sleep_forever()
            raise AssertionError

        behind.front.desk.take = thinks
        call = await peer.call(behind.address, OURS, sdp=sdp())
        said = await call.final()
        assert said.status == 503
        assert said.header("retry-after")
        await call.ack(said)


async def test_strangers_are_not_heard_and_are_counted(tmp_path: Path) -> None:
    async with fronted(tmp_path) as behind, sip_peer() as friend, sip_peer("127.0.0.2") as stranger:
        for method in ("INVITE", "OPTIONS", "REGISTER", "REFER", "MESSAGE", "SUBSCRIBE"):
            call = stranger.outgoing(behind.address, OURS)
            await call.begin(method, "Refer-To: <sip:+15125550199@127.0.0.1>", sdp=sdp())
        # What a friend sends after them is answered, so they have been read by then.
        known = friend.outgoing(behind.address, OURS)
        assert (await known.ask("OPTIONS")).status == 200
        assert stranger.came == []
        await behind.front.look()
        assert behind.front.counts["strangers"] == 6
        assert behind.pool.legs == {}


async def test_odd_packets_reach_nobody_and_fill_no_disk(tmp_path: Path) -> None:
    rnd = random.Random(4475)
    async with fronted(tmp_path) as behind, sip_peer() as friend, sip_peer("127.0.0.2") as stranger:
        live = await friend.call(behind.address, OURS, sdp=sdp())
        behind.pool.answer(await behind.offered.receive())
        await live.ack(await live.final())
        to = ("127.0.0.1", behind.front.settings.port)
        for peer in (friend, stranger):
            for _, packet in torture(peer.address, behind.address):
                await peer.send(packet, to)
            for _ in range(40):
                await peer.send(rnd.randbytes(rnd.randrange(1, 1400)), to)
                await peer.send(mutate(live.made("INFO", "X-Ringful-To: <sip:127.0.0.1:9>"), rnd), to)
        assert (await live.ask("OPTIONS")).status == 200
        assert stranger.came == []
        assert behind.pool.crew.died == behind.pool.crew.shaken == behind.front.restarts == 0
        assert (behind.front.settings.folder / "log").stat().st_size < 20_000
        # Another program on this machine is no worker and no node.
        async with sip_peer() as program:
            call = program.outgoing(f"127.0.0.1:{behind.front.inner}", "+15125550199")
            await call.begin("INVITE", f"X-Ringful-To: <sip:{friend.address}>", sdp=sdp())
            assert (await live.ask("OPTIONS")).status == 200
            assert program.came == []
        assert (await live.hang_up()).status == 200
