"""A trunk that answers whatever it is told to: a socket and a few lines of SIP, none of ours."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from ringful.media import trunks

_REASONS = {200: "OK", 403: "Forbidden", 407: "Proxy Authentication Required", 488: "Not Acceptable Here"}


@define
class Trunk:
    """What it answers to an INVITE, and to OPTIONS (0: nothing), and how often it was asked."""

    address: str
    status: int = 503
    options: int = 200
    asked: list[str] = field(factory=list)


def trunk_to(
    address: str, name: str = "trunk", *, username: str = "", password: str = "", **more: Any
) -> trunks.Trunk:
    """Give a trunk whose address is *address*."""
    host, _, port = address.partition(":")
    return trunks.Trunk(name, host, int(port or 0), ours=trunks.Credentials(username, password), **more)


@contextmanager
def answering(answer: Callable[[str], bytes | None]) -> Iterator[str]:
    """Listen on a free port of UDP, and send back what *answer* gives to each message; gives the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(ours, answer), daemon=True)
        thread.start()
        try:
            yield "{}:{}".format(*ours.getsockname())
        finally:
            ours.sendto(b"end", ours.getsockname())
            thread.join()


def _serve(ours: socket.socket, answer: Callable[[str], bytes | None]) -> None:
    while True:
        data, peer = ours.recvfrom(65536)
        if data == b"end":
            return
        if said := answer(data.decode()):
            ours.sendto(said, peer)


@contextmanager
def false_trunk() -> Iterator[Trunk]:
    """Listen on a free port of UDP."""

    def answer(text: str) -> bytes | None:
        method = text.partition(" ")[0]
        trunk.asked.append(method)
        status = {"INVITE": trunk.status, "OPTIONS": trunk.options}.get(method, 0)
        return _answer(text, status) if status else None

    with answering(answer) as address:
        trunk = Trunk(address)
        yield trunk


def _answer(request: str, status: int) -> bytes:
    copied = re.findall(r"^(?:Via|v|From|f|Call-ID|i|CSeq):.*$", request, re.MULTILINE | re.IGNORECASE)
    to = re.findall(r"^(?:To|t):.*$", request, re.MULTILINE | re.IGNORECASE)[0].strip()
    lines = [f"SIP/2.0 {status} {_REASONS.get(status, 'Refused')}", *(one.strip() for one in copied)]
    lines.append(f"{to};tag=false")
    if status == 407:
        lines.append('Proxy-Authenticate: Digest realm="false", nonce="1234", algorithm=MD5')
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()
