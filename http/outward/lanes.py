"""Which post goes next to a receiver: pure, in steady seconds that the caller gives.

A lane is one call's posts to one URL, in order.  A receiver is what one key has at one host; so no
customer's trouble is another's, even where many share a host.  Whatever does not answer is away
once it has failed `AWAY_AFTER` times in a row: then one lane at a time scouts, with pauses, and
the others are held until it is back.  A host is away when no connection comes about; a place there
(a URL without its query) when it gives no answer, or one that says that it is in trouble.

A lane is at one spot: in the queue until it is due, held at a gate, or flying (with a worker, also
while what came of it is written down; the connection is free again once it has `landed`).
"""

import heapq
import math
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Literal

import trio
from attrs import define, field

from ringful.http.outward import addresses
from ringful.store.port import Commit, PostState

PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds between attempts at a post; the last one repeats."""
SCOUT_PAUSES = PAUSES[:5]
"""The same between attempts to reach what is away: shorter, since all wait for them."""
AWAY_AFTER = 3
PER_RECEIVER = 10
"""Connections at once, to begin with: enough for a receiver nearby."""
MOST_PER_RECEIVER = 60
"""Connections at once to one that answers promptly and still is not told as fast as things happen: one that
is 100 ms away is told 600 things a second."""
PROMPT = 1.0
"""Seconds within which an answer comes that says that there may be more at once."""

Spot = Literal["new", "queued", "held", "flying"]
Sign = Literal["unreached", "silent", "trouble", "answered"]
"""What an attempt says of its receiver: no connection came about; it gave no answer; its answer says
that it is in trouble; it is there, whatever it thinks of the post."""


@define(eq=False)
class Turn:
    """A post, and its place in its call's order."""

    state: PostState
    before: "Turn | None" = None
    """The call's post before this one, until it was tried once."""
    tried: bool = False
    follower: "Lane | None" = None
    """The lane that waits for the first attempt at this post."""


@define(eq=False)
class Lane:
    """One call's posts to one URL, in order."""

    call_id: str
    url: str
    place: "Place"
    turns: list[Turn] = field(factory=list)
    spot: Spot = "new"
    ticket: int = 0
    """Its entry in the queue; older ones count no more."""
    checked: bool = False
    """It was looked up whether the URL is gone."""
    noting: Commit | None = None
    """How its last post stands, on the way to the disk: what comes behind it hurries that."""

    def insert(self, turn: Turn) -> bool:
        """Put *turn* where its number belongs, behind what is flying; say whether it is the next."""
        at = len(self.turns)
        first = 1 if self.spot == "flying" and self.turns else 0
        while at > first and self.turns[at - 1].state.post.n > turn.state.post.n:
            at -= 1
        self.turns.insert(at, turn)
        return at == 0


@define(eq=False)
class Gate:
    """Lets everything through, or where what lies behind it is away, one scout at a time."""

    failures: int = 0
    until: float = 0.0
    """Before that, no scout goes."""
    why: str = ""
    scout: Lane | None = None
    held: "deque[Lane]" = field(factory=deque)

    @property
    def away(self) -> bool:
        """Whether it failed so often in a row that nobody else need try."""
        return self.failures >= AWAY_AFTER

    def time_for(self, lane: Lane) -> float:
        """Say when *lane* may go: 0 for now, infinity where another one scouts."""
        if self.failures < AWAY_AFTER:
            return 0.0
        self.scout = self.scout or lane
        return self.until if self.scout is lane else math.inf

    def fail(self, lane: Lane, now: float, pause: float, stretch: float, why: str) -> bool:
        """Note a failure of *lane*; say whether it is away from now on.

        The next scout goes after *pause* seconds, or after the usual ones, times *stretch*.
        """
        if self.away and self.scout is not lane:
            return False  # It set out before the others were held.
        self.failures += 1
        self.why = why
        if self.away:
            usual = SCOUT_PAUSES[min(self.failures - AWAY_AFTER, len(SCOUT_PAUSES) - 1)]
            self.until = now + max(usual * stretch, pause)
        return self.failures == AWAY_AFTER

    def leave(self, lane: Lane) -> Lane | None:
        """Let *lane* scout no more; give the one that does instead."""
        if self.scout is lane:
            self.scout = self.held.popleft() if self.held else None
            return self.scout
        return None

    def open(self) -> list[Lane]:
        """Let everything through again; give what was held."""
        held, self.held = list(self.held), deque()
        self.failures, self.scout = 0, None
        return held


@define(eq=False)
class Place:
    """A URL without its query, and the lanes there."""

    name: str
    gate: Gate = field(factory=Gate)
    lanes: int = 0


