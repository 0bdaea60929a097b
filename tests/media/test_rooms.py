"""Rooms, one order after another, with workers that answer when they are told to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from ringful.media import port
from ringful.media.pool_leg import PoolLeg
from ringful.media.rooms import Rooms
from ringful.media.seats import REST_SECONDS, Seats
from tests.media.lines import FakeLine, answer_all, leg

ROOM = "conf"


@define
class House:
    """Two workers, and rooms."""

    buses: int = 2
    now: float = 1000.0
    seats: Seats = field(init=False)
    told: list[port.Event] = field(factory=list)
    lines: list[FakeLine] = field(factory=lambda: [FakeLine("one"), FakeLine("two")])
    due: list[Callable[[], None]] = field(factory=list)
    """What is to be done later."""
    running: list[FakeLine] = field(init=False)
    rooms: Rooms = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.seats = Seats(self.buses, lambda: self.now)
        self.running = list(self.lines)
        self.rooms = Rooms(
            self.seats,
            2,
            lambda: [line.worker for line in self.running],
            lambda _seconds, action: self.due.append(action),
        )

    def open(self, *, speaking: bool = False) -> PoolLeg:
        """Open the room; give it as what orders are given on."""
        self.rooms.open(ROOM, self.told.append, speaking=speaking)
        found = self.rooms.find(ROOM)
        assert found
        self.told.clear()
        return found

    def open_later(self, name: str) -> None:
        """Ask for a room."""
        self.rooms.open(name, self.told.append, speaking=False)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and do what was to be done then."""
        self.now += seconds
        due, self.due = self.due, []
        for action in due:
            action()

    def join(self, name: str, at: int = 0, heard_by: str | None = None, **how: bool) -> PoolLeg:
        """Have a leg at worker *at* join, which tells nothing of itself."""
        made = leg(name, self.lines[at], [])
        muted, deaf = how.get("muted", False), how.get("deaf", False)
        self.rooms.join(ROOM, made, muted=muted, deaf=deaf, heard_by=heard_by)
        return made

    def answer(self) -> None:
        answer_all(self.seats, self.lines)

    def play(self, room: PoolLeg, playback: int) -> None:
        room.playbacks[playback] = "sent"
        assert room.line
        room.line.tell({"do": "play", "leg": ROOM, "playback": playback})

    def record(self, room: PoolLeg, recording: int, path: Path) -> None:
        room.recordings[recording] = path
        assert room.line
        room.line.tell({"do": "record", "leg": ROOM, "recording": recording})

    def dies(self, line: FakeLine, *legs: PoolLeg) -> None:
        """Have a worker die, with its *legs*, as the pool does it."""
        self.running.remove(line)
        self.seats.line_ended(line)
        for one in legs:
            self.rooms.leg_ends(one)
        self.rooms.worker_ended(line.worker)

    def hang_up(self) -> None:
        self.rooms.hang_up(ROOM)


@pytest.fixture
def house() -> House:
    return House()


def dos(line: FakeLine) -> list[Any]:
    return [order["do"] for order in line.orders]


def test_a_room_is_there_until_it_is_hung_up(house: House) -> None:
    house.rooms.open(ROOM, house.told.append, speaking=False)
    house.hang_up()
    assert house.told == [port.Answered(ROOM), port.HungUp(ROOM, "server")]
    assert house.rooms.find(ROOM) is None


def test_there_are_so_many_rooms_and_no_more(house: House) -> None:
    for name in ("x", "y", "z"):
        house.rooms.open(name, house.told.append, speaking=False)
    refused = house.told[-1]
    assert isinstance(refused, port.Refused)
    assert (refused.leg, refused.reason) == ("z", "capacity")


def test_a_room_is_open_as_soon_as_a_bus_has_rested(house: House) -> None:
    for name in ("x", "y"):
        house.rooms.open(name, house.told.append, speaking=False)
        house.rooms.hang_up(name)
    house.told.clear()
    house.open_later(ROOM)
    house.open_later("given up")
    house.rooms.hang_up("given up")
    assert house.told == [port.HungUp("given up", "server")]
    assert house.rooms.find(ROOM) is None
    house.pass_time(REST_SECONDS / 2)
    assert len(house.told) == 1
    house.pass_time(REST_SECONDS / 2)
    assert house.told[1:] == [port.Answered(ROOM)]
    house.join("a")
    assert dos(house.lines[0]) == ["sit"]


