"""Calls by trunks that want to know who we are: the digests that far ends ask for, on real SIP."""

from pathlib import Path
from typing import Any

import pytest
import trio

from ringful.media import port
from ringful.media.pool import PoolSettings, open_pool
from tests.media.test_pool import Files
from tests.registrar import Registrar, registrar
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
