"""What nobody expected: logged once, with its traceback and an ID, where it is caught.

Every task of the house has one place that catches what it did not expect, and lets the one thing that
it was doing fail with its usual outcome; the others go on.  `fault` makes the line in the log and the
reason that is told; `Fence` is the last net, below the places that know what outcome there is.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVarTuple
from uuid import uuid4

from attrs import frozen

from ringful.ground.logger import get_logger

log = get_logger()
Ts = TypeVarTuple("Ts")


def fault(doing: str, error: BaseException, **about: Any) -> str:
    """Log *error*, which came up while *doing* something; give the reason to tell, with the log's ID.

    *about* is what finds it again in the log: ``call``, ``url``.
    """
    number = uuid4().hex[:12]
    log.error("a fault of ringful itself", doing=doing, fault=number, **about, exc_info=error)
    return f"a fault of the server; its log has more under {number}"


class Tasks(Protocol):
    """What starts tasks: a nursery, or a fence around one."""

    def start_soon(
        self, function: Callable[[*Ts], Awaitable[object]], /, *args: *Ts, name: object = None
    ) -> None:
        """Start *function* in the background."""
        ...


@frozen
class Fence:
    """Tasks whose faults are logged and end that task alone, and neither the others nor the nursery."""

    nursery: Tasks

    def start_soon(
        self, function: Callable[[*Ts], Awaitable[object]], /, *args: *Ts, name: object = None
    ) -> None:
        """Start *function* within the fence."""

        async def fenced() -> None:
            try:
                await function(*args)
            except Exception as error:
                fault(getattr(function, "__qualname__", repr(function)), error)

        self.nursery.start_soon(fenced, name=name or function)