def test_a_room_is_refused_where_all_buses_are_with_others(house: House) -> None:
    while house.seats.open():
        pass
    house.open_later(ROOM)
    assert [type(event) for event in house.told] == [port.Refused]
    house.rooms.hang_up(ROOM)
    assert len(house.told) == 1


def test_a_worker_that_hangs_with_the_voices_of_rooms_keeps_no_others_from_being_opened() -> None:
    house = House(buses=4)
    for name in ("x", "y"):
        house.rooms.open(name, house.told.append, speaking=False)
        found = house.rooms.find(name)
        assert found
        assert found.line
        found.line.tell({"do": "play", "leg": name, "playback": 1})
        house.rooms.hang_up(name)
        house.rooms.hang_up(name)
    assert [order["do"] for line in house.lines for order in line.orders].count("close_voice") == 2
    house.told.clear()
    house.open_later(ROOM)
    assert house.told == [port.Answered(ROOM)]


def test_legs_join_where_they_live_and_leave_in_silence(house: House) -> None:
    house.open()
    a, b = house.join("a"), house.join("b", 1, muted=True, deaf=True)
    assert [
        (order["seat"], order["muted"], order["deaf"]) for line in house.lines for order in line.orders
    ] == [
        (0, False, False),
        (1, True, True),
    ]
    house.answer()
    assert (house.rooms.of(a), house.rooms.of(b)) == (ROOM, ROOM)
    house.rooms.leave("elsewhere", a)
    assert not house.lines[0].orders
    house.rooms.leave(ROOM, a)
    house.rooms.leave(ROOM, a)
    assert dos(house.lines[0]) == ["stand"]
    assert house.rooms.of(a) is None
    assert house.told == []


def test_joining_again_changes_how_one_is_in(house: House) -> None:
    house.open()
    a = house.join("a")
    house.answer()
    house.rooms.join(ROOM, a, muted=False, deaf=False)
    assert not house.lines[0].orders
    house.rooms.join(ROOM, a, muted=True, deaf=False)
    assert house.lines[0].orders == [{"do": "seat", "leg": "a", "sitting": 1} | how()]


def how(to: int = 0, *, muted: bool = True) -> dict[str, Any]:
    return {"muted": muted, "deaf": False, "to": to}


def test_a_coach_is_told_whose_sitting_hears_it_and_is_heard_by_nobody_without_it(house: House) -> None:
    house.open()
    house.join("a", heard_by="b")
    assert house.lines[0].orders.pop().items() >= how().items()
    b = house.join("b", 1)
    seat = {"do": "seat", "leg": "a", "sitting": 1}
    assert house.lines[0].orders.pop() == seat | how(2, muted=False)
    # Who has the seat next has another sitting: it hears nothing that is on its way.
    house.rooms.leave(ROOM, b)
    assert house.lines[0].orders.pop() == seat | how()
    house.answer()
    house.join("c", 1)
    assert not house.lines[0].orders
    house.join("b", 1)
    assert house.lines[0].orders.pop() == seat | how(4, muted=False)


def test_a_coach_who_speaks_is_not_told_and_is_when_all_hear_it(house: House) -> None:
    house.open(speaking=True)
    a = house.join("a", heard_by="b")
    house.join("b")
    house.answer()
    house.rooms.speaks(house.lines[0].worker, "a", True)
    assert house.told == []
    house.rooms.join(ROOM, a, muted=False, deaf=False)
    house.rooms.speaks(house.lines[0].worker, "a", True)
    house.rooms.join(ROOM, a, muted=False, deaf=False, heard_by="a")
    assert house.told == [port.Speaking(ROOM, "a", True), port.Speaking(ROOM, "a", False)]
    assert house.lines[0].orders[-1].items() >= how().items()  # Nobody coaches himself.


def test_whoever_joins_another_room_leaves_the_first(house: House) -> None:
    house.open()
    house.rooms.open("other", house.told.append, speaking=False)
    a = house.join("a")
    house.rooms.join("other", a, muted=False, deaf=False)
    assert dos(house.lines[0]) == ["sit", "stand", "sit"]
    assert house.rooms.of(a) == "other"
    house.answer()
    assert house.seats.taken == 1


def test_a_room_that_is_full_says_whom_it_did_not_let_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.seats.MOST", 2)
    house.open()
    house.join("a")
    house.join("b")
    c = house.join("c")
    assert house.told == [port.JoinFailed(ROOM, "c", "as many are in the conference as can be")]
    assert house.rooms.of(c) is None


