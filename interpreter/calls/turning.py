"""Whose turn it is: the live calls of a node whose inboxes hold something.

One task has them take their turns, in the order in which they were woken, and never waits for anything
but the next one: a task for each call would be woken, and put to sleep again, at each of its events.
What is posted while turns are taken is for the next round, so that calls which only talk to each other
leave everybody else their time.

Whoever wakes somebody, and waits for something then, may have the turns taken at once (``with turns:``):
what a worker says, and what is asked for, needs no second task to be woken.
"""

from typing import Protocol

import trio
from attrs import frozen

from ringful.ground.faults import Tasks, fault
from ringful.interpreter.calls.waiting import Agenda


class Woken(Protocol):
    """What takes turns."""

    def take_turn(self) -> None:
        """Handle what is in the inbox, if there still is anything.  Raises nothing."""


class Turns:
    """See the module's docstring."""

    def __init__(self, tasks: Tasks) -> None:
        self._woken: list[Woken] = []
        self._gathering = 0
        """How many gather who is woken: the outermost has them take their turns, and the task need not."""
        self._bell = trio.Event()
        tasks.start_soon(self._serve)

    def wake(self, one: Woken) -> None:
        """Let *one* take its turn, soon."""
        if not self._woken and not self._gathering:
            self._bell.set()
        self._woken.append(one)

    def __enter__(self) -> None:
        """Gather all who are woken: they take their turns at the end, in the task that woke them.

        Within a turn that is for the next round, as ever.
        """
        self._gathering += 1

    def __exit__(self, *_: object) -> None:
        self._gathering -= 1
        if not self._gathering:
            self._take()

    async def _serve(self) -> None:
        while True:
            await self._bell.wait()
            self._bell = trio.Event()
            self._take()

    def _take(self) -> None:
        woken, self._woken = self._woken, []
        self._gathering += 1
        try:
            for one in woken:
                try:
                    one.take_turn()
                except Exception as error:
                    # The others' turns come nevertheless: nobody else would take them.
                    fault("taking a call's turn", error)
        finally:
            self._gathering -= 1
        if self._woken:
            self._bell.set()


@frozen
class Works:
    """What keeps the live calls of a node going."""

    tasks: Tasks
    turns: Turns
    agenda: Agenda


def works(tasks: Tasks) -> Works:
    """Give what keeps calls going within *tasks*."""
    return Works(tasks, Turns(tasks), Agenda(tasks))
