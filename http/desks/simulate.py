"""`Simulate`: a script against a described world, in virtual time, where it cannot hold the server.

What runs a simulation is handed in, since it needs the simulated phones; it does so in a process of
its own, whose time and memory are bounded.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import trio
from attrs import define, field, frozen

from ringful.http.problems import Problem
from ringful.http.reading.scripts import Inline
from ringful.interpreter.sources import Source
from ringful.interpreter.values import Value
from ringful.store.port import Key

AT_ONCE = 2
"""Simulations that run at the same time; a key has one of them."""


@frozen
class Order:
    """What shall be simulated: *case* describes the world, *source* runs, with *params*."""

    case: str
    source: Source
    params: Mapping[str, Value]


@frozen
class Simulated:
    """What came of it."""

    trace: str
    lines: Sequence[Mapping[str, Any]] = ()
    callbacks: Sequence[Mapping[str, Any]] = ()
    outcome: str | None = None
    """None: it has not ended."""
    stopped: str | None = None
    """Why it was ended before its end."""
    refusal: str | None = None
    """Why it was not run at all: *trace* says what is wrong with the case, and *lines* where."""


@define
class Simulator:
    """Simulations, not too many at once; *perform* runs one and raises TimeoutError or MemoryError."""

    perform: Callable[[Order], Awaitable[Simulated]]
    _places: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(AT_ONCE))
    _turns: dict[str, trio.Lock] = field(factory=dict)

    async def run(self, key: Key, order: Order) -> Simulated:
        """Run a simulation when it is this key's turn.  Raises Problem."""
        async with self._turns.setdefault(key.key, trio.Lock()), self._places:
            try:
                found = await self.perform(order)
            except (TimeoutError, MemoryError) as error:
                raise Problem(422, "simulation.limit", f"the simulation was ended: {error}") from error
        if found.refusal is not None:
            extra = {"problems": found.lines}
            raise Problem(422, "case.invalid", found.refusal, extra=extra, text=found.trace)
        return found


def inline_of(case: str) -> Inline | None:
    """Find the script that stands in *case* itself, between ``script {`` and ``}``."""
    lines = iter(case.split("\n"))
    if not any(line.split() == ["script", "{"] for line in lines):
        return None
    inner = []
    for line in lines:
        if line.rstrip() == "}":
            break
        inner.append(line.removeprefix("    ") + "\n")
    return Inline("".join(inner))


def simulated(found: Simulated) -> tuple[str, dict[str, Any]]:
    """Give the answer, as text and as members."""
    text = found.trace + (f"stopped: {found.stopped}\n" if found.stopped else "")
    return text, {
        "trace": found.lines,
        "callbacks": found.callbacks,
        "outcome": found.outcome,
        "stopped": found.stopped,
    }
