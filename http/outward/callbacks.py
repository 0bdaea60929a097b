"""Deliver callbacks: in order within a call and URL, at least once, for as long as a day.

Every post is on the disk before it comes here.  Everything but a 2xx is tried again; a post that
was not delivered in a day is parked, and 410 parks what there is for that URL of that call, and
what comes later.  Parked posts stay in the store, and are taken up again when the store says so.

Across the URLs of one call, a post is not tried before its forerunner was tried once, but it waits
for that no longer than a moment: where receivers are well they see the call's order, and one that
is down delays nobody.  Who may go when is in `lanes`.  How a delivery stands is written down when it
ends and at each pause, so a restart goes on where it was.
"""

import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Literal

import httpcore2
import structlog
import trio
from attrs import evolve, frozen

from ringful.ground.faults import Tasks, fault
from ringful.http.outward.addresses import wrong
from ringful.http.outward.answers import Answer
from ringful.http.outward.guard import AddressRefused
from ringful.http.outward.lanes import (
    MOST_PER_RECEIVER,
    PAUSES,
    PER_RECEIVER,
    Lane,
    Receiver,
    Sign,
    Turn,
    born,
    host_of,
)
from ringful.http.outward.letter import form, signature
from ringful.http.outward.outbound import FAILURES, reason_of
from ringful.http.outward.posting import Poster
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
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._poster, self._secret_of, self._tasks = store, poster, secret_of, tasks
        self._on_delivered, self._clock, self._steady, self._jitter = on_delivered, clock, steady, jitter
        self._receivers: dict[tuple[str, str], Receiver] = {}
        self._turns: dict[str, Turn] = {}
        self._latest: dict[str, Turn] = {}
        self._flights, self._next_flight = trio.open_memory_channel[tuple[Receiver, Lane]](math.inf)
        self._flying = self._workers = 0
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
                    self._sweep()
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

    def _sweep(self) -> None:
        for receiver in list(self._receivers.values()):
            for lane, why in receiver.overdue(self._clock() - GIVE_UP):
                old = [turn for turn in lane.turns if self._over(turn.state)]
                self._park(receiver, lane, old, f"its receiver was away for too long: {why}")

    def _take(self, state: PostState) -> None:
        post = state.post
        if post.event_id in self._turns:
            return
        at = (host_of(post.url), post.key)
        receiver = self._receivers.get(at)
        if receiver is None:
            receiver = self._receivers[at] = Receiver(*at)
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
        self._send_off(receiver)

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

    def _send_off(self, receiver: Receiver) -> None:
        """Let all go that may go now, and see to it that somebody waits for when another one may."""
        try:
            now = self._steady()
            while lane := receiver.next(now, self._most()):
                self._start(receiver, lane)
            alarm = receiver.due(self._most())
        except Exception as error:
            fault("choose the next callback", error, host=receiver.host)
            alarm = self._steady() + LOOK_SECONDS
        if alarm == receiver.alarm:
            return
        receiver.alarm = alarm
        if receiver.bell is not None:
            receiver.bell.set()
        else:
            receiver.bell = trio.Event()
            self._tasks.start_soon(self._await_due, receiver)

    def _most(self) -> int:
        """Say how many may fly to one receiver: half of all is left for the others."""
        return MOST_PER_RECEIVER if self._flying < CONNECTIONS // 2 else PER_RECEIVER

    async def _await_due(self, receiver: Receiver) -> None:
        """Send off what is due later, until nothing is."""
        while receiver.alarm is not None:
            receiver.bell = trio.Event()
            with trio.move_on_after(max(0.0, receiver.alarm - self._steady())) as pause:
                await receiver.bell.wait()
            if pause.cancelled_caught:
                self._send_off(receiver)
        receiver.bell = None

    def _start(self, receiver: Receiver, lane: Lane) -> None:
        """Give *lane* to a worker that is free, or to a new one; where there can be none, to the first."""
        self._flying += 1
        if self._workers < min(self._flying, CONNECTIONS):
            self._workers += 1
            self._tasks.start_soon(self._work)
        self._flights.send_nowait((receiver, lane))

    async def _work(self) -> None:
        """Make one attempt after another.  A task for each would cost more than to make it."""
        async for receiver, lane in self._next_flight:
            await self._fly(receiver, lane)

    async def _fly(self, receiver: Receiver, lane: Lane) -> None:
        turn, began = lane.turns[0], self._steady()
        found = None if await self._is_gone(lane) else await self._attempt(turn.state)
        self._flying -= 1
        try:
            self._land(receiver, lane, found, began)
            if found is None:
                self._park(receiver, lane, list(lane.turns), GONE)
            else:
                self._note(receiver, lane, turn, found)
        except Exception as error:
            # What the attempt itself did not expect has been taken there.
            fault("note how a callback stands", error, call=lane.call_id)
            turn.state = evolve(turn.state, next_at=self._clock() + PAUSES[-1])
            self._go_on(receiver, lane)
        self._send_off(receiver)

    def _go_on(self, receiver: Receiver, lane: Lane) -> None:
        """Let *lane* fly again, now that what came of its flight is written down, or let it be gone."""
        if lane.turns:
            self._queue(receiver, lane)
            return
        receiver.drop(lane)
        if receiver.lanes or receiver.alarm is not None:
            self._send_off(receiver)
        if not receiver.lanes:
            del self._receivers[receiver.host, receiver.key]
            self._settle()

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
        except Exception as error:
            fault("look up whether a URL is gone", error, call=lane.call_id)
        return False

    def _land(self, receiver: Receiver, lane: Lane, found: Found | None, began: float) -> None:
        """Give the connection back, and note what the attempt since *began* says of the receiver."""
        now = self._steady()
        if found is None:
            receiver.landed(lane, None, now)
            return
        took, stretch = now - began, self._stretch()
        news = receiver.landed(
            lane, found.sign, now, took=took, why=found.why, pause=found.asked, stretch=stretch
        )
        for away in news:
            if away:
                log.warning("a receiver is away", host=receiver.host, why=found.why, waiting=self.waiting)
            else:
                log.info("a receiver is back", host=receiver.host, waiting=self.waiting)

    def _note(self, receiver: Receiver, lane: Lane, turn: Turn, found: Found) -> None:
        """Say what becomes of the post after an attempt, and write it down."""
        self._tried(turn)
        old = turn.state
        if found.verdict == "delivered":
            del lane.turns[0], self._turns[old.post.event_id]
            self.delivered += 1
            self._keep_delivered(receiver, lane, old, found.why)
            return
        self.failed_attempts += 1
        turn.state = state = evolve(old, attempts=old.attempts + 1, last_error=found.why)
        if found.verdict == "gone":
            # It holds for those behind it, and for what comes later.
            turn.state = evolve(state, gone=self._clock())
            lane.checked = False
            self._park(receiver, lane, list(lane.turns), GONE)
            return
        if found.verdict == "final" or self._over(state):
            self._park(receiver, lane, [turn], found.why)
            return
        usual = PAUSES[min(state.attempts - 1, len(PAUSES) - 1)] * self._stretch()
        pause = max(usual, found.asked)
        turn.state = evolve(state, next_at=self._clock() + pause)
        log.warning("a callback was not delivered", **_about(turn.state), then=f"again in {pause:.0f} s")
        self._keep(receiver, lane, [turn.state])

    def _over(self, state: PostState) -> bool:
        return self._clock() - born(state) > GIVE_UP

    def _stretch(self) -> float:
        return 0.8 + 0.4 * self._jitter()

    def _park(self, receiver: Receiver, lane: Lane, turns: Sequence[Turn], why: str) -> None:
        parked = [evolve(turn.state, state="parked", last_error=why) for turn in turns]
        self._end(lane, turns)
        self.parked += len(parked)
        for state in parked:
            log.warning("a callback was parked", **_about(state))
        self._keep(receiver, lane, parked)

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
        asked = self._seconds(answer.retry_after) if status in (429, 503) else 0.0
        return Found(judge(status), sign_of(status), f"it answered {status}", asked)

    async def _post(self, post: Post, secret: str | None) -> Answer:
        body = form({**post.fields, "event": post.event_id})
        now = int(self._clock())
        headers = (
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"webhook-id: {post.event_id}\r\nwebhook-timestamp: {now}\r\n"
        )
        if secret:
            headers += f"webhook-signature: {signature(secret, post.event_id, now, body)}\r\n"
        return await self._poster.post(post.url, headers.encode(), body, TOTAL_SECONDS)

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

    def _keep(self, receiver: Receiver, lane: Lane, states: Sequence[PostState]) -> None:
        """Write down how posts of *lane* stand; it goes on once that is kept."""
        commit = self._store.submit(Write(post_states=states))
        commit.hurry()
        commit.then(partial(self._kept, receiver, lane, states[0].post))

    def _keep_delivered(self, receiver: Receiver, lane: Lane, state: PostState, why: str) -> None:
        """Write down that a post was delivered; what comes behind it in its *lane* goes once that is kept."""
        post, attempts = state.post, state.attempts + 1
        delivered = PostState(post, "delivered", attempts, state.next_at, why, state.resent, state.gone)
        lane.noting = commit = self._store.submit(Write(post_states=[delivered]))
        if lane.turns:
            commit.hurry()
        commit.then(partial(self._kept, receiver, lane, post, delivered=True))

    def _kept(
        self, receiver: Receiver, lane: Lane, post: Post, error: str, *, delivered: bool = False
    ) -> None:
        if error:
            log.error("how callbacks stand cannot be stored", event_id=post.event_id, why=error)
        lane.noting = None
        try:
            if delivered:
                self._on_delivered(post)
        finally:
            self._go_on(receiver, lane)


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
