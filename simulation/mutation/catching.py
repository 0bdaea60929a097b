"""What case would notice a mistake that none notices: looked for, and where none is found, described.

A case is tried with one thing put in, as by the sweep, and with phones that do less: where the script
and the one with the mistake give other traces, that is a case.
"""

from collections.abc import Iterator

from attrs import Factory, define, evolve

from ringful.grammar import nodes
from ringful.grammar.showing.expressions import show_duration
from ringful.interpreter.sources import Source
from ringful.simulation.cases.case import Case, Injection
from ringful.simulation.cases.writer import show_step
from ringful.simulation.injection import possible
from ringful.simulation.mutation.mutants import Mutant
from ringful.simulation.mutation.tracing import trace_without_places, with_script
from ringful.simulation.simulate import Simulation

MOST_RUNS = 300
"""So many runs a mistake is looked for."""
MOST_OF_ALL = 6000
"""So many runs all of them are; behind that, nothing is looked for any more."""
_CASES = 3
"""So many cases are tried for one mistake."""
_KINDS = ("press", "hang up", "busy", "silent")
"""What a phone can do is tried first."""


@define
class Catcher:
    """Looks for cases; what the script itself does in them is kept."""

    runs: int = 0
    _tried: dict[int, list[tuple[Case, str, str | None]]] = Factory(dict)

    def caught_by(self, users: list[Simulation], source: Source, mutant: Mutant) -> str:
        """Say what case would notice *mutant*, a mistake in *source*, which *users* run."""
        spent = 0
        for user in users[:_CASES]:
            for case, said, trace in self._candidates(user):
                if spent >= MOST_RUNS or self.runs >= MOST_OF_ALL:
                    return described(mutant)
                spent += 1
                self.runs += 1
                if trace_without_places(with_script(case, source, mutant.script)) != trace:
                    return f"{user.case.path.name} would, {said}"
        return described(mutant)

    def _candidates(self, user: Simulation) -> list[tuple[Case, str, str | None]]:
        """Give cases that are nearly *user*'s, with what is other in each, and its trace."""
        if id(user) not in self._tried:
            found = []
            for case, said in _nearly(user.case):
                found.append((case, said, trace_without_places(case)))
                self.runs += 1
                if len(found) >= MOST_RUNS:
                    break
            self._tried[id(user)] = found
        return self._tried[id(user)]


def _nearly(case: Case) -> Iterator[tuple[Case, str]]:
    for place, phone in enumerate(case.phones):
        for kept in range(len(phone.steps) - 1, 0, -1):
            less = evolve(phone, steps=phone.steps[:kept])
            phones = [*case.phones[:place], less, *case.phones[place + 1 :]]
            last = show_step(phone.steps[kept - 1])
            said = f"if the phone of {phone.number} did nothing more after `{last}`"
            yield evolve(case, phones=phones), said
    yield from _other_texts(case)
    timed = _timed(case)
    known = [one for kind in _KINDS for one in timed if one.what == kind]
    others = [one for one in timed if one.what not in _KINDS]
    # A stretch of steps is much alike: of many, some do.
    for some in (known, others):
        for injection in some[:: max(1, len(some) * 2 // MOST_RUNS)]:
            yield evolve(case, injections=[*case.injections, injection]), f"with `{injection}`"


def _timed(case: Case) -> list[Injection]:
    """Give what can be put into *case* between two moments at which something happens.

    A step is another moment where a script is another; a time is the same.
    """
    simulation = Simulation(case)
    simulation.begin()
    found: list[Injection] = []
    step, before = 0, 0.0
    last: list[Injection] = []
    while simulation.advance(1) == "steps":
        step += 1
        now = simulation.agenda.elapsed
        if now - before >= _LEAST:
            middle = round((before + now) / 2, 3)
            found += (evolve(one, step=0, at=middle) for one in last)
        before = now
        last = list(possible(simulation, step))
    return found


_LEAST = 0.01
"""Seconds between two moments, where something comes between them."""


def _other_texts(case: Case) -> Iterator[tuple[Case, str]]:
    for place, phone in enumerate(case.phones):
        if phone.texting.texts:
            texts = tuple(evolve(text, text=_OTHER_TEXT) for text in phone.texting.texts)
            other = evolve(phone, texting=evolve(phone.texting, texts=texts))
            said = f'if the phone of {phone.number} texted "{_OTHER_TEXT}"'
            yield evolve(case, phones=[*case.phones[:place], other, *case.phones[place + 1 :]]), said


_OTHER_TEXT = "Is anybody there?"


def described(mutant: Mutant) -> str:
    """Say what a case that notices *mutant* would be about."""
    match mutant.old, mutant.new:
        case nodes.Duration(one), nodes.Duration(other):
            least, most = show_duration(min(one, other)), show_duration(max(one, other))
            return f"a case in which this takes between {least} and {most} would"
        case nodes.Number(), nodes.Number():
            return "a case that comes to exactly this number would"
        case nodes.Block(), nodes.Block():
            return "a case in which what this waits for comes before the next line is done would"
        case nodes.If(), nodes.If():
            return "two cases would, one for each way of this condition"
        case nodes.Line(), None:
            return "a case whose trace has what this line does would"
        case _:
            return "a case in whose trace this makes a difference would"
