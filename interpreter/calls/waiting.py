"""Doing something later, on a node: what a simulation's agenda is to virtual time."""

from collections.abc import Callable

import trio

from ringful.ground.faults import Tasks
from ringful.interpreter.money.till import Cancel


def later(nursery: Tasks) -> Callable[[float, Callable[[], None]], Cancel]:
    """Give what calls something in so many seconds, and gives what takes that back."""

    def after(seconds: float, action: Callable[[], None]) -> Cancel:
        scope = trio.CancelScope()

        async def wait() -> None:
            with scope:
                await trio.sleep(seconds)
                action()

        nursery.start_soon(wait)
        return lambda: scope.cancel()

    return after