def test_a_leg_that_its_worker_cannot_seat_is_not_in(house: House) -> None:
    house.open()
    a = house.join("a")
    house.lines[0].answer(house.seats, refuse="no bus there")
    assert house.told == [port.JoinFailed(ROOM, "a", "no bus there")]
    assert house.rooms.of(a) is None
    # One that was told to leave before is nobody's concern.
    b = house.join("b")
    house.rooms.leave(ROOM, b)
    house.lines[0].answer(house.seats, refuse="no bus there")
    assert len(house.told) == 1


def test_who_speaks_is_known_and_told_to_those_who_asked(house: House) -> None:
    house.open(speaking=True)
    a, b = house.join("a"), house.join("b", 1)
    one, two = (line.worker for line in house.lines)
    house.rooms.speaks(one, "a", True)
    assert house.rooms.speaking(ROOM) == frozenset()
    house.answer()
    house.rooms.speaks(one, "a", True)
    house.rooms.speaks(one, "a", True)
    house.rooms.speaks(two, "b", True)
    house.rooms.speaks(two, "a", False)
    house.rooms.speaks(one, "nobody", True)
    assert house.rooms.speaking(ROOM) == {"a", "b"}
    b.muted = True
    house.rooms.muted(b)
    house.rooms.speaks(two, "b", True)
    house.rooms.leave(ROOM, a)
    assert house.told == [
        port.Speaking(ROOM, "a", True),
        port.Speaking(ROOM, "b", True),
        port.Speaking(ROOM, "b", False),
        port.Speaking(ROOM, "a", False),
    ]
    assert house.rooms.speaking("nowhere") == frozenset()


def test_who_speaks_is_told_to_nobody_who_did_not_ask(house: House) -> None:
    house.open()
    house.join("a")
    house.answer()
    house.rooms.speaks(house.lines[0].worker, "a", True)
    assert house.rooms.speaking(ROOM) == {"a"}
    assert house.told == []


def test_the_voice_is_made_where_most_are_when_something_is_first_played(house: House) -> None:
    room = house.open()
    for name, at in (("a", 0), ("b", 1), ("c", 1)):
        house.join(name, at)
    house.answer()
    assert room.line
    room.line.tell({"do": "stop_playback", "leg": ROOM, "playback": 7})
    assert not house.lines[1].orders
    house.play(room, 1)
    house.play(room, 2)
    assert dos(house.lines[1]) == ["open_voice", "play", "play"]
    assert house.lines[1].voices == {ROOM}
    assert not house.lines[0].orders
    house.rooms.hear(house.lines[0].worker, port.PlaybackStarted(ROOM, 1))
    house.rooms.hear(house.lines[1].worker, port.PlaybackEnded(ROOM, 1, "end"))
    house.rooms.hear(house.lines[1].worker, port.PlaybackEnded("elsewhere", 1, "end"))
    assert house.told == [port.PlaybackEnded(ROOM, 1, "end")]
    assert set(room.playbacks) == {2}


def test_an_empty_room_has_its_voice_where_there_are_the_fewest(house: House) -> None:
    room = house.open()
    house.lines[0].voices.add("another")
    house.play(room, 1)
    assert dos(house.lines[1]) == ["open_voice", "play"]


def test_a_voice_that_cannot_be_had_fails_its_orders_and_is_tried_again(house: House, tmp_path: Path) -> None:
    room = house.open()
    house.play(room, 1)
    house.record(room, 2, tmp_path / "r.wav")
    room.playbacks[3] = "fetching"
    house.lines[0].answer(house.seats, refuse="no")
    assert house.told == [port.PlaybackFailed(ROOM, 1, "no"), port.RecordingFailed(ROOM, 2, "no")]
    assert not house.lines[0].voices
    house.play(room, 3)
    assert dos(house.lines[0]) == ["open_voice", "play"]


def test_orders_wait_while_there_is_no_worker(house: House) -> None:
    room = house.open()
    house.running.clear()
    house.play(room, 1)
    assert room.line
    room.line.tell({"do": "stop_playback", "leg": ROOM, "playback": 1})
    house.rooms.worker_began()
    house.running.append(house.lines[1])
    house.rooms.worker_began()
    house.rooms.worker_began()
    assert dos(house.lines[1]) == ["open_voice", "play", "stop_playback"]


def test_orders_fail_where_no_worker_can_be_had(house: House) -> None:
    room = house.open()
    house.running.clear()
    house.play(room, 1)
    house.rooms.no_worker("none can be started")
    assert house.told == [port.PlaybackFailed(ROOM, 1, "none can be started")]


