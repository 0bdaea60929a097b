"""One request without a call, sent until it is answered or no longer waited for (RFC 3261, 17.1.2)."""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from random import randrange
from secrets import token_hex
from typing import Literal

import trio
from attrs import evolve, frozen

from ringful.media.trunking.messages import Answer, Request, final

RESEND = (0.5, 1.0, 2.0, 4.0)
"""How many seconds each datagram is waited upon before it is sent again."""
_MOST = 65536


@frozen
class Place:
    """Where requests go, and how."""

    address: str
    port: int
    transport: Literal["udp", "tcp", "tls"] = "udp"
    """By TLS it is asked by no server, whose front speaks that, but where a trunk is tried."""
    name: str = ""
    """Whose certificate is asked for by TLS."""
    authorities: str = ""
    """The file of those that it must follow from; empty: this machine's."""
    known_as: str = ""
    """What Via says of us; empty: the address of our socket."""
    by: str = ""
    """Where the SIP front, which *address* and *port* are of then, is to send it."""
    there: tuple[str, int] | None = None
    """Where that is."""
    own_ports: tuple[int, int] = (0, 0)
    """The first and the last port that we may ask from; 0, 0: any."""


async def own_address(place: Place) -> str:
    """Give the address of this machine that packets to *place* come from.  Raises OSError."""
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as probe:
        await probe.connect((place.address, place.port))
        return str(probe.getsockname()[0])


async def exchange(request: Request, place: Place) -> Answer:
    """Give the final answer of *place* to *request*.

    It waits for as long as the caller lets it.  Raises OSError where nobody listens there, or nobody whose
    certificate we believe.
    """
    kind = trio.socket.SOCK_DGRAM if place.transport == "udp" else trio.socket.SOCK_STREAM
    with trio.socket.socket(trio.socket.AF_INET, kind) as ours:
        await _bind(ours, place)
        await ours.connect((place.address, place.port))
        name, own_port = ours.getsockname()
        via = f"{place.transport.upper()} {place.known_as or name}:{own_port}"
        if place.by:
            request = evolve(request, more=(*request.more, ("X-Ringful-To", f"<{place.by}>")))
        written = request.written(via, token_hex(8))
        if place.transport != "udp":
            return await _by_connection(ours, place, request, written)
        for patience in RESEND:
            await ours.send(written)
            with trio.move_on_after(patience):
                return await _heard(partial(ours.recv, _MOST), request)
        return await _heard(partial(ours.recv, _MOST), request)


async def _by_connection(
    ours: trio.socket.SocketType, place: Place, request: Request, written: bytes
) -> Answer:
    stream: trio.abc.Stream = trio.SocketStream(ours)
    if place.transport == "tls":
        trusting = ssl.create_default_context(cafile=place.authorities or None)
        stream = trio.SSLStream(stream, trusting, server_hostname=place.name or place.address)
    try:
        await stream.send_all(written)
        return await _heard(partial(stream.receive_some, _MOST), request, whole=True)
    except trio.BrokenResourceError as error:
        why = error.__cause__ or error
        if isinstance(why, ssl.SSLCertVerificationError):
            raise OSError(f"its certificate is not believed: {why.verify_message}") from error
        raise OSError(str(why)) from error


async def _bind(ours: trio.socket.SocketType, place: Place) -> None:
    """Take a port of those that we may ask from, another each time.  Raises OSError where all are taken."""
    first, last = place.own_ports
    if not last:
        return
    ports = range(first, last + 1)
    start = randrange(len(ports))
    for port in (*ports[start:], *ports[:start]):
        with suppress(OSError):
            await ours.bind((place.address, port))
            return
    raise OSError("none of our own ports for asking trunks is free")


async def _heard(
    receive: Callable[[], Awaitable[bytes | bytearray]], request: Request, *, whole: bool = False
) -> Answer:
    """Give the final answer to *request* among what is received; *whole*: it comes in any pieces."""
    heard = b""
    while True:
        data = bytes(await receive())
        if whole and not data:
            raise OSError("it closed the connection")
        heard = (heard + data)[-_MOST:] if whole else data
        if answer := final(heard, request):
            return answer


def options(host: str, transport: str, user: str = "ringful") -> Request:
    """Make an OPTIONS, which asks *host* (or ``HOST:PORT``) whether it is there."""
    more = "" if transport == "udp" else f";transport={transport}"
    there = f"sip:{host}"
    return Request(
        "OPTIONS",
        f"{there}{more}",
        there,
        token_hex(8),
        1,
        token_hex(4),
        sender=f"sip:{user}@{host.partition(':')[0]}",
        more=(("Accept", "application/sdp"),),
    )
