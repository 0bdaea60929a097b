"""Who sits where: no seat and no bus is given away before whoever had it has left it for certain."""

from hypothesis import given
from hypothesis import strategies as st

from ringful.media.buses import SEATS
from ringful.media.seats import MOST, REST_SECONDS, Bus, Line, Seats, Sitting
from tests.media.lines import FakeLine


class Told:
    """Who had somebody sit, and what it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def seated(self, sitting: Sitting) -> None:
        self.heard.append(("seated", sitting.leg))

    def not_seated(self, sitting: Sitting, detail: str) -> None:
        self.heard.append((detail, sitting.leg))

    def stood(self, sitting: Sitting) -> None:
        self.heard.append(("stood", sitting.leg))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def open_bus(seats: Seats) -> Bus:
    bus = seats.open()
    assert bus
    return bus


def sit(seats: Seats, bus: Bus, leg: str, line: Line, told: Told | None = None) -> Sitting:
    sitting = seats.sit(bus, leg, line, told or Told())
    assert sitting
    return sitting


def test_a_leg_sits_and_stands_and_its_seat_is_free_when_it_said_so() -> None:
    seats, line, told = Seats(1), FakeLine(), Told()
    bus = open_bus(seats)
    first = seats.sit(bus, "a", line, told, muted=True)
    assert first
    assert line.orders == [
        {"do": "sit", "leg": "a", "sitting": 1, "bus": 0, "seat": 0, "muted": True, "deaf": False, "to": 0}
    ]
    line.answer(seats)
    seats.change(first, muted=False, deaf=True)
    assert line.orders.pop() == {
        "do": "seat",
        "leg": "a",
        "sitting": 1,
        "muted": False,
        "deaf": True,
        "to": 0,
    }
    seats.stand(first)
    seats.stand(first)
    seats.change(first, muted=True, deaf=True)
    assert line.orders == [{"do": "stand", "leg": "a", "sitting": 1}]
    # It may be heard until it has said that it stands.
    assert sit(seats, bus, "b", line).seat == 1
    line.answer(seats)
    assert sit(seats, bus, "c", line).seat == 0
    assert told.heard == [("seated", "a"), ("stood", "a")]


def test_a_leg_that_cannot_sit_leaves_its_seat() -> None:
    seats, line, told = Seats(1), FakeLine(), Told()
    bus = open_bus(seats)
    sit(seats, bus, "a", line, told)
    line.answer(seats, refuse="there is no such leg")
    assert told.heard == [("there is no such leg", "a")]
    assert sit(seats, bus, "b", line).seat == 0


def test_who_was_told_to_stand_hears_no_more_that_it_sits() -> None:
    seats, line, told = Seats(1), FakeLine(), Told()
    bus = open_bus(seats)
    seats.stand(sit(seats, bus, "a", line, told))
    seats.stand(sit(seats, bus, "b", line, told))
    seats.seated(1)
    seats.stood(1)
    seats.not_seated(2, "there is no such leg")
    seats.stood(2)
    seats.stood(77)
    assert told.heard == [("stood", "a"), ("stood", "b")]
    assert seats.taken == 0


def test_a_leg_that_ends_has_left_all_its_seats_at_that_worker() -> None:
    seats, line, other = Seats(2), FakeLine(), FakeLine()
    bus, told = open_bus(seats), Told()
    before = sit(seats, bus, "a", line, told)
    seats.stand(before)
    sit(seats, bus, "a", line, told)
    sit(seats, bus, "a", other, told)
    seats.leg_ended(line, "a")
    assert before.gone
    assert [one.seat for one in bus.sittings.values()] == [2]
    # What its worker says of it after that is of nobody any more.
    seats.stood(before.number)
    assert told.heard == []
    seats.line_ended(other)
    assert not bus.sittings


def test_a_bus_is_free_when_all_have_left_it_and_it_has_rested() -> None:
    clock, line = Clock(), FakeLine()
    seats = Seats(1, clock)
    bus = open_bus(seats)
    sit(seats, bus, "a", line)
    sit(seats, bus, "b", line)
    assert (seats.open(), seats.rest) == (None, None)
    seats.close(bus)
    seats.close(bus)
    assert seats.sit(bus, "c", line, Told()) is None
    seats.stood(1)
    assert (seats.open(), seats.rest, seats.free) == (None, None, 0)
    seats.stood(2)
    assert (seats.open(), seats.rest, seats.free) == (None, REST_SECONDS, 1)
    clock.now += REST_SECONDS
    assert open_bus(seats).number == 0


def test_a_bus_of_a_worker_that_died_is_free_without_a_word_of_it() -> None:
    clock, dead, alive = Clock(), FakeLine(), FakeLine()
    seats = Seats(2, clock)
    bus = open_bus(seats)
    sit(seats, bus, "a", dead)
    sit(seats, bus, "b", alive)
    seats.close(bus)
    seats.line_ended(dead)
    assert seats.free == 1
    alive.answer(seats)
    assert seats.free == 2
    # The longest unused comes first.
    assert open_bus(seats).number == 1


def test_a_bus_holds_so_many_legs_and_the_voice_beside_them() -> None:
    seats, line = Seats(1), FakeLine()
    bus = open_bus(seats)
    for number in range(MOST):
        sit(seats, bus, f"c{number}", line)
    assert seats.sit(bus, "more", line, Told()) is None
    voice = seats.open_voice(bus, "room", line, Told())
    assert voice
    assert line.orders[-1] == {
        "do": "open_voice", "leg": "room", "sitting": MOST + 1, "bus": 0, "seat": MOST
    }  # fmt: skip
    seats.stand(next(iter(bus.sittings.values())))
    assert seats.sit(bus, "more", line, Told()) is None
    assert max(one.seat for one in bus.sittings.values()) < SEATS


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["open", "sit", "stand", "close", "answer", "die", "wait"]), st.integers(0, 5)
        )
    )
)
def test_no_two_that_may_be_heard_ever_have_one_seat(steps: list[tuple[str, int]]) -> None:
    """Workers do what they are told late; whoever they have not let go of has its seat for itself."""
    clock = Clock()
    seats, lines, buses = Seats(3, clock), [FakeLine(), FakeLine()], list[Bus]()
    heard: dict[tuple[int, int], tuple[int, FakeLine]] = {}
    quiet: dict[int, float] = {}

    def do(line: FakeLine, order: dict[str, int | str]) -> None:
        number = int(order["sitting"])
        if order["do"] == "sit":
            place = (int(order["bus"]), int(order["seat"]))
            assert place not in heard
            assert quiet.get(place[0], -1e9) <= clock.now - REST_SECONDS or any(
                bus.number == place[0] and not bus.closed for bus in buses
            )
            heard[place] = number, line
            seats.seated(number)
        elif order["do"] == "stand":
            for place in [one for one, (whose, _) in heard.items() if whose == number]:
                del heard[place]
                quiet[place[0]] = clock.now
            seats.stood(number)

    for number, (step, which) in enumerate(steps):
        bus = buses[which % len(buses)] if buses else None
        match step:
            case "open" if made := seats.open():
                assert not [one for one in buses if one.number == made.number and not one.resting]
                assert made.number not in {place[0] for place in heard}
                assert quiet.get(made.number, -1e9) <= clock.now - REST_SECONDS
                buses.append(made)
            case "sit" if bus:
                seats.sit(bus, f"c{number}", lines[which % 2], Told())
            case "stand" if bus and bus.sittings:
                seats.stand(list(bus.sittings.values())[which % len(bus.sittings)])
            case "close" if bus:
                seats.close(bus)
            case "answer":
                line = lines[which % 2]
                orders, line.orders = line.orders, []
                for order in orders:
                    do(line, order)
            case "die":
                line = lines[which % 2]
                line.orders.clear()
                for place in [one for one, (_, whose) in heard.items() if whose is line]:
                    del heard[place]
                    quiet[place[0]] = clock.now
                seats.line_ended(line)
            case "wait":
                clock.now += REST_SECONDS * which / 3
