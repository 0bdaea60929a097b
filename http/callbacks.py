"""Deliver callbacks: in order within a call and URL, at least once, for as long as a day.

Every post is on the disk before it comes here.  A lane is one call's posts to one URL: the next is
sent when the one before is delivered or parked.  Across the URLs of one call, a post is not tried
before its forerunner was tried once, but it waits for that no longer than a moment: where receivers
are well they see the call's order, and one that is down delays nobody.  One host has a bounded share
of the connections.  How a delivery stands is written down when it ends and at each pause, so a
restart goes on where it was.
"""

import base64
import hashlib
import hmac
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlencode, urlsplit

import httpx2
import structlog
import trio
from attrs import define, evolve, field

from ringful.http.outbound import FAILURES, OutboundError, read_bounded, reason_of
from ringful.store.port import Post, PostState, Store, StoreError, Write

log = structlog.get_logger()

PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds between attempts; the last one repeats."""
GIVE_UP = 24 * 3600.0
TOTAL_SECONDS = 15.0
PER_HOST = 10
ANSWER_BYTES = 64 * 1024
ORDER_SECONDS = 1.0
"""How long a post waits for the first attempt at the one before it in its call."""

Verdict = Literal["delivered", "retry", "final", "gone"]


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a callback by the Standard Webhooks convention, once with each of the blank-separated secrets.

    A *secret* is base64.
    """
    message = f"{event_id}.{timestamp}.".encode() + body
    digests = [hmac.new(base64.b64decode(one), message, hashlib.sha256).digest() for one in secret.split()]
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


def judge(status: int) -> Verdict:
    """Say what an answer means: 2xx is delivery, 410 stops the URL, other refusals are final."""
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    if 400 <= status < 500 and status not in (408, 425, 429):
        return "final"
    return "retry"


@define(eq=False)
class Turn:
    """A post, and its place in its call's order."""

    state: PostState
    before: "trio.Event | None" = None
    """The first attempt at the call's post before this one; None: there is none to wait for."""
    tried: trio.Event = field(factory=trio.Event)


@define(eq=False)
class Lane:
    """One call's posts to one URL, in order."""

    posts: "deque[Turn]" = field(factory=deque)
    stopped: bool = False
    """The receiver said that it wants no more."""


class Deliverer:
    """Deliver what `deliver` is given, until its nursery is cancelled."""

    def __init__(
        self,
        store: Store,
        client: httpx2.AsyncClient,
        secret_of: Callable[[str], Awaitable[str | None]],
        nursery: trio.Nursery,
        *,
        on_delivered: Callable[[Post], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._client, self._secret_of, self._nursery = store, client, secret_of, nursery
        self._on_delivered, self._clock, self._jitter = on_delivered, clock, jitter
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._hosts: dict[str, trio.CapacityLimiter] = {}
        self._latest: dict[str, trio.Event] = {}
        self._emptied = trio.Event()

    def deliver(self, post: Post) -> None:
        """Take *post*, which is on the disk, for delivery."""
        self._take(PostState(post, "pending", 0, self._clock()))

    async def take_up(self) -> None:
        """Go on with what was undelivered when the server stopped; before any `deliver`."""
        for state in await self._store.pending_posts():
            self._take(state)

    def _take(self, state: PostState) -> None:
        call_id = state.post.call_id
        name = (call_id, state.post.url)
        turn = Turn(state, self._latest.get(call_id))
        self._latest[call_id] = turn.tried
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane()
            lane.posts.append(turn)
            self._nursery.start_soon(self._run, name, lane)
        else:
            lane.posts.append(turn)

    async def _run(self, name: tuple[str, str], lane: Lane) -> None:
        while lane.posts:
            turn = lane.posts[0]
            if turn.before is not None:
                with trio.move_on_after(ORDER_SECONDS):
                    await turn.before.wait()
            await self._deliver(lane, turn)
            turn.tried.set()
            if self._latest.get(name[0]) is turn.tried:
                del self._latest[name[0]]
            lane.posts.popleft()
        del self._lanes[name]
        if not self._lanes:
            self._emptied.set()

    async def until_idle(self) -> None:
        """Return when nothing is left to deliver."""
        while self._lanes:
            self._emptied = trio.Event()
            await self._emptied.wait()

    async def _deliver(self, lane: Lane, turn: Turn) -> None:
        state = turn.state
        while True:
            if lane.stopped:
                turn.tried.set()
                await self._keep(evolve(state, state="parked", last_error="the URL is gone (410)"))
                return
            await trio.sleep(max(0.0, state.next_at - self._clock()))
            verdict, why, pause = await self._attempt(state)
            turn.tried.set()
            state = evolve(state, attempts=state.attempts + 1, last_error=why)
            if verdict == "delivered":
                await self._keep(evolve(state, state="delivered"))
                self._on_delivered(state.post)
                return
            lane.stopped = verdict == "gone"
            over = self._clock() - state.post.created > GIVE_UP
            if verdict != "retry" or over:
                self._complain(state, why, "parked")
                await self._keep(evolve(state, state="parked"))
                return
            usual = PAUSES[min(state.attempts - 1, len(PAUSES) - 1)] * (0.8 + 0.4 * self._jitter())
            state = evolve(state, next_at=self._clock() + max(usual, pause))
            self._complain(state, why, f"again in {max(usual, pause):.0f} s")
            await self._keep(state)

    async def _attempt(self, state: PostState) -> tuple[Verdict, str, float]:
        post = state.post
        host = urlsplit(post.url).netloc
        limiter = self._hosts.setdefault(host, trio.CapacityLimiter(PER_HOST))
        async with limiter:
            try:
                with trio.fail_after(TOTAL_SECONDS):
                    response = await self._post(post)
            except FAILURES as error:
                return "retry", reason_of(error), 0.0
        status = response.status_code
        asked = response.headers.get("retry-after") if status in (429, 503) else None
        return judge(status), f"it answered {status}", self._seconds(asked)

    async def _post(self, post: Post) -> httpx2.Response:
        body = urlencode({**post.fields, "event": post.event_id}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "webhook-id": post.event_id}
        now = int(self._clock())
        headers["webhook-timestamp"] = str(now)
        if secret := await self._secret_of(post.key):
            headers["webhook-signature"] = signature(secret, post.event_id, now, body)
        request = self._client.build_request("POST", post.url, content=body, headers=headers)
        response = await self._client.send(request, stream=True)
        try:
            await read_bounded(response, ANSWER_BYTES)
        except OutboundError:
            pass  # What it says is not read anyway.
        finally:
            await response.aclose()
        return response

    def _seconds(self, asked: str | None) -> float:
        """Read a Retry-After (RFC 9110, 10.2.3), bounded to an hour."""
        if not asked:
            return 0.0
        try:
            seconds = (
                float(asked) if asked.isdigit() else parsedate_to_datetime(asked).timestamp() - self._clock()
            )
        except ValueError:
            return 0.0
        return min(max(seconds, 0.0), 3600.0)

    async def _keep(self, state: PostState) -> None:
        try:
            await self._store.submit(Write(post_states=[state])).wait()
        except StoreError as error:
            log.error("how a callback stands cannot be stored", event_id=state.post.event_id, why=str(error))

    def _complain(self, state: PostState, why: str, then: str) -> None:
        log.warning(
            "a callback was not delivered",
            call=state.post.call_id,
            host=urlsplit(state.post.url).netloc,
            action=state.post.fields.get("action", ""),
            attempt=state.attempts,
            why=why,
            then=then,
        )
