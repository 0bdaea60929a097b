"""Which legs of a pool hear each other, and that each connection has its one end.

Two legs that are connected sit on a bus of their own, wherever they live.  A connection's events are
those of the leg that it was ordered for.
"""

from collections.abc import Callable
from typing import Literal

from attrs import define, field

from ringful.media import port
from ringful.media.pool_leg import PoolLeg
from ringful.media.seats import Bus, Seats, Sitting


@define(eq=False)
class Connection:
    """Two legs that hear each other, or are about to."""

    number: int
    leg: PoolLeg
    other: PoolLeg
    _connections: "Connections"
    bus: Bus | None = None
    """None while it waits for one that rests."""
    sittings: list[Sitting] = field(factory=list)
    parting: bool = False

    def seated(self, sitting: Sitting) -> None:
        """See `seats.Owner`."""
        if len(self.sittings) == 2 and all(one.seated for one in self.sittings):
            self.leg.sink(port.Connected(self.leg.name, self.number))

    def not_seated(self, sitting: Sitting, detail: str) -> None:
        """See `seats.Owner`."""
        self._connections.fail(self, detail)

    def stood(self, sitting: Sitting) -> None:
        """See `seats.Owner`."""
        if self.parting and sitting.leg == self.leg.name:
            self._connections.end(self, "stopped")


class Connections:
    """The connections of a pool's legs."""

    def __init__(self, seats: Seats, later: Callable[[float, Callable[[], None]], None]) -> None:
        """*later* does something after so many seconds."""
        self._seats, self._later = seats, later
        self._of: dict[str, Connection] = {}

    def connect(self, leg: PoolLeg, other: PoolLeg | None, number: int) -> None:
        """See `port.Phones.connect`."""
        if other is None or not leg.answered or not other.answered:
            _refuse(leg, number, "the call has not been answered, or has ended")
        elif leg is other:
            _refuse(leg, number, "a call cannot be connected with itself")
        elif leg.name in self._of or other.name in self._of:
            _refuse(leg, number, "it is connected already")
        else:
            made = Connection(number, leg, other, self)
            self._of[leg.name] = self._of[other.name] = made
            self._begin(made)

    def _begin(self, connection: Connection) -> None:
        """Have both sit down, as soon as there is a bus for them."""
        if self._of.get(connection.leg.name) is not connection:
            return
        rest = self._seats.rest
        if rest is None:
            self.fail(connection, "this server has no bus free")
            return
        connection.bus = self._seats.open()
        if connection.bus is None:
            self._later(rest, lambda: self._begin(connection))
            return
        for one in (connection.leg, connection.other):
            assert one.worker
            sitting = self._seats.sit(connection.bus, one.name, one.worker, connection)
            assert sitting
            connection.sittings.append(sitting)

    def disconnect(self, leg: PoolLeg, number: int) -> None:
        """See `port.Phones.disconnect`."""
        connection = self._of.get(leg.name)
        if connection and (connection.leg, connection.number) == (leg, number):
            if connection.bus is None:
                self.end(connection, "stopped")
            else:
                connection.parting = True
                self._seats.close(connection.bus)

    def leave(self, leg: PoolLeg) -> None:
        """End the connection of *leg*, if it has one, since it goes elsewhere."""
        if connection := self._of.get(leg.name):
            self.end(connection, "stopped")

    def leg_ends(self, leg: PoolLeg) -> None:
        """End the connection of *leg*, whose own end is told next."""
        if connection := self._of.get(leg.name):
            self.end(connection, "hangup" if leg is connection.leg else "other")

    def end(self, connection: Connection, reason: Literal["stopped", "hangup", "other"]) -> None:
        """End *connection*, unless that was done, and tell it."""
        if self._forget(connection):
            connection.leg.sink(port.Disconnected(connection.leg.name, connection.number, reason))

    def fail(self, connection: Connection, detail: str) -> None:
        """End a *connection* that did not come to be, unless it has ended, and tell it."""
        if self._forget(connection):
            _refuse(connection.leg, connection.number, detail)

    def _forget(self, connection: Connection) -> bool:
        if self._of.get(connection.leg.name) is not connection:
            return False
        for one in (connection.leg, connection.other):
            del self._of[one.name]
        if connection.bus:
            self._seats.close(connection.bus)
        return True


def _refuse(leg: PoolLeg, number: int, detail: str) -> None:
    leg.sink(port.ConnectFailed(leg.name, number, detail))
