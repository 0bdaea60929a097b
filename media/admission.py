"""Which worker takes a call that comes in by way of the SIP front: the front asks before it sends one."""

import time
from collections.abc import Callable

import trio
from attrs import define, field, frozen

from ringful.media.front.desk import Answer, Refusal
from ringful.media.incoming import Reception
from ringful.media.workers import Workers

_PATIENCE = 2.5
"""Seconds that a worker may be waited for: the front itself waits for no longer than three."""
_KEPT = 10.0
"""How long it is kept where a call was sent to."""


@frozen
class BehindFront:
    """What workers that stand behind a front must know of it."""

    port: int
    """Where it hears them, on 127.0.0.1."""
    known_as: str
    """Its address and port as others know it."""
    worker_ports: range
    """The SIP ports that they may have, on 127.0.0.1."""
    died: Callable[[int], None]
    """Hears of the port of a worker that has died."""


@define
class Admission:
    """Places for calls that come in."""

    _crew: Workers
    _reception: Reception
    _legs: Callable[[], int]
    """Says how many legs there are."""
    _max_calls: int
    _tried: dict[str, tuple[float, set[int]]] = field(factory=dict)
    """By Call-ID: until when it is kept, and the ports of the workers that the call was sent to."""

    async def take(self, method: str, call_id: str) -> Answer:
        """Say who takes a call, or a text, with that Call-ID; see `front.desk.Take`."""
        if method == "MESSAGE":
            entrance = self._reception.entrance
            return entrance.port if entrance else Refusal(503, "No Worker")
        expected = sum(len(worker.expected) for worker in self._crew.live)
        if self._crew.closing or self._legs() + expected >= self._max_calls:
            return Refusal(503, "All Places Taken")
        tried = self._tried_of(call_id)
        with trio.move_on_after(_PATIENCE):
            worker = await self._crew.free_for_one_in(call_id, tried)
            tried.add(worker.port)
            return worker.port
        return Refusal(503, "No Worker in Time")

    def _tried_of(self, call_id: str) -> set[int]:
        now = time.monotonic()
        for call in [call for call, (until, _) in self._tried.items() if until < now]:
            del self._tried[call]
        ports = self._tried.get(call_id, (0.0, set[int]()))[1]
        self._tried[call_id] = now + _KEPT, ports
        return ports
