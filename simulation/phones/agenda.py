"""Virtual time: what is to happen, and when.

An agenda has no clock.  It takes the next thing that is due, moves its own time to it, and calls
it; so an hour of a call takes as long as its events do.  Two things that are due at one instant
happen in the order in which they were scheduled, and that is the whole of its order: there are no
threads and no tasks, and the same calls give the same run.

Time is kept in whole microseconds, since sums of decimal seconds must meet exactly.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Literal

from attrs import define

Stop = Literal["idle", "until", "time", "steps"]
"""Why `Agenda.run` returned: nothing is left, the condition holds, or a limit was reached."""


@define(eq=False)
class Token:
    """Something scheduled; `cancel` takes it back, and does nothing when it has happened."""

    callback: Callable[[], None] | None

    def cancel(self) -> None:
        """Take it back."""
        self.callback = None


class Agenda:
    """Things to be done, in the order of their time; see the module's docstring."""

    def __init__(self, start: float = 0.0) -> None:
        self.start = start
        """The time at which this agenda began, in Unix seconds."""
        self._elapsed = 0
        self._sequence = 0
        self._heap: list[tuple[int, int, Token]] = []

    @property
    def elapsed(self) -> float:
        """The seconds since the start."""
        return self._elapsed / 1_000_000

    @property
    def now(self) -> float:
        """The time in Unix seconds."""
        return self.start + self._elapsed / 1_000_000

    def clock(self) -> float:
        """Give the time in Unix seconds."""
        return self.start + self._elapsed / 1_000_000

    def at(self, delay: float, callback: Callable[[], None]) -> Token:
        """Call *callback* in *delay* seconds (0: at this instant, after all that is scheduled for it)."""
        token = Token(callback)
        due = self._elapsed + max(0, round(delay * 1_000_000)) if delay else self._elapsed
        self._sequence += 1
        heappush(self._heap, (due, self._sequence, token))
        return token

    def step(self) -> bool:
        """Do the next thing; say whether there was one."""
        if self._next_due() is None:
            return False
        self._do_next()
        return True

    def _do_next(self) -> None:
        self._elapsed, _, token = heappop(self._heap)
        callback, token.callback = token.callback, None
        assert callback
        callback()

    def run(
        self,
        until: Callable[[], bool] | None = None,
        *,
        limit_seconds: float = inf,
        limit_steps: int | None = None,
    ) -> Stop:
        """Do one thing after another until *until* holds; say why it stopped.

        With *limit_seconds* of virtual time (since the start), what is due later is left undone.
        """
        heap, latest = self._heap, limit_seconds * 1_000_000
        left = inf if limit_steps is None else limit_steps
        while not (until and until()):
            while heap and not heap[0][2].callback:
                heappop(heap)
            if not heap:
                return "idle"
            if heap[0][0] > latest:
                return "time"
            if left <= 0:
                return "steps"
            self._elapsed, _, token = heappop(heap)
            callback, token.callback = token.callback, None
            assert callback
            callback()
            left -= 1
        return "until"

    def catch_up(self, elapsed: float) -> None:
        """Do what is due until *elapsed* seconds after the start, and let it be that time: a real clock's."""
        now = round(elapsed * 1_000_000)
        while (due := self._next_due()) is not None and due <= now:
            self._do_next()
        self._elapsed = max(self._elapsed, now)

    def _next_due(self) -> int | None:
        while self._heap and not self._heap[0][2].callback:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None
