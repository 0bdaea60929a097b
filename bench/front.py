"""What the SIP front costs: how much later a caller hears ringing, and its processor time for each call.

The callers are in another process, ``python -m ringful.bench.front HOST PORT[,PORT…] RATE SECONDS``, and have
sockets alone; calls are answered by the pool at once, and ended by the caller after a third of a second.
Nothing of the node but its pool takes part.
"""

import json
import os
import select
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from secrets import token_hex
from typing import Any

import trio
from attrs import define, field, frozen

from ringful.bench.figures import Effort, Figure
from ringful.bench.media import measured
from ringful.ground.faults import Fence
from ringful.media import port
from ringful.media.admission import BehindFront
from ringful.media.front.front import NODE_PORTS, Front, free_port, open_front
from ringful.media.front.process import installed
from ringful.media.front.settings import FrontSettings
from ringful.media.pool import Pool, PoolSettings, open_pool
from ringful.media.trunks import Trunk

QUIET, BUSY = 35.0, 100.0
"""Calls a second: where the way is measured, and where it is seen that none is lost."""
TALK = 0.33
"""Seconds from the answer to the caller's BYE."""
_LONG = 10.0
"""How many times longer than a round of other figures one lasts."""
_SDP = (
    "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


@frozen
class Heard:
    """What the callers of one round heard."""

    calls: int
    lost: int
    """Those that were not answered by 200, or not ended."""
    ringing: tuple[float, ...]
    """Milliseconds from INVITE to 180, in order."""
    cpu: float = 0.0
    """Milliseconds of Kamailio's processor time for each call."""

    def late(self, part: float) -> float:
        """Give the time within which that part of all callers hears ringing."""
        return self.ringing[min(len(self.ringing) - 1, int(part * len(self.ringing)))]


def front(effort: Effort) -> Iterator[Figure]:
    """Measure the way by the front beside the way to the workers; nothing where Kamailio is not installed."""
    if not installed():
        return
    direct, fronted, busy = trio.run(_measure, effort)
    about = f"{QUIET:g} calls a second for {_LONG * effort.seconds:g} s, from INVITE to 180"
    for name, found in (("to the workers", direct), ("by the front", fronted)):
        for part in (0.5, 0.99):
            late = tuple(one.late(part) for one in found)
            yield Figure(f"ringing {name}, p{part * 100:g}", "ms", late, about)
    yield Figure("Kamailio, a call", "ms", tuple(one.cpu for one in fronted), f"processor time; {about}")
    lots = f"{BUSY:g} calls a second for {_LONG * effort.seconds:g} s"
    yield Figure(f"Kamailio, a call of {BUSY:g}/s", "ms", tuple(one.cpu for one in busy), lots)
    lost = tuple(float(one.lost) for one in busy)
    yield Figure("calls lost", "calls", lost, f"of {lots}: not answered, or not ended")


async def _measure(effort: Effort) -> tuple[list[Heard], list[Heard], list[Heard]]:
    direct: list[Heard] = []
    fronted: list[Heard] = []
    busy: list[Heard] = []
    seconds = _LONG * effort.seconds
    async with _pool(None) as (pool, _):
        await _warm(pool, 8)
        ports = [worker.port for worker in pool.workers]
        for _ in range(effort.rounds):
            direct.append(await _heard(ports, QUIET, seconds))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # The front runs as somebody else where we are root.
        async with _pool(Path(folder)) as (pool, there):
            assert there
            await _warm(pool, 8)
            for found, rate in ((fronted, QUIET), (busy, BUSY)):
                for _ in range(effort.rounds):
                    before = _cpu_ms(there)
                    heard = await _heard([there.settings.port], rate, seconds)
                    cpu = (_cpu_ms(there) - before) / heard.calls
                    found.append(Heard(heard.calls, heard.lost, heard.ringing, cpu))
    return direct, fronted, busy


@asynccontextmanager
async def _pool(folder: Path | None) -> AsyncIterator[tuple[Pool, Front | None]]:
    """Give a pool that answers all calls, behind a front in *folder*."""

    class Nothing:
        def ready(self, sound: port.Sound) -> Path | None:
            return None

        async def path(self, sound: port.Sound) -> Path:
            raise AssertionError("nothing is played")

    async with trio.open_nursery() as nursery:
        settings = PoolSettings(max_calls=160)
        if folder is None:
            async with open_pool(settings, Nothing()) as pool:
                _answer_all(pool)
                yield pool, None
        else:
            trunk = Trunk("callers", "127.0.0.1", 9, networks=(ip_network("127.0.0.1"),))
            made = FrontSettings("127.0.0.1", free_port(), (trunk,), folder / "front", (26_000, 26_399))
            async with open_front(made) as there:
                ports = range(26_000, 26_400 - NODE_PORTS)
                died = Fence(nursery)
                behind = BehindFront(
                    there.inner, made.known_as, ports, lambda at: died.start_soon(there.end_calls, at)
                )
                settings = PoolSettings(max_calls=160, trunks=(trunk,), front=behind)
                async with open_pool(settings, Nothing()) as pool:
                    _answer_all(pool)
                    there.desk.take = pool.admission.take
                    yield pool, there
        nursery.cancel_scope.cancel()


def _answer_all(pool: Pool) -> None:
    count = 0

    def desk(offer: port.Offer) -> port.Taken:
        nonlocal count
        count += 1
        name = f"c{count}"
        trio.lowlevel.current_trio_token().run_sync_soon(pool.answer, name)
        return port.Taken(name, lambda event: None)

    pool.open(desk)


async def _warm(pool: Pool, workers: int) -> None:
    while len(pool.workers) < workers:
        pool.crew.start_one()
        await trio.sleep(0.05)


async def _heard(ports: Sequence[int], rate: float, seconds: float) -> Heard:
    listed = ",".join(map(str, ports))
    command = [sys.executable, "-m", "ringful.bench.front", "127.0.0.1", listed, str(rate), str(seconds)]
    done = await trio.run_process(command, capture_stdout=True)
    found = json.loads(done.stdout)
    return Heard(found["calls"], found["lost"], tuple(sorted(found["ringing"])))


def _cpu_ms(there: Front) -> float:
    """Give the milliseconds of processor time that the front's processes have taken."""
    running = there.kamailio.process
    assert running
    return measured.fine_cpu_ms({running.pid, *measured.workers_of(running.pid, 0)})


@define
class _Call:
    name: str
    to: str
    server: tuple[str, int]
    began: float
    rang: float = 0.0
    answered: float = 0.0
    over: float = 0.0
    target: str = ""
    theirs: str = ""
    answers: list[int] = field(factory=list)


class _Callers:
    """They call at a rate, hear ringing, hang up, and say what they heard."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        self._servers = [(host, port) for port in ports]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((host, 0))
        self._own = "{}:{}".format(*self._socket.getsockname())
        self.calls: dict[str, _Call] = {}

    def run(self, rate: float, seconds: float) -> dict[str, Any]:
        """Call for so many seconds, and wait for what is up to end."""
        began, number = time.perf_counter(), 0
        while (now := time.perf_counter()) < began + seconds + 3:
            if number / rate <= min(now - began, seconds):
                self._call(self._servers[number % len(self._servers)])
                number += 1
            for call in self.calls.values():
                if call.answered and not call.over and now - call.answered > TALK:
                    call.over = now
                    self._send(call, "BYE", 2)
            if select.select([self._socket], [], [], 0.001)[0]:
                self._hear(*self._socket.recvfrom(65536))
        lost = sum("BYE" not in call.theirs for call in self.calls.values())
        ringing = [1000 * (call.rang - call.began) for call in self.calls.values() if call.rang]
        return {"calls": len(self.calls), "lost": lost, "ringing": ringing}

    def _call(self, server: tuple[str, int]) -> None:
        name = token_hex(8)
        call = self.calls[name] = _Call(name, "<sip:+18005550000@callers>", server, time.perf_counter())
        call.target = "sip:+18005550000@{}:{}".format(*server)
        self._send(call, "INVITE", 1, _SDP)

    def _send(self, call: _Call, method: str, number: int, sdp: str = "") -> None:
        lines = [
            f"{method} {call.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._own};rport;branch=z9hG4bK{call.name}{method}",
            "Max-Forwards: 70",
            f"From: <sip:+15125550100@callers>;tag={call.name}",
            f"To: {call.to}",
            f"Call-ID: {call.name}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:caller@{self._own}>",
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp)}",
        ]
        self._socket.sendto("\r\n".join([*lines, "", sdp]).encode(), call.server)

    def _hear(self, data: bytes, source: tuple[str, int]) -> None:
        head = data.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:]}
        call = self.calls.get(headers.get("call-id", ""))
        if call is None or not head[0].startswith("SIP/2.0 "):
            return
        status, number = int(head[0][8:11]), headers["cseq"]
        call.answers.append(status)
        if number.endswith("BYE"):
            call.theirs += "BYE" if status == 200 else ""
        elif status == 180:
            call.rang = call.rang or time.perf_counter()
        elif status >= 200:
            call.to = headers["to"]
            if status == 200:
                call.target = headers["contact"].partition("<")[2].partition(">")[0]
                call.answered = call.answered or time.perf_counter()
            self._send(call, "ACK", 1)


if __name__ == "__main__":
    host, ports, rate, seconds = sys.argv[1:]
    callers = _Callers(host, [int(one) for one in ports.split(",")])
    print(json.dumps(callers.run(float(rate), float(seconds))))
