"""Doing things later, on a node: what a simulation's agenda is to virtual time.

One task does them all.  A call sets a timer for hours at every step of its way and takes it back at the
next one, so that setting one must cost next to nothing: a task of its own costs more than the step does.
"""

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

import trio

from ringful.ground.faults import Tasks, fault
from ringful.interpreter.money.till import Cancel

_FEW = 64
"""Of so many that were taken back none need be thrown away."""


class Agenda:
    """What is to be done, and when: each in its own time, those of one time as they were set."""

    def __init__(self, tasks: Tasks) -> None:
        self._due: list[list[Any]] = []
        """A heap of time, number and action; an action that was taken back is None."""
        self._set = 0
        self._taken_back = 0
        """How many of those in the heap have no action any more."""
        self._sooner = trio.Event()
        tasks.start_soon(self._serve)

    def after(self, seconds: float, action: Callable[[], None]) -> Cancel:
        """Do *action* in so many seconds; give what takes that back."""
        self._set += 1
        one = [trio.current_time() + seconds, self._set, action]
        heappush(self._due, one)
        if self._due[0] is one:
            self._sooner.set()
        return lambda: self._take_back(one)

    def _take_back(self, one: list[Any]) -> None:
        if one[2] is None:
            return  # It was done, or taken back before.
        one[2] = None
        self._taken_back += 1
        if self._taken_back > max(_FEW, len(self._due) // 2):
            self._due = [left for left in self._due if left[2] is not None]
            heapify(self._due)
            self._taken_back = 0

    async def _serve(self) -> None:
        while True:
            self._sooner = trio.Event()
            with trio.move_on_at(self._due[0][0] if self._due else math.inf):
                await self._sooner.wait()
            self._do_what_is_due()

    def _do_what_is_due(self) -> None:
        now = trio.current_time()
        while self._due and self._due[0][0] <= now:
            one = heappop(self._due)
            action, one[2] = one[2], None
            if action is None:
                self._taken_back -= 1
                continue
            try:
                action()
            except Exception as error:
                fault("doing what was due", error)
