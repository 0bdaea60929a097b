"""Attack a pool whose calls are live, and see that none of them notices.

``python -m tests.fuzz.attack [--seed 1] [--calls 20] [--sip 100000] [--rtp 100000] [--tcp 20000]``: no
part of `make test`, which has a small portion of it.  Each worker has calls that nobody attacks, and the
attacker calls it too, so that it knows of a dialog; it is called, and answers what it likes.

With ``--front`` the attackers, whom the front hears, attack by way of it, and ``--junk 5000`` has a stranger
send it so many packets a second for ten seconds at the same time.
"""

import argparse
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import trio
import trio.lowlevel
from attrs import define, field

from ringful.bench.media import sip as plain
from ringful.bench.media import ulaw
from ringful.command.serving.front import behind
from ringful.ground.faults import Fence
from ringful.media import port
from ringful.media.admission import BehindFront
from ringful.media.front.front import Front, open_front
from ringful.media.front.settings import FrontSettings
from ringful.media.pool import Pool, PoolSettings, open_pool
from ringful.media.trunks import Trunk
from tests.fuzz import sip
from tests.media.test_pool import Files, pitch, write_tone
from tests.server import free_port


def bound() -> trio.socket.SocketType:
    made = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    made.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 1 << 22)
    return made


@define(eq=False)
class Live:
    """A call whose sound is watched: what it hears must have no hole."""

    rtp: trio.socket.SocketType
    came: int = 0
    lost: int = 0
    next: int | None = None
    heard: list[bytes] = field(factory=list)
    to: tuple[str, int] | None = None

    async def listen(self) -> None:
        while True:
            data, self.to = await self.rtp.recvfrom(2048)
            if len(data) < 12 or data[1] & 0x7F != 0:
                continue
            number = struct.unpack(">H", data[2:4])[0]
            if self.next is not None:
                self.lost += (number - self.next) & 0xFFFF
            self.next = (number + 1) & 0xFFFF
            self.came += 1
            self.heard = [*self.heard[-40:], data[12:]]

    async def speak(self) -> None:
        number = 0
        while True:
            if self.to:
                header = struct.pack(">BBHII", 0x80, 0, number & 0xFFFF, number * 160, 7)
                await self.rtp.sendto(header + b"\xff" * 160, self.to)
            number += 1
            await trio.sleep(0.02)

    def hears(self, hertz: int) -> bool:
        return any(abs(pitch(ulaw.decode(one)) - hertz) < 30 for one in self.heard[-20:] if ulaw.loud(one))


