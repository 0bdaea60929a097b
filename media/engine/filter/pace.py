"""How many calls may begin at a worker in a moment: the library ends at 64 sockets that it has not let go.

Each call takes two, and they can be used again half a second after it: an INVITE that is cancelled at
once costs as much as a call.
"""

import time
from collections import deque
from collections.abc import Callable

SECONDS = 0.6
CALLS = 12
"""Calls in that may begin within so many seconds; the pool bounds those that we place."""


class Pace:
    """When calls have begun."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began: deque[float] = deque(maxlen=64)
        self.closed = False
        """No call may come in any more."""
        self._known: deque[tuple[str, str, str]] = deque(maxlen=64)

    def placed(self) -> None:
        """Hear of a call of our own."""
        self._began.append(self._now())

    def admits(self, call: tuple[str, str, str]) -> bool:
        """Say whether *call* may come in: its Call-ID, From's tag and CSeq, by which it is known."""
        if call in self._known:
            return True
        now = self._now()
        while self._began and now - self._began[0] > SECONDS:
            self._began.popleft()
        if self.closed or len(self._began) >= CALLS:
            return False
        self._began.append(now)
        self._known.append(call)
        return True
