"""Hostile SIP to real workers whose calls are live: none of them notices.

Without the gate each of the first four ends the worker, and its calls with it.
"""

import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import define

from ringful.media import port
from ringful.media.trunks import Trunk
from tests.fuzz import sip
from tests.fuzz.attack import attacked
from tests.fuzz.torture import torture
from tests.media.test_pool import Line, line
from tests.server import PATIENCE

DISABLED = "m=video 0 RTP/AVP 34\r\n"


@define
class Peer:
    """A far end that writes its own SIP, and the pool that it calls."""

    calls: Line
    socket: trio.socket.SocketType
    dialog: sip.Dialog
    at: tuple[str, int]

    async def ask(self, packet: bytes, wanted: str = "") -> str:
        """Send *packet*; give the first final answer, whose first line begins so."""
        await self.socket.sendto(packet, self.at)
        with trio.fail_after(PATIENCE):
            while True:
                said = (await self.socket.recv(65536)).decode("latin-1")
                if said.startswith(f"SIP/2.0 {wanted}") and not said.startswith("SIP/2.0 1"):
                    return said

    async def call(self, description: str = "") -> str:
        """Call, until it is answered and acknowledged."""
        said = await self.ask(
            self.dialog.request("INVITE", "application/sdp", description or self.dialog.sdp)
        )
        assert said.startswith("SIP/2.0 200"), said
        self.dialog.far_tag = said.split("\nTo:")[1].split("\r\n")[0].partition(";tag=")[2]
        await self.socket.sendto(self.dialog.request("ACK"), self.at)
        await self.calls.next(port.Answered, "c1")
        return said

    async def lives(self) -> None:
        """See that the worker still answers, and has not died."""
        await self.ask(sip.Dialog(random.Random(1), self.dialog.me, self.dialog.to).request("OPTIONS"), "200")
        assert self.calls.pool.crew.died == 0
        assert not any(worker.shaken for worker in self.calls.pool.workers)


@asynccontextmanager
async def peer(folder: Path, refuse: "port.RefusalReason | None" = None) -> AsyncIterator[Peer]:
    async with line(folder) as calls, trio.open_nursery() as nursery:

        async def answer() -> None:
            calls.pool.answer("c1")

        def desk(offer: port.Offer) -> port.Taken | port.RefusalReason:
            if refuse:
                return refuse
            nursery.start_soon(answer)
            return port.Taken("c1", calls.send.send_nowait)

        calls.pool.open(desk)
        ours = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await ours.bind(("127.0.0.1", 0))
        at = calls.pool.workers[0].port
        dialog = sip.Dialog(random.Random(5), "{}:{}".format(*ours.getsockname()), f"127.0.0.1:{at}")
        with ours:
            yield Peer(calls, ours, dialog, ("127.0.0.1", at))


async def test_a_disabled_line_without_an_address_is_answered_with_port_0(tmp_path: Path) -> None:
    async with peer(tmp_path) as far:
        bare = far.dialog.sdp.replace("c=IN IP4 127.0.0.1\r\n", "") + "c=IN IP4 127.0.0.1\r\n" + DISABLED
        assert "m=video 0 " in await far.call(bare)
        for method in ("INVITE", "UPDATE"):
            assert "m=video 0 " in await far.ask(far.dialog.request(method, "application/sdp", bare), "200")
            if method == "INVITE":
                await far.socket.sendto(far.dialog.request("ACK"), far.at)
        await far.lives()


async def test_an_ack_without_a_tag_after_a_refusal_is_ignored(tmp_path: Path) -> None:
    async with peer(tmp_path, "unreachable") as far:
        await far.ask(far.dialog.request("INVITE"), "404")
        far.dialog.branch = "z9hG4bKanother"
        await far.socket.sendto(far.dialog.request("ACK"), far.at)
        await far.lives()


async def test_a_key_without_a_line_end_is_heard(tmp_path: Path) -> None:
    async with peer(tmp_path) as far:
        await far.call()
        await far.ask(far.dialog.request("INFO", "application/dtmf-relay", "Signal=5"), "200")
        assert (await far.calls.next(port.TonePressed, "c1")).tone == "5"
        await far.lives()


async def test_callers_who_give_up_a_hundred_times_a_second_end_no_worker(tmp_path: Path) -> None:
    async with peer(tmp_path) as far:
        told = 0
        for number in range(150):
            dialog = sip.Dialog(random.Random(number), far.dialog.me, far.dialog.to)
            await far.socket.sendto(dialog.request("INVITE", "application/sdp", dialog.sdp), far.at)
            await far.socket.sendto(dialog.request("CANCEL"), far.at)
            await trio.sleep(0.01)
            with trio.move_on_after(0.001):
                while True:
                    told += b" 503 Too Many" in await far.socket.recv(65536)
        assert told
        await far.lives()


