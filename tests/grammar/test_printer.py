"""What is shown parses to the same tree, and showing twice changes nothing."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.parser import parse, parse_statements
from ringful.grammar.showing.printer import show, show_expression, show_statement
from ringful.grammar.walk import MAX_DEPTH, walk
from tests import trees
from tests.conftest import GoldenCase

laws = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def comments(script: nodes.Script) -> Iterator[str]:
    """Give every comment in *script*."""
    for node in walk(script):
        if isinstance(node, nodes.Line):
            yield from (one for one in (*node.comments, node.trailing) if one is not None)
        elif isinstance(node, nodes.Block):
            yield from (one for one in node.closing if one is not None)


@laws
@given(trees.scripts)
def test_a_shown_tree_parses_to_itself(script: nodes.Script) -> None:
    text = show(script)
    again = parse(text)
    assert again == script
    assert show(again) == text


@laws
@given(trees.scripts)
def test_no_comment_is_lost(script: nodes.Script) -> None:
    assert sorted(comments(parse(show(script)))) == sorted(comments(script))


@laws
@given(trees.statements)
def test_a_shown_statement_parses_to_itself(statement: nodes.Statement) -> None:
    assert parse_statements(show_statement(statement)) == (statement,)


@laws
@given(trees.expressions)
def test_a_shown_expression_parses_to_itself(expression: nodes.Expression) -> None:
    (let,) = parse_statements(f"let x = {show_expression(expression)}")
    assert isinstance(let, nodes.Let)
    assert let.value == expression


@pytest.mark.golden("show/*.golden")
def test_show(case: GoldenCase) -> None:
    script = parse(case["script"])
    text = show(script)
    case.expect("shown", text)
    assert parse(text) == script
    assert show(parse(text)) == text
    assert sorted(comments(parse(text))) == sorted(comments(script))


def test_a_tree_that_no_text_could_make_is_refused() -> None:
    block = nodes.Block()
    for _ in range(MAX_DEPTH + 2):
        block = nodes.Block((nodes.Start(block),))
    with pytest.raises(ScriptError, match="more than 64 deep"):
        show(nodes.Script(block))
