"""Golden cases: the same bytes on every run, readable differences, and clear complaints."""

from pathlib import Path

import pytest

from ringful.grammar.errors import ScriptError
from ringful.simulation.cases.reader import parse_case, read_case
from ringful.simulation.cases.verdicts import find_cases, show_difference
from ringful.simulation.simulate import run_case

CASES = find_cases((Path(__file__).parents[1] / "golden" / "run",))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_gives_the_same_trace_on_every_run(path: Path) -> None:
    case = read_case(path)
    traces = {run_case(case).trace for _ in range(20)}
    assert len(traces) == 1
    trace = traces.pop()
    assert trace == case.below, show_difference(case, trace)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_simulated_call_ends_and_leaves_nothing_undecided(path: Path) -> None:
    run = run_case(read_case(path)).run
    assert run.ended
    assert not [task for task in run.tasks if task.state in ("waiting", "running")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("script {\nhangup\n}\nphoen x\n---\n", "did you mean `phone`?"),
        ('script {\nhangup\n}\nphone "1" {\n    anser after 1s\n}\n---\n', "did you mean `answer`?"),
        ('script {\nhangup\n}\nphone "1" {\n    answer\n---\n', "no closing"),
        ("script {\nhangup\n}\nparam x = yes\n---\n", "`yes` is no value"),
        ("script {\nhangup\n}\nqueue after 1s: paly\n---\n", "is no statement"),
        ("# nothing\n---\n", "a case needs a script"),
    ],
)
def test_a_case_that_cannot_be_read_says_where(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_case(text, Path("x.golden"))
    assert message in str(caught.value)
    assert "x.golden:" in str(caught.value)
