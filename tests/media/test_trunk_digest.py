"""Calls by trunks that want to know who we are: the digests that far ends ask for, on real SIP."""

from pathlib import Path
from typing import Any

import pytest
import trio

from ringful.media import port
from ringful.media.pool import PoolSettings, open_pool
from tests.media.sip_peer import sdp, sip_peer
from tests.media.test_pool import Files, line
from tests.registrar import Registrar, registrar, words_of
from tests.server import PATIENCE
from tests.trunk import trunk_to


async def refused(far: Registrar, folder: Path, password: str) -> port.Refused:
    """Ring by *far*, and give how it was refused."""
    send, receive = trio.open_memory_channel[port.Event](100)
    way = trunk_to(far.address, username=far.username, password=password)
    async with open_pool(PoolSettings(trunks=(way,)), Files(folder)) as pool:
        pool.ring("a", "+15125551234", None, send.send_nowait)
        with trio.fail_after(PATIENCE):
            async for event in receive:
                if isinstance(event, port.Refused):
                    return event
    raise AssertionError


@pytest.mark.parametrize(
    ("far", "used"),
    [
        ({}, "MD5"),
        ({"algorithms": ("SHA-256",)}, "SHA-256"),
        ({"algorithms": ("SHA-256", "MD5")}, "SHA-256"),
        ({"algorithms": ("MD5", "SHA-256"), "proxy": True}, "MD5"),
        ({"qop": ""}, "MD5"),
        ({"proxy": True, "algorithms": ("SHA-256",)}, "SHA-256"),
    ],
)
async def test_a_trunk_knows_us_by_what_it_asks_for(tmp_path: Path, far: dict[str, Any], used: str) -> None:
    with registrar(**far) as made:
        end = await refused(made, tmp_path, made.password)
        # Whoever it knows is told that the callee is busy.
        assert (end.sip_status, made.algorithms_used) == (486, [used])
        assert made.heard.count(f"INVITE {407 if made.proxy else 401}") == 1


async def test_a_nonce_that_is_too_old_is_no_wrong_password(tmp_path: Path) -> None:
    with registrar(stale_after=0) as made:
        end = await refused(made, tmp_path, made.password)
        assert end.sip_status in (401, 407)
        assert made.heard.count("INVITE 401") < 6


async def test_a_wrong_password_is_told_as_that(tmp_path: Path) -> None:
    with registrar() as made:
        end = await refused(made, tmp_path, "wrong")
        assert end.sip_status == 401
        assert made.algorithms_used == []


async def test_requests_within_a_call_show_who_we_are_as_well(tmp_path: Path) -> None:
    algorithm = "SHA-256"
    async with sip_peer() as peer:
        peer.by_itself.clear()
        way = trunk_to(peer.address, username="alice", password="wonder land")
        async with line(tmp_path, trunks=(way,)) as calls:
            calls.pool.ring("a", "+15125551234", None, calls.send.send_nowait)
            call = await peer.called()
            await call.answer(200, sdp=sdp(4444))
            await peer.request("ACK")
            await calls.next(port.Answered)

            async def shown(method: str, status: int) -> None:
                """Wait for such a request, ask who sends it, and answer the one that says so."""
                first = await peer.request(method)
                asked = f'Digest realm="ringful.test", nonce="{method}", qop="auth", algorithm={algorithm}'
                await call.answer(407, f"Proxy-Authenticate: {asked}", to=first)
                second = await peer.get(lambda one: one.method == method and one.number > first.number)
                words = words_of(second.header("proxy-authorization"))
                assert (words["nonce"], words["algorithm"]) == (method, algorithm)
                assert words["response"] == Registrar().expected(method, words)
                await call.answer(status, to=second)

            calls.pool.transfer("a", 1, "+15125550000")
            await shown("REFER", 603)
            assert (await calls.next(port.TransferFailed)).sip_status == 603
            calls.pool.hang_up("a")
            await shown("BYE", 200)
            assert (await calls.next(port.HungUp)).by == "server"
