"""A trunk that answers whatever it is told to: a socket and a few lines of SIP, none of ours."""

import re
import socket
import threading
from collections.abc import Iterator
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
def false_trunk() -> Iterator[Trunk]:
    """Listen on a free port of UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        trunk = Trunk(f"127.0.0.1:{ours.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(ours, trunk), daemon=True)
        thread.start()
        try:
            yield trunk
        finally:
            ours.sendto(b"end", ours.getsockname())
            thread.join()


def _serve(ours: socket.socket, trunk: Trunk) -> None:
    while True:
        data, peer = ours.recvfrom(65536)
        if data == b"end":
            return
        text = data.decode()
        method = text.partition(" ")[0]
        trunk.asked.append(method)
        status = {"INVITE": trunk.status, "OPTIONS": trunk.options}.get(method, 0)
        if status:
            ours.sendto(_answer(text, status), peer)


def _answer(request: str, status: int) -> bytes:
    copied = re.findall(r"^(?:Via|v|From|f|Call-ID|i|CSeq):.*$", request, re.MULTILINE | re.IGNORECASE)
    to = re.findall(r"^(?:To|t):.*$", request, re.MULTILINE | re.IGNORECASE)[0].strip()
    lines = [f"SIP/2.0 {status} {_REASONS.get(status, 'Refused')}", *(one.strip() for one in copied)]
    lines.append(f"{to};tag=false")
    if status == 407:
        lines.append('Proxy-Authenticate: Digest realm="false", nonce="1234", algorithm=MD5')
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()
