"""The workloads that are asked for, each at every load, as often as there are rounds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import trio
from attrs import evolve, frozen

from ringful.bench.calls import loads, results
from ringful.bench.calls.judged import failures
from ringful.bench.calls.loads import AWAY, Work
from ringful.bench.calls.requests import requests
from ringful.bench.calls.site import Place
from ringful.bench.figures import Figure
from ringful.bench.media.results import Measure, figures
from ringful.bench.pace import Pace

Taken: TypeAlias = tuple[Sequence[Measure], Sequence[str]]
"""The figures of a round, and what went wrong in it."""
SAID = 5
"""How many calls that went wrong are told one by one."""


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
    say: Callable[[str], None] = lambda said: None
    """Is told what is begun."""


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
        return name_of(self.workload, self.at, self.unit)


def name_of(workload: str, at: float, unit: str = "") -> str:
    """Give a load's name: ``W2 at 60``, ``W1 at 40/s``."""
    return f"{workload} at {at:g}{unit}"


def wrong_in(work: Work) -> list[str]:
    """Say of each call that was no good why, and what the server has logged where there is one."""
    told = failures(work)
    return [*told[:SAID], f"the server's log: {work.said}", *told[SAID:]] if told else []


def calls(asked: Asked) -> Iterator[Load]:
    """Measure what is asked for.  Raises Complaint where a server does not start."""
    for workload in asked.workloads:
        yield from WORKLOADS[workload](asked, workload)


def _rounds(asked: Asked, workload: str, at: float, unit: str, take: Callable[[], Taken]) -> Load:
    asked.say(name_of(workload, at, unit))
    taken = [take() for _ in range(asked.rounds)]
    wrong = tuple(one for _, told in taken for one in told)
    return Load(workload, at, unit, tuple(figures([measures for measures, _ in taken])), wrong)


def _main_job(asked: Asked, workload: str, away: float = 0.0) -> Iterator[Load]:
    def take(count: int) -> Taken:
        work = trio.run(loads.main_job, asked.place, count, asked.pace, away)
        return list(results.of_main_job(work)), wrong_in(work)

    for count in asked.calls:
        yield _rounds(asked, workload, count, "", partial(take, count))


def _set_up(asked: Asked, workload: str) -> Iterator[Load]:
    """Raise the rate until it is not sustained: calls are refused, or fail."""

    def take(rate: int) -> Taken:
        work = trio.run(loads.set_up, asked.place, rate, asked.pace)
        return list(results.of_set_up(work)), wrong_in(work)

    for rate in asked.rates:
        load = _rounds(asked, workload, rate, "/s", partial(take, rate))
        yield load
        if load.wrong:
            return


def _events(asked: Asked, workload: str) -> Iterator[Load]:
    def take(count: int) -> Taken:
        work = trio.run(loads.events, asked.place, count, asked.pace)
        return list(results.of_events(work)), wrong_in(work)

    for count in asked.calls:
        yield _rounds(asked, workload, count, "", partial(take, count))


def _requests(asked: Asked, workload: str) -> Iterator[Load]:
    def take(count: int) -> Taken:
        found = trio.run(requests, asked.place, count, asked.pace)
        refusals = [borne.refusal for borne, _ in found.borne.values() if borne.refusal]
        return list(results.of_requests(found)), [*refusals, *wrong_in(found.work)]

    for count in (0, *asked.calls):
        yield _rounds(asked, workload, count, "", partial(take, count))


def _memory(asked: Asked, workload: str) -> Iterator[Load]:
    def idle() -> Taken:
        return list(results.of_idle(trio.run(loads.idle, asked.place, asked.pace))), []

    def take(count: int) -> Taken:
        pace = evolve(asked.pace, seconds=min(asked.pace.seconds, loads.IDLE_SECONDS))
        work = trio.run(loads.main_job, asked.place, count, pace)
        return list(results.of_memory(work)), wrong_in(work)

    yield _rounds(asked, workload, 0, "", idle)
    for count in asked.calls:
        yield _rounds(asked, workload, count, "", partial(take, count))


WORKLOADS: Mapping[str, Callable[[Asked, str], Iterator[Load]]] = {
    "W1": _set_up,
    "W2": _main_job,
    "W4": _events,
    "W5": _requests,
    "W6": _memory,
    "W7": partial(_main_job, away=AWAY),
}
"""Each gives its loads as they have been measured."""
MEANINGS: Mapping[str, str] = {
    "W1": "set-up: calls placed at a rate, which their phones answer at once and end 0.3 s later",
    "W2": "the main job: two announcements, a key, a recording, nine callbacks, at so many calls at once",
    "W4": "from an event on the wire to its callback, beside so many calls that do the main job",
    "W5": "signed requests on live calls, as fast as they are answered, beside so many calls",
    "W6": "memory, at so many calls at once",
    "W7": f"the main job with the customer's programs {1000 * AWAY:g} ms away",
}


def sustained(loads: Sequence[Load]) -> list[str]:
    """Say which rate of W1 was sustained: the highest below which nothing was refused, and nothing failed."""
    rates = [load for load in loads if load.workload == "W1"]
    good = [load.at for load in rates if not load.wrong]
    if not rates:
        return []
    said = f"{max(good):g} calls a second were sustained" if good else "no rate was sustained"
    failed = next((load for load in rates if load.wrong), None)
    if failed is None:
        return [f"W1: {said}; a higher rate was not tried"]
    found = {one.name: one.median for one in failed.figures}
    made, refused, wrong = (found[name] for name in ("calls made", "calls refused", "calls failed"))
    return [f"W1: {said}; at {failed.at:g}, of {made:g} calls {refused:g} were refused, and {wrong:g} failed"]
