"""The fault sweep: every case again, with something put in after every step of the simulated world.

A step is one thing that happens out there, or one turn of a run; between two of them nothing can
come, so the sweep meets every order that there is.  Whatever is put in, the laws of
`interpreter.invariants` must hold, and the script must not fail.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from attrs import define, evolve, field, frozen

from ringful.simulation.cases.case import Case, Injection
from ringful.simulation.injection import possible
from ringful.simulation.invariants import Broken, broken, broken_farewells
from ringful.simulation.promises import broken_promises
from ringful.simulation.simulate import Simulation


@frozen
class Violation:
    """A law that a case broke with something put in."""

    broken: Broken
    case: Case
    injection: Injection


@define
class Sweep:
    """All runs of a sweep, and what they broke, by law and kind of fault."""

    stride: int = 1
    """Take one of so many things that can be put in."""
    runs: int = 0
    found: dict[tuple[str, str], list[Violation]] = field(factory=dict)

    def sweep(self, case: Case, first: int = 0) -> None:
        """Run *case* once for each thing that can be put in, from the *first* on.

        Raises ScriptError where it cannot run.
        """
        base = Simulation(case)
        fails = has_failed(base)
        for injection in injections(base)[first :: self.stride]:
            self.runs += 1
            for law in broken_laws(case, injection, fails_anyway=fails):
                self.found.setdefault((law.law, injection.what), []).append(Violation(law, case, injection))

    def add(self, other: "Sweep") -> None:
        """Take up what *other* found."""
        self.runs += other.runs
        for key, violations in other.found.items():
            self.found.setdefault(key, []).extend(violations)

    def shortest(self) -> Iterator[tuple[Violation, int]]:
        """Give one violation for each law and kind of fault, and how many there were."""
        for _, violations in sorted(self.found.items()):
            yield min(violations, key=_length), len(violations)


def _length(violation: Violation) -> tuple[int, int, str, str]:
    """Order violations, also where they come from several processes."""
    case, injection = violation.case, violation.injection
    return len(case.above), injection.step, str(injection), str(case.path)


Told = Callable[[int, int, Sweep], None]
"""Is told how many of how many parts are done, and what was found so far."""


def sweep_all(cases: Sequence[Case], tell: Told = lambda *_: None, processors: int = 0) -> Sweep:
    """Sweep *cases*, on so many *processors* (0: on all that this process may use), and *tell* how it goes.

    Few cases are taken apart, so that no processor is idle.
    """
    processors = processors or len(os.sched_getaffinity(0))
    shares = 1 if processors == 1 else max(1, -(-_PARTS * processors // max(1, len(cases))))
    parts = [(case, first, shares) for case in cases for first in range(shares)]
    whole = Sweep()
    if processors == 1 or len(parts) == 1:
        for done, part in enumerate(parts, 1):
            whole.add(_swept(*part))
            tell(done, len(parts), whole)
        return whole
    with ProcessPoolExecutor(processors) as pool:
        waiting = [pool.submit(_swept, *part) for part in parts]
        for done, swept in enumerate(as_completed(waiting), 1):
            whole.add(swept.result())
            tell(done, len(parts), whole)
    return whole


_PARTS = 4
"""So many parts each processor has at least, since some take longer than others."""


def _swept(case: Case, first: int, shares: int) -> Sweep:
    sweep = Sweep(stride=shares)
    sweep.sweep(case, first)
    return sweep


def injections(simulation: Simulation) -> list[Injection]:
    """Run *simulation* to its end, and give all that can be put into it on the way."""
    found: list[Injection] = []
    simulation.begin()
    step = 0
    while simulation.advance(1) == "steps":
        step += 1
        found += possible(simulation, step)
    return found


def broken_laws(case: Case, injection: Injection | None, *, fails_anyway: bool = False) -> list[Broken]:
    """Run *case* with *injection*, and give the laws that it broke."""
    given = [*case.injections, *([injection] if injection else [])]
    simulation = Simulation(evolve(case, injections=given))
    try:
        simulation.go()
    except Exception as error:  # whatever it is, it is ours, and the sweep is there to find it
        return [Broken("ringful itself does not fail", f"{type(error).__name__}: {error}")]
    found = [*broken(simulation.entries), *broken_farewells(simulation.visited)]
    found += broken_promises(case.promises, simulation.entries)
    if any(run.strands for run in simulation.runs.values()):
        found.append(Broken("no strand outlives its run", "something still runs at the end"))
    if simulation.phones.rooms:
        found.append(Broken("no room outlives its conference", simulation.phones.rooms[0].name))
    if has_failed(simulation) and not fails_anyway:
        found.append(Broken("the script does not fail", _fault(simulation)))
    return found


def has_failed(simulation: Simulation) -> bool:
    """Say whether a run failed for its script's fault, in a simulation that need not have run yet."""
    if not simulation.runs:
        simulation = Simulation(simulation.case)
        simulation.go()
    return any(run.fault for run in simulation.runs.values())


def _fault(simulation: Simulation) -> str:
    fault = next(run.fault for run in simulation.runs.values() if run.fault)
    return f"{fault.span}: {fault.message}"