@define(eq=False)
class Attack:
    """A pool, its live calls, and the attackers."""

    pool: Pool
    nursery: trio.Nursery
    seed: int
    live: dict[str, Live] = field(factory=dict)
    ends: list[port.Event] = field(factory=list)
    sent: Counter[str] = field(factory=Counter)
    answers: Counter[str] = field(factory=Counter)
    placed: int = 0
    opened: list[trio.socket.SocketType] = field(factory=list)

    async def open(self, host: str = "127.0.0.1") -> trio.socket.SocketType:
        """Open a socket, which is closed at the end."""
        made = bound()
        self.opened.append(made)
        await made.bind((host, 0))
        return made

    async def place(self, count: int) -> None:
        """Have *count* live calls."""
        phones = await self.open()
        self.nursery.start_soon(self._answer, phones)
        send, events = trio.open_memory_channel[port.Event](10000)
        address = "{}:{}".format(*phones.getsockname())
        for number in range(count):
            self.pool.ring(f"live{number}", f"sip:{number}@{address}", None, send.send_nowait)
        up = 0
        while up < count:
            event = await events.receive()
            up += isinstance(event, port.Answered)
            assert not isinstance(event, port.Refused | port.HungUp), event
        self.nursery.start_soon(self._watch, events)

    async def _watch(self, events: "trio.MemoryReceiveChannel[port.Event]") -> None:
        async for event in events:
            if isinstance(event, port.Refused | port.HungUp):
                self.ends.append(event)

    async def _answer(self, phones: trio.socket.SocketType) -> None:
        while True:
            data, source = await phones.recvfrom(65536)
            request = plain.read(data)
            if request is None or request.method == "ACK":
                continue
            body = ""
            if request.method == "INVITE":
                if request.user not in self.live:
                    rtp = await self.open()
                    self.live[request.user] = Live(rtp)
                    self.nursery.start_soon(self.live[request.user].listen)
                    self.nursery.start_soon(self.live[request.user].speak)
                body = sip.SDP.format(port=self.live[request.user].rtp.getsockname()[1])
            contact = "sip:far@{}:{}".format(*phones.getsockname())
            await phones.sendto(plain.response(request, "200 OK", "far", contact, body), source)

    def desk(self, offer: port.Offer) -> port.Taken | port.RefusalReason:
        """Take the attackers' calls."""
        self.placed += 1
        name = f"hostile{self.placed}"

        def told(event: port.Event) -> None:
            if isinstance(event, port.Refused | port.HungUp):
                return

        self.nursery.start_soon(self._take, name)
        return port.Taken(name, told)

    async def _take(self, name: str) -> None:
        await trio.lowlevel.checkpoint()
        self.pool.answer(name)

    async def attack(self, worker: int, number: int, packets: int, rate: float = 400.0) -> None:
        """Send so many packets of SIP to the worker at a port, from a source of one's own."""
        rnd = random.Random(f"{self.seed}-{number}")
        host = f"127.0.1.{number + 1}"
        own, target = await self.open(host), ("127.0.0.1", worker)
        me = "{}:{}".format(*own.getsockname())
        attacker = Attacker(self, own, me, target, rnd)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(attacker.listen)
            nursery.start_soon(attacker.be_called)
            due = trio.current_time()
            for _ in range(packets):
                await own.sendto(attacker.next()[:60000], target)
                self.sent["sip"] += 1
                due += 1 / rate
                await trio.sleep_until(due)
            nursery.cancel_scope.cancel()

    async def attack_streams(self, worker: int, number: int, packets: int, rate: float = 400.0) -> None:
        """Send so many packets by TCP, in connections that are cut and begun again."""
        rnd = random.Random(f"{self.seed}-stream-{number}")
        host = f"127.0.2.{number + 1}"
        target = "127.0.0.1", worker
        left = packets
        while left > 0:
            count = min(left, rnd.choice((1, 3, 20, 100)))
            left -= count
            with trio.move_on_after(5.0 + count / rate):
                await self._stream(host, target, rnd, count, rate)

    async def _stream(
        self, host: str, target: tuple[str, int], rnd: random.Random, count: int, rate: float
    ) -> None:
        """Open a connection, and send *count* packets in pieces that are no packets."""
        with trio.socket.socket() as own:
            await own.bind((host, 0))
            try:
                await own.connect(target)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._swallow, own)
                    dialog = sip.Dialog(rnd, "{}:{}".format(*own.getsockname()), "{}:{}".format(*target))
                    for piece in sip.stream(rnd, dialog, count):
                        self.sent["stream"] += 1
                        await trio.SocketStream(own).send_all(piece)
                        await trio.sleep(1 / rate)
                    nursery.cancel_scope.cancel()
            except* (OSError, trio.BrokenResourceError):
                self.sent["cut"] += 1

    async def _swallow(self, own: trio.socket.SocketType) -> None:
        """Read what comes; nobody is told where the connection ends."""
        while data := await own.recv(65536):
            self.answers["by TCP"] += data.count(b"SIP/2.0 ")

    async def be_idle(self, worker: int, count: int) -> None:
        """Hold *count* connections that say nothing, and open those again that are closed, for ever."""

        async def hold() -> None:
            while True:
                with trio.socket.socket() as own:
                    try:
                        await own.connect(("127.0.0.1", worker))
                        self.sent["idle"] += 1
                        await own.recv(1)
                    except OSError:
                        pass
                await trio.sleep(5)

        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(hold)

    async def spoil_media(self, number: int, packets: int) -> None:
        """Send RTP and RTCP to all live calls' workers, as if from the live far ends."""
        rnd = random.Random(f"{self.seed}-media-{number}")
        ends = list(self.live.values())
        for _ in range(packets):
            one = rnd.choice(ends)
            if one.to:
                is_rtp = rnd.random() < 0.5
                host, at = one.to
                packet = sip.rtp(rnd) if is_rtp else sip.rtcp(rnd)
                await one.rtp.sendto(packet, (host, at if is_rtp else at + 1))
                self.sent["rtp" if is_rtp else "rtcp"] += 1
            await trio.sleep(0.0005)


