"""The workloads that are asked for, each at every load, as often as there are rounds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import trio
from attrs import frozen

from ringful.bench.calls import loads, results
from ringful.bench.calls.loads import AWAY, Pace
from ringful.bench.calls.site import Place
from ringful.bench.figures import Figure
from ringful.bench.media.results import Measure, figures

Taken: TypeAlias = tuple[Sequence[Measure], Sequence[str]]
"""The figures of a round, and what went wrong in it."""


@frozen
class Asked:
    """What to measure, at which loads, and where."""

    workloads: tuple[str, ...]
    calls: tuple[int, ...]
    """At once, one load after another."""
    rates: tuple[int, ...]
    """Calls a second, one load after another."""
    pace: Pace
    place: Place
    rounds: int = 1


@frozen
class Load:
    """What came out of a load; *wrong* says of each call that was no good why."""

    workload: str
    at: float
    """Calls at once, or in a second: where it stands in a curve."""
    unit: str
    """What *at* counts; empty for calls at once."""
    figures: tuple[Figure, ...]
    wrong: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in tables and in JSON."""
        return f"{self.workload} at {self.at:g}{self.unit}"


def calls(asked: Asked) -> Iterator[Load]:
    """Measure what is asked for.  Raises Complaint where a server does not start."""
    for workload in asked.workloads:
        yield from WORKLOADS[workload](asked, workload)


def _rounds(asked: Asked, workload: str, at: float, unit: str, take: Callable[[], Taken]) -> Load:
    taken = [take() for _ in range(asked.rounds)]
    wrong = tuple(one for _, told in taken for one in told)
    return Load(workload, at, unit, tuple(figures([measures for measures, _ in taken])), wrong)


def _main_job(asked: Asked, workload: str, away: float = 0.0) -> Iterator[Load]:
    def take(count: int) -> Taken:
        work = trio.run(loads.main_job, asked.place, count, asked.pace, away)
        return list(results.of_main_job(work)), results.failures(work)

    for count in asked.calls:
        yield _rounds(asked, workload, count, "", partial(take, count))


WORKLOADS: Mapping[str, Callable[[Asked, str], Iterator[Load]]] = {
    "W2": _main_job,
    "W7": partial(_main_job, away=AWAY),
}
"""Each gives its loads as they have been measured."""
MEANINGS: Mapping[str, str] = {
    "W2": "the main job: two announcements, a key, a recording, nine callbacks, at so many calls at once",
    "W7": f"the main job with the customer's programs {1000 * AWAY:g} ms away",
}
