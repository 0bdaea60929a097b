"""Connections, one after another, with workers that answer when they are told to."""

from collections.abc import Callable

import pytest
from attrs import define, field

from ringful.media import port
from ringful.media.connections import Connections
from ringful.media.pool_leg import PoolLeg
from ringful.media.seats import Seats
from tests.media.lines import FakeLine, answer_all, leg


@define
class Two:
    """Two legs at two workers."""

    seats: Seats = field(factory=lambda: Seats(2))
    told: list[port.Event] = field(factory=list)
    lines: list[FakeLine] = field(factory=lambda: [FakeLine("one"), FakeLine("two")])
    later: list[Callable[[], None]] = field(factory=list)
    connections: Connections = field(init=False)
    a: PoolLeg = field(init=False)
    b: PoolLeg = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.connections = Connections(self.seats, lambda _, action: self.later.append(action))
        self.a, self.b = leg("a", self.lines[0], self.told), leg("b", self.lines[1], self.told)

    def connect(self) -> None:
        self.connections.connect(self.a, self.b, 1)

    def answer(self) -> None:
        answer_all(self.seats, self.lines)


@pytest.fixture
def two() -> Two:
    return Two()


def test_both_must_sit_before_they_are_connected(two: Two) -> None:
    two.connect()
    two.lines[0].answer(two.seats)
    assert two.told == []
    two.lines[1].answer(two.seats)
    assert two.told == [port.Connected("a", 1)]


def test_it_is_over_when_the_leg_it_is_of_has_stood_up(two: Two) -> None:
    two.connect()
    two.answer()
    two.connections.disconnect(two.b, 1)
    two.connections.disconnect(two.a, 2)
    assert not two.lines[0].orders
    two.connections.disconnect(two.a, 1)
    two.lines[1].answer(two.seats)
    assert two.told == [port.Connected("a", 1)]
    two.lines[0].answer(two.seats)
    assert two.told[1:] == [port.Disconnected("a", 1, "stopped")]
    assert two.seats.taken == 0
    two.connections.connect(two.b, two.a, 1)
    two.answer()
    assert two.told[2:] == [port.Connected("b", 1)]


def test_one_that_is_parted_before_it_came_to_be_was_never_connected(two: Two) -> None:
    two.connect()
    two.connections.disconnect(two.a, 1)
    two.answer()
    assert two.told == [port.Disconnected("a", 1, "stopped")]


def test_a_leg_that_cannot_sit_fails_it_and_the_other_stands_up(two: Two) -> None:
    two.connect()
    two.lines[0].answer(two.seats)
    two.lines[1].answer(two.seats, refuse="no")
    assert two.told == [port.ConnectFailed("a", 1, "no")]
    assert two.lines[0].told("stand")
    two.answer()
    assert two.seats.taken == 0


@pytest.mark.parametrize(("ends", "reason"), [("a", "hangup"), ("b", "other")])
def test_a_leg_that_ends_ends_it_and_the_other_stands_up(two: Two, ends: str, reason: str) -> None:
    two.connect()
    two.answer()
    gone, line = (two.a, two.lines[0]) if ends == "a" else (two.b, two.lines[1])
    two.seats.leg_ended(line, ends)
    two.connections.leg_ends(gone)
    two.connections.leg_ends(gone)
    assert two.told == [port.Connected("a", 1), port.Disconnected("a", 1, reason)]
    assert not line.orders
    assert two.seats.taken == 1
    two.answer()
    assert two.seats.taken == 0


def test_a_leg_that_ends_before_its_worker_says_so_is_silenced_at_once(two: Two) -> None:
    two.connect()
    two.answer()
    two.connections.leg_ends(two.a)
    assert two.lines[0].told("stand")
    assert two.lines[1].told("stand")


def test_what_cannot_be_connected(two: Two) -> None:
    rings = leg("c", two.lines[0], two.told, answered=False)
    two.connections.connect(two.a, None, 1)
    two.connections.connect(two.a, rings, 2)
    two.connections.connect(rings, two.a, 3)
    two.connections.connect(two.a, two.a, 4)
    assert [type(event) for event in two.told] == [port.ConnectFailed] * 4
    two.connect()
    two.connections.connect(leg("d", two.lines[0], two.told), two.b, 5)
    assert two.told[4:] == [port.ConnectFailed("d", 5, "it is connected already")]


def test_one_leaves_for_elsewhere(two: Two) -> None:
    two.connect()
    two.answer()
    two.connections.leave(two.b)
    two.connections.leave(two.b)
    assert two.told[1:] == [port.Disconnected("a", 1, "stopped")]


def test_where_all_buses_rest_it_waits_and_where_none_is_left_it_fails() -> None:
    now = [0.0]
    two = Two(Seats(1, lambda: now[0]))
    two.connect()
    two.connections.connect(leg("c", two.lines[0], two.told), leg("d", two.lines[0], two.told), 7)
    assert two.told == [port.ConnectFailed("c", 7, "this server has no bus free")]
    two.connections.leave(two.a)
    two.answer()
    two.connections.connect(two.a, two.b, 2)
    assert not two.lines[0].orders
    now[0] += 1
    two.later.pop()()
    two.answer()
    assert two.told[2:] == [port.Connected("a", 2)]
    # And one that is over before there is a bus takes none.
    two.connections.leave(two.a)
    two.answer()
    two.connections.connect(two.a, two.b, 3)
    two.connections.disconnect(two.a, 3)
    assert two.told[-1] == port.Disconnected("a", 3, "stopped")
    now[0] += 1
    two.later.pop()()
    assert two.seats.taken == 0
    assert two.seats.free == 1