def test_a_worker_that_dies_ends_what_it_did_and_the_room_goes_on(house: House, tmp_path: Path) -> None:
    room = house.open()
    a, b = house.join("a"), house.join("b", 1)
    house.answer()
    house.play(room, 1)
    house.record(room, 2, tmp_path / "never-begun.wav")
    room.playbacks[3] = "fetching"
    house.answer()
    house.dies(house.lines[0], a)
    assert house.told[0] == port.PlaybackEnded(ROOM, 1, "hangup")
    assert isinstance(house.told[1], port.RecordingFailed)
    assert len(house.told) == 2
    assert house.rooms.of(b) == ROOM
    house.play(room, 3)
    assert dos(house.lines[1]) == ["open_voice", "play"]
    house.hang_up()
    house.rooms.hear(house.lines[1].worker, port.PlaybackEnded(ROOM, 3, "hangup"))
    house.seats.leg_ended(house.lines[1], ROOM)
    house.rooms.closed(house.lines[1].worker, ROOM)
    assert house.told[2:] == [port.PlaybackEnded(ROOM, 3, "hangup"), port.HungUp(ROOM, "server")]
    house.answer()
    assert house.seats.taken == 0


def test_a_room_that_is_hung_up_ends_when_its_voice_has(house: House) -> None:
    room = house.open()
    a = house.join("a")
    house.answer()
    house.play(room, 1)
    room.playbacks[2] = "fetching"
    house.hang_up()
    assert house.rooms.of(a) is None
    assert house.rooms.find(ROOM) is None
    assert "stand" in dos(house.lines[0])
    assert [order["do"] for line in house.lines for order in line.orders if order["leg"] == ROOM][
        -1
    ] == "close_voice"
    assert house.told == []
    voiced = next(line for line in house.lines if line.voices)
    house.rooms.hear(voiced.worker, port.PlaybackEnded(ROOM, 1, "hangup"))
    house.rooms.closed(voiced.worker, ROOM)
    assert house.told == [
        port.PlaybackEnded(ROOM, 1, "hangup"),
        port.PlaybackEnded(ROOM, 2, "hangup"),
        port.HungUp(ROOM, "server"),
    ]
    house.rooms.hear(voiced.worker, port.PlaybackStarted(ROOM, 9))
    assert isinstance(house.told[-1], port.HungUp)
    assert not voiced.voices


def test_a_room_that_is_hung_up_ends_too_when_the_worker_of_its_voice_dies(house: House) -> None:
    room = house.open()
    house.play(room, 1)
    house.hang_up()
    house.dies(next(line for line in house.lines if line.voices))
    assert house.told == [port.PlaybackEnded(ROOM, 1, "hangup"), port.HungUp(ROOM, "server")]


def test_a_fault_of_ours_ends_the_room_and_nothing_is_told_after_it(house: House) -> None:
    room = house.open(speaking=True)
    a = house.join("a")
    house.play(room, 1)
    house.answer()
    house.rooms.speaks(house.lines[0].worker, "a", True)
    house.told.clear()
    house.rooms.failed(ROOM, "a fault")
    house.rooms.failed(ROOM, "a fault")
    assert house.told == [
        port.Speaking(ROOM, "a", False),
        port.PlaybackEnded(ROOM, 1, "hangup"),
        port.HungUp(ROOM, "lost", "a fault"),
    ]
    assert house.rooms.of(a) is None
    house.answer()
    assert house.seats.taken == 0


def test_tones_go_to_all_and_have_one_end(house: House) -> None:
    room = house.open()
    a, b = house.join("a"), house.join("b", 1)
    house.answer()
    house.rooms.send_tones(ROOM, 5, "12")
    (one,), (two,) = (line.told("send_tones") for line in house.lines)
    assert (one["leg"], two["leg"], one["tones"]) == ("a", "b", "12")
    assert one["sending"] != two["sending"]
    house.rooms.sent(a, one["sending"])
    assert house.told == []
    house.rooms.leg_ends(b)
    assert house.told == [port.TonesSent(ROOM, 5)]
    assert not a.sendings | b.sendings | room.sendings
    house.rooms.sent(b, two["sending"])
    house.rooms.leave(ROOM, a)
    house.rooms.send_tones(ROOM, 6, "3")
    assert house.told[1:] == [port.TonesSent(ROOM, 6)]
