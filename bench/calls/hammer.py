"""Many signed requests, one after another on each of some connections: a customer in a process of its own.

``python -m ringful.bench.calls.hammer`` reads an `Assault` as JSON from its standard input, and prints
what came of it, as JSON.  The requests are Mute and Unmute in turn: each is signed, kept in the journal,
and done by a media worker, and a call can take any number of them.
"""

import json
import re
import select
import socket
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from attrs import asdict, define, frozen

from ringful.bench.calls.asking import Asker
from ringful.bench.calls.numbers import Numbers, open_numbers
from ringful.bench.media.results import percentile

_SIZE = re.compile(rb"^content-length:[ \t]*(\d+)", re.MULTILINE | re.IGNORECASE)
PATIENCE = 10.0
"""Seconds without any answer after which there is none."""


@frozen
class Assault:
    """Who is asked what, by how many connections, and how long."""

    port: int
    base: str
    key: str
    secret: str
    calls: tuple[str, ...]
    connections: int
    seconds: float
    numbers: str
    """The file where seq is counted."""


@frozen
class Borne:
    """What came of it; times are in milliseconds."""

    requests: int
    failed: int
    seconds: float
    p50: float | None
    p99: float | None
    refusal: str = ""
    """What the first one was told that failed."""


@define(eq=False)
class _Connection:
    socket: socket.socket
    sent: float = 0.0
    came: bytes = b""


def assault(order: Assault, numbers: Numbers) -> Borne:
    """Ask for so many seconds; give how that went."""
    asker = Asker(order.port, order.base, order.key, order.secret, numbers)
    turns = cycle([(method, call) for call in order.calls for method in ("Mute", "Unmute")])
    open_ones: dict[int, _Connection] = {}
    poll = select.epoll()
    took: list[float] = []
    refused: list[str] = []

    def ask(one: _Connection) -> None:
        method, call = next(turns)
        request = asker.request(method, callId=call)
        one.sent, one.came = time.perf_counter(), b""
        one.socket.sendall(request)

    for _ in range(order.connections):
        made = _Connection(socket.create_connection(("127.0.0.1", order.port)))
        made.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_ones[made.socket.fileno()] = made
        poll.register(made.socket, select.EPOLLIN)
    began = time.perf_counter()
    for one in open_ones.values():
        ask(one)
    while open_ones:
        ready = poll.poll(PATIENCE)
        if not ready:
            refused += ["no answer"] * len(open_ones)
            break
        for number, _ in ready:
            one = open_ones[number]
            data = one.socket.recv(65536)
            one.came += data
            if data and not _whole(one.came):
                continue
            now = time.perf_counter()
            took.append(now - one.sent)
            if not one.came.startswith(b"HTTP/1.1 200"):
                refused.append(one.came.decode("latin-1").strip() or "the connection was closed")
            if not data or now >= began + order.seconds:
                poll.unregister(one.socket)
                open_ones.pop(number).socket.close()
            else:
                ask(one)
    return _borne(took, refused, time.perf_counter() - began)


def _whole(came: bytes) -> bool:
    head, found, body = came.partition(b"\r\n\r\n")
    size = _SIZE.search(head)
    return bool(found) and len(body) >= (int(size[1]) if size else 0)


def _borne(took: Sequence[float], refused: Sequence[str], seconds: float) -> Borne:
    p50, p99 = (1000 * percentile(took, share) if took else None for share in (0.5, 0.99))
    said = refused[0].splitlines() if refused else []
    return Borne(len(took), len(refused), seconds, p50, p99, f"{said[0]} {said[-1]}" if said else "")


def main() -> None:
    """Do what standard input orders."""
    told = json.load(sys.stdin)
    order = Assault(**{**told, "calls": tuple(told["calls"])})
    with open_numbers(Path(order.numbers)) as numbers:
        print(json.dumps(asdict(assault(order, numbers))))


if __name__ == "__main__":
    main()
