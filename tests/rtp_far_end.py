"""A far end whose every datagram a test decides: what its SDP says, and from where its sound comes.

It answers each call at once.  Its SIP is that of `ringful bench media`; its sockets are trio's.
"""

import re
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import trio
from attrs import define, field

from ringful.bench.media import sip, ulaw
from tests.media.test_pool import pitch
from tests.server import PATIENCE

TICK = 0.02
_TONES = 60
"""Tones that they say: from 400 Hz on, 50 apart."""


def _ulaw(alaw: bytes) -> bytes:
    """Make µ-law of A-law (G.711): its samples, seen as µ-law's."""
    samples = []
    for byte in alaw:
        code = byte ^ 0x55
        exponent, low = (code & 0x70) >> 4, (code & 0x0F) << 4
        size = low + 8 if exponent == 0 else (low + 0x108) << (exponent - 1)
        samples.append(size if code & 0x80 else -size)
    return ulaw.encode(np.array(samples, np.int16))


@define(eq=False)
class Mouth:
    """A socket that says a tone to an address for as long as it is let, and notes what comes back."""

    socket: trio.socket.SocketType
    hertz: int = 0
    to: tuple[str, int] | None = None
    heard: list[bytes] = field(factory=list)
    """Payloads of sound."""
    heard_at: int = 0
    """The payload type that is heard: 0, or 8 for A-law."""
    pressed: list[tuple[int, bytes]] = field(factory=list)
    """Packets of keys: the payload type, and the payload."""
    came: trio.Event = field(factory=trio.Event)
    """Set when something has come."""
    spoke: trio.Event = field(factory=trio.Event)
    """Set when it has sent something."""

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    async def speak(self) -> None:
        said, number = ulaw.payloads(ulaw.tone(self.hertz, 1.0, 8000)), 0
        due = trio.current_time()
        while self.socket.fileno() >= 0:
            if self.to:
                header = struct.pack(">BBHII", 0x80, 0, number & 0xFFFF, number * 160, self.hertz)
                await self.socket.sendto(header + said[number % len(said)], self.to)
                self.spoke.set()
            number += 1
            due += TICK
            await trio.sleep_until(due)

    async def listen(self) -> None:
        while self.socket.fileno() >= 0:
            try:
                data = await self.socket.recv(2048)
            except trio.ClosedResourceError:
                return
            if len(data) > 12 and data[1] & 0x7F == self.heard_at:
                self.heard.append(data[12:] if self.heard_at == 0 else _ulaw(data[12:]))
                self.came.set()
            elif len(data) == 16:
                self.pressed.append((data[1] & 0x7F, data[12:]))
                self.came.set()

    async def until_heard(self, hertz: int, payloads: int) -> None:
        """Wait until it has heard so many payloads of a tone."""
        with trio.fail_after(PATIENCE):
            while self.pitches()[hertz] < payloads:
                self.came = trio.Event()
                await self.came.wait()

    def pitches(self) -> Counter[int]:
        """Give how many payloads of each tone were heard, by the hertz, to 50."""
        return Counter(50 * round(pitch(ulaw.decode(one)) / 50) for one in self.heard if ulaw.loud(one))


