"""A pool behind a real front: Kamailio on a port of this test's, workers on ports of its own."""

import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import define

from ringful.command.serving.front import behind
from ringful.ground.faults import Fence
from ringful.media import port
from ringful.media.front.front import Front, open_front
from ringful.media.front.process import installed
from ringful.media.front.settings import FrontSettings
from ringful.media.pool import PoolSettings, open_pool
from ringful.media.trunks import Trunk
from tests.media.test_pool import Files, Line
from tests.server import free_port


def need_kamailio() -> None:
    """Skip the test where Kamailio is not installed; in CI it must be."""
    if not installed():
        if os.environ.get("CI"):
            pytest.fail("kamailio is not installed")
        pytest.skip("kamailio is not installed: apt-get install kamailio kamailio-tls-modules")


@define
class Fronted:
    """What there is."""

    front: Front
    line: Line
    offered: "trio.MemoryReceiveChannel[str]"
    """The names of calls that came in: ``c1``, ``c2`` and so on."""

    @property
    def address(self) -> str:
        return self.front.settings.known_as

    @property
    def pool(self) -> Any:
        return self.line.pool


HERE = ip_network("127.0.0.1/32")


def settings_of(folder: Path, *trunks: Trunk, **more: Any) -> FrontSettings:
    first = free_port(120)
    trunks = trunks or (Trunk("north", "127.0.0.1", 9, networks=(HERE,)),)
    return FrontSettings("127.0.0.1", free_port(), trunks, folder / "front", (first, first + 119), **more)


@asynccontextmanager
async def fronted(
    folder: Path, *trunks: Trunk, more: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Fronted]:
    """Give a pool behind a front that takes all calls from 127.0.0.1, and from the networks of *trunks*."""
    need_kamailio()
    async with trio.open_nursery() as nursery:
        tasks = Fence(nursery)
        made = settings_of(folder, *trunks, **(more or {}))
        async with open_front(made, user="") as front:
            of_pool = PoolSettings(trunks=made.trunks, front=behind(front, tasks), **settings)
            async with open_pool(of_pool, Files(folder)) as pool:
                offered, names = trio.open_memory_channel[str](math.inf)
                line = Line(pool, *trio.open_memory_channel[port.Event](math.inf))
                taken = 0

                def desk(offer: port.Offer) -> port.Taken:
                    nonlocal taken
                    taken += 1
                    offered.send_nowait(f"c{taken}")
                    return port.Taken(f"c{taken}", line.send.send_nowait)

                pool.open(desk)
                front.desk.take = pool.admission.take
                yield Fronted(front, line, names)
                front.desk.take = None
        nursery.cancel_scope.cancel()