@define(eq=False)
class Receiver:
    """What one key has at one host: its lanes, and which may go."""

    host: str
    key: str = ""
    lanes: dict[tuple[str, str], Lane] = field(factory=dict)
    """By call and URL."""
    alarm: float | None = None
    """When the next lane is due that waits for its time; None: none does."""
    bell: trio.Event | None = None
    """To be rung when that changed; None: nobody waits for it."""
    gate: Gate = field(factory=Gate)
    flying: int = 0
    room: int = PER_RECEIVER
    """How many may fly at once."""
    _places: dict[str, Place] = field(factory=dict)
    _queue: "list[tuple[float, int, Lane]]" = field(factory=list)
    _tickets: "Iterator[int]" = field(factory=lambda: count(1))

    def lane(self, call_id: str, url: str) -> Lane:
        """Give the lane of that call and URL, made where there is none; it is in nobody's queue yet."""
        lane = self.lanes.get((call_id, url))
        if lane is None:
            name = url.partition("?")[0]
            place = self._places.setdefault(name, Place(name))
            place.lanes += 1
            lane = self.lanes[call_id, url] = Lane(call_id, url, place)
        return lane

    def push(self, lane: Lane, due: float) -> None:
        """Queue *lane*, to go at *due*; a time that was said before counts no more."""
        lane.spot, lane.ticket = "queued", next(self._tickets)
        heapq.heappush(self._queue, (due, lane.ticket, lane))
        if len(self._queue) > 2 * len(self.lanes) + 100:
            self._queue = [entry for entry in self._queue if entry[1] == entry[2].ticket]
            heapq.heapify(self._queue)

    def drop(self, lane: Lane) -> None:
        """Forget *lane*, which is in no queue."""
        del self.lanes[lane.call_id, lane.url]
        self._leave(lane, 0.0)
        lane.place.lanes -= 1
        if not lane.place.lanes:
            del self._places[lane.place.name]

    def next(self, now: float, most: int = MOST_PER_RECEIVER) -> Lane | None:
        """Take the lane that may go now, where no more than *most* fly; it flies until it has `landed`."""
        while (earliest := self.due(most)) is not None and earliest <= now:
            _, _, lane = heapq.heappop(self._queue)
            for gate in (lane.place.gate, self.gate):
                due = gate.time_for(lane)
                if due == math.inf:
                    lane.spot = "held"
                    gate.held.append(lane)
                    break
                if due > now:
                    self.push(lane, due)
                    break
            else:
                lane.spot = "flying"
                self.flying += 1
                return lane
        return None

    def due(self, most: int = MOST_PER_RECEIVER) -> float | None:
        """Say when the next lane is due; None: there is none, or no connection of *most* is free."""
        while self._queue and self._queue[0][1] != self._queue[0][2].ticket:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue and self.flying < min(self.room, most) else None

    def landed(
        self,
        lane: Lane,
        sign: Sign | None,
        now: float,
        *,
        took: float = 0.0,
        why: str = "",
        pause: float = 0.0,
        stretch: float = 1.0,
    ) -> list[bool]:
        """Note what *lane* has found after *took* seconds; None: it was not tried.

        Give what has changed: True for each thing that is away from now on, False for each that is back.
        """
        if sign is not None:
            self._make_room(prompt=sign == "answered" and took <= PROMPT)
        self.flying -= 1
        news = []
        if sign == "unreached":
            if self.gate.fail(lane, now, pause, stretch, why):
                news.append(True)
        elif sign in ("trouble", "answered") and self._back(self.gate, now):
            news.append(False)
        place = lane.place
        if sign in ("trouble", "silent"):
            if place.gate.fail(lane, now, pause, stretch, why):
                news.append(True)
        elif sign == "answered" and self._back(place.gate, now, place):
            news.append(False)
        self._leave(lane, now)
        return news

    def _make_room(self, *, prompt: bool) -> None:
        """Let one more fly where all that may do and it keeps up; half as many where it does not."""
        if not prompt:
            self.room = max(PER_RECEIVER, self.room // 2)
        elif self.flying >= self.room:
            self.room = min(MOST_PER_RECEIVER, self.room + 1)

    def _leave(self, lane: Lane, now: float) -> None:
        for gate in (lane.place.gate, self.gate):
            if gate.scout is lane and (scout := gate.leave(lane)):
                self.push(scout, max(now, gate.until))

    def _back(self, gate: Gate, now: float, place: Place | None = None) -> bool:
        if not gate.failures:
            return False  # Nothing is held there.
        was_away = gate.away
        for held in gate.open():
            self.push(held, now)
        if was_away:
            # Those that pause after attempts of their own need not wait for the end of it.
            waiting = [lane for lane in self.lanes.values() if lane.spot == "queued"]
            for lane in waiting:
                if place in (None, lane.place) and lane.turns[0].state.attempts:
                    self.push(lane, now)
        return was_away

    def overdue(self, born_before: float) -> list[tuple[Lane, str]]:
        """Take out the held lanes whose first post is older than that; with why they were held."""
        found = []
        for gate in (self.gate, *(place.gate for place in self._places.values())):
            held, gate.held = gate.held, deque()
            for lane in held:
                if born(lane.turns[0].state) < born_before:
                    lane.spot = "flying"
                    found.append((lane, gate.why))
                else:
                    gate.held.append(lane)
        return found


def born(state: PostState) -> float:
    """Say from when a post's 24 hours count."""
    return state.post.created if state.resent is None else state.resent


@lru_cache(4096)
def host_of(url: str) -> str:
    """Give the host and port of *url*, in lower case, or what there is of them."""
    return addresses.host_of(url).lower()[:255]
