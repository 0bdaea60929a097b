"""Deliver callbacks: in order within a call and URL, at least once, for as long as a day.

Every post is on the disk before it comes here.  Everything but a 2xx is tried again; a post that
was not delivered in a day is parked, and 410 parks what there is for that URL of that call, and
what comes later.  Parked posts stay in the store, and are taken up again when the store says so.

Across the URLs of one call, a post is not tried before its forerunner was tried once, but it waits
for that no longer than a moment: where receivers are well they see the call's order, and one that
is down delays nobody.  Who may go when is in `lanes`.  How a delivery stands is written down when it
ends and at each pause, so a restart goes on where it was.
"""

import base64
import hashlib
import hmac
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlencode

import httpcore2
import structlog
import trio
from attrs import evolve, frozen

from ringful.ground.faults import Tasks, fault
from ringful.http.outward.addresses import wrong
from ringful.http.outward.guard import AddressRefused
from ringful.http.outward.lanes import PAUSES, Lane, Receiver, Sign, Turn, born, host_of
from ringful.http.outward.outbound import FAILURES, reason_of
from ringful.http.outward.posting import Answer, Poster
from ringful.store.port import Post, PostState, Store, StoreError, Write

log = structlog.get_logger()

GIVE_UP = 24 * 3600.0
TOTAL_SECONDS = 15.0
"""Until the answer's head is there."""
CONNECTIONS = 180
"""At once to all receivers."""
ORDER_SECONDS = 1.0
"""How long a post waits for the first attempt at the one before it in its call."""
PAGE = 500
"""Posts that are read at once."""
LOOK_SECONDS = 2.0
"""How often the store is asked for posts that are to be sent again."""
SWEEP_SECONDS = 60.0
"""How often those are given up that wait for somebody else's attempt."""
GONE = "the URL is gone (410)"

Verdict = Literal["delivered", "retry", "final", "gone"]


@frozen
class Found:
    """What an attempt has come to; *why* is to read, *asked* the pause that the receiver asked for."""

    verdict: Verdict
    sign: Sign | None
    why: str
    asked: float = 0.0


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a callback by the Standard Webhooks convention, once with each of the blank-separated secrets.

    A *secret* is base64.
    """
    message = f"{event_id}.{timestamp}.".encode() + body
    digests = [hmac.new(base64.b64decode(one), message, hashlib.sha256).digest() for one in secret.split()]
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


def judge(status: int) -> Verdict:
    """Say what an answer means: 2xx is delivery, 410 stops the URL, all else is tried again."""
    if 200 <= status < 300:
        return "delivered"
    return "gone" if status == 410 else "retry"


def sign_of(status: int) -> Sign:
    """Say what an answer tells of the receiver's health."""
    return "trouble" if status >= 500 or status in (408, 425, 429) else "answered"


