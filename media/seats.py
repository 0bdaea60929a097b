"""Who sits where on the buses: an account, and the orders to the workers that follow from it.

A seat is heard by all who sit on its bus.  So no seat is given away before whoever had it has left it
for certain: its worker has said so, or its leg has ended there, or its worker has died.  And since
what was written last can be heard for some ticks, a bus rests before others are put on it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any, Protocol

from attrs import define, field

from ringful.media.buses import SEATS

MOST = 250
"""Legs on one bus, those among them that were told to leave it and have not said that they did."""
REST_SECONDS = 0.2
"""How long a bus that all have left is given to nobody: twice what the latest worker may be behind."""


class Line(Protocol):
    """Where orders for a leg go: a worker."""

    def tell(self, command: dict[str, Any]) -> None:
        """Send *command*, behind those that were sent before."""


class Owner(Protocol):
    """Who had somebody sit: it hears of what it has not undone."""

    def seated(self, sitting: "Sitting") -> None:
        """Hear that the leg hears and is heard."""

    def not_seated(self, sitting: "Sitting", detail: str) -> None:
        """Hear that it cannot be, and why."""

    def stood(self, sitting: "Sitting") -> None:
        """Hear that the leg has left its seat, as it was told to."""


@define(eq=False)
class Bus:
    """A bus that somebody has, until all have left it who sat there."""

    number: int
    closed: bool = False
    """Its owner has given it back; nobody sits down there any more."""
    resting: bool = False
    """All have left it as well."""
    sittings: "dict[int, Sitting]" = field(factory=dict)
    """Those who have not left for certain, by their numbers."""
    _left: list[int] = field(factory=list)
    _taken: int = 0
    """Seats that somebody has ever had: the workers look at no others."""

    def seat(self, most: int) -> int | None:
        """Take the lowest seat that is free, where fewer than *most* are taken."""
        if self.closed or len(self.sittings) >= most:
            return None
        if self._left:
            return heappop(self._left)
        self._taken += 1
        return self._taken - 1

    def leave(self, sitting: "Sitting") -> None:
        """Take a seat back."""
        del self.sittings[sitting.number]
        heappush(self._left, sitting.seat)


@define(eq=False)
class Sitting:
    """One stay of a leg on a bus; *number* is given once."""

    number: int
    leg: str
    line: Line
    bus: Bus
    seat: int
    owner: Owner
    seated: bool = False
    """Its worker has said that it sits; and it has not been told to stand up."""
    standing: bool = False
    """It was told to stand up."""
    gone: bool = False
    """It has left for certain."""

    @property
    def order(self) -> dict[str, Any]:
        """What every order about it says."""
        return {"leg": self.leg, "sitting": self.number}


class Seats:
    """All buses, and who sits on them."""

    def __init__(self, buses: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free: deque[tuple[float, int]] = deque((float("-inf"), number) for number in range(buses))
        """Buses, the longest unused first, and when they may be given again."""
        self._sittings: dict[int, Sitting] = {}
        self._number = 0

    @property
    def taken(self) -> int:
        """How many sittings are not over for certain."""
        return len(self._sittings)

    @property
    def free(self) -> int:
        """How many buses nobody has, those that rest among them."""
        return len(self._free)

    @property
    def rest(self) -> float | None:
        """In how many seconds there is a bus to give: 0 at once, None when somebody has given one back."""
        return max(0.0, self._free[0][0] - self._clock()) if self._free else None

    def open(self) -> Bus | None:
        """Give a bus; None where none is free, or rests (`rest`)."""
        return None if self.rest != 0 else Bus(self._free.popleft()[1])

    def close(self, bus: Bus) -> None:
        """Take *bus* back: all who sit there are told to stand up, and when they have it is free."""
        bus.closed = True
        for sitting in list(bus.sittings.values()):
            self.stand(sitting)
        self._rest(bus)

    def sit(
        self,
        bus: Bus,
        leg: str,
        line: Line,
        owner: Owner,
        *,
        muted: bool = False,
        deaf: bool = False,
        to: int = 0,
    ) -> Sitting | None:
        """Have *leg*, which *line* leads to, sit on *bus*; None where no seat is free.

        *to* is the number of the sitting that alone hears it: it is given once, so that whoever has that
        seat later hears nothing of it.  0: all on the bus.
        """
        sitting = self._take(bus, leg, line, owner, MOST)
        if sitting:
            place = {"bus": bus.number, "seat": sitting.seat}
            line.tell({"do": "sit", **sitting.order, **place, "muted": muted, "deaf": deaf, "to": to})
        return sitting

    def open_voice(self, bus: Bus, room: str, line: Line, owner: Owner) -> Sitting | None:
        """Have a leg without a call made at *line* that plays into *bus* and records it."""
        sitting = self._take(bus, room, line, owner, SEATS)
        if sitting:
            place = {"bus": bus.number, "seat": sitting.seat}
            line.tell({"do": "open_voice", **sitting.order, **place})
        return sitting

    def _take(self, bus: Bus, leg: str, line: Line, owner: Owner, most: int) -> Sitting | None:
        seat = bus.seat(most)
        if seat is None:
            return None
        self._number += 1
        sitting = Sitting(self._number, leg, line, bus, seat, owner)
        self._sittings[sitting.number] = bus.sittings[sitting.number] = sitting
        return sitting

    def change(self, sitting: Sitting, *, muted: bool, deaf: bool, to: int = 0) -> None:
        """Say anew whether who sits there is heard, by whom (see `sit`), and hears."""
        if not sitting.standing and not sitting.gone:
            sitting.line.tell({"do": "seat", **sitting.order, "muted": muted, "deaf": deaf, "to": to})

    def stand(self, sitting: Sitting) -> None:
        """Have a leg stand up."""
        if not sitting.standing and not sitting.gone:
            sitting.standing, sitting.seated = True, False
            sitting.line.tell({"do": "stand", **sitting.order})

    # What the workers say

    def seated(self, number: int) -> None:
        """Hear of `Seated`."""
        sitting = self._sittings.get(number)
        if sitting and not sitting.standing:
            sitting.seated = True
            sitting.owner.seated(sitting)

    def not_seated(self, number: int, detail: str) -> None:
        """Hear of `NotSeated`."""
        sitting = self._sittings.get(number)
        if sitting:
            self._leave(sitting)
            if sitting.standing:
                sitting.owner.stood(sitting)
            else:
                sitting.owner.not_seated(sitting, detail)

    def stood(self, number: int) -> None:
        """Hear of `Stood`."""
        sitting = self._sittings.get(number)
        if sitting:
            self._leave(sitting)
            sitting.owner.stood(sitting)

    def leg_ended(self, line: Line, leg: str) -> None:
        """Hear that *leg* has ended at *line*: it has no seat there, and will have none."""
        self._leave_all(one for one in self._sittings.values() if one.leg == leg and one.line is line)

    def line_ended(self, line: Line) -> None:
        """Hear that a worker has died."""
        self._leave_all(one for one in self._sittings.values() if one.line is line)

    def _leave_all(self, sittings: Iterable[Sitting]) -> None:
        for sitting in list(sittings):
            self._leave(sitting)

    def _leave(self, sitting: Sitting) -> None:
        sitting.gone, sitting.seated = True, False
        del self._sittings[sitting.number]
        sitting.bus.leave(sitting)
        if sitting.bus.closed:
            self._rest(sitting.bus)

    def _rest(self, bus: Bus) -> None:
        if not bus.sittings and not bus.resting:
            bus.resting = True
            self._free.append((self._clock() + REST_SECONDS, bus.number))
