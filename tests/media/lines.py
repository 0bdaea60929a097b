"""Workers and legs that only write down what they are told."""

from collections.abc import Iterable
from typing import Any, cast

from attrs import define, field

from ringful.media import port
from ringful.media.pool_leg import PoolLeg
from ringful.media.seats import Seats
from ringful.media.worker_process import WorkerProcess


@define(eq=False)
class FakeLine:
    """A worker that keeps its orders until it is asked to answer them."""

    name: str = "worker"
    orders: list[dict[str, Any]] = field(factory=list)
    voices: set[str] = field(factory=set)
    dismissed: bool = False
    idle_since: float = 0.0

    def tell(self, command: dict[str, Any]) -> None:
        self.orders.append(command)

    def told(self, do: str) -> list[dict[str, Any]]:
        """Give the orders of one kind."""
        return [order for order in self.orders if order["do"] == do]

    def answer(self, seats: Seats, *, refuse: str = "") -> None:
        """Answer all orders about seats, as a worker does, and forget them; with *refuse*, nobody may sit."""
        orders, self.orders = self.orders, []
        for order in orders:
            match order["do"]:
                case "sit" | "open_voice" if refuse:
                    seats.not_seated(order["sitting"], refuse)
                case "sit" | "open_voice":
                    seats.seated(order["sitting"])
                case "stand":
                    seats.stood(order["sitting"])

    @property
    def worker(self) -> WorkerProcess:
        """Itself, as what it stands for."""
        return cast(WorkerProcess, self)


def leg(name: str, line: FakeLine, told: list[port.Event], *, answered: bool = True) -> PoolLeg:
    """Make a leg that lives at *line*."""
    return PoolLeg(name, told.append, worker=line.worker, answered=answered)


def answer_all(seats: Seats, lines: Iterable[FakeLine]) -> None:
    """Have all of *lines* answer."""
    for line in lines:
        line.answer(seats)
