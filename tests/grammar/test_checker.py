"""The checker says everything that is wrong with a script, and nothing else of it."""

import pytest
from hypothesis import HealthCheck, given, settings

from ringful.grammar import nodes
from ringful.grammar.checking.checker import check, check_statement, check_statements
from ringful.grammar.checking.kinds_of_names import RECORDING
from ringful.grammar.errors import MAX_PROBLEMS, Problem, render
from ringful.grammar.functions import FUNCTIONS
from ringful.grammar.reading.parser import parse, parse_statements
from ringful.interpreter import evaluate, hearing
from ringful.interpreter.leg import Recorded
from tests import trees
from tests.conftest import GoldenCase

fuzzing = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def codes(text: str, uses: dict[str, str] | None = None) -> list[str]:
    """Give the codes of the problems of *text*."""
    scripts = {path: parse(one) for path, one in (uses or {}).items()}
    return [problem.code for problem in check(parse(text), scripts)]


@pytest.mark.golden("check/*.golden")
def test_check(case: GoldenCase) -> None:
    uses = {name: parse(text) for name, text in case.sections.items() if name.endswith(".call")}
    script = parse(case["script"])
    shown = [render(problem, case["script"]) for problem in check(script, uses)]
    case.expect("problems", "\n".join(shown) or "none")


def test_a_shared_script_is_known_by_its_path() -> None:
    text = 'use "lib.call"\ncall "123"\ndo greet("Ann")\n'
    lib = "flow greet(name) { say name }\n"
    assert codes(text, {"lib.call": lib}) == []
    assert codes(text) == ["unknown-script", "unknown-flow"]
    assert codes(text, {"lib.call": 'use "deep.call"\n', "deep.call": lib}) == []


def test_a_flow_of_a_shared_script_needs_what_it_needs() -> None:
    lib = {"lib.call": 'flow greet() { say "x" }\nflow bye() { hangup }\n'}
    assert codes('use "lib.call"\ndo greet()\n', lib) == ["no-leg"]
    assert codes('use "lib.call"\ncall "123"\ndo bye()\nsay "x"\n', lib) == ["unreachable"]


def statement_codes(text: str, *names: str, subject: str = "leg") -> list[str]:
    """Give the codes of the problems of one statement."""
    (statement,) = parse_statements(text)
    return [problem.code for problem in check_statement(statement, names, subject)]  # type: ignore[arg-type]


def test_a_statement_that_joins_a_call() -> None:
    assert statement_codes('play "{base}/x.wav"', "base") == []
    assert statement_codes('play "{base}/x.wav"') == ["unbound"]
    assert statement_codes("stop record") == []
    assert statement_codes("hangup") == []
    assert statement_codes('wait tone "12" for 5s') == ["tone"]
    assert statement_codes("answer") == ["no-leg"]
    assert statement_codes("answer", subject="inbound") == []
    assert statement_codes('play "x"', subject="conference") == []
    assert statement_codes("gather x digits 1", subject="conference") == ["in-conference"]
    assert statement_codes('say "x"', subject="nothing") == ["no-leg"]
    assert statement_codes("do greet()") == ["unknown-flow"]


def test_statements_that_join_a_call_may_bring_their_flows() -> None:
    statements = parse_statements('do greet()\nflow greet() { say "x" }\n')
    assert check_statements(statements, ()) == ()


def test_no_more_problems_than_can_be_read_are_told() -> None:
    assert codes(HEAD + "stop record\n" * 300) == ["not-running"] * MAX_PROBLEMS
    assert (
        codes(HEAD + "say x1\nsay 5s\n" + 'wait tone "1"\n' * 300).count("unbounded-wait") == MAX_PROBLEMS - 2
    )


def test_of_many_recordings_at_a_time_nothing_is_told() -> None:
    choices = "".join(f'    "{tone}" {{ start record as r{tone} }}\n' for tone in "0123456789")
    assert codes(f"{HEAD}menu {{\n{choices}}}\nstop record\nhangup\n") == []
    assert codes(f"{HEAD}menu {{\n{choices}}}\nhangup\n") == ["never-stopped"]


HEAD = 'call "123"\n'


def test_the_parts_of_a_recording_are_those_of_the_interpreter() -> None:
    held = hearing._result("http://h/a.wav", Recorded("a.wav", 1000, 100, "tone"))
    assert isinstance(held, dict)
    assert tuple(held) == RECORDING


def test_the_functions_are_those_of_the_interpreter() -> None:
    assert {name: arity for name, (_, arity) in evaluate.FUNCTIONS.items()} == FUNCTIONS


@fuzzing
@given(trees.scripts)
def test_any_tree_is_checked_without_an_exception(script: nodes.Script) -> None:
    problems = check(script)
    assert all(isinstance(problem, Problem) and problem.code for problem in problems)
    assert list(problems) == sorted(problems, key=lambda problem: (problem.span, problem.code))


@fuzzing
@given(trees.statements)
def test_any_statement_is_checked_without_an_exception(statement: nodes.Statement) -> None:
    check_statement(statement, ("a", "order"))


def test_a_tree_too_deep_is_told_and_not_followed() -> None:
    expression: nodes.Expression = nodes.Nothing()
    for _ in range(100_000):
        expression = nodes.Unary("not", expression)
    statement = nodes.Let("x", expression)
    assert [problem.code for problem in check(nodes.Script(nodes.Block((statement,))))] == ["too-deep"]
    assert [problem.code for problem in check_statement(statement, ())] == ["too-deep"]


LINES = 3000


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"flow f{n}() {{ do f{n + 1}() }}\n" for n in range(LINES)),
        "".join(f"flow f{n}() {{ do f{max(0, n - 1)}() }}\n" for n in range(LINES)),
        "".join(f"let a{n} = {n}\n" for n in range(LINES)),
        "".join(f"say u{n}\n" for n in range(LINES)),
        "param a0 secret\n" + "".join(f"let a{n + 1} = a{n}\n" for n in range(LINES)),
        "menu {\n" + "".join(f'"1" {{ let b{n} = 1 }}\n' for n in range(LINES)) + "}\n",
        "repeat 2 times {\n" * 60 + "start record\nstop record\n" * LINES + "}\n" * 60,
    ],
    ids=["chain", "circle", "lets", "unbound", "secrets", "menu", "loops"],
)
def test_long_scripts_are_checked_in_linear_time(text: str) -> None:
    # Were it quadratic, these would take minutes, and the run's own limit would end them.
    assert len(check(parse(text))) <= MAX_PROBLEMS
