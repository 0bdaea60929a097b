"""Time that nobody steps: Unix seconds by the machine's steady clock.

Whoever sets the clock of the machine, or an NTP client that does, must not make a call an hour longer.
So the time of calls goes on from what the clock said, by seconds that have really passed; it follows
the clock again when nothing is being timed.
"""

import time
from collections.abc import Callable

from attrs import define, field


@define
class SteadyClock:
    """Gives Unix seconds when it is called."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    _offset: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.follow()

    def __call__(self) -> float:
        """Give the time."""
        return self.steady() + self._offset

    def follow(self) -> None:
        """Go by what the machine's clock says now."""
        self._offset = self.wall() - self.steady()
