"""Texts by SIP MESSAGE: from and to a library that is not told how we use it, and a bare socket."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio
from attrs import define, field

from ringful.media import port
from ringful.media.engine.texts import MOST_HELD
from ringful.media.pool import Pool, PoolSettings, open_pool
from ringful.messages.pauses import Pauses
from ringful.messages.port import Incoming, Outgoing
from ringful.messages.sip import SipTransport, is_final
from tests.media.test_pool import Files, Line, over, pitch, samples, write_tone
from tests.messages.sip_wire import Wire, made_message, open_wire
from tests.messages.told import Told
from tests.server import PATIENCE, free_port, phone
from tests.trunk import trunk_to

OURS, THEIRS = "+18005550000", "+15125551234"
TEXTS = [
    "Hello",
    "👩‍👩‍👧 🇬🇧 Ελλάδα 漢字",
    "a" * 1000,
    "漢" * 1000,
    "first\r\nsecond\n\n third\r\n\r\n",
    "Content-Length: 0\r\n\r\nMESSAGE sip:x SIP/2.0",
    " ",
]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = await open_wire()
    yield made
    made.socket.close()


@asynccontextmanager
async def pool_to(address: str, folder: Path, **settings: Any) -> AsyncIterator[Pool]:
    engine = {"engine": settings.pop("engine")} if "engine" in settings else {}
    async with open_pool(
        PoolSettings(trunks=(trunk_to(address, **settings),), **engine), Files(folder)
    ) as pool:
        yield pool


@asynccontextmanager
async def carrying(pool: Pool) -> AsyncIterator[Told]:
    """Run a transport on *pool*."""
    desk = Told()
    transport = SipTransport(pool, pauses=Pauses((0.05, 0.1, 0.2)), line_pauses=(0.01,))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.run, desk)
        await desk.until_up(True)
        yield desk
        nursery.cancel_scope.cancel()


def message(text: str = "Hello", n: int = 1, *, number: str = THEIRS, sender: str = OURS) -> Outgoing:
    return Outgoing(f"r1-7.{n}.sms", number, sender, text)


@define
class Peer:
    """The process of `sip_peer`."""

    process: trio.Process
    address: str = ""
    said: list[dict[str, Any]] = field(factory=list)
    _rest: bytes = b""

    async def next(self, event: str) -> dict[str, Any]:
        """Give the next thing of a kind that it says."""
        assert self.process.stdout
        with trio.fail_after(PATIENCE):
            while True:
                while b"\n" not in self._rest:
                    more = await self.process.stdout.receive_some()
                    assert more, "the far end has ended"
                    self._rest += more
                line, _, self._rest = self._rest.partition(b"\n")
                # The library speaks before it is told how loudly.
                said: dict[str, Any] = json.loads(line) if line.startswith(b"{") else {"event": ""}
                if said["event"] == event:
                    return said

    async def send(self, text: str, address: str) -> None:
        assert self.process.stdin
        order = {"uri": f"sip:{OURS}@{address}", "text": text}
        await self.process.stdin.send_all(json.dumps(order).encode() + b"\n")


@pytest.fixture
async def peer(nursery: trio.Nursery) -> AsyncIterator[Peer]:
    # One of its own: what the kernel gives for UDP may be another's for TCP.
    command = [sys.executable, str(Path(__file__).with_name("sip_peer.py")), str(free_port())]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    made = Peer(process)
    try:
        made.address = (await made.next("ready"))["address"]
        yield made
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            assert process.stdin
            assert process.stdout
            await process.stdin.aclose()
            await process.stdout.aclose()


# Out


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_texts_arrive_as_they_are(peer: Peer, tmp_path: Path, transport: str) -> None:
    async with pool_to(peer.address, tmp_path, transport=transport) as pool, carrying(pool) as desk:
        for n, text in enumerate(TEXTS):
            desk.give(message(text, n))
            got = await peer.next("got")
            assert (got["text"], got["kind"]) == (text, "text/plain")
            assert f"<sip:{OURS}@" in got["sender"]
            assert f"<sip:{THEIRS}@" in got["to"]
            assert (await desk.until(n + 1))[n] == ("taken", f"r1-7.{n}.sms", 1, 1, "sip", "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "taken"),
        (202, "taken"),
        (302, "refused"),
        (400, "refused"),
        (403, "refused"),
        (404, "refused"),
        (415, "refused"),
        (480, "again"),
        (486, "again"),
        (500, "again"),
        (501, "refused"),
        (503, "again"),
        (603, "refused"),
        (408, "unsure"),
        (504, "unsure"),
    ],
)
async def test_what_the_trunk_answers(
    wire: Wire, nursery: trio.Nursery, tmp_path: Path, status: int, kind: str
) -> None:
    nursery.start_soon(wire.answer, status)
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        desk.give(message())
        told = (await desk.until(1))[0]
    assert told[:2] == (kind, "r1-7.1.sms")
    if kind != "taken":
        assert f"{status} So" in told
    # The trunk was there each time.
    assert [up for _, up, _ in desk.standings] == [True]
    assert len(wire.requests) == 1


async def test_what_is_refused_for_now_waits_longer_each_time(
    wire: Wire, nursery: trio.Nursery, tmp_path: Path
) -> None:
    nursery.start_soon(wire.answer, 503, 503, 503, 503, 200, 503)
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        for n in range(6):
            desk.give(message())
            await desk.until(n + 1)
    assert [what[-1] for what in desk.heard if what[0] == "again"] == [0.05, 0.1, 0.2, 0.2, 0.05]


async def test_a_trunk_that_does_not_know_us_makes_no_text_fail(
    wire: Wire, nursery: trio.Nursery, tmp_path: Path
) -> None:
    nursery.start_soon(wire.answer, 407, 200)
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        desk.give(message())
        assert (await desk.until(1))[0][0] == "again"
        assert await desk.until_up(False) == "407 So"
        desk.give(message())
        assert (await desk.until(2))[1][0] == "taken"
        await desk.until_up(True)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_trunk_that_wants_a_password(
    wire: Wire, nursery: trio.Nursery, tmp_path: Path, algorithm: str
) -> None:
    asked = f'Proxy-Authenticate: Digest realm="trunk", nonce="1234", algorithm={algorithm}'

    async def serve() -> None:
        await wire.answer(407, 200, more=(asked,))

    nursery.start_soon(serve)
    login = {"username": "me", "password": "secret"}
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path, **login) as pool, carrying(pool) as desk:
        desk.give(message("👩"))
        assert (await desk.until(1))[0][0] == "taken"
    first, second = wire.requests
    assert b"Authorization" not in first
    assert b'Proxy-Authorization: Digest username="me", realm="trunk"' in second
    response = re.search(rb'response="([0-9a-f]+)"', second)
    assert response
    assert len(response[1]) == (32 if algorithm == "MD5" else 64)
    assert wire.texts == ["👩", "👩"]


async def test_a_far_end_that_is_away(wire: Wire, tmp_path: Path) -> None:
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        desk.give(message())
        assert await desk.until(1) == [("unsure", "r1-7.1.sms", 1, "408 Request Timeout")]
        assert await desk.until_up(False) == "408 Request Timeout"


async def test_a_far_end_that_takes_no_connection_has_got_nothing(wire: Wire, tmp_path: Path) -> None:
    address = f"127.0.0.1:{wire.port}"
    async with pool_to(address, tmp_path, transport="tcp") as pool, carrying(pool) as desk:
        desk.give(message())
        assert await desk.until(1) == [("again", "r1-7.1.sms", "503 Connection refused", 0.05)]


async def test_a_trunk_without_an_address(tmp_path: Path) -> None:
    async with pool_to("nowhere.invalid", tmp_path) as pool, carrying(pool) as desk:
        desk.give(message())
        assert await desk.until(1) == [("again", "r1-7.1.sms", "the trunk's name cannot be resolved", 0.05)]


async def test_a_worker_that_dies_in_the_middle(wire: Wire, nursery: trio.Nursery, tmp_path: Path) -> None:
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        desk.give(message())
        with trio.fail_after(PATIENCE):
            await wire.socket.recvfrom(65536)
        os.kill(pool.workers[0].pid, signal.SIGKILL)
        assert await desk.until(1) == [("unsure", "r1-7.1.sms", 1, "the media process died")]
        # Others go by the worker that took its place.
        nursery.start_soon(wire.answer, 200)
        desk.give(message(n=2))
        while desk.heard[-1][0] != "taken":
            count = len(desk.heard)
            if desk.heard[-1][0] == "again":
                desk.give(message(n=2))
            await desk.until(count + 1)
        assert desk.heard[-1][1] == "r1-7.2.sms"


async def test_many_texts_are_under_way_in_bounds_and_each_is_told_once(
    wire: Wire, nursery: trio.Nursery, tmp_path: Path
) -> None:
    nursery.start_soon(wire.answer, 200)
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        for n in range(300):
            desk.give(message(f"text {n}", n))
        heard = await desk.until(300)
    assert sorted(what[1] for what in heard) == sorted(f"r1-7.{n}.sms" for n in range(300))
    assert {what[0] for what in heard} == {"taken"}
    assert sorted(wire.texts) == sorted(f"text {n}" for n in range(300))


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (message(number="+1512\r\nX: y"), r"'+1512\r\nX: y' is no number"),
        (message("a" * 3001), "a text by SIP has at most 3000 bytes in UTF-8; this one has 3001"),
        (message("é" * 1501), "a text by SIP has at most 3000 bytes in UTF-8; this one has 3002"),
        (message("a\0"), "the text holds a NUL, which no phone can show"),
        (message("\udc80"), "character 1 of the text is half of a surrogate pair"),
        (message(""), "there is no text"),
    ],
)
async def test_what_cannot_go_is_refused_before_it_goes(
    wire: Wire, sent: Outgoing, why: str, tmp_path: Path
) -> None:
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
        desk.give(sent)
        assert await desk.until(1) == [("refused", "r1-7.1.sms", why)]


async def test_no_sender_makes_a_header(wire: Wire, nursery: trio.Nursery, tmp_path: Path) -> None:
    nursery.start_soon(wire.answer, 200)
    async with pool_to(f"127.0.0.1:{wire.port}", tmp_path, from_number="+19") as pool, carrying(pool) as desk:
        for n, sender in enumerate(["ACME>\r\nX-Bad: 1", "40404", ""]):
            desk.give(message(n=n, sender=sender))
            assert (await desk.until(n + 1))[n][0] == "taken"
    assert not any(b"\r\nX-Bad" in request for request in wire.requests), wire.requests
    assert b"From: <sip:ACME%3e%0d%0aX-Bad%3a%201@127.0.0.1" in wire.requests[0]
    assert b"From: <sip:40404@127.0.0.1" in wire.requests[1]
    assert b"From: <sip:+19@127.0.0.1" in wire.requests[2]


# In


async def test_texts_come_in_as_they_were_sent(peer: Peer, tmp_path: Path) -> None:
    async with pool_to(peer.address, tmp_path) as pool, carrying(pool) as desk:
        for n, text in enumerate(TEXTS):
            await peer.send(text, pool.addresses[0])
            assert (await peer.next("sent"))["status"] == 200
            assert (await desk.until_incoming(n + 1))[n] == Incoming("sip", THEIRS, OURS, text)


async def test_one_that_cannot_be_kept_is_not_acknowledged(wire: Wire, tmp_path: Path) -> None:
    async with pool_to("127.0.0.1:9", tmp_path) as pool, carrying(pool) as desk:
        desk.fails = OSError("the disk is full")
        assert await wire.ask(wire.message(b"Hello"), pool.addresses[0]) == 503
        desk.fails = None
        assert await wire.ask(wire.message(b"Hello"), pool.addresses[0]) == 200
    assert [one.text for one in desk.incoming] == ["Hello"]


async def test_one_that_is_sent_again_comes_in_once(wire: Wire, tmp_path: Path) -> None:
    """Before it is answered, and afterwards as well."""
    async with pool_to("127.0.0.1:9", tmp_path) as pool:
        asked, kept = 0, trio.Event()

        async def desk(offer: port.TextOffer) -> int:
            nonlocal asked
            asked += 1
            await kept.wait()
            return 200

        pool.take_texts(desk)
        request, (host, _, at) = wire.message(b"Hello"), pool.addresses[0].rpartition(":")
        for _ in range(5):
            await wire.socket.sendto(request, (host, int(at)))
        with trio.move_on_after(0.3):
            raise AssertionError(await wire.socket.recvfrom(9999))
        kept.set()
        with trio.fail_after(PATIENCE):
            assert (await wire.socket.recvfrom(9999))[0].startswith(b"SIP/2.0 200 ")
        assert await wire.ask(request, pool.addresses[0]) == 200
        assert asked == 1


async def test_what_nobody_takes_is_said(wire: Wire, tmp_path: Path) -> None:
    async with pool_to("127.0.0.1:9", tmp_path) as pool:
        assert await wire.ask(wire.message(b"Hello"), pool.addresses[0]) == 480
        async with carrying(pool):
            assert await wire.ask(wire.message(b"Hello"), pool.addresses[0]) == 200
        assert await wire.ask(wire.message(b"Hello"), pool.addresses[0]) == 480


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"<b>Hello</b>", "text/html", 415),
        (b"Hello", "", 415),
        (b"", "", 415),
        (b"", "text/html", 415),
        (b"<isComposing/>", "application/im-iscomposing+xml", 415),
        (b"--x\r\n\r\nHello\r\n--x--", "multipart/mixed;boundary=x", 415),
        (b"x" * 9000, "text/plain", 513),
    ],
)
async def test_what_is_no_text_is_refused(
    wire: Wire, tmp_path: Path, body: bytes, kind: str, status: int
) -> None:
    async with pool_to("127.0.0.1:9", tmp_path) as pool, carrying(pool) as desk:
        assert await wire.ask(wire.message(body, kind=kind), pool.addresses[0]) == status
        assert await wire.ask(wire.message(b"after"), pool.addresses[0]) == 200
    assert [one.text for one in desk.incoming] == ["after"]


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"caf\xc3\xa9 \xff!", "text/plain", "café �!"),
        (b"caf\xe9", "text/plain;charset=iso-8859-1", "café"),
        (b"caf\xe9", 'text/plain; format=flowed; charset="ISO-8859-1"', "café"),
        ("café".encode(), "text/plain;charset=no-such", "café"),
        ("café".encode(), "TEXT/PLAIN;charset=unicode_escape", "café"),
        (b"a\0b", "text/plain", "a\0b"),
        (b"", "text/plain", ""),
    ],
)
async def test_odd_bodies(wire: Wire, tmp_path: Path, body: bytes, kind: str, text: str) -> None:
    async with pool_to("127.0.0.1:9", tmp_path) as pool, carrying(pool) as desk:
        assert await wire.ask(wire.message(body, kind=kind), pool.addresses[0]) == 200
    assert [one.text for one in desk.incoming] == [text]


async def test_whom_it_is_from_is_what_the_trunk_asserts(wire: Wire, tmp_path: Path) -> None:
    async with pool_to("127.0.0.1:9", tmp_path) as pool, carrying(pool) as desk:
        asserted = "P-Asserted-Identity: <sip:+442012345678@trunk.test>"
        assert await wire.ask(wire.message(b"one", asserted), pool.addresses[0]) == 200
        assert await wire.ask(wire.message(b"two", asserted, "Privacy: id"), pool.addresses[0]) == 200
    assert [one.sender for one in desk.incoming] == ["+442012345678", ""]


async def test_a_flood_is_kept_in_bounds_and_calls_go_on(wire: Wire, tmp_path: Path) -> None:
    """What is not heard comes again; the worker lives, and no text is doubled or lost."""
    async with pool_to("127.0.0.1:9", tmp_path) as pool, carrying(pool) as desk:
        (worker,) = pool.workers
        waiting = {wire.message(f"text {n}".encode()) for n in range(200)}
        host, _, at = pool.addresses[0].rpartition(":")
        with trio.fail_after(PATIENCE):
            while waiting:
                for request in waiting:
                    await wire.socket.sendto(request, (host, int(at)))
                with trio.move_on_after(0.5):
                    while waiting:
                        answer = (await wire.socket.recvfrom(9999))[0]
                        call = answer.partition(b"Call-ID: ")[2].partition(b"\r\n")[0]
                        waiting = {one for one in waiting if b"Call-ID: " + call + b"\r\n" not in one}
        assert [one.pid for one in pool.workers] == [worker.pid]
        await worker.ping()
    assert sorted(one.text for one in desk.incoming) == sorted(f"text {n}" for n in range(200))


async def test_a_call_is_heard_without_a_hole_while_texts_come_and_go(
    wire: Wire, nursery: trio.Nursery, tmp_path: Path
) -> None:
    """The worker that has the call has the texts too."""
    write_tone(tmp_path / "tone.wav", 440, 3)
    heard = tmp_path / "heard.wav"
    with phone("--answer-after", "0s", "--hear", str(heard)) as (address, process):
        async with pool_to(f"127.0.0.1:{wire.port}", tmp_path) as pool, carrying(pool) as desk:
            calls = Line(pool, *trio.open_memory_channel[port.Event](math.inf))
            calls.ring("a", address)
            await calls.next(port.Answered)
            pool.play("a", 1, port.Announcement("tone.wav"))
            nursery.start_soon(wire.answer, 200)
            other = await open_wire()
            for n in range(100):
                desk.give(message(f"text {n} {'x' * 1000}", n))
                assert await other.ask(other.message(b"y" * 1000), pool.addresses[0]) == 200
            await desk.until(100)
            assert len(desk.incoming) == 100
            assert len(pool.workers) == 1
            assert (await calls.next(port.PlaybackEnded)).reason == "end"
            pool.hang_up("a")
            await calls.next(port.HungUp)
            other.socket.close()
        list(over(process))
    sound = samples(heard)
    loud = np.flatnonzero(np.abs(sound) > 500)
    whole = sound[loud[0] + 400 : loud[0] + 3 * 8000 - 400]
    assert abs(pitch(whole) - 440) < 2
    assert np.diff(np.flatnonzero(np.abs(whole) > 500)).max() < 160


SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


async def test_a_text_within_a_call_is_a_text_too(wire: Wire, tmp_path: Path) -> None:
    def within(method: str, to: str, number: int, body: bytes = b"", kind: str = "application/sdp") -> bytes:
        made = made_message(
            wire.port, "one-call", body, f"Contact: <sip:a@127.0.0.1:{wire.port}>", kind=kind
        ).decode()
        made = made.replace("MESSAGE", method).replace("CSeq: 1", f"CSeq: {number}")
        made = made.replace("branch=z9hG4bK", f"branch=z9hG4bK{number}{method}")
        return re.sub("To: .*?\r", lambda _: f"To: {to}\r", made).encode()

    async with pool_to("127.0.0.1:9", tmp_path) as pool, carrying(pool) as desk:
        calls = Line(pool, *trio.open_memory_channel[port.Event](math.inf))
        pool.open(lambda _: port.Taken("a", calls.send.send_nowait))
        host, _, at = pool.addresses[0].rpartition(":")
        to = f"<sip:{OURS}@us.test>"
        await wire.socket.sendto(within("INVITE", to, 1, SDP), (host, int(at)))
        said = ""
        with trio.fail_after(PATIENCE):
            while not said.startswith("SIP/2.0 200"):
                said = (await wire.socket.recvfrom(9999))[0].decode()
                if said.startswith("SIP/2.0 180"):
                    pool.answer("a")
        (to,) = re.findall("To: (.*?)\r", said)
        assert "tag=" in to
        await wire.socket.sendto(within("ACK", to, 1), (host, int(at)))
        await calls.next(port.Answered)
        assert await wire.ask(within("MESSAGE", to, 2, b"Hello", "text/plain"), pool.addresses[0]) == 200
        assert desk.incoming == [Incoming("sip", THEIRS, OURS, "Hello")]
        # The call's own requests go on as ever.
        assert await wire.ask(within("BYE", to, 3), pool.addresses[0]) == 200
        assert (await calls.next(port.HungUp)).by == "callee"


@pytest.mark.parametrize("engine", ["auto", "python"])
async def test_more_than_are_kept_are_heard_later(wire: Wire, tmp_path: Path, engine: str) -> None:
    """Nobody answers for a while: the first are kept, and the others come again."""
    async with pool_to("127.0.0.1:9", tmp_path, engine=engine) as pool:
        asked: set[str] = set()
        kept, full = trio.Event(), trio.Event()

        async def desk(offer: port.TextOffer) -> int:
            asked.add(offer.text)
            if len(asked) == MOST_HELD:
                full.set()
            await kept.wait()
            return 200

        pool.take_texts(desk)
        host, _, at = pool.addresses[0].rpartition(":")
        requests = [wire.message(f"text {n}".encode()) for n in range(MOST_HELD + 20)]
        for request in requests:
            await wire.socket.sendto(request, (host, int(at)))
        with trio.fail_after(PATIENCE):
            await full.wait()
        await pool.workers[0].ping()
        assert len(asked) == MOST_HELD
        kept.set()
        for request in requests:
            # An answer may be to another that was sent before.
            assert await wire.ask(request, pool.addresses[0]) == 200
        with trio.fail_after(PATIENCE):
            while len(asked) < len(requests):
                for request in requests:
                    await wire.socket.sendto(request, (host, int(at)))
                await pool.workers[0].ping()
        assert len(asked) == len(requests)


async def test_whoever_leaves_before_the_answer_harms_nobody(tmp_path: Path) -> None:
    async with pool_to("127.0.0.1:9", tmp_path, transport="tcp") as pool:
        asked, kept = 0, trio.Event()
        came = trio.Event()

        async def desk(offer: port.TextOffer) -> int:
            nonlocal asked
            asked += 1
            if asked == 10:
                came.set()
            await kept.wait()
            return 200

        pool.take_texts(desk)
        host, _, at = pool.addresses[0].rpartition(":")
        for n in range(10):
            stream = await trio.open_tcp_stream(host, int(at))
            await stream.send_all(made_message(1, f"tcp{n}", b"Hello", via="TCP"))
            await stream.aclose()
        with trio.fail_after(PATIENCE):
            await came.wait()
        kept.set()
        async with await trio.open_tcp_stream(host, int(at)) as stream:
            await stream.send_all(made_message(1, "tcp", b"Hello", via="TCP"))
            with trio.fail_after(PATIENCE):
                assert (await stream.receive_some()).startswith(b"SIP/2.0 200 ")
        assert len(pool.workers) == 1


def test_which_refusals_are_for_ever() -> None:
    known = {status for status in range(300, 700) if not is_final(status)}
    assert known >= {401, 407, 408, 429, 480, 486, 500, 502, 503, 504, 599, 600}
    assert not known & {300, 302, 400, 403, 404, 410, 413, 415, 488, 501, 513, 603, 604, 606}
