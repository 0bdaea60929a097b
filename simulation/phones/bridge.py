"""Two simulated legs that hear each other, and far ends that are sent to another number."""

from collections.abc import Callable
from typing import Literal, Protocol, get_args

from attrs import define

from ringful.media import port
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.far_end import FarEndPlayer
from ringful.simulation.phones.room import SimulatedRoom

STATUS: dict[port.RefusalReason, int] = {"busy": 486, "rejected": 603, "unreachable": 480, "noanswer": 408}
"""What a phone answers that does not take a call."""


class Side(Protocol):
    """A leg, as the connection that it is in knows it."""

    name: str
    state: Literal["ringing", "up", "over"]
    connection: "Connection | None"
    room: SimulatedRoom | None
    muted: bool
    speaking: bool

    def tell(self, event: port.Event) -> None:
        """Tell *event*, unless the leg's end has been told."""

    def listen(self) -> None:
        """Hear who is to be heard now."""


@define(eq=False)
class Connection:
    """Two legs that hear each other, from `begin` to `end`; its events are *leg*'s."""

    number: int
    leg: Side
    other: Side

    def begin(self) -> None:
        """Let them hear each other, or say why they cannot."""
        detail = self._hindrance()
        if detail:
            self.leg.tell(port.ConnectFailed(self.leg.name, self.number, detail))
            return
        self.leg.connection = self.other.connection = self
        self._listen()
        self.leg.tell(port.Connected(self.leg.name, self.number))

    def _hindrance(self) -> str:
        if self.other.state != "up":
            return "the other call is not up"
        if self.leg.connection or self.other.connection:
            return "it is connected already"
        if self.leg.room or self.other.room:
            return "it is in a conference"
        return ""

    def end(self, reason: Literal["stopped", "hangup", "other"]) -> None:
        """Part them."""
        self.leg.connection = self.other.connection = None
        self._listen()
        self.leg.tell(port.Disconnected(self.leg.name, self.number, reason))

    def _listen(self) -> None:
        self.leg.listen()
        self.other.listen()

    def beside(self, leg: Side) -> Side:
        """Give the leg that *leg* is connected with."""
        return self.other if leg is self.leg else self.leg


class Errand:
    """A far end that was sent to another number rings it, and tells what comes of that."""

    def __init__(self, agenda: Agenda, target: world.FarEnd, done: Callable[[port.Event], None]) -> None:
        self.leg, self.transfer = "", 0
        self._done = done
        self._target = FarEndPlayer(agenda, target, self)

    def begin(self, leg: str, transfer: int) -> None:
        """Ring the number, for *transfer* of *leg*."""
        self.leg, self.transfer = leg, transfer
        self._target.begin()

    def end(self) -> None:
        """Tell nothing any more."""
        self._target.end()

    def answer(self) -> None:
        """The number was reached."""
        self._tell(port.Transferred(self.leg, self.transfer))

    def refuse(self, reason: port.RefusalReason) -> None:
        """The number was not reached."""
        self._tell(failure(self.leg, self.transfer, reason))

    def put_down(self) -> None:
        """The number declines."""
        self.refuse("rejected")

    def lose(self) -> None:
        """It is no leg of ours."""

    def press(self, tone: str) -> None:
        """Nobody of ours hears it."""

    def speech(self, begins: bool) -> None:
        """Nobody of ours hears it."""

    def _tell(self, event: port.Event) -> None:
        self.end()
        self._done(event)


def failure(leg: str, transfer: int, reason: port.RefusalReason) -> port.TransferFailed:
    """Make the event of a transfer whose target refused for *reason*."""
    known: port.TransferFailure = reason if reason in get_args(port.TransferFailure) else "unreachable"  # type: ignore[assignment]
    return port.TransferFailed(leg, transfer, known, STATUS.get(reason))
