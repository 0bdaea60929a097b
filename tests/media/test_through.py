"""REGISTER leaves by the port where calls come in, and its answers find the node."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import evolve

from ringful.media import port
from ringful.media.trunking.exchange import Place
from ringful.media.trunking.messages import Request
from ringful.media.trunking.places import Places
from ringful.media.trunking.standing import Surroundings
from ringful.media.trunking.watch import TrunkWatch
from tests.media.sip_peer import Peer, sdp, sip_peer
from tests.media.test_pool import Line, line
from tests.server import PATIENCE
from tests.trunk import trunk_to

REGISTER = Request("REGISTER", "sip:far", "sip:me@far", "through-1", 1, "t", contact="<sip:me@here>")


@asynccontextmanager
async def entered(folder: Path) -> AsyncIterator[tuple[Line, Peer, Place]]:
    async with sip_peer() as peer, line(folder) as calls:
        host, _, at_port = peer.address.partition(":")
        yield calls, peer, Place(host, int(at_port))


async def test_it_comes_from_where_calls_go_and_its_answer_is_heard(tmp_path: Path) -> None:
    async with entered(tmp_path) as (calls, peer, place):
        calls.ring("a", peer.address)
        call = await peer.called()
        await call.answer(200, sdp=sdp(4444))
        await calls.next(port.Answered)

        async def answer() -> None:
            await peer.request("REGISTER")  # It is lost.
            asked = await peer.request("REGISTER")
            assert asked.source == ("127.0.0.1", calls.pool.entrance)
            assert asked.header("via").startswith(f"SIP/2.0/UDP 127.0.0.1:{calls.pool.entrance};")
            said = peer.of(asked)
            for status in (100, 200):
                await said.answer(status, "Expires: 60", to=asked)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            with trio.fail_after(PATIENCE):
                answered = await calls.pool.through.exchange(REGISTER, place)
        assert (answered.status, answered.number("expires")) == (200, 60)
        # What nobody asked for, or asks for no more, is heard by nobody; the call goes on.
        stray = b"SIP/2.0 200 OK\r\nCall-ID: through-1\r\nCSeq: 1 REGISTER\r\n\r\n"
        for _ in range(50):
            for data in (
                stray,
                stray.replace(b"through-1", b"other"),
                stray[:40],
                stray.replace(b"OK", b"\xff"),
            ):
                await peer.send(data, ("127.0.0.1", calls.pool.entrance or 0))
        assert (await call.ask("OPTIONS")).status == 200
        assert (await call.hang_up()).status == 200
        assert (await calls.next(port.HungUp)).by == "callee"
        assert calls.pool.crew.died == 0


async def test_a_trunk_that_we_register_with_is_asked_from_there_alone(tmp_path: Path) -> None:
    async with entered(tmp_path) as (calls, peer, _):
        way = trunk_to(peer.address, "far", username="me")
        around = Surroundings(lambda status, _: "", exchange=calls.pool.through.exchange)
        for registers in (False, True):
            watch = TrunkWatch([], Places(), around)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch.probe, evolve(way, register=registers))
                asked = await peer.request("OPTIONS")
                await peer.of(asked).answer(200, to=asked)
            assert (asked.source[1] == calls.pool.entrance) is registers


async def test_an_answer_that_does_not_come_is_waited_for_as_long_as_one_wants(tmp_path: Path) -> None:
    async with entered(tmp_path) as (calls, peer, place):
        with trio.move_on_after(1.2) as limit:
            await calls.pool.through.exchange(REGISTER, place)
        assert limit.cancelled_caught
        assert peer.asked.count("REGISTER") >= 2
        assert not calls.pool.through._waiting
