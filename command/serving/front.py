"""The SIP front of a server: what it is told of the configuration, and how it is joined to the pool."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from ringful.command.configuration.address import split_address
from ringful.command.configuration.config import Config
from ringful.command.errors import CommandError, first_of
from ringful.command.serving.exposure import is_fronted
from ringful.command.serving.ports import check_udp
from ringful.ground.faults import Tasks
from ringful.media.admission import BehindFront
from ringful.media.front.front import NODE_PORTS, Front, open_front
from ringful.media.front.process import FrontError
from ringful.media.front.settings import Certificate, FrontSettings
from ringful.media.trunking.exchange import Place
from ringful.media.trunking.places import Spot
from ringful.media.trunks import Trunk

_CALLS_OF_A_MEGABYTE = 20
"""A call has some 20 kB in the front's memory, its transactions among it; most of what there is, is spare."""


@asynccontextmanager
async def front_of(config: Config) -> AsyncIterator[Front | None]:
    """Give the front that *config* asks for, which runs; None where it asks for none.

    Raises CommandError (code 2) where it cannot be started.
    """
    if not is_fronted(config):
        yield None
        return
    settings = front_settings(config)
    # One of a server that died holds the address; it is asked to leave first.
    if not (settings.folder / "pid").exists():
        check_udp("sip.bind", config.sip.bind)
    try:
        async with open_front(settings) as front:
            yield front
    except* FrontError as errors:
        raise CommandError(f"sip.front: {first_of(errors)}", 2) from None


def front_settings(config: Config) -> FrontSettings:
    """Give what the front is told of the configuration."""
    sip = config.sip
    host, port = split_address(sip.bind)
    tls = None
    if sip.tls_certificate and sip.tls_key:
        tls = Certificate(
            sip.tls_certificate.absolute(), sip.tls_key.absolute(), sip.tls_authorities.absolute()
        )
    return FrontSettings(
        host,
        port,
        sip.ways,
        folder_of(config),
        sip.worker_ports,
        sip.public_address,
        any(trunk.transport == "tcp" for trunk in sip.ways),
        (sip.tls_port or port + 1) if tls else 0,
        tls,
        config.media.max_duration,
        shared_megabytes=64 + config.media.max_calls // _CALLS_OF_A_MEGABYTE,
    )


def folder_of(config: Config) -> Path:
    """Give where the front has its files: the next server of this address finds it there."""
    if config.sip.front_folder:
        return config.sip.front_folder.absolute()
    runtime = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR")
    name = config.sip.bind.replace(":", "-")
    if runtime:
        return Path(runtime.partition(":")[0]) / f"ringful-front-{name}"
    return Path(tempfile.gettempdir()) / f"ringful-front-{os.getuid()}-{name}"


def behind(front: Front, tasks: Tasks) -> BehindFront:
    """Give what the workers' pool must know of *front*."""
    first, last = front.settings.worker_ports

    def died(port: int) -> None:
        tasks.start_soon(front.end_calls, port)

    ports = range(first, last + 1 - NODE_PORTS)
    return BehindFront(front.inner, front.settings.known_as, ports, died)


def way_to(front: Front, trunk: Trunk, spot: Spot) -> Place:
    """Give where the node's own requests to *trunk*, which is at *spot*, go."""
    more = "" if trunk.transport == "udp" else f";transport={trunk.transport}"
    by = f"sip:{trunk.host}@{spot[0]}:{spot[1]}{more}"
    return Place("127.0.0.1", front.inner, by=by, there=spot, own_ports=front.node_ports)


async def why_deaf(front: Front) -> str:
    """Say why the front takes no calls; nothing where it answers."""
    if not front.why_down:
        with trio.move_on_after(2):
            await front.ask()
            return ""
    return front.why_down or "the SIP front does not answer"
