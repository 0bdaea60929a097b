"""Mutation: change a script in one place, and see whether any of its cases notices."""

import difflib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import define, field, frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.showing.printer import show
from ringful.grammar.span import Span
from ringful.interpreter.sources import Source
from ringful.simulation.mutation.catching import Catcher
from ringful.simulation.mutation.mutants import Mutant, mutants
from ringful.simulation.mutation.tracing import trace_without_places, with_script, without_places
from ringful.simulation.simulate import Simulation


@frozen
class Survivor:
    """A mutant that no case noticed; *is_reached*: some case comes to its line."""

    path: Path
    source: Source
    mutant: Mutant
    is_reached: bool
    caught_by: str = ""
    """What case would notice it."""


@define
class Mutation:
    """All mutants of the scripts of some cases, and which of them survived."""

    count: int = 0
    survivors: list[Survivor] = field(factory=list)
    scripts: int = 0

    @property
    def score(self) -> float:
        """The percentage of mutants that a case noticed."""
        return 100.0 * (self.count - len(self.survivors)) / self.count if self.count else 100.0

    def mutate(self, tried: Sequence[Simulation]) -> None:
        """Run the cases that were *tried* over every mutant of their scripts."""
        catcher = Catcher()
        for path, source, users in _scripts(tried):
            self.scripts += 1
            for mutant in mutants(source.script, users[0].case.source.used_scripts):
                self.count += 1
                near = [one for one in users if _reaches(one, source, mutant.place)]
                if not any(_notices(one, source, mutant.script) for one in near):
                    caught_by = catcher.caught_by(near or users, source, mutant)
                    self.survivors.append(Survivor(path, source, mutant, bool(near), caught_by))


def _scripts(tried: Sequence[Simulation]) -> Iterator[tuple[Path, Source, list[Simulation]]]:
    """Give each script, those that are used among them, with the runs that it is a part of."""
    found: dict[tuple[Path, str], tuple[Source, list[Simulation]]] = {}
    for one in tried:
        for source in (one.case.source, *one.case.source.uses.values()):
            key = (source.path or one.case.path).resolve(), source.text
            found.setdefault(key, (source, []))[1].append(one)
    for (_, _), (source, users) in found.items():
        yield source.path or users[0].case.path, source, users


def _reaches(tried: Simulation, source: Source, place: Span) -> bool:
    """Say whether the run came to *place*; a param, a header and a choice are a part of every run."""
    statements = {one.span for one in within(source.script.body)}
    return place not in statements or place in {statement.span for statement, _ in tried.visited}


def _notices(tried: Simulation, source: Source, script: nodes.Script) -> bool:
    """Say whether the case's trace is another with *script* in the place of *source*'s."""
    trace = trace_without_places(with_script(tried.case, source, script))
    return trace != without_places(tried.trace)


def report(mutation: Mutation) -> str:
    """Show the survivors, each as what changed in its script, and the score."""
    shown = []
    for one in sorted(mutation.survivors, key=lambda one: (one.path, one.mutant.place)):
        why = "no case notices" if one.is_reached else "no case comes here"
        shown.append(f"{os.path.relpath(one.path)}:{one.mutant.place.line}: {why}")
        shown += [f"    {line}" for line in _changed_lines(one.source.script, one.mutant.script)]
        shown.append(f"    = {one.caught_by}")
    noticed = mutation.count - len(mutation.survivors)
    shown.append(
        f"mutate: {mutation.count} mutants of {mutation.scripts} scripts, {noticed} noticed: "
        f"{mutation.score:.1f} %"
    )
    return "\n".join([*shown, ""])


def _changed_lines(old: nodes.Script, new: nodes.Script) -> list[str]:
    before, after = show(old).splitlines(), show(new).splitlines()
    return [line for line in difflib.ndiff(before, after) if line.startswith(("- ", "+ "))]
