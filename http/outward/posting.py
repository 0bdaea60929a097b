"""POST over connections that stay open: what deliveries of callbacks go by.

A request is one write and its answer is read by h11, over the guarded connections of `guard`, so that an
address is checked whenever one is opened.  Connections to a host that are idle wait in a pile, the newest on
top, and are closed when they were idle for `IDLE_SECONDS`, or are too many.  A receiver may have closed one
in the moment in which it is used again: what broke before there was an answer is posted once more, over a
new one (a receiver tells repetitions by ``webhook-id``).

This is narrower than the general client of `guard`, and costs half of it: nine callbacks belong to each call.
"""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import cast

import h11
import httpcore2
import httpx2
import trio
from attrs import define, frozen
from httpcore2 import AsyncNetworkStream

from ringful.ground.faults import fault
from ringful.http.outward.addresses import Networks
from ringful.http.outward.guard import CONNECT_SECONDS, STEP_SECONDS, GuardedBackend, Resolve, resolve
from ringful.http.outward.outbound import ENDED, OutboundError

IDLE_SECONDS = 30.0
MAX_IDLE = 100
"""Connections that are kept open, to all hosts."""
READ_BYTES, READ_SECONDS = 64 * 1024, 0.5
"""What is read of an answer's body, only for the connection's sake: it can then be used again."""
_HEAD_BYTES = 100 * 1024
_CHUNK = 64 * 1024
_ALWAYS = ((b"User-Agent", b"ringful"), (b"Accept", b"*/*"), (b"Accept-Encoding", b"identity"))

Headers = Sequence[tuple[bytes, bytes]]


@frozen
class Answer:
    """What a receiver answered; *retry_after* is its header as it came."""

    status: int
    retry_after: str | None


@frozen
class Target:
    """Where a URL leads, as bytes for the request."""

    secure: bool
    host: str
    port: int
    path: bytes
    headers: Headers
    """Host, and Authorization where the URL names a user."""

    @property
    def place(self) -> tuple[bool, str, int]:
        """What connections are kept by."""
        return self.secure, self.host, self.port


@lru_cache(4096)
def target_of(url: str) -> Target:
    """Take *url*, which is not `addresses.wrong`, apart."""
    found = httpx2.URL(url)
    secure = found.scheme == "https"
    headers = [(b"Host", found.netloc)]
    if found.userinfo:
        told = httpx2.BasicAuth(found.username, found.password)
        request = next(told.auth_flow(httpx2.Request("POST", url)))
        headers.append((b"Authorization", request.headers["Authorization"].encode()))
    port = found.port or (443 if secure else 80)
    return Target(secure, found.raw_host.decode("ascii"), port, found.raw_path, headers)


