"""The three ways of one leg's keys, and how each yields to the next."""

from typing import Any

import pytest
from attrs import define, field

from ringful.media import port
from ringful.media.engine.keypad import keying
from ringful.media.engine.keypad.keying import Keying
from ringful.media.engine.keypad.keys import Packet


@define
class Sound:
    """A sound that notes whether it listens."""

    name: str = "a"
    on_key: Any = None
    listens: list[bool] = field(factory=list)

    def hear_keys(self, *, on: bool) -> None:
        self.listens.append(on)


@define
class Leg:
    keys: Keying
    sound: Sound
    told: list[port.Event]
    now: list[float]
    said: list[str]

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(one.tone, one.method) for one in self.told if isinstance(one, port.TonePressed)]


@pytest.fixture
def leg(monkeypatch: pytest.MonkeyPatch) -> Leg:
    told: list[port.Event] = []
    now, said = [100.0], list[str]()
    monkeypatch.setattr(keying.time, "monotonic", lambda: now[0])
    sound: Any = Sound()
    return Leg(Keying(sound, told.append, said.append), sound, told, now, said)


def test_sound_is_listened_to_where_there_is_no_other_way(leg: Leg) -> None:
    leg.keys.agreed(events=True)
    assert (leg.keys.in_sound, leg.sound.listens) == (False, [False])
    leg.keys.agreed(events=False)
    assert (leg.keys.in_sound, leg.sound.listens) == (True, [False, True])
    leg.sound.on_key("5")
    leg.sound.on_key("5")
    assert leg.heard == [("5", "inband")] * 2


@pytest.mark.parametrize("method", ["info", "rfc4733"])
def test_the_same_key_in_two_ways_is_one_and_then_the_sound_is_left(leg: Leg, method: str) -> None:
    def press(number: int) -> None:
        if method == "info":
            leg.keys.info(number, "5")
        else:
            leg.keys.packet(Packet(1, 8000 * number, 5, 160, False))

    leg.keys.agreed(events=False)
    leg.sound.on_key("5")
    leg.now[0] += 0.4
    press(2)
    assert leg.heard == [("5", "inband")]
    assert leg.sound.listens == [True, False]
    leg.now[0] += 0.4
    leg.sound.on_key("5")
    press(3)
    assert leg.heard == [("5", "inband"), ("5", method)]
    leg.keys.agreed(events=False)
    assert leg.sound.listens[-1] is False


def test_another_way_much_later_is_another_key(leg: Leg) -> None:
    leg.keys.agreed(events=False)
    leg.sound.on_key("5")
    leg.now[0] += 1.1
    leg.keys.info(2, "5")
    assert leg.heard == [("5", "inband"), ("5", "info")]


def test_an_info_that_comes_again_is_one(leg: Leg) -> None:
    for number in (2, 2, 3, 2, 4):
        leg.keys.info(number, "1")
    assert leg.heard == [("1", "info")] * 3


def test_who_presses_more_than_anybody_can_is_heard_at_a_persons_pace(leg: Leg) -> None:
    for number in range(1000):
        leg.keys.info(number, "1")
    assert len(leg.heard) == 200
    leg.now[0] += 2
    for number in range(1000, 1100):
        leg.keys.info(number, "1")
    assert len(leg.heard) == 250
    assert leg.said == ["a: more keys came than anybody presses; some are not heard"]
