"""The loads that are asked for, one after another, each as often as there are rounds."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import trio
from attrs import frozen

from ringful.bench.figures import Figure
from ringful.bench.media import loads, results
from ringful.bench.media.loads import Shape
from ringful.bench.pace import Pace

IDLE = "idle"

Taken: TypeAlias = tuple[Sequence[results.Measure], Sequence[str]]
"""The figures of a round, and what went wrong in it."""


@frozen
class Asked:
    """Which loads to put on."""

    calls: tuple[int, ...]
    shapes: tuple[Shape, ...]
    pace: Pace
    rounds: int = 1


@frozen
class Load:
    """What came out of a load; *wrong* says of each call that was no good why."""

    name: str
    figures: tuple[Figure, ...]
    wrong: tuple[str, ...] = ()


def media(asked: Asked) -> Iterator[Load]:
    """Measure a worker without calls, the main job, and conferences.  Raises `loads.LoadError`."""
    yield _rounds(asked, IDLE, _idle)
    for calls in asked.calls:
        name = f"{calls} calls" if calls > 1 else "1 call"
        yield _rounds(asked, name, partial(_main_job, calls, asked.pace))
    for shape in asked.shapes:
        yield _rounds(asked, f"conference {shape}", partial(_conferences, shape, asked.pace))


def _rounds(asked: Asked, name: str, take: Callable[[], Taken]) -> Load:
    taken = [take() for _ in range(asked.rounds)]
    wrong = tuple(one for _, told in taken for one in told)
    return Load(name, tuple(results.figures([measures for measures, _ in taken])), wrong)


def _idle() -> Taken:
    cpu, memory = trio.run(loads.idle)
    about = "of a worker that has no call"
    return [
        results.Measure("idle worker's CPU", "ms/s", cpu, about),
        results.Measure("idle worker's memory", "MB", memory, f"{about}, PSS, with what it is forked from"),
    ], []


def _main_job(calls: int, pace: Pace) -> Taken:
    work = trio.run(loads.main_job, calls, pace)
    return list(results.of_work(work)), results.failures(work)


def _conferences(shape: Shape, pace: Pace) -> Taken:
    talk = trio.run(loads.conferences, shape, pace)
    return list(results.of_talk(talk)), results.wrong(talk)