@define(eq=False)
class Attacker:
    """One who calls a worker, and is called by it."""

    attack: Attack
    own: trio.socket.SocketType
    me: str
    target: tuple[str, int]
    rnd: random.Random
    dialog: sip.Dialog | None = None
    since: int = 0
    others: list[bytes] = field(factory=list)

    @property
    def _to(self) -> str:
        return "{}:{}".format(*self.target)

    def next(self) -> bytes:
        """Write the next packet."""
        self.since += 1
        if self.others:
            return self.others.pop()
        if self.dialog is None or (self.since > 200 and self.rnd.random() < 0.02):
            self.dialog, self.since = sip.Dialog(self.rnd, self.me, self._to), 0
            packet = self.dialog.any("INVITE")
            return packet if self.rnd.random() < 0.7 else sip.mutate(packet, self.rnd)
        if self.dialog.far_tag and self.rnd.random() < 0.75:
            method = self.rnd.choice(sip.IN_DIALOG if self.rnd.random() < 0.98 else ("BYE", "CANCEL"))
            return sip.mutate(self.dialog.any(method), self.rnd)
        if self.rnd.random() < 0.1:
            return sip.mutate(sip.Dialog(self.rnd, self.me, self._to).any("INVITE"), self.rnd)
        return next(sip.outside(self.rnd, self.me, self._to))

    async def listen(self) -> None:
        """Read what comes: acknowledge what was accepted, and answer requests with anything."""
        while True:
            data, source = await self.own.recvfrom(65536)
            first = data.split(b"\r\n", 1)[0].decode("latin-1")
            if not first.startswith("SIP/2.0"):
                self.attack.answers[first.split(" ")[0]] += 1
                if not first.startswith("ACK"):
                    await self._respond(data)
                continue
            self.attack.answers[first[8:11]] += 1
            call = self.dialog
            text = data.decode("latin-1")
            if call and call.call_id in text and " INVITE\r\n" in text and ";tag=" in text.split("\nTo:")[-1]:
                tag = text.split("\nTo:")[-1].split("\r\n")[0].partition(";tag=")[2].split(";")[0]
                if first.startswith("SIP/2.0 2") and "ringful-refused" not in tag:
                    call.far_tag = tag
                    await self.own.sendto(call.request("ACK"), source)
            elif call and call.call_id in text and first[8:11] == "481":
                self.dialog = None

    async def _respond(self, data: bytes) -> None:
        for _ in range(self.rnd.choice((1, 1, 2, 3))):
            status = self.rnd.choice(sip.STATUSES)
            packet = sip.answer(self.rnd, data, self.me, status, "t", 40000)
            self.others.append(sip.mutate(packet, self.rnd))

    async def be_called(self) -> None:
        """Have the pool call this one, again and again."""
        number = 0
        while True:
            number += 1
            name = f"out-{self.me}-{number}"
            send, events = trio.open_memory_channel[port.Event](1000)
            self.attack.pool.ring(name, f"sip:1@{self.me}", None, send.send_nowait)
            with trio.move_on_after(3):
                async for event in events:
                    if isinstance(event, port.Refused | port.HungUp):
                        break
            self.attack.pool.hang_up(name)
            await trio.sleep(0.5)


@asynccontextmanager
async def fronted(folder: Path) -> AsyncIterator[tuple[Front, BehindFront]]:
    """Give a front that hears 127.0.0.0/16, and what workers behind it must know."""
    trunk = Trunk("far", "127.0.0.1", 9, networks=(ip_network("127.0.0.0/16"),))
    first = free_port(160)
    made = FrontSettings("127.0.0.1", free_port(), (trunk,), folder / "front", (first, first + 159))
    async with trio.open_nursery() as nursery, open_front(made, user="") as front:
        yield front, behind(front, Fence(nursery))


@asynccontextmanager
async def attacked(
    folder: Path, seed: int, calls: int, front: tuple[Front, BehindFront] | None = None
) -> AsyncIterator[Attack]:
    """Give a pool with live calls.  At the end each of them is to hear what it is played."""
    for number in range(calls):
        write_tone(folder / f"{number}.wav", 400 + 100 * (number % 10), 2.0)
    far = Trunk("far", "127.0.0.1", 9, "tcp")  # Workers listen by TCP where a trunk has it.
    settings = PoolSettings(max_calls=2 * calls + 4, trunks=(far,), front=front[1] if front else None)
    async with open_pool(settings, Files(folder)) as pool, trio.open_nursery() as nursery:
        attack = Attack(pool, nursery, seed)
        pool.open(attack.desk)
        if front:
            front[0].desk.take = pool.admission.take
        await attack.place(calls)
        yield attack
        for number in range(calls):
            pool.play(f"live{number}", 900, port.Announcement(f"{number}.wav"))
        for number in range(calls):
            with trio.move_on_after(10):
                while not attack.live[str(number)].hears(400 + 100 * (number % 10)):  # noqa: ASYNC110
                    await trio.sleep(0.05)
            attack.sent["heard to the end"] += attack.live[str(number)].hears(400 + 100 * (number % 10))
        nursery.cancel_scope.cancel()
    for one in attack.opened:
        one.close()


