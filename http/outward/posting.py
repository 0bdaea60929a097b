"""POST over connections that stay open: what deliveries of callbacks go by.

A request is one write, and its answer mostly one read, over the guarded connections of `guard`, so that an
address is checked whenever one is opened.  Connections to a host that are idle wait in a pile, the newest on
top, and are closed when they were idle for `IDLE_SECONDS`, or are too many.  A receiver may have closed one
in the moment in which it is used again: what broke before there was an answer is posted once more, over a
new one (a receiver tells repetitions by ``webhook-id``).

This is narrower than the general client of `guard`, and costs a small part of it: nine callbacks belong to
each call.
"""

import math
import ssl
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import lru_cache

import h11
import httpcore2
import httpx2
import trio
from attrs import frozen

from ringful.ground.faults import fault
from ringful.http.outward.addresses import Networks, parsed
from ringful.http.outward.answers import Answer, Odd, read_plain
from ringful.http.outward.guard import CONNECT_SECONDS, STEP_SECONDS, GuardedBackend, Resolve, resolve
from ringful.http.outward.line import Limit, Line, Secured, bare
from ringful.http.outward.outbound import OutboundError

IDLE_SECONDS = 30.0
MAX_IDLE = 100
"""Connections that are kept open, to all hosts."""
READ_BYTES, READ_SECONDS = 64 * 1024, 0.5
"""What is read of an answer's body, only for the connection's sake: it can then be used again."""
_ALWAYS = b"User-Agent: ringful\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"


@frozen
class Target:
    """Where a URL leads."""

    secure: bool
    host: str
    port: int
    place: tuple[bool, str, int]
    """All of that: what connections are kept by."""
    head: bytes
    """What a request there begins with: its first line and the headers that are always the same."""


@lru_cache(4096)
def target_of(url: str) -> Target:
    """Take *url* apart, which is not `addresses.wrong`: so what is said of it in a head is proper."""
    found = parsed(url)
    secure = found.scheme == "https"
    told = b""
    if found.userinfo:
        auth = httpx2.BasicAuth(found.username, found.password)
        request = next(auth.auth_flow(httpx2.Request("POST", url)))
        told = b"Authorization: %s\r\n" % request.headers["Authorization"].encode()
    head = b"POST %s HTTP/1.1\r\nHost: %s\r\n%s%s" % (found.raw_path, found.netloc, told, _ALWAYS)
    host, port = found.raw_host.decode("ascii"), found.port or (443 if secure else 80)
    return Target(secure, host, port, (secure, host, port), head)


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
        self._idle: dict[tuple[bool, str, int], list[Line]] = {}
        self.open = 0
        """How many connections there are, idle ones too."""

    @property
    def idle(self) -> int:
        """How many connections wait to be used again."""
        return sum(map(len, self._idle.values()))

    async def post(self, url: str, headers: bytes, body: bytes, seconds: float = math.inf) -> Answer:
        """Post *body*, and give the answer when its head is there and its body was read, or left.

        *headers* are whole lines, in addition to those that are always there.  The head is there within
        *seconds*.  Raises what `outbound.FAILURES` lists, and `guard.AddressRefused`.
        """
        target, now = target_of(url), trio.current_time()
        request = b"%sContent-Length: %d\r\n%s\r\n%s" % (target.head, len(body), headers, body)
        with trio.CancelScope(deadline=now + min(seconds, self._step_seconds)) as scope:
            limit = Limit(scope, now + seconds, self._step_seconds)
            if line := await self._kept(target):
                try:
                    return await self._over(line, limit, target, request)
                except (OutboundError, httpcore2.NetworkError):
                    pass
            return await self._over(await self._open(target, limit), limit, target, request)
        raise trio.TooSlowError

    async def _over(self, line: Line, limit: Limit, target: Target, request: bytes) -> Answer:
        kept = False
        try:
            await line.send(request, limit)
            data = await line.more()
            plain = read_plain(data)
            if plain:
                answer = plain.answer
                kept = plain.stays and (not plain.missing or await _ended(_rest(line, plain.missing)))
            else:
                odd = Odd(line, limit, data)
                answer = await odd.answer()
                kept = await _ended(odd.stays(READ_BYTES))
            return answer
        finally:
            await self._leave(line, target, kept=kept)

    async def _kept(self, target: Target) -> Line | None:
        pile = self._idle.get(target.place, [])
        while pile:
            line = pile.pop()
            if line.alive and time.monotonic() - line.idle_since < IDLE_SECONDS:
                return line
            await self._close(line)
        self._idle.pop(target.place, None)
        return None

    async def _open(self, target: Target, limit: Limit) -> Line:
        limit.rest()
        stream = await self._backend.connect_tcp(target.host, target.port, CONNECT_SECONDS)
        line: Line
        if target.secure:
            line = Secured(await stream.start_tls(self._context, target.host, CONNECT_SECONDS))
        else:
            line = bare(stream)
        self.open += 1
        limit.step()
        return line

    async def _leave(self, line: Line, target: Target, *, kept: bool) -> None:
        if not kept:
            await self._close(line)
            return
        line.idle_since = time.monotonic()
        self._idle.setdefault(target.place, []).append(line)
        if self.open > MAX_IDLE and self.idle > MAX_IDLE:
            await self.sweep()

    async def sweep(self) -> None:
        """Close connections that were idle for too long, and the longest idle where they are too many."""
        for old in self._spare(time.monotonic()):
            await self._close(old)

    def _spare(self, now: float) -> list[Line]:
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

    async def _close(self, line: Line) -> None:
        self.open -= 1
        await line.close()

    async def close(self) -> None:
        """Close what is idle."""
        for pile in list(self._idle.values()):
            while pile:
                await self._close(pile.pop())
        self._idle.clear()


async def _ended(rest: Awaitable[bool]) -> bool:
    """Let *rest* read what little of a body there may be; say whether the connection can be used again."""
    try:
        with trio.move_on_after(READ_SECONDS, shield=True):  # The time for an answer is over with its head.
            return await rest
    except (h11.ProtocolError, httpcore2.NetworkError, httpcore2.TimeoutException, OSError):
        pass  # The status has said all.
    except Exception as error:
        fault("read the answer to a callback", error)
    return False


async def _rest(line: Line, missing: int) -> bool:
    """Read the *missing* bytes of a body; say whether that was all that came."""
    while 0 < missing <= READ_BYTES and (data := await line.more()):
        missing -= len(data)
    return not missing


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
