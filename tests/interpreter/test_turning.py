"""Turns: a fault of one call's turn is its own."""

import trio
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
