"""Expressions: pure, exact, and every fault is the script's, with its place."""

from decimal import Decimal

import pytest

from ringful.grammar import nodes
from ringful.grammar.span import Span
from ringful.interpreter.evaluate import Fault, evaluate, tones_of
from ringful.interpreter.values import Duration, Value


def number(value: int | str) -> nodes.Number:
    return nodes.Number(Decimal(value) if isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (nodes.Binary("+", number("0.1"), number("0.2")), Decimal("0.3")),
        (nodes.Binary("/", number(6), number(3)), 2),
        (nodes.Binary("%", nodes.Unary("-", number(1)), number(24)), 23),
        (nodes.Binary("*", nodes.Duration(1500), number(2)), Duration(3000)),
        (nodes.Binary("*", number(2), nodes.Duration(1500)), Duration(3000)),
        (nodes.Binary("*", number("0.5"), nodes.Duration(1500)), Duration(750)),
        (nodes.Binary("==", nodes.text("1"), number(1)), False),
        (nodes.Binary("==", nodes.Boolean(True), number(1)), False),
        (nodes.Binary("in", nodes.text("b"), nodes.List((nodes.text("a"), nodes.text("b")))), True),
        (nodes.Text(("n=", number("2.50"), ".")), "n=2.5."),
        (nodes.Apply("spell", (nodes.text("A1 b"),)), "A 1 b"),
        (nodes.Apply("digits", (nodes.text("+1 (512) 555"),)), "1512555"),
        (nodes.Apply("round", (number("2.5"),)), 3),
        (nodes.Index(nodes.text("abc"), nodes.Unary("-", number(1))), "c"),
    ],
)
def test_an_expression_has_its_value(expression: nodes.Expression, value: Value) -> None:
    assert evaluate(expression, {}) == value


def test_and_does_not_look_at_what_cannot_matter() -> None:
    unbound = nodes.Binary("==", nodes.Name("x"), number(1))
    assert evaluate(nodes.Binary("and", nodes.Boolean(False), unbound), {}) is False


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (nodes.Name("order"), "`order` has no value here"),
        (nodes.Binary("+", nodes.text("1"), number(1)), "cannot take text and a number"),
        (nodes.Binary("/", number(1), number(0)), "nothing can be divided by zero"),
        (nodes.Binary("/", number(1), nodes.Duration(5)), "cannot take a number and a duration"),
        (
            nodes.Binary("*", nodes.Boolean(True), nodes.Duration(5)),
            "cannot take true or false and a duration",
        ),
        (nodes.Binary("*", nodes.Duration(5), nodes.Duration(5)), "cannot take a duration and a duration"),
        (nodes.Unary("not", number(1)), "a condition must be true or false"),
        (nodes.Field(nodes.Map(), "url"), "there is no `.url`"),
        (nodes.Apply("lenght", (nodes.text("x"),)), "no function `lenght`"),
    ],
)
def test_a_fault_says_what_and_where(expression: nodes.Expression, message: str) -> None:
    placed = type(expression)(
        *(getattr(expression, name) for name in type(expression).__match_args__),
        span=Span(3, 6, 3, 9, "a.call"),
    )
    with pytest.raises(Fault, match=message) as caught:
        evaluate(placed, {})
    assert str(caught.value).startswith("a.call:3:6: ")


def test_tones_are_a_comma_list() -> None:
    assert tones_of(nodes.text("1, 2,#,a"), {}) == "12#A"
    with pytest.raises(Fault, match="`12` is no tone"):
        tones_of(nodes.text("12"), {})


def test_a_list_cannot_grow_without_bound_by_holding_itself() -> None:
    doubled = nodes.List((nodes.Name("a"), nodes.Name("a")))
    names: dict[str, Value] = {"a": "x"}
    for _ in range(12):
        names["a"] = evaluate(doubled, names)
    with pytest.raises(Fault, match="too long: at most 10000 values"):
        evaluate(doubled, names)
    long = "x" * 40_000
    with pytest.raises(Fault, match="too long"):
        evaluate(nodes.List((nodes.Name("b"), nodes.Name("b"))), {"b": long})
