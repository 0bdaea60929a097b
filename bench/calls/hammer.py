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
_ENDS = re.compile(rb"^connection:[ \t]*close", re.MULTILINE | re.IGNORECASE)
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
    """A connection, when its request was sent, and what came since."""

    socket: socket.socket
    sent: float = 0.0
    came: bytes = b""


class _Hammer:
    """Connections, on each of which the next request follows the answer to the one before."""

    def __init__(self, order: Assault, numbers: Numbers) -> None:
        self._asker = Asker(order.port, order.base, order.key, order.secret, numbers)
        self._turns = cycle([(method, call) for call in order.calls for method in ("Mute", "Unmute")])
        self._order = order
        self._poll = select.epoll()
        self._open: dict[int, _Connection] = {}
        self.took: list[float] = []
        self.refused: list[str] = []

    def run(self) -> None:
        """Ask until the time is over, and wait for the last answers."""
        until = time.perf_counter() + self._order.seconds
        for one in [self._connect() for _ in range(self._order.connections)]:
            self._ask(one)
        while self._open:
            ready = self._poll.poll(PATIENCE)
            if not ready:
                self.refused += ["no answer"] * len(self._open)
                return
            for number, _ in ready:
                self._hear(self._open[number], until)

    def _connect(self) -> _Connection:
        made = _Connection(socket.create_connection(("127.0.0.1", self._order.port)))
        made.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open[made.socket.fileno()] = made
        self._poll.register(made.socket, select.EPOLLIN)
        return made

    def _close(self, one: _Connection) -> None:
        self._poll.unregister(one.socket)
        del self._open[one.socket.fileno()]
        one.socket.close()

    def _ask(self, one: _Connection) -> None:
        method, call = next(self._turns)
        request = self._asker.request(method, callId=call)
        one.sent, one.came = time.perf_counter(), b""
        one.socket.sendall(request)

    def _hear(self, one: _Connection, until: float) -> None:
        data = one.socket.recv(65536)
        one.came += data
        if data and not _whole(one.came):
            return
        now = time.perf_counter()
        self.took.append(now - one.sent)
        if not one.came.startswith(b"HTTP/1.1 200"):
            self.refused.append(one.came.decode("latin-1").strip() or "the connection was closed")
        over, ending = now >= until, not data or bool(_ENDS.search(one.came))
        if over or ending:
            self._close(one)
        if not over:
            # A server may end a connection behind an answer, if it says so: the next one goes on.
            self._ask(self._connect() if ending else one)


def assault(order: Assault, numbers: Numbers) -> Borne:
    """Ask for so many seconds; give how that went.  A server that is gone is a refusal."""
    hammer, began = _Hammer(order, numbers), time.perf_counter()
    try:
        hammer.run()
    except OSError as error:
        hammer.refused.append(f"no answer: {error.strerror}")
    return _borne(hammer.took, hammer.refused, time.perf_counter() - began)


def _whole(came: bytes) -> bool:
    head, found, body = came.partition(b"\r\n\r\n")
    size = _SIZE.search(head)
    return bool(found) and len(body) >= (int(size[1]) if size else 0)


def _borne(took: Sequence[float], refused: Sequence[str], seconds: float) -> Borne:
    p50, p99 = (1000 * percentile(took, share) if took else None for share in (0.5, 0.99))
    first, *rest = refused[0].splitlines() if refused else [""]
    return Borne(len(took), len(refused), seconds, p50, p99, f"{first} {rest[-1]}" if rest else first)


def main() -> None:
    """Do what standard input orders."""
    told = json.load(sys.stdin)
    order = Assault(**{**told, "calls": tuple(told["calls"])})
    with open_numbers(Path(order.numbers)) as numbers:
        print(json.dumps(asdict(assault(order, numbers))))


if __name__ == "__main__":
    main()