async def test_an_invite_of_9_kilobytes_is_answered_with_sound(tmp_path: Path) -> None:
    async with peer(tmp_path) as far:
        much = "".join(f"a=candidate:{n} 1 UDP 1 192.0.2.1 9 typ host\r\n" for n in range(200))
        assert "m=audio 0" not in await far.call(far.dialog.sdp + much)
        await far.lives()


async def test_names_whose_server_is_silent_hold_nothing_up(tmp_path: Path) -> None:
    async with peer(tmp_path) as far:
        me = far.dialog.me.encode()
        packet = far.dialog.request(
            "INVITE", "application/sdp", far.dialog.sdp.replace("127.0.0.1", "h.invalid")
        )
        said = await far.ask(
            packet.replace(b"Contact: <sip:far@" + me, b"Contact: <sip:far@h.invalid"), "200"
        )
        assert "m=audio 0" not in said
        await far.lives()


async def test_the_torture_messages_end_no_worker(tmp_path: Path) -> None:
    async with peer(tmp_path) as far:
        for _, packet in torture(far.dialog.me, far.dialog.to):
            await far.socket.sendto(packet[:60000], far.at)
            await trio.sleep(0.01)
        await far.lives()


@pytest.mark.parametrize("seed", [1])
async def test_mutated_packets_of_sip_rtp_and_rtcp_are_not_noticed_by_live_calls(
    tmp_path: Path, seed: int
) -> None:
    async with attacked(tmp_path, seed, 3) as attack, trio.open_nursery() as nursery:
        for number, worker in enumerate(attack.pool.workers):
            nursery.start_soon(attack.attack, worker.port, number, 1000)
            nursery.start_soon(attack.attack_streams, worker.port, number, 100)
        nursery.start_soon(attack.spoil_media, 0, 1500)
    crew = attack.pool.crew
    assert (crew.died, crew.shaken, attack.ends) == (0, 0, [])
    assert attack.sent["heard to the end"] == 3


async def test_what_waits_for_ticks_of_sound_is_answered_all_the_same(tmp_path: Path) -> None:
    """A hundred messages at once, at a worker that has a call: its ticks come first, and none is lost."""
    async with peer(tmp_path) as far:
        await far.call()
        (worker,) = far.calls.pool.workers
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            for seed in range(100):
                dialog = sip.Dialog(random.Random(1000 + seed), far.dialog.me, far.dialog.to)
                await far.socket.sendto(dialog.request("OPTIONS"), far.at)
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        for _ in range(100):
            await far.ask(b"\r\n\r\n", "200")
        await far.lives()


async def test_idle_connections_shut_nobody_out(tmp_path: Path) -> None:
    """The library has 64 places for them, and ends the process when there is none."""
    async with line(tmp_path, trunks=(Trunk("far", "127.0.0.1", 9, "tcp"),)) as calls:
        at, idle = ("127.0.0.1", calls.pool.workers[0].port), []
        for _ in range(90):
            made = trio.socket.socket()
            idle.append(made)
            await made.connect(at)
        answered = b""
        with trio.fail_after(PATIENCE):
            while not answered.startswith(b"SIP/2.0 200 "):
                # One that comes while too many come is closed, and comes again.
                made = trio.socket.socket()
                idle.append(made)
                await made.connect(at)
                dialog = sip.Dialog(random.Random(len(idle)), "127.0.0.1:9", "{}:{}".format(*at))
                packet = dialog.request("OPTIONS").replace(b"/UDP", b"/TCP")
                try:
                    await made.send(packet[:50])
                    await made.send(packet[50:])
                    answered = await made.recv(65536)
                except OSError:
                    answered = b""
                await trio.sleep(0.05)
        assert calls.pool.crew.died == 0
        for made in idle:
            made.close()


def by_tcp(seed: int, at: tuple[str, int], body: str = "", length: str | None = None) -> bytes:
    """Give an OPTIONS; *length*: what its Content-Length says, whatever its *body* has."""
    dialog = sip.Dialog(random.Random(seed), "127.0.0.1:9", "{}:{}".format(*at))
    packet = dialog.request("OPTIONS", "text/plain", body).replace(b"/UDP", b"/TCP")
    own = f"Content-Length: {len(body)}".encode()
    assert own in packet
    return packet if length is None else packet.replace(own, f"Content-Length: {length}".encode())


