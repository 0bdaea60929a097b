"""The node's desk: a SIP port that the front alone asks, and that only redirects (RFC 3261, 21.3).

An INVITE is answered by 302 with the worker that takes the call, or refused.  The front asks again where
that worker does not answer, so one that a call was sent to before is not named for it twice.
"""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import trio
from attrs import define, field, frozen

from ringful.ground.faults import Tasks, fault

_SHORT = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id", b"m": b"contact"}
_NEEDED = (b"via", b"from", b"to", b"call-id", b"cseq")
_KEEP_SECONDS = 8.0
"""How long what was answered is kept, for the same question sent again."""


@frozen
class Refusal:
    """Why nobody takes a call."""

    status: int
    reason: str


Answer: TypeAlias = int | Refusal
"""The port of the worker that takes it."""
Take: TypeAlias = Callable[[str, str], Awaitable[Answer]]
"""Says who takes a request of a method (INVITE or MESSAGE) with a Call-ID."""


@frozen
class Question:
    """A request, as far as it must be read to be answered."""

    method: str
    headers: dict[bytes, list[bytes]]

    @property
    def branch(self) -> bytes:
        """By what a request that was sent again is known."""
        return self.headers[b"via"][0] + self.headers[b"cseq"][0]

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.headers[b"call-id"][0].decode("latin-1")

    def answer(self, status: int, reason: str, *more: str) -> bytes:
        """Write a response (RFC 3261, 8.2.6)."""
        headers = self.headers
        to = headers[b"to"][0]
        lines = [
            f"SIP/2.0 {status} {reason}".encode(),
            *(b"Via: " + one for one in headers[b"via"]),
            b"From: " + headers[b"from"][0],
            b"To: " + (to if b";tag=" in to else to + b";tag=desk"),
            b"Call-ID: " + headers[b"call-id"][0],
            b"CSeq: " + headers[b"cseq"][0],
            *(one.encode() for one in more),
            b"Content-Length: 0",
        ]
        return b"\r\n".join([*lines, b"", b""])


def question(data: bytes) -> Question | None:
    """Read a request, which the front has checked; None where it is none."""
    head = data.partition(b"\r\n\r\n")[0]
    first, *lines = re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
    headers: dict[bytes, list[bytes]] = defaultdict(list)
    for line in lines:
        name, _, value = line.partition(b":")
        key = name.strip().lower()
        headers[_SHORT.get(key, key)].append(value.strip())
    words = first.split(b" ")
    if len(words) != 3 or words[0] == b"SIP/2.0" or not all(headers[one] for one in _NEEDED):
        return None
    return Question(words[0].decode("latin-1"), headers)


@define(eq=False)
class Desk:
    """The port, and what was answered there."""

    _socket: trio.socket.SocketType
    _front: int
    """The port where the front asks from."""
    _tasks: Tasks
    take: Take | None = None
    """Who decides; None: nobody yet, or no more."""
    asked: int = 0
    refused: int = 0
    """Calls for which there was no place."""
    _answers: dict[bytes, bytes | None] = field(factory=dict)
    """By branch; None while it is thought about."""

    @property
    def port(self) -> int:
        """Where the front asks."""
        return int(self._socket.getsockname()[1])

    async def serve(self) -> None:
        """Answer until cancelled."""
        while True:
            try:
                data, source = await self._socket.recvfrom(65536)
            except OSError:
                # A front that has ended says so once for each answer that it did not get.
                continue
            if source != ("127.0.0.1", self._front) or (asked := question(data)) is None:
                continue
            if asked.method in ("INVITE", "MESSAGE"):
                if asked.branch not in self._answers:
                    self._answers[asked.branch] = None
                    self._tasks.start_soon(self._decide, asked)
                elif known := self._answers[asked.branch]:
                    await self._say(known)
            elif asked.method == "OPTIONS":
                closed = self.take is None
                await self._say(
                    asked.answer(503, "Ending", "Retry-After: 5") if closed else asked.answer(200, "OK")
                )
            elif asked.method == "CANCEL":
                await self._say(asked.answer(200, "OK"))
            elif asked.method != "ACK":
                await self._say(asked.answer(405, "Method Not Allowed"))

    async def _say(self, answer: bytes) -> None:
        try:
            await self._socket.sendto(answer, ("127.0.0.1", self._front))
        except OSError as error:
            fault("answering the SIP front", error)

    async def _decide(self, asked: Question) -> None:
        self.asked += 1
        answer: Answer = Refusal(503, "Not Ready")
        try:
            if self.take:
                answer = await self.take(asked.method, asked.call_id)
        except Exception as error:
            fault("finding a place for a call that came in", error)
        if isinstance(answer, Refusal):
            self.refused += 1
            written = asked.answer(answer.status, answer.reason, "Retry-After: 5")
        else:
            written = asked.answer(302, "Take It", f"Contact: <sip:w@127.0.0.1:{answer}>")
        self._answers[asked.branch] = written
        await self._say(written)
        await trio.sleep(_KEEP_SECONDS)
        del self._answers[asked.branch]