class Deliverer:
    """Deliver what `deliver` is given, until its nursery is cancelled.

    *clock* gives Unix seconds; *steady* is what pauses are measured with.
    """

    def __init__(
        self,
        store: Store,
        poster: Poster,
        secret_of: Callable[[str], Awaitable[str | None]],
        tasks: Tasks,
        *,
        on_delivered: Callable[[Post], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = trio.current_time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._poster, self._secret_of, self._tasks = store, poster, secret_of, tasks
        self._on_delivered, self._clock, self._steady, self._jitter = on_delivered, clock, steady, jitter
        self._receivers: dict[tuple[str, str], Receiver] = {}
        self._turns: dict[str, Turn] = {}
        self._latest: dict[str, Turn] = {}
        self._connections = trio.CapacityLimiter(CONNECTIONS)
        self._emptied = trio.Event()
        self._asked = trio.Event()
        self._came: set[str] | None = None
        """What was given to `deliver` while older posts are still being read."""
        self.delivered = 0
        """How many were delivered since the start."""
        self.failed_attempts = 0
        """How many attempts since the start have delivered nothing."""
        self.parked = 0
        """How many posts are parked; of earlier ones it knows from `take_up` on."""

    @property
    def waiting(self) -> int:
        """How many posts are yet to be delivered."""
        return len(self._turns)

    @property
    def lag(self) -> float:
        """The age of the oldest post that waits, in seconds; 0 where none does.  Looks at each."""
        oldest = min((born(turn.state) for turn in self._turns.values()), default=None)
        return 0.0 if oldest is None else max(0.0, self._clock() - oldest)

    def deliver(self, post: Post) -> None:
        """Take *post*, which is on the disk, for delivery."""
        if self._came is not None:
            self._came.add(post.event_id)
        self._take(PostState(post, "pending", 0, self._clock()))

    async def take_up(self) -> None:
        """Go on with what was undelivered when the server stopped; before any `deliver`.

        The first of it is taken at once, the rest beside what else goes on.  Raises StoreError.
        """
        self.parked = await self._store.count_parked()
        first = await self._store.pending_posts(limit=PAGE)
        self._came = set()
        self._take_page(first)
        self._tasks.start_soon(self._take_up_rest, first)

    async def _take_up_rest(self, page: Sequence[PostState]) -> None:
        while page:
            try:
                page = await self._store.pending_posts(after=page[-1].post, limit=PAGE)
            except StoreError as error:
                log.error("waiting callbacks cannot be read; again in a moment", why=str(error))
                await trio.sleep(LOOK_SECONDS)
                continue
            self._take_page(page)
        self._came = None
        self._settle()
        await self._look()

    def _take_page(self, page: Sequence[PostState]) -> None:
        for state in page:
            if state.post.event_id not in (self._came or ()):
                self._take(state)

    def look_for_resends(self) -> None:
        """Look at once for parked posts that are to be sent again."""
        self._asked.set()

    async def _look(self) -> None:
        """Take up what is to be sent again, whoever has asked for it; give up what is held for too long."""
        swept = self._steady()
        while True:
            with trio.move_on_after(LOOK_SECONDS):
                await self._asked.wait()
            self._asked = trio.Event()
            try:
                await self._poster.sweep()
                while asked := await self._store.asked_posts(limit=PAGE):
                    await self._take_again(asked)
                if self._steady() - swept >= SWEEP_SECONDS:
                    swept = self._steady()
                    await self._sweep()
            except StoreError as error:
                log.error("callbacks that are to be sent again cannot be read", why=str(error))
            except Exception as error:
                fault("look for callbacks to send again", error)

    async def _take_again(self, asked: Sequence[PostState]) -> None:
        now = self._clock()
        states = [PostState(one.post, "pending", 0, now, resent=now) for one in asked]
        await self._store.submit(Write(post_states=states)).wait()
        log.info(
            "callbacks are sent again", callbacks=len(states), calls=len({one.post.call_id for one in states})
        )
        # Others may have been parked by hand, in the database.
        self.parked = max(0, self.parked - len(states))
        for state in states:
            self._take(state)

    async def _sweep(self) -> None:
        for receiver in list(self._receivers.values()):
            for lane, why in receiver.overdue(self._clock() - GIVE_UP):
                old = [turn for turn in lane.turns if self._over(turn.state)]
                await self._park(lane, old, f"its receiver was away for too long: {why}")
                self._go_on(receiver, lane)

    def _take(self, state: PostState) -> None:
        post = state.post
        if post.event_id in self._turns:
            return
        at = (host_of(post.url), post.key)
        receiver = self._receivers.get(at)
        if receiver is None:
            receiver = self._receivers[at] = Receiver(*at)
            self._tasks.start_soon(self._serve, at, receiver)
        lane = receiver.lane(post.call_id, post.url)
        turn = Turn(state, self._latest.get(post.call_id))
        self._latest[post.call_id] = self._turns[post.event_id] = turn
        if lane.insert(turn) and lane.spot in ("new", "queued"):
            self._queue(receiver, lane)
        if lane.noting:
            lane.noting.hurry()

    def _queue(self, receiver: Receiver, lane: Lane) -> None:
        """Queue *lane* for when its first post is due."""
        turn = lane.turns[0]
        pause = max(0.0, turn.state.next_at - self._clock())
        if turn.before is not None and not turn.before.tried:
            turn.before.follower = lane
            pause = max(pause, ORDER_SECONDS)
        receiver.push(lane, self._steady() + pause)
        receiver.bell.set()

    def _tried(self, turn: Turn) -> None:
        """Let the call's next post go, if it waits for this one."""
        turn.tried, turn.before = True, None
        call_id = turn.state.post.call_id
        if self._latest.get(call_id) is turn:
            del self._latest[call_id]
        lane, turn.follower = turn.follower, None
        if lane is not None and lane.spot == "queued" and lane.turns[0].before is turn:
            lane.turns[0].before = None
            post = lane.turns[0].state.post
            self._queue(self._receivers[host_of(post.url), post.key], lane)

    async def _serve(self, at: tuple[str, str], receiver: Receiver) -> None:
        while receiver.lanes:
            try:
                await self._send_off(receiver)
            except Exception as error:
                fault("choose the next callback", error, host=receiver.host)
                await trio.sleep(LOOK_SECONDS)
        del self._receivers[at]
        self._settle()

    async def _send_off(self, receiver: Receiver) -> None:
        """Let all go that may go now, and wait until another one may."""
        while lane := receiver.next(self._steady()):
            self._tasks.start_soon(self._fly, receiver, lane)
        receiver.bell = trio.Event()
        due = receiver.due()
        with trio.move_on_after(math.inf if due is None else max(0.0, due - self._steady())):
            await receiver.bell.wait()

    async def _fly(self, receiver: Receiver, lane: Lane) -> None:
        turn = lane.turns[0]
        try:
            if await self._is_gone(lane):
                receiver.landed(lane, None, self._steady())
                await self._park(lane, list(lane.turns), GONE)
            else:
                found = await self._attempt(turn.state)
                self._land(receiver, lane, found)
                await self._note(lane, turn, found)
        except Exception as error:
            # What the attempt itself did not expect has been taken there.
            fault("note how a callback stands", error, call=lane.call_id)
            turn.state = evolve(turn.state, next_at=self._clock() + PAUSES[-1])
        self._go_on(receiver, lane)

    def _go_on(self, receiver: Receiver, lane: Lane) -> None:
        if lane.turns:
            self._queue(receiver, lane)
        else:
            receiver.drop(lane)
        receiver.bell.set()

    def _settle(self) -> None:
        if not self._receivers and self._came is None:
            self._emptied.set()

    async def until_idle(self) -> None:
        """Return when nothing is left to deliver."""
        while self._receivers or self._came is not None:
            self._emptied = trio.Event()
            await self._emptied.wait()

    async def _is_gone(self, lane: Lane) -> bool:
        # What is gone is parked; where nothing is, the store need not be asked.
        if lane.checked or not self.parked:
            return False
        lane.checked = True
        try:
            return await self._store.is_gone(lane.call_id, lane.url)
        except StoreError as error:
            log.error("it cannot be read whether a URL is gone", call=lane.call_id, why=str(error))
            return False

    def _land(self, receiver: Receiver, lane: Lane, found: Found) -> None:
        """Give the connection back, and note what the attempt says of the receiver."""
        news = receiver.landed(
            lane, found.sign, self._steady(), why=found.why, pause=found.asked, stretch=self._stretch()
        )
        receiver.bell.set()
        for away in news:
            if away:
                log.warning("a receiver is away", host=receiver.host, why=found.why, waiting=self.waiting)
            else:
                log.info("a receiver is back", host=receiver.host, waiting=self.waiting)

    async def _note(self, lane: Lane, turn: Turn, found: Found) -> None:
        """Say what becomes of the post after an attempt, and write it down."""
        self._tried(turn)
        turn.state = state = evolve(turn.state, attempts=turn.state.attempts + 1, last_error=found.why)
        if found.verdict == "delivered":
            self._end(lane, [turn])
            self.delivered += 1
            await self._keep_delivered(lane, evolve(state, state="delivered"))
            self._on_delivered(state.post)
            return
        self.failed_attempts += 1
        if found.verdict == "gone":
            # It holds for those behind it, and for what comes later.
            turn.state = evolve(state, gone=self._clock())
            lane.checked = False
            await self._park(lane, list(lane.turns), GONE)
            return
        if found.verdict == "final" or self._over(state):
            await self._park(lane, [turn], found.why)
            return
        usual = PAUSES[min(state.attempts - 1, len(PAUSES) - 1)] * self._stretch()
        pause = max(usual, found.asked)
        turn.state = evolve(state, next_at=self._clock() + pause)
        log.warning("a callback was not delivered", **_about(turn.state), then=f"again in {pause:.0f} s")
        await self._keep([turn.state])

    def _over(self, state: PostState) -> bool:
        return self._clock() - born(state) > GIVE_UP

    def _stretch(self) -> float:
        return 0.8 + 0.4 * self._jitter()

    async def _park(self, lane: Lane, turns: Sequence[Turn], why: str) -> None:
        parked = [evolve(turn.state, state="parked", last_error=why) for turn in turns]
        self._end(lane, turns)
        self.parked += len(parked)
        for state in parked:
            log.warning("a callback was parked", **_about(state))
        await self._keep(parked)

    def _end(self, lane: Lane, turns: Sequence[Turn]) -> None:
        ended = {turn.state.post.event_id for turn in turns}
        lane.turns = [turn for turn in lane.turns if turn.state.post.event_id not in ended]
        for turn in turns:
            self._tried(turn)
            del self._turns[turn.state.post.event_id]

    async def _attempt(self, state: PostState) -> Found:
        post = state.post
        if reason := wrong(post.url):
            return Found("final", None, f"{post.url[:200]!r} is no web address: {reason}")
        try:
            secret = await self._secret_of(post.key)
            async with self._connections:
                with trio.fail_after(TOTAL_SECONDS):
                    answer = await self._post(post, secret)
        except StoreError as error:
            log.error("the secret of a callback cannot be read", call=post.call_id, why=str(error))
            return Found("retry", None, "the server could not read its database")
        except AddressRefused as error:
            # Of a name another look-up may say something else; an address stays what it is.
            return Found("final" if error.for_good else "retry", "unreached", str(error))
        except FAILURES as error:
            unreached = isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout)
            return Found("retry", "unreached" if unreached else "silent", reason_of(error))
        except Exception as error:
            about = {"call": post.call_id, "host": host_of(post.url)}
            return Found("retry", "silent", fault("deliver a callback", error, **about))
        status = answer.status
        asked = answer.retry_after if status in (429, 503) else None
        return Found(judge(status), sign_of(status), f"it answered {status}", self._seconds(asked))

    async def _post(self, post: Post, secret: str | None) -> Answer:
        body = urlencode({**post.fields, "event": post.event_id}).encode()
        now = int(self._clock())
        headers = [
            (b"Content-Type", b"application/x-www-form-urlencoded"),
            (b"webhook-id", post.event_id.encode()),
            (b"webhook-timestamp", str(now).encode()),
        ]
        if secret:
            headers.append((b"webhook-signature", signature(secret, post.event_id, now, body).encode()))
        return await self._poster.post(post.url, headers, body)

    def _seconds(self, asked: str | None) -> float:
        """Read a Retry-After (RFC 9110, 10.2.3), bounded to an hour."""
        if not asked:
            return 0.0
        try:
            seconds = (
                float(asked) if asked.isdigit() else parsedate_to_datetime(asked).timestamp() - self._clock()
            )
        except (ValueError, TypeError, OverflowError):
            return 0.0
        return min(max(seconds, 0.0), 3600.0)

    async def _keep(self, states: Sequence[PostState]) -> None:
        await _noted(self._store.submit(Write(post_states=states)).wait(), states[0])

    async def _keep_delivered(self, lane: Lane, state: PostState) -> None:
        """Write down that a post was delivered; what comes behind it in its *lane* goes once that is kept."""
        lane.noting = commit = self._store.submit(Write(post_states=[state]))
        if lane.turns:
            commit.hurry()
        try:
            await _noted(commit.settled(), state)
        finally:
            lane.noting = None


async def _noted(durable: Awaitable[None], state: PostState) -> None:
    try:
        await durable
    except StoreError as error:
        log.error("how callbacks stand cannot be stored", event_id=state.post.event_id, why=str(error))


def _about(state: PostState) -> dict[str, object]:
    """Give what a line of the log says of a post."""
    return {
        "call": state.post.call_id,
        "host": host_of(state.post.url),
        "action": state.post.fields.get("action", ""),
        "event_id": state.post.event_id,
        "attempts": state.attempts,
        "why": state.last_error,
    }