@define(eq=False)
class _Line:
    """A connection, and how HTTP stands on it."""

    stream: AsyncNetworkStream
    http: h11.Connection
    step_seconds: float
    idle_since: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether nothing came while it was idle: not even its end."""
        return not self.stream.get_extra_info("is_readable")

    @property
    def ended_cleanly(self) -> bool:
        """Whether nothing came behind the answer: it would be taken for the answer to the next post."""
        http = self.http
        return http.our_state is h11.DONE and http.their_state is h11.DONE and not http.trailing_data[0]

    async def next(self) -> h11.Event | type[h11.PAUSED]:
        """Give what the receiver sends next.  Raises OutboundError where it ends before it answers."""
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return cast("h11.Event | type[h11.PAUSED]", event)
            data = await self.stream.read(_CHUNK, self.step_seconds)
            if not data and self.http.their_state is h11.SEND_RESPONSE:
                raise OutboundError(ENDED)
            self.http.receive_data(data)

    async def close(self) -> None:
        with trio.move_on_after(READ_SECONDS, shield=True), suppress(Exception):
            await self.stream.aclose()


class Poster:
    """POST on customers' behalf; *allow* are the networks that may be reached beside public addresses."""

    def __init__(
        self,
        allow: Networks,
        resolver: Resolve = resolve,
        *,
        trusted: ssl.SSLContext | None = None,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        self._step_seconds = step_seconds
        self._backend = GuardedBackend(allow, resolver)
        self._context = trusted or ssl.create_default_context()
        self._context.set_alpn_protocols(["http/1.1"])
        self._idle: dict[tuple[bool, str, int], list[_Line]] = {}
        self.open = 0
        """How many connections there are, idle ones too."""

    @property
    def idle(self) -> int:
        """How many connections wait to be used again."""
        return sum(map(len, self._idle.values()))

    async def post(self, url: str, headers: Headers, body: bytes) -> Answer:
        """Post *body*, and give the answer when its head is there and its body was read, or left.

        Raises what `outbound.FAILURES` lists, and `guard.AddressRefused`.
        """
        target = target_of(url)
        lengths = ((b"Content-Length", str(len(body)).encode()),)
        request = h11.Request(
            method=b"POST", target=target.path, headers=[*target.headers, *_ALWAYS, *headers, *lengths]
        )
        if line := await self._kept(target):
            with suppress(OutboundError, httpcore2.NetworkError):
                return await self._over(line, target, request, body)
        return await self._over(await self._open(target), target, request, body)

    async def _over(self, line: _Line, target: Target, request: h11.Request, body: bytes) -> Answer:
        kept = False
        try:
            sent = [line.http.send(one) for one in (request, h11.Data(data=body), h11.EndOfMessage())]
            await line.stream.write(b"".join(one for one in sent if one), self._step_seconds)
            head = await line.next()
            while not isinstance(head, h11.Response):
                if isinstance(head, type):
                    raise h11.RemoteProtocolError("it switches to another protocol")
                head = await line.next()
            after = next((value for name, value in head.headers if name == b"retry-after"), None)
            answer = Answer(head.status_code, None if after is None else after.decode("latin-1"))
            kept = await _finished(line)
            return answer
        finally:
            await self._leave(line, target, kept=kept)

    async def _kept(self, target: Target) -> _Line | None:
        pile = self._idle.get(target.place, [])
        while pile:
            line = pile.pop()
            if line.alive and trio.current_time() - line.idle_since < IDLE_SECONDS:
                return line
            await self._close(line)
        self._idle.pop(target.place, None)
        return None

    async def _open(self, target: Target) -> _Line:
        stream = await self._backend.connect_tcp(target.host, target.port, CONNECT_SECONDS)
        if target.secure:
            stream = await stream.start_tls(self._context, target.host, CONNECT_SECONDS)
        self.open += 1
        return _Line(stream, h11.Connection(h11.CLIENT, _HEAD_BYTES), self._step_seconds)

    async def _leave(self, line: _Line, target: Target, *, kept: bool) -> None:
        if not kept:
            await self._close(line)
            return
        line.http.start_next_cycle()
        line.idle_since = trio.current_time()
        self._idle.setdefault(target.place, []).append(line)
        if self.idle > MAX_IDLE:
            await self.sweep()

    async def sweep(self) -> None:
        """Close connections that were idle for too long, and the longest idle where they are too many."""
        for old in self._spare(trio.current_time()):
            await self._close(old)

    def _spare(self, now: float) -> list[_Line]:
        waiting = sorted((one.idle_since, place) for place, pile in self._idle.items() for one in pile[:1])
        found, count = [], self.idle
        for since, place in waiting:
            if now - since < IDLE_SECONDS and count <= MAX_IDLE:
                break
            found.append(self._idle[place].pop(0))
            count -= 1
            if not self._idle[place]:
                del self._idle[place]
        return found

    async def _close(self, line: _Line) -> None:
        self.open -= 1
        await line.close()

    async def close(self) -> None:
        """Close what is idle."""
        for pile in list(self._idle.values()):
            while pile:
                await self._close(pile.pop())
        self._idle.clear()


async def _finished(line: _Line) -> bool:
    """Read what little of the body there may be; say whether the connection can be used again."""
    size = 0
    try:
        with trio.move_on_after(READ_SECONDS, shield=True):  # The time for an answer is over with its head.
            while size <= READ_BYTES:
                event = await line.next()
                if isinstance(event, h11.EndOfMessage):
                    return line.ended_cleanly
                if not isinstance(event, h11.Data):
                    return False
                size += len(event.data)
    except (h11.ProtocolError, httpcore2.NetworkError, httpcore2.TimeoutException, OSError):
        pass  # The status has said all.
    except Exception as error:
        fault("read the answer to a callback", error)
    return False


@asynccontextmanager
async def open_poster(
    allow: Networks,
    resolver: Resolve = resolve,
    *,
    trusted: ssl.SSLContext | None = None,
    step_seconds: float = STEP_SECONDS,
) -> AsyncIterator[Poster]:
    """Give a `Poster` whose idle connections are closed in the end."""
    poster = Poster(allow, resolver, trusted=trusted, step_seconds=step_seconds)
    try:
        yield poster
    finally:
        await poster.close()