async def test_a_stream_is_cut_anywhere_and_one_that_is_none_ends_alone(tmp_path: Path) -> None:
    async with line(tmp_path, trunks=(Trunk("far", "127.0.0.1", 9, "tcp"),)) as calls:
        at = "127.0.0.1", calls.pool.workers[0].port

        async def ask(*pieces: bytes, statuses: int) -> bytes:
            """Send *pieces*, each by itself; give what is heard until there are so many 200, or it ends."""
            heard = b""
            with trio.fail_after(PATIENCE), trio.socket.socket() as own:
                own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await own.connect(at)
                for piece in pieces:
                    await own.send(piece)
                    await trio.sleep(0.001)
                while not statuses or heard.count(b"SIP/2.0 200 ") < statuses:
                    if not (data := await own.recv(65536)):
                        break
                    heard += data
            return heard

        slowly = [bytes([one]) for one in by_tcp(1, at, "body")]
        assert (await ask(*slowly, statuses=1)).count(b" 200 OK") == 1
        three = b"\r\n\r\n".join(by_tcp(n, at, "x" * n) for n in (2, 3, 4))
        assert (await ask(three, statuses=3)).count(b" 200 OK") == 3
        assert (await ask(three[:-700], three[-700:-3], three[-3:], statuses=3)).count(b" 200 OK") == 3
        # What cannot be told apart from what follows ends the connection, and nothing else.
        for length in ("-1", "x", "", "99999", "4294967297"):
            assert await ask(by_tcp(5, at, "body", length), statuses=0) == b"", length
        assert await ask(b"A" * 20000, statuses=0) == b""
        # One that says too little is a message, and what is behind it is none.
        said = await ask(by_tcp(6, at, "body", "1"), by_tcp(7, at), statuses=1)
        assert said.count(b" 200 OK") == 1
        # One that is cut short by its end, or waits for the rest for ever, keeps nobody from being heard.
        with trio.socket.socket() as waiting:
            await waiting.connect(at)
            await waiting.send(by_tcp(8, at, "body", "5"))
            await ask(by_tcp(9, at)[:100] + b"\r\n\r\n", statuses=0)
            assert (await ask(by_tcp(10, at), statuses=1)).count(b" 200 OK") == 1
        assert calls.pool.crew.died == calls.pool.crew.shaken == 0


async def test_an_assertion_ends_the_packet_and_tells_it_and_the_process_goes_on(tmp_path: Path) -> None:
    """The last net, with the gate's judgement taken away; in a process of its own, since it may end."""
    said = await trio.run_process(
        [sys.executable, "-c", SHAKEN], capture_stdout=True, capture_stderr=True, check=False
    )
    assert said.returncode == 0, said.stderr
    lines = said.stdout.decode().splitlines()
    assert any("the SIP library asserted, and the packet was dropped" in line for line in lines)
    assert lines[-2:] == ["shaken", "SIP/2.0 200 OK"]


SHAKEN = """
import random, socket, time
from ringful.media.engine.filter import gate
from ringful.media.engine.filter.judge import Hand
from ringful.media.engine.endpoint import EngineConfig
from ringful.media.engine.pjsua import Engine
from tests.fuzz import sip

gate.judge = lambda packet, *more, **named: Hand(packet)
shaken = []
engine = Engine(EngineConfig(), lambda event: None, on_shaken=lambda: shaken.append(1))
far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
far.bind(("127.0.0.1", 0))
far.setblocking(False)
me = "127.0.0.1:%d" % far.getsockname()[1]
dialog = sip.Dialog(random.Random(1), me, f"127.0.0.1:{engine.port}")
bare = dialog.sdp.replace("c=IN IP4 127.0.0.1\\r\\n", "")
bare += "c=IN IP4 127.0.0.1\\r\\nm=video 0 RTP/AVP 34\\r\\n"
far.sendto(dialog.request("INVITE", "application/sdp", bare), ("127.0.0.1", engine.port))
end = time.monotonic() + 20
while not shaken and time.monotonic() < end:
    engine.step(10)
print("shaken" if shaken else "not shaken")
far.sendto(sip.Dialog(random.Random(2), me, dialog.to).request("OPTIONS"), ("127.0.0.1", engine.port))
while time.monotonic() < end:
    engine.step(10)
    try:
        data = far.recv(65536)
    except BlockingIOError:
        continue
    if b"OPTIONS" in data:
        print(data.split(b"\\r\\n")[0].decode(), flush=True)
        break
import os
os._exit(0)
"""
