"""The other end of a bind in virtual time: an SMSC that does what a test says, over a stream in memory."""

from collections import deque
from collections.abc import Iterator

import trio
from attrs import define, field
from trio.testing import memory_stream_pair

from ringful.messages.smpp import codec, line
from ringful.messages.smpp.codec import Deliver, Framer, Pdu

RESPONSE = codec.RESPONSE


@define(eq=False)
class ScriptedSmsc:
    """Takes connections in place of the network, and answers each submit with what *answers* gives next.

    A status, or None for no answer at all; with nothing left in it, each is taken.
    """

    nursery: trio.Nursery
    answers: deque[int | None] = field(factory=deque)
    connects: deque[OSError | None] = field(factory=deque)
    """What the next attempts to connect come to; None, and nothing left: a connection."""
    bind_status: int | None = 0
    delay: float = 0.0
    """Seconds before anything is answered."""
    attempts: list[float] = field(factory=list)
    submits: list[tuple[float, Deliver]] = field(factory=list)
    """Each with its time; the fields are those of a deliver_sm."""
    commands: list[int] = field(factory=list)
    streams: list[trio.StapledStream] = field(factory=list)
    _lock: trio.Lock = field(factory=trio.Lock)
    _ids: Iterator[int] = field(factory=lambda: iter(range(1, 1_000_000)))

    async def connect(self, _connection: object) -> trio.abc.Stream:
        """Stand in for `line.connect`."""
        self.attempts.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        error = self.connects.popleft() if self.connects else None
        if error:
            raise error
        ours, theirs = memory_stream_pair()
        self.streams.append(theirs)
        self.nursery.start_soon(self._serve, theirs)
        return ours

    async def _serve(self, stream: trio.StapledStream) -> None:
        framer = Framer()
        while True:
            try:
                data = await stream.receive_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            if not data:
                return
            for pdu in framer.feed(data):
                self.commands.append(pdu.command)
                if not pdu.command & RESPONSE:
                    self.nursery.start_soon(self._answer, stream, pdu, *self._outcome(pdu))

    def _outcome(self, pdu: Pdu) -> tuple[int | None, bytes]:
        if pdu.command == codec.BIND_TRANSCEIVER:
            return self.bind_status, b"scripted\0"
        if pdu.command != codec.SUBMIT_SM:
            return 0, b""
        self.submits.append((trio.current_time(), codec.read_deliver(pdu.body)))
        status = self.answers.popleft() if self.answers else 0
        return status, b"%d\0" % next(self._ids) if status == 0 else b""

    async def _answer(self, stream: trio.StapledStream, pdu: Pdu, status: int | None, body: bytes) -> None:
        await trio.sleep(self.delay)
        if status is not None:
            await self.send(stream, Pdu(pdu.command | RESPONSE, status, pdu.sequence, body).octets())

    async def send(self, stream: trio.StapledStream, data: bytes) -> None:
        """Send *data*, if there is anybody still."""
        try:
            async with self._lock:
                await stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return


def install(monkeypatch, smsc: ScriptedSmsc) -> None:
    """Have every connection lead to *smsc*."""
    monkeypatch.setattr(line, "connect", smsc.connect)
