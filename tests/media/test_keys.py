"""What is one press of a key, and what an INFO says: the pure part."""

from collections.abc import Iterable, Iterator
from random import Random

import pytest

from ringful.media.engine.keypad.keys import Packet, Presses, key_in

TWENTY = 160


def press(
    event: int, timestamp: int, milliseconds: int, *, source: int = 7, ends: int = 3
) -> Iterator[Packet]:
    """Give the packets of one key, in segments where it is long (RFC 4733 2.5.1.3)."""
    left, start = milliseconds * 8, timestamp
    while left > 0xFFFF:
        for duration in [*range(TWENTY, 0xFFFF, TWENTY), 0xFFFF]:
            yield Packet(source, start % (1 << 32), event, duration, False)
        start, left = start + 0xFFFF, left - 0xFFFF
    for duration in range(TWENTY, left, TWENTY):
        yield Packet(source, start % (1 << 32), event, duration, False)
    for _ in range(ends):
        yield Packet(source, start % (1 << 32), event, left, True)


def heard(packets: Iterable[Packet]) -> str:
    presses = Presses()
    return "".join(key for packet in packets if (key := presses.take(packet)))


@pytest.mark.parametrize("milliseconds", [40, 60, 100, 250, 1000, 5000, 8191, 8192, 9000, 20000])
def test_a_key_is_heard_once_however_long(milliseconds: int) -> None:
    assert heard(press(5, 1000, milliseconds)) == "5"
    assert heard(press(5, (1 << 32) - 300, milliseconds)) == "5"


def test_the_same_key_twice_is_told_apart_by_time_and_not_by_duration() -> None:
    same = [Packet(7, start, 1, 800, False) for start in (1000, 1000, 3000, 3000)]
    assert heard(same) == "11"
    ends = [Packet(7, start, 1, 800, True) for start in (1000, 1000, 3000, 3000)]
    assert heard(ends) == "11"


def test_two_keys_fast_after_one_another() -> None:
    assert heard([*press(1, 0, 40), *press(1, 640, 40), *press(2, 1280, 40)]) == "112"
    assert heard([*press(1, 0, 40), *press(2, 320, 40)]) == "12"


def test_who_has_lost_the_end_of_a_key_hears_the_next_one() -> None:
    first = [*press(1, 0, 100, ends=0)][:2]
    assert heard([*first, *press(1, 1600, 100)]) == "11"


def test_a_key_that_goes_on_with_another_ssrc_is_the_same_and_the_next_is_another() -> None:
    one = [*press(3, 800, 200)]
    moved = [Packet(8, p.timestamp, p.event, p.duration, p.is_end) for p in one[4:]]
    assert heard([*one[:4], *moved, *press(3, 9000, 100, source=8)]) == "33"
    # It may count anew, and even come to the same number.
    assert heard([*press(3, 800, 100), *press(3, 800, 100, source=8)]) == "33"


def test_a_timestamp_that_goes_on_within_a_key_is_one_key() -> None:
    assert heard(Packet(7, 160 * n, 9, 160 * n, n > 9) for n in range(12)) == "9"


def test_a_clock_that_is_set_back_is_heard() -> None:
    assert heard([*press(1, 800_000, 100), *press(2, 100, 100)]) == "12"


def test_events_that_are_no_keys_are_none() -> None:
    assert heard(press(16, 0, 100)) == ""
    assert "".join(heard(press(event, 0, 60)) for event in range(16)) == "0123456789*#ABCD"


@pytest.mark.parametrize("seed", range(100))
def test_lost_late_repeated_and_reordered_packets(seed: int) -> None:
    """Each key leaves one packet at least, and none is later than a pause."""
    random, at, keys = Random(seed), Random(seed).randrange(1 << 32), ""
    sent: list[tuple[float, Packet]] = []
    for _ in range(12):
        event, length = random.randrange(16), random.choice([40, 60, 100, 240])
        whole = list(press(event, at, length))
        kept = [one for one in whole if random.random() > 0.4] or [random.choice(whole)]
        keys += "0123456789*#ABCD"[event]
        for place, one in enumerate(kept):
            for _ in range(random.choice([1, 1, 2])):
                sent.append((at + 160 * place + random.uniform(0, 400), one))
        at += 8 * length + 480 + 160 * 4
    assert heard(one for _, one in sorted(sent, key=lambda pair: pair[0])) == keys


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", "Signal=5", "5"),
        ("application/dtmf-relay", "Signal= 5\nDuration= 250", "5"),
        ("application/dtmf-relay", "signal =#\r\n", "#"),
        ("application/dtmf-relay", "Duration=100\r\nSIGNAL = 9 \r\n", "9"),
        ("application/dtmf-relay", "Signal=10\r\n", "*"),
        ("application/dtmf-relay", "Signal=11\r\n", "#"),
        ("application/dtmf-relay", "Signal=12\r\n", "A"),
        ("Application/DTMF-Relay", "Signal=d\r\n", "D"),
        ("application/dtmf-relay", "Signal=0", "0"),
        ("application/dtmf-relay", "Signal=16\r\n", None),
        ("application/dtmf-relay", "Signal=\r\n", None),
        ("application/dtmf-relay", "Signal=55x\r\n", None),
        ("application/dtmf-relay", "5", None),
        ("application/dtmf-relay", "", None),
        ("application/dtmf", "5", "5"),
        ("application/dtmf", " # \r\n", "#"),
        ("application/dtmf", "11\r\n", "#"),
        ("application/dtmf", "Signal=7\r\nDuration=100\r\n", "7"),
        ("application/dtmf", "hello", None),
    ],
)
def test_what_an_info_says(kind: str, body: str, key: str | None) -> None:
    assert key_in(kind, body) == key
