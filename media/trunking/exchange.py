"""One request without a call, sent until it is answered or no longer waited for (RFC 3261, 17.1.2)."""

from secrets import token_hex
from typing import Literal

import trio
from attrs import frozen

from ringful.media.trunking.messages import Answer, Request, final

_RESEND = (0.5, 1.0, 2.0, 4.0)
"""How many seconds each datagram is waited upon before it is sent again."""
_MOST = 65536


@frozen
class Place:
    """Where requests go, and how."""

    address: str
    port: int
    transport: Literal["udp", "tcp"] = "udp"
    known_as: str = ""
    """What Via says of us; empty: the address of our socket."""


async def own_address(place: Place) -> str:
    """Give the address of this machine that packets to *place* come from.  Raises OSError."""
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as probe:
        await probe.connect((place.address, place.port))
        return str(probe.getsockname()[0])


async def exchange(request: Request, place: Place) -> Answer:
    """Give the final answer of *place* to *request*.

    It waits for as long as the caller lets it.  Raises OSError where nobody listens there.
    """
    kind = trio.socket.SOCK_STREAM if place.transport == "tcp" else trio.socket.SOCK_DGRAM
    with trio.socket.socket(trio.socket.AF_INET, kind) as ours:
        await ours.connect((place.address, place.port))
        name, own_port = ours.getsockname()
        via = f"{place.transport.upper()} {place.known_as or name}:{own_port}"
        written = request.written(via, token_hex(8))
        if place.transport == "tcp":
            await trio.SocketStream(ours).send_all(written)
            return await _heard(ours, request)
        for patience in _RESEND:
            await ours.send(written)
            with trio.move_on_after(patience):
                return await _heard(ours, request)
        return await _heard(ours, request)


async def _heard(ours: trio.socket.SocketType, request: Request) -> Answer:
    heard = b""
    while True:
        data = await ours.recv(_MOST)
        if ours.type == trio.socket.SOCK_STREAM:
            if not data:
                raise OSError("it closed the connection")
            heard = (heard + data)[-_MOST:]
        else:
            heard = data
        if answer := final(heard, request):
            return answer


def options(host: str, transport: str, user: str = "ringful") -> Request:
    """Make an OPTIONS, which asks *host* (or ``HOST:PORT``) whether it is there."""
    more = ";transport=tcp" if transport == "tcp" else ""
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
