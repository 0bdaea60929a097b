"""Golden cases over several processes: the verdicts of one process, in the same order.

A process is given a few cases at a time and tells of each as soon as it is done.  So it is known which
case it was at when it ended by itself, or was heard of no more: that case is told by name, and another
process takes what was left.  No case harms another one.
"""

import gc
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from attrs import Factory, define, field

from ringful.simulation.cases.case import ENDING
from ringful.simulation.cases.verdicts import Verdict, try_cases

FEW = 100
"""Fewer cases are tried in one process: they are done before others are at work."""
PATIENCE = 120.0
"""Seconds after which a process that tells of no case is ended."""
_AT_ONCE = 32
"""So many cases a process is given at most: a script that several have is parsed once by each process."""
_ROUNDS = 4
"""So many times each process is given cases at least, since some take longer than others."""
_context = get_context("fork")


def processes(cases: int) -> int:
    """Give how many processes are best for so many *cases*: as many as processors that we may use."""
    return 1 if cases < FEW else min(cases, len(os.sched_getaffinity(0)))


def try_spread(
    paths: Sequence[Path], jobs: int, *, update: bool = False, patience: float = PATIENCE
) -> Iterator[Verdict]:
    """Try each case as `try_cases` does, in *jobs* processes; no verdict has its simulation."""
    spread = _Spread(paths, update, patience)
    given = 0
    try:
        while given < len(paths):
            spread.give(jobs)
            spread.hear()
            while given in spread.found:
                yield spread.found.pop(given)
                given += 1
    finally:
        for one in list(spread.hands):
            spread.end(one)


@define(eq=False)
class _Hand:
    """A process that tries cases."""

    process: BaseProcess
    line: Connection
    at: list[int] = Factory(list)
    """The places of the cases that it was given and has not told of, the one that it is at first."""
    heard: float = 0.0
    """When it was last given or told something."""


@define(eq=False)
class _Spread:
    """What each process is at, and what came of the cases, by their places."""

    paths: Sequence[Path]
    update: bool
    patience: float
    found: dict[int, Verdict] = field(factory=dict)
    hands: list[_Hand] = field(factory=list)
    _waiting: deque[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._waiting = deque(range(len(self.paths)))

    def give(self, jobs: int) -> None:
        """See that *jobs* processes are at work, as long as cases wait."""
        while self._waiting and len(self.hands) < jobs:
            self.hands.append(self._hand())
        for hand in self.hands:
            if self._waiting and not hand.at:
                share = len(self._waiting) // (_ROUNDS * jobs)
                count = min(_AT_ONCE, max(1, share), len(self._waiting))
                hand.at = [self._waiting.popleft() for _ in range(count)]
                hand.heard = time.monotonic()
                with suppress(BrokenPipeError):  # It has ended, and `hear` finds that out.
                    hand.line.send([self.paths[place] for place in hand.at])

    def _hand(self) -> _Hand:
        ours, theirs = _context.Pipe()
        others = (ours, *(hand.line for hand in self.hands))
        process = _context.Process(target=_work, args=(theirs, others, self.update), daemon=True)
        # A Ctrl-C is ours alone: until it ignores it, the new process must not have one.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return _Hand(process, ours)

    def hear(self) -> None:
        """Wait until something is told, and take it."""
        busy = {hand.line: hand for hand in self.hands if hand.at}
        soonest = min(hand.heard for hand in busy.values()) + self.patience
        for line in wait(list(busy), max(0.0, soonest - time.monotonic())):
            assert isinstance(line, Connection)
            self._take(busy[line])
        for hand in busy.values():
            if hand.at and time.monotonic() - hand.heard > self.patience:
                self._give_up(hand, f"nothing came of it for {self.patience:g} s, so its process was ended")

    def _take(self, hand: _Hand) -> None:
        try:
            verdict: Verdict = hand.line.recv()
        except (EOFError, OSError):
            hand.process.join()
            self._give_up(hand, _said(hand.process.exitcode or 0))
            return
        self.found[hand.at.pop(0)] = verdict
        hand.heard = time.monotonic()

    def _give_up(self, hand: _Hand, why: str) -> None:
        """Say *why* nothing came of the case that *hand* was at; others take the rest."""
        first, *rest = hand.at
        self._waiting.extendleft(reversed(rest))
        path = self.paths[first]
        title = path.name.removesuffix(ENDING).replace("_", " ")
        self.found[first] = Verdict(path, title, "wrong", why)
        self.end(hand)

    def end(self, hand: _Hand) -> None:
        """End a process, whatever it is at."""
        self.hands.remove(hand)
        hand.process.kill()
        hand.process.join()
        hand.line.close()


def _said(code: int) -> str:
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"


def _work(line: Connection, others: Sequence[Connection], update: bool) -> None:
    """Try the cases that are given, until nobody is there to give any."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # What was there before is not looked through, and so not copied.
    gc.freeze()
    for other in others:
        # With these open it would not notice that they are closed.
        other.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for verdict in try_cases(line.recv(), update=update):
                line.send(verdict.alone)
