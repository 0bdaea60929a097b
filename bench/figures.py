"""Figures: what was measured, several times over.

A figure is told with its spread, since one number of a busy machine says nothing.  Rates are by the
processor's time and not by the clock's, so that what else the machine does counts little; where one
waits for a disk, the clock counts, and its workload says so.  The garbage collector stays on:
whoever runs ringful has it on too.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from attrs import frozen


@frozen
class Effort:
    """How much to do for one figure."""

    rounds: int = 5
    seconds: float = 1.0
    """How long a round lasts at least, where rates are measured."""
    runs: int = 10_000
    """How many idle runs are kept at once."""
    folder: Path = Path()
    """Where files are made: the disk that is measured."""


@frozen
class Figure:
    """What came out, round by round; *about* says what exactly was measured."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    about: str

    @property
    def median(self) -> float:
        """The round in the middle."""
        return median(self.rounds)

    @property
    def spread(self) -> str:
        """The worst and the best round."""
        return f"{shown(min(self.rounds))} to {shown(max(self.rounds))}"


def shown(value: float) -> str:
    """Show *value* with three digits that mean something: ``12,345``, ``1.23``."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def rates(work: Callable[[], int], effort: Effort) -> tuple[float, ...]:
    """Give the things a second of the processor's time, of each round; *work* does some and says how many."""
    work()  # What is done once only is not a part of the rate.
    return tuple(_rate(work, effort.seconds) for _ in range(effort.rounds))


def _rate(work: Callable[[], int], seconds: float) -> float:
    done, began = 0, time.process_time()
    while True:
        done += work()
        took = time.process_time() - began
        if took >= seconds:
            return done / took


def milliseconds(each: tuple[float, ...]) -> tuple[float, ...]:
    """Turn rates into the milliseconds that one thing takes."""
    return tuple(1000 / rate for rate in each)
