"""What the cases of a script have seen of it: its statements, and the ways on from them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import define, field

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.branches import branches_of
from ringful.grammar.span import Span
from ringful.interpreter.sources import Source
from ringful.simulation.cases.case import Case
from ringful.simulation.simulate import Simulation

Visit = tuple[nodes.Statement, str]


@define
class ScriptCoverage:
    """One script: which of its statements (as the way ``""``) and ways were seen."""

    name: str
    text: str
    ways: dict[Span, tuple[str, ...]]
    seen: set[tuple[Span, str]] = field(factory=set)

    @property
    def statements(self) -> tuple[int, int]:
        """How many statements were seen, and how many there are."""
        return sum((span, "") in self.seen for span in self.ways), len(self.ways)

    @property
    def branches(self) -> tuple[int, int]:
        """How many ways were seen, and how many there are."""
        there = [(span, way) for span, ways in self.ways.items() for way in ways]
        return sum(one in self.seen for one in there), len(there)

    def missing(self) -> Iterator[tuple[int, str]]:
        """Give each line that lacks something, and what it lacks."""
        for span, ways in self.ways.items():
            if (span, "") not in self.seen:
                yield span.line, "no case comes here"
            elif lacking := [way for way in ways if (span, way) not in self.seen]:
                yield span.line, f"no case takes the way: {', '.join(lacking)}"


@define
class Coverage:
    """All scripts that were run."""

    scripts: dict[str, ScriptCoverage] = field(factory=dict)

    def add(self, case: Case, visited: Iterable[Visit]) -> None:
        """Note what a run of *case* has *visited*."""
        for source, blocks in _parts(case.source):
            name = str((source.path or case.path).resolve())
            known = self.scripts.setdefault(name, ScriptCoverage(name, source.text, _ways(blocks)))
            # Spans carry their script's name: those of another script are no keys here.
            known.seen |= {(one.span, way) for one, way in visited if one.span in known.ways}

    def total(self) -> float:
        """Give the percentage of statements and ways, of all scripts together, that were seen."""
        counts = [count for one in self.scripts.values() for count in (one.statements, one.branches)]
        there = sum(count for _, count in counts)
        return 100.0 * sum(seen for seen, _ in counts) / there if there else 100.0

    def report(self, folder: Path) -> str:
        """Show the counts of each script, named as from *folder*, and the lines that lack something."""
        shown = []
        for name in sorted(self.scripts):
            one = self.scripts[name]
            (seen, there), (taken, ways) = one.statements, one.branches
            shown.append(f"{_within(name, folder)}: {seen} of {there} statements, {taken} of {ways} ways on")
            lines = one.text.split("\n")
            missing = list(one.missing())
            width = len(str(max((line for line, _ in missing), default=0)))
            shown += [f"    {line:{width}} | {lines[line - 1].strip()}  <- {what}" for line, what in missing]
        return "\n".join([*shown, f"coverage: {self.total():.1f} %", ""])


def coverage_of(simulations: Iterable[Simulation]) -> Coverage:
    """Give what *simulations*, which ran, have seen together."""
    found = Coverage()
    for one in simulations:
        found.add(one.case, one.visited)
    return found


def _parts(source: Source) -> Iterator[tuple[Source, tuple[nodes.Block, ...]]]:
    """Give each script with the blocks of it that can run: of one that is used, only its flows."""
    yield source, (source.script.body,)
    for used in source.uses.values():
        flows = [one for one in used.script.body.statements if isinstance(one, nodes.Flow)]
        yield used, tuple(flow.block for flow in flows)


def _ways(blocks: tuple[nodes.Block, ...]) -> dict[Span, tuple[str, ...]]:
    return {
        statement.span: branches_of(statement)
        for block in blocks
        for statement in within(block)
        if not isinstance(statement, nodes.Flow)
    }


def _within(name: str, folder: Path) -> str:
    try:
        return str(Path(name).resolve().relative_to(folder.resolve()))
    except ValueError:
        return name
