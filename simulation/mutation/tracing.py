"""Traces as mutation compares them: nobody on the phone hears where in a script a line stands."""

import re

from attrs import evolve

from ringful.grammar import nodes
from ringful.interpreter.sources import Source
from ringful.simulation.cases.case import Case
from ringful.simulation.simulate import Simulation

_PLACE = re.compile(r"  @\S+$", re.MULTILINE)


def without_places(trace: str) -> str:
    """Give *trace* without the script's lines."""
    return _PLACE.sub("", trace)


def trace_without_places(case: Case) -> str | None:
    """Run *case*, and give its trace without places; None where it cannot run."""
    simulation = Simulation(case)
    try:
        simulation.go()
    except Exception:  # what cannot run is another trace
        return None
    return without_places(simulation.trace)


def with_script(case: Case, source: Source, script: nodes.Script) -> Case:
    """Give *case* with *script* in the place of *source*'s."""
    own = case.source
    if own.text == source.text and own.name == source.name:
        return evolve(case, source=evolve(own, script=script))
    uses = {
        path: evolve(used, script=script) if used.text == source.text else used
        for path, used in own.uses.items()
    }
    return evolve(case, source=evolve(own, uses=uses))
