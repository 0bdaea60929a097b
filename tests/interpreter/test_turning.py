"""Turns: a fault of one call's turn is its own."""

import trio
import trio.testing
from attrs import define, field

from ringful.interpreter.calls.turning import Turns


@define
class _Waking:
    wrong: bool = False
    taken: trio.Event = field(factory=trio.Event)

    def take_turn(self) -> None:
        self.taken.set()
        if self.wrong:
            raise ValueError("a fault of ours")


async def test_a_turn_that_fails_takes_nobody_elses_turn() -> None:
    wrong, beside, later = _Waking(wrong=True), _Waking(), _Waking()
    async with trio.open_nursery() as nursery:
        turns = Turns(nursery)
        turns.wake(wrong)
        turns.wake(beside)
        await beside.taken.wait()
        turns.wake(later)
        await later.taken.wait()
        nursery.cancel_scope.cancel()
    assert wrong.taken.is_set()


@define
class _Waker:
    """Takes its turn by waking another."""

    turns: Turns
    name: str
    taken: list[str]
    other: "_Waker | None" = None

    def take_turn(self) -> None:
        self.taken.append(self.name)
        if self.other:
            self.turns.wake(self.other)


async def test_who_is_gathered_takes_a_turn_at_the_end_and_whom_that_wakes_in_the_next_round() -> None:
    taken: list[str] = []
    async with trio.open_nursery() as nursery:
        turns = Turns(nursery)
        later = _Waker(turns, "later", taken)
        before, first, second = (_Waker(turns, name, taken, later) for name in ("before", "first", "second"))
        turns.wake(before)
        with turns:
            turns.wake(first)
            turns.wake(second)
            assert not taken
        assert taken == ["before", "first", "second"]
        await trio.testing.wait_all_tasks_blocked()
        assert taken[3:] == ["later"] * 3
        turns.wake(second)
        await trio.testing.wait_all_tasks_blocked()
        assert taken[6:] == ["second", "later"]
        with turns:
            with turns:
                turns.wake(later)
            assert not taken[8:]
        assert taken[8:] == ["later"]
        nursery.cancel_scope.cancel()


@define
class _Gatherer:
    """Gathers within its own turn."""

    turns: Turns
    taken: list[str]
    other: _Waker

    def take_turn(self) -> None:
        with self.turns:
            self.turns.wake(self.other)
        self.taken.append("first")


async def test_no_turn_is_taken_within_another() -> None:
    taken: list[str] = []
    async with trio.open_nursery() as nursery:
        turns = Turns(nursery)
        with turns:
            turns.wake(_Gatherer(turns, taken, _Waker(turns, "second", taken)))
        assert taken == ["first"]
        await trio.testing.wait_all_tasks_blocked()
        assert taken == ["first", "second"]
        nursery.cancel_scope.cancel()
