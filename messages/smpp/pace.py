"""How fast parts may go, where somebody has said so: one after the other, evenly."""

import trio
from attrs import define


@define
class Pace:
    """Lets *rate* parts go in a second, over all binds that share it; None: as many as come."""

    rate: float | None = None
    _next: float = 0.0

    async def ready(self) -> None:
        """Wait until a part could go, and take no turn: nothing need be at hand yet."""
        if self.rate:
            await trio.sleep_until(max(self._next, trio.current_time()))

    async def take(self) -> None:
        """Take the next turn, and wait until it comes."""
        if self.rate:
            turn = max(self._next, trio.current_time())
            self._next = turn + 1 / self.rate
            await trio.sleep_until(turn)
