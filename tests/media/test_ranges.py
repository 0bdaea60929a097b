"""Ranges of RTP ports: no two that live, or rest, have one port, and the longest unused comes first."""

from hypothesis import given
from hypothesis import strategies as st

from ringful.media.ranges import ANY, PER_CALL, REST_SECONDS, UNIT, Range, Ranges, needed, units_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def take(ranges: Ranges, capacity: int = 4) -> Range:
    found = ranges.take(capacity)
    assert found
    return found


def test_ranges_are_even_and_within_their_bounds() -> None:
    ranges = Ranges(10_001, 10_002 + 2 * UNIT - 1)
    first, second = take(ranges), take(ranges)
    assert [(one.first, one.count) for one in (first, second)] == [(10_002, 64), (10_066, 64)]
    assert ranges.take(4) is None
    assert first.calls == 8


def test_a_range_rests_before_it_is_given_again_and_the_longest_unused_comes_first() -> None:
    clock = Clock()
    ranges = Ranges(10_000, 10_000 + 3 * UNIT - 1, clock=clock)
    one, two, three = take(ranges), take(ranges), take(ranges)
    ranges.give_back(two)
    clock.now = 1
    ranges.give_back(one)
    clock.now = REST_SECONDS
    assert take(ranges).first == two.first
    assert ranges.take(4) is None
    clock.now += 1
    assert take(ranges).first == one.first
    ranges.give_back(three)
    assert ranges.take(4) is None


def test_more_calls_have_more_ports_and_where_there_are_fewer_fewer() -> None:
    ranges = Ranges(10_000, 20_000)
    assert take(ranges, 100).count == 832
    small = Ranges(10_000, 10_000 + 5 * UNIT - 1)
    assert take(small, 100).calls == 3 * UNIT // PER_CALL
    assert take(small, 100).calls == UNIT // PER_CALL


def test_any_ports_are_without_end() -> None:
    ranges = Ranges(0, 0)
    assert ranges.take(4) is ranges.take(4) is ANY
    ranges.give_back(ANY)
    assert ANY.calls is None


def test_the_first_range_may_begin_anywhere() -> None:
    ranges = Ranges(10_000, 20_000, start=1000)
    assert take(ranges).first == 10_000 + (1000 % 156) * UNIT
    assert units_of(10_000, 20_000) == 156
    assert needed(60) == 17 * UNIT


@given(st.lists(st.tuples(st.sampled_from(["take", "give", "wait"]), st.integers(0, 40))), st.integers(0, 30))
def test_no_port_is_ever_used_twice_or_too_soon(steps: list[tuple[str, int]], start: int) -> None:
    clock = Clock()
    ranges = Ranges(10_001, 11_000, start=start, clock=clock)
    used: list[Range] = []
    left: dict[int, float] = {}
    for step, number in steps:
        if step == "wait":
            clock.now += number
        elif step == "give" and used:
            given = used.pop(number % len(used))
            ranges.give_back(given)
            left |= dict.fromkeys(range(given.first, given.first + given.count), clock.now)
        elif step == "take" and (found := ranges.take(number)):
            ports = range(found.first, found.first + found.count)
            assert found.first % 2 == 0
            assert 10_001 <= ports[0] <= ports[-1] <= 11_000
            assert all(left.get(one, -1e9) <= clock.now - REST_SECONDS for one in ports)
            assert not [one for one in used if set(ports) & set(range(one.first, one.first + one.count))]
            used.append(found)
