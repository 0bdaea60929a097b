"""Which legs of a pool hear each other, and that each connection has its one end.

Two legs of one worker meet in its bridge; two legs of different workers are linked: each worker gives
and takes frames (see `link`).  A connection's events are those of the leg that it was ordered for.
"""

from secrets import randbits
from typing import Literal

from attrs import define, field

from ringful.media import port
from ringful.media.pool_leg import PoolLeg


@define(eq=False)
class Connection:
    """Two legs that hear each other, or are about to."""

    number: int
    leg: PoolLeg
    other: PoolLeg
    awaited: set[str] = field(factory=set)
    """The legs whose workers have not made their part yet."""

    @property
    def legs(self) -> tuple[PoolLeg, PoolLeg]:
        """Both legs."""
        return self.leg, self.other

    def part(self) -> None:
        """Have the workers undo their parts."""
        for one in self.legs:
            if one.worker and not one.over:
                one.worker.tell({"do": "part", "leg": one.name, "connection": self.number})


class Connections:
    """The connections of a pool's legs."""

    def __init__(self) -> None:
        self._of: dict[str, Connection] = {}

    def connect(self, leg: PoolLeg, other: PoolLeg | None, number: int) -> None:
        """See `port.Phones.connect`."""
        if other is None or not leg.answered or not other.answered:
            leg.sink(port.ConnectFailed(leg.name, number, "the call has not been answered, or has ended"))
        elif leg.name in self._of or other.name in self._of:
            leg.sink(port.ConnectFailed(leg.name, number, "it is connected already"))
        else:
            made = Connection(number, leg, other)
            self._of[leg.name] = self._of[other.name] = made
            _order(made)

    def disconnect(self, leg: PoolLeg, number: int) -> None:
        """See `port.Phones.disconnect`."""
        connection = self._of.get(leg.name)
        if connection and (connection.leg, connection.number) == (leg, number):
            connection.part()

    def hear(self, leg: PoolLeg, event: port.Connected | port.Disconnected | port.ConnectFailed) -> None:
        """Take what the worker of *leg* says of its part."""
        connection = self._of.get(leg.name)
        if connection is None or connection.number != event.connection:
            return
        match event:
            case port.Connected():
                connection.awaited.discard(leg.name)
                if not connection.awaited:
                    connection.leg.sink(port.Connected(connection.leg.name, connection.number))
            case port.ConnectFailed(_, _, detail):
                self._forget(connection)
                connection.part()
                connection.leg.sink(port.ConnectFailed(connection.leg.name, connection.number, detail))
            case port.Disconnected() if leg is connection.leg:
                self._end(connection, "stopped")
            case port.Disconnected():
                pass  # The other worker's word is enough.

    def leg_ends(self, leg: PoolLeg) -> None:
        """End the connection of *leg*, whose own end is told next."""
        connection = self._of.get(leg.name)
        if connection:
            connection.part()
            self._end(connection, "hangup" if leg is connection.leg else "other")

    def _end(self, connection: Connection, reason: Literal["stopped", "hangup", "other"]) -> None:
        self._forget(connection)
        connection.leg.sink(port.Disconnected(connection.leg.name, connection.number, reason))

    def _forget(self, connection: Connection) -> None:
        for one in connection.legs:
            self._of.pop(one.name, None)


def _order(connection: Connection) -> None:
    """Have the workers make their parts."""
    leg, other = connection.legs
    assert leg.worker
    assert other.worker
    order = {"leg": leg.name, "connection": connection.number}
    connection.awaited = {leg.name}
    if leg.worker is other.worker:
        leg.worker.tell({"do": "connect", "other": other.name, **order})
        return
    connection.awaited.add(other.name)
    link = randbits(64)
    leg.worker.tell({"do": "link", **order, "link": link, "peer": other.worker.frames})
    order["leg"] = other.name
    other.worker.tell({"do": "link", **order, "link": link, "peer": leg.worker.frames})
