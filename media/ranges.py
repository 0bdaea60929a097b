"""Ranges of RTP ports: each worker has its own, and no port is used again soon.

A far end that goes on sending after its call would be heard in the next call that has its port, and
would hear that.  So what a worker had rests for a while after it has ended, and whoever comes next gets
the ports that were used the longest ago.
"""

import time
from collections.abc import Callable

from attrs import field, frozen

UNIT = 64
"""Ports of the smallest range: sixteen for each of the four calls that the wheel's library grants."""
PER_CALL = 8
"""Ports that a worker has for each call at least: a call takes two, and the others rest meanwhile."""
REST_SECONDS = 30.0
"""How long a range rests."""


@frozen
class Range:
    """*count* ports from *first* on, which is even; no *count*: any port that the kernel gives."""

    first: int = 0
    count: int = 0
    units: range = field(default=range(0), repr=False)

    @property
    def calls(self) -> int | None:
        """For how many calls these are enough; None: for any number."""
        return self.count // PER_CALL if self.count else None


ANY = Range()


class Ranges:
    """The ports from *first* to *last*, of which workers get their ranges; *last* 0: any ports."""

    def __init__(
        self, first: int, last: int, *, start: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """*start* is the unit that the first range begins with: not always the same after a restart."""
        self._clock = clock
        self._first = first + first % 2
        self._any = not last
        self._units: list[float | None] = [float("-inf")] * units_of(first, last)
        """When the ports of each unit were left; None while they are used."""
        self._start = start % max(1, len(self._units))

    def take(self, capacity: int) -> Range | None:
        """Give the longest unused range for *capacity* calls, or for fewer.

        None where all are used, or rest.
        """
        if self._any:
            return ANY
        size = max(1, -(-capacity * PER_CALL // UNIT))
        while size:
            if found := self._longest_unused(size):
                for unit in found:
                    self._units[unit] = None
                return Range(self._first + found[0] * UNIT, size * UNIT, found)
            size //= 2
        return None

    def _longest_unused(self, size: int) -> range | None:
        last = self._clock() - REST_SECONDS
        best: tuple[float, int, int] | None = None
        for begin in range(len(self._units) - size + 1):
            left = [one for one in self._units[begin : begin + size] if one is not None and one <= last]
            if len(left) == size:
                found = (max(left), (begin - self._start) % len(self._units), begin)
                best = min(best or found, found)
        return range(best[2], best[2] + size) if best else None

    def give_back(self, given: Range) -> None:
        """Take a range back, whose worker has ended."""
        for unit in given.units:
            self._units[unit] = self._clock()


def units_of(first: int, last: int) -> int:
    """Say how many units there are from port *first* to port *last*."""
    return max(0, (last - first - first % 2 + 1) // UNIT)


def needed(max_calls: int) -> int:
    """Say how many ports *max_calls* calls need, four to a worker: one worker is kept warm, and one rests."""
    return (-(-max_calls // 4) + 2) * UNIT
