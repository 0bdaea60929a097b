"""What holds of every text, whatever is in it: for the fuzz tests of the suite and for the fuzzer."""

from ringful.grammar import nodes
from ringful.grammar.bounds.bound import Limits, longest
from ringful.grammar.bounds.explain import explain
from ringful.grammar.checking.checker import check, check_statements
from ringful.grammar.errors import MAX_PROBLEMS, Problem, ScriptError, render
from ringful.grammar.reading.expected import expected
from ringful.grammar.reading.parser import parse
from ringful.grammar.reading.tokens import pieces
from ringful.grammar.showing.printer import show


def hold(text: str) -> nodes.Script | None:
    """See that *text* gives a tree that obeys every law, or located problems; give the tree."""
    _taken_apart(text)
    try:
        script = parse(text, "fuzz.call")
    except ScriptError as error:
        refused = error
    else:
        _accepted(script, text)
        return script
    assert refused.problems
    assert str(refused)
    for problem in refused.problems:
        _told(problem, text)
    return None


def _taken_apart(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text
    expected(text)


def _accepted(script: nodes.Script, text: str) -> None:
    shown = show(script)
    assert parse(shown) == script
    assert show(parse(shown)) == shown
    problems = check(script)
    assert len(problems) <= MAX_PROBLEMS
    for problem in problems:
        _told(problem, text)
    check_statements(script.body.statements, ("order",), secrets=("order",))
    bound = longest(script)
    assert all(0 <= leg.talking <= Limits().maximum for leg in bound.legs)
    assert explain(bound)


def _told(problem: Problem, text: str) -> None:
    lines = text.split("\n")
    span = problem.span
    assert problem.message
    assert problem.code
    assert span.path == "fuzz.call"
    assert 1 <= span.line <= len(lines), problem
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1, problem
    assert (span.line, span.column) <= (span.end_line, span.end_column), problem
    assert render(problem, text).count("\n") >= 2