@define(eq=False)
class FarEnd:
    """See the module's docstring."""

    nursery: trio.Nursery
    sip: trio.socket.SocketType
    says: str
    codecs: str
    mouths: list[Mouth] = field(factory=list)
    """One for each call, in order."""
    by_user: dict[str, Mouth] = field(factory=dict)
    """By the number that was called."""
    opened: list[Mouth] = field(factory=list)
    """Those, and what else was opened."""
    requests: list[str] = field(factory=list)
    """What was asked of it."""
    offers: list[sip.Offer] = field(factory=list)
    """Where each call wants to hear."""
    talks: bool = True
    """Whether it speaks by itself as soon as it has answered."""
    keys: int | None = 0
    """How its answers number telephone-event; 0: as the offer does, None: it has none."""
    calls: list[tuple[sip.Request, tuple[str, int]]] = field(factory=list)
    """The INVITE of each call, and where it came from."""
    _answered: dict[str, bytes] = field(factory=dict)
    _replies: dict[str, trio.Event] = field(factory=dict)
    statuses: dict[str, str] = field(factory=dict)
    """What its own requests were answered, by their CSeq."""

    @property
    def address(self) -> str:
        host, port = self.sip.getsockname()
        return f"{host}:{port}"

    async def mouth(self, hertz: int, to: tuple[str, int] | None = None, *, host: str = "127.0.0.1") -> Mouth:
        """Open one more, which sends from *host*."""
        made = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await made.bind((host, 0))
        mouth = Mouth(made, hertz, to)
        self.opened.append(mouth)
        self.nursery.start_soon(mouth.speak)
        self.nursery.start_soon(mouth.listen)
        return mouth

    async def serve(self) -> None:
        while True:
            data, source = await self.sip.recvfrom(65536)
            request = sip.read(data)
            if request is None:
                self._replied(data)
                continue
            self.requests.append(request.method)
            if request.method == "INVITE":
                await self._invited(request, source)
            elif request.method != "ACK":
                await self.sip.sendto(sip.response(request, "200 OK", "far"), source)

    def _replied(self, data: bytes) -> None:
        """Take the answer to a request of its own."""
        found = re.match(rb"SIP/2.0 (\d+).*^CSeq: *(\d+)", data, re.S | re.M)
        if found and found[2].decode() in self._replies:
            self.statuses[found[2].decode()] = found[1].decode()
            self._replies[found[2].decode()].set()

    async def ask(self, method: str, sequence: int, kind: str, body: str, *, call: int = 0) -> str:
        """Send a request within a call, and give the status that answers it."""
        invite, source = self.calls[call]
        lines = [
            f"{method} sip:ringful@{source[0]}:{source[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bK{method}{sequence}",
            "Max-Forwards: 70",
            f"From: {invite.header('to')};tag=far{call + 1}",
            f"To: {invite.header('from')}",
            f"Call-ID: {invite.header('call-id')}",
            f"CSeq: {sequence} {method}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body.encode())}",
        ]
        came = self._replies[str(sequence)] = trio.Event()
        while not came.is_set():
            await self.sip.sendto("\r\n".join([*lines, "", body]).encode(), source)
            with trio.move_on_after(0.5):
                await came.wait()
        return self.statuses[str(sequence)]

    async def _invited(self, request: sip.Request, source: tuple[str, int]) -> None:
        offer = sip.offer_in(request.body)
        assert offer
        if not request.within and request.header("call-id") in self._answered:
            await self.sip.sendto(self._answered[request.header("call-id")], source)  # It was sent again.
            return
        if not request.within:
            self.offers.append(offer)
            self.calls.append((request, source))
            hertz = 400 + 50 * (len(self.mouths) % _TONES)
            to = (offer.address, offer.port) if self.talks else None
            self.by_user[request.user] = await self.mouth(hertz, to)
            self.mouths.append(self.by_user[request.user])
        mouth = self.mouths[-1]
        keys = self.keys if self.keys != 0 else offer.keys
        body = sip.answer(self.says, mouth.port, mouth.port + 1, keys)
        body = body.replace("RTP/AVP 0", f"RTP/AVP {self.codecs}")
        contact = f"sip:far@{self.address}"
        answer = sip.response(request, "200 OK", f"far{len(self.mouths)}", contact, body)
        self._answered.setdefault(request.header("call-id"), answer)
        await self.sip.sendto(answer, source)


@asynccontextmanager
async def far_end(
    *, says: str = "127.0.0.1", codecs: str = "0", talks: bool = True, keys: int | None = 0
) -> AsyncIterator[FarEnd]:
    """Run one; *says* is the address of its SDP, and *keys* the number of telephone-event there."""
    made = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await made.bind(("127.0.0.1", 0))
    far = None
    try:
        async with trio.open_nursery() as nursery:
            far = FarEnd(nursery, made, says, codecs, talks=talks, keys=keys)
            nursery.start_soon(far.serve)
            yield far
            nursery.cancel_scope.cancel()
    finally:
        made.close()
        for mouth in far.opened if far else []:
            mouth.socket.close()
