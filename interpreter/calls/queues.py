"""Who waits in which queue, and who serves it: the lists of one key.  Pure.

Whoever is first is given to whoever has been ready longest.  The two then meet in a conference of their
own (`statements.queues`), which the one who serves opens: so they hear each other wherever they live.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from math import ceil
from typing import assert_never

from attrs import define, field

from ringful.interpreter import effects, events
from ringful.interpreter.calls.switchboard import QueueView, WaitingView

MOST = 1000
"""Legs that wait in one queue."""
REMEMBERED = 1000
"""Queues of a key that are known; beyond it the pace of those in which nothing goes on is forgotten."""
_REMEMBERED = 10
"""How many moves of a queue its pace is reckoned from."""

Told = list[tuple[str, events.QueueEvent]]
"""Events, and the runs that they are for."""


@define
class _Waiting:
    call: str
    leg: str
    number: str
    since: float
    told: tuple[int, int | None] = (0, None)

    def seen(self, now: float) -> WaitingView:
        """Give it as it is seen from outside."""
        (place, expected), waited = self.told, max(0, int(now - self.since))
        return WaitingView(self.call, self.leg, self.number, place, self.since, waited, expected)


@define
class _Queue:
    waiting: list[_Waiting] = field(factory=list)
    servers: list[tuple[str, str]] = field(factory=list)
    """Calls and legs that are ready for the next one."""
    paces: deque[float] = field(factory=lambda: deque(maxlen=_REMEMBERED))
    """For how long somebody was the first, lately."""
    moved: float = 0.0
    """When the present first one became the first."""


@define
class Queues:
    """The queues of one key, by name."""

    _queues: dict[str, _Queue] = field(factory=dict)

    def do(self, call: str, effect: effects.ForQueue, now: float) -> Told:
        """Do what the run *call* asks at *now* (Unix seconds); give what is to be told to whom."""
        queue = self._queues.setdefault(effect.queue, _Queue())
        told: Told = []
        match effect:
            case effects.EnterQueue(leg, _, number):
                if len(queue.waiting) >= MOST:
                    return [(call, events.Placed(leg, effect.queue, 0))]
                queue.moved = queue.moved if queue.waiting else now
                queue.waiting.append(_Waiting(call, leg, number, now))
            case effects.ServeQueue(leg, _):
                queue.servers.append((call, leg))
            case effects.LeaveQueue(leg, _):
                self._take_out(queue, call, now, leg)
            case effects.Summon(_, of, caller, conference):
                told.append((of, events.Summoned(caller, effect.queue, conference)))
            case effects.PutBack(_, of, caller, number, since):
                queue.waiting.insert(0, _Waiting(of, caller, number, since))
            case _:
                assert_never(effect)
        told += self._settle(effect.queue, now)
        return told

    def put_back(self, next_one: events.NextCame, now: float) -> Told:
        """Take back who was given to somebody that has ended."""
        put = effects.PutBack(next_one.queue, next_one.call, next_one.caller, next_one.number, next_one.since)
        return self.do("", put, now)

    def forget(self, call: str, now: float) -> Told:
        """Let go of all legs of the run *call*, which has ended."""
        told: Told = []
        for name, queue in list(self._queues.items()):
            if any(one.call == call for one in queue.waiting) or any(one[0] == call for one in queue.servers):
                self._take_out(queue, call, now)
                told += self._settle(name, now)
        return told

    def look(self, now: float) -> Iterator[QueueView]:
        """Give each queue in which somebody waits, or that somebody is ready to serve."""
        for name, queue in self._queues.items():
            if queue.waiting or queue.servers:
                waiting = tuple(one.seen(now) for one in queue.waiting)
                yield QueueView(name, waiting, tuple(leg for _, leg in queue.servers))

    def waiting(self) -> Iterator[tuple[str, int, float]]:
        """Give, of each queue in which somebody waits, how many do, and since when the first one."""
        for name, queue in self._queues.items():
            if queue.waiting:
                yield name, len(queue.waiting), min(one.since for one in queue.waiting)

    def _take_out(self, queue: _Queue, call: str, now: float, leg: str = "") -> None:
        """Take a leg (or all) of *call* out of both lists."""
        first = queue.waiting[0] if queue.waiting else None
        queue.waiting = [one for one in queue.waiting if one.call != call or (leg and one.leg != leg)]
        queue.servers = [one for one in queue.servers if one[0] != call or (leg and one[1] != leg)]
        if first and queue.waiting[:1] != [first]:
            queue.moved = now

    def _settle(self, name: str, now: float) -> Told:
        """Bring together who can be, and tell the others their place, where it is another one."""
        queue = self._queues[name]
        told: Told = []
        while queue.waiting and queue.servers:
            first, (call, leg) = queue.waiting.pop(0), queue.servers.pop(0)
            queue.paces.append(now - queue.moved)
            queue.moved = now
            told.append((call, events.NextCame(leg, name, first.call, first.leg, first.number, first.since)))
        pace = sum(queue.paces) / len(queue.paces) if queue.paces else None
        for place, one in enumerate(queue.waiting, 1):
            now_told = place, None if pace is None else ceil(place * pace)
            if now_told != one.told:
                one.told = now_told
                told.append((one.call, events.Placed(one.leg, name, *now_told)))
        if not queue.waiting and not queue.servers:
            if not queue.paces:
                del self._queues[name]
            elif len(self._queues) > REMEMBERED:
                self._forget_paces()
        return told

    def _forget_paces(self) -> None:
        """Let go of the queues in which nothing goes on: whoever makes ever new names fills no memory."""
        idle = [name for name, one in self._queues.items() if not one.waiting and not one.servers]
        for name in idle:
            del self._queues[name]


OTHER = "other"
"""What the queues are counted as that have no line of their own."""


def standing(
    queues: Iterable[Queues], named: Iterable[str], now: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Give how many wait, and for how long the first one has, in the *named* queues and in all others."""
    lengths = dict.fromkeys((*named, OTHER), 0.0)
    longest = dict(lengths)
    for one in queues:
        for name, waiting, since in one.waiting():
            line = name if name in lengths else OTHER
            lengths[line] += waiting
            longest[line] = max(longest[line], now - since)
    return lengths, longest