JUNK = """
import random, socket, sys, time
target, rate, random = ("127.0.0.1", int(sys.argv[1])), float(sys.argv[2]), random.Random(7)
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(("127.1.0.1", 0))
kinds = [
    lambda n: random.randbytes(random.randrange(1, 1400)),
    lambda n: b"INVITE sip:1@127.0.0.1 SIP/2.0\\r\\nVia: SIP/2.0/UDP 127.1.0.1;branch=z9hG4bK%d\\r\\n"
    b"From: <sip:a@b>;tag=1\\r\\nTo: <sip:1@c>\\r\\nCall-ID: %d\\r\\nCSeq: 1 INVITE\\r\\n\\r\\n" % (n, n),
    lambda n: b"REGISTER sip:%d SIP/2.0\\r\\n" % n * 20,
    lambda n: b"OPTIONS sip:100@127.0.0.1 SIP/2.0\\r\\nVia: SIP/2.0/UDP x;branch=z%d\\r\\n\\r\\n" % n,
]
began, sent = time.monotonic(), 0
while sent < 10 * rate:
    while sent < (time.monotonic() - began) * rate:
        own.sendto(random.choice(kinds)(sent), target)
        sent += 1
    time.sleep(0.001)
print(sent)
"""


async def throw_junk(front: Front, rate: int) -> None:
    """Have a stranger send so many packets a second for ten seconds; print how many those were."""
    command = [sys.executable, "-c", JUNK, str(front.settings.port), str(rate)]
    done = await trio.run_process(command, capture_stdout=True)
    await front.look()
    print(f"a stranger sent {done.stdout.decode().strip()} packets; the front counts {front.counts}")


async def run(options: argparse.Namespace) -> bool:
    """Attack, and print what came of it."""
    with tempfile.TemporaryDirectory() as name:
        if not options.front:
            return await run_in(Path(name), options, None)
        async with fronted(Path(name)) as front:
            return await run_in(Path(name), options, front)


async def run_in(folder: Path, options: argparse.Namespace, front: tuple[Front, BehindFront] | None) -> bool:
    """Attack a pool, behind a front where there is one."""
    began = time.monotonic()
    async with attacked(folder, options.seed, options.calls, front) as attack:
        ports = [worker.port for worker in attack.pool.workers]
        if front:
            ports = [front[0].settings.port for _ in ports]
        async with trio.open_nursery() as idlers:
            for worker in ports if options.tcp else ():
                idlers.start_soon(attack.be_idle, worker, options.idle)
            async with trio.open_nursery() as nursery:
                for number, worker in enumerate(ports):
                    nursery.start_soon(attack.attack, worker, number, options.sip // len(ports))
                    nursery.start_soon(attack.attack_streams, worker, number, options.tcp // len(ports))
                if front and options.junk:
                    nursery.start_soon(throw_junk, front[0], options.junk)
                if options.rtp:
                    nursery.start_soon(attack.spoil_media, 0, options.rtp)
            idlers.cancel_scope.cancel()
        crew = attack.pool.crew
        lost = sum(one.lost for one in attack.live.values())
        came = sum(one.came for one in attack.live.values())
    print(f"{time.monotonic() - began:.0f} s; sent {dict(attack.sent)}; answers {dict(attack.answers)}")
    print(
        f"{len(ports)} workers, {crew.died} died, {crew.shaken} were shaken; "
        f"{attack.placed} hostile calls were taken"
    )
    print(f"{options.calls} live calls: {came} packets came, {lost} were lost; ended: {attack.ends}")
    whole = attack.sent["heard to the end"] == options.calls
    return not (crew.died or crew.shaken or lost or attack.ends) and whole


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.attack")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--sip", type=int, default=100_000)
    parser.add_argument("--rtp", type=int, default=0)
    parser.add_argument("--tcp", type=int, default=0)
    parser.add_argument("--idle", type=int, default=80)
    parser.add_argument("--front", action="store_true")
    parser.add_argument("--junk", type=int, default=0)
    raise SystemExit(0 if trio.run(run, parser.parse_args()) else 1)


if __name__ == "__main__":
    main()
