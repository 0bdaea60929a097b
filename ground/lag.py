"""How late the loop comes to what is due: the measure of a server that is asked more than it can do.

One late look is a hiccup (a file, a neighbour on the machine); what is late again and again is work that
piles up.
"""

from collections import deque
from collections.abc import Callable

import trio
from attrs import define, field

LOOK_SECONDS = 0.25
LOOKS = 3
"""As many looks in a row are late where the lag lasts."""


@define(eq=False)
class Lag:
    """Measures a loop; *observe* is given each look's lateness in seconds."""

    observe: Callable[[float], None] = lambda _: None
    _looks: deque[float] = field(factory=lambda: deque([0.0] * LOOKS, LOOKS))

    @property
    def lasting(self) -> float:
        """How late the loop has been at least, at each of the last `LOOKS` looks, in seconds."""
        return min(self._looks)

    async def watch(self) -> None:
        """Look every `LOOK_SECONDS`, until cancelled."""
        while True:
            due = trio.current_time() + LOOK_SECONDS
            await trio.sleep_until(due)
            late = max(0.0, trio.current_time() - due)
            self._looks.append(late)
            self.observe(late)
