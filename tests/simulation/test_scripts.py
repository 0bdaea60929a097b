"""The scripts that ship are what people copy from: canonical, without a problem, and wholly tested."""

from pathlib import Path

import pytest

from ringful.grammar.checking.checker import check
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.simulation.cases.reader import read_case
from ringful.simulation.cases.verdicts import find_cases
from ringful.simulation.coverage import Coverage
from ringful.simulation.simulate import run_case

FOLDER = Path(__file__).parents[2] / "scripts"
SCRIPTS = sorted(FOLDER.glob("*.call"))
CASES = find_cases((FOLDER / "cases",))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_canonical_and_has_no_problem(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    script = parse(text, path.name)
    assert check(script) == ()
    assert show(script) == text
    assert text.startswith("# "), "a script begins with what it is for"


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_case_gives_its_trace_and_leaves_nothing_undecided(path: Path) -> None:
    case = read_case(path)
    simulations = [run_case(case) for _ in range(20)]
    assert {simulation.trace for simulation in simulations} == {case.below}
    for run in simulations[0].runs.values():
        assert run.ended
        assert not run.fault
        assert not [leg for leg in run.legs.values() if leg.recordings or leg.playbacks]


def test_the_cases_see_every_statement_and_every_way() -> None:
    coverage = Coverage()
    for path in CASES:
        case = read_case(path)
        coverage.add(case, run_case(case).visited)
    assert {Path(name).name for name in coverage.scripts} == {path.name for path in SCRIPTS}
    assert coverage.total() == 100.0, coverage.report(FOLDER)
