"""Statements closed over the names of their place."""

from decimal import Decimal

import pytest

from ringful.grammar.reading.parser import parse_statements
from ringful.grammar.showing.printer import show_statement
from ringful.interpreter.closing import closed, rebound
from ringful.interpreter.evaluate import Fault
from ringful.interpreter.values import Duration, Value

NAMES: dict[str, Value] = {
    "app": "http://h",
    "count": -3,
    "price": Decimal("1.50"),
    "long": Duration(90_000),
    "on": True,
    "nobody": None,
    "people": ("ann", "bob"),
    "answer": {"open": True, "name": 'say "ah"'},
    "nothing": "",
}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('play "{app}/a.wav" notify app', 'play "http://h/a.wav" notify "http://h"'),
        ("wait long * 2", "wait 3m"),
        ("let x = [count, price, nobody, nothing]", 'let x = [-3, 1.50, none, ""]'),
        ("say answer.name", 'say "say \\"ah\\""'),
        ("if answer.open and on { say app }", 'if true { say "http://h" }'),
        ("for one in people { say one + app }", 'for one in ["ann", "bob"] { say one + "http://h" }'),
        ('notify app with { who: people[0], got: "{choice}-{count}" }', None),
        ('do greet("x", count + 1)', 'do greet("x", -2)'),
    ],
)
def test_what_the_names_decide_is_written_out(written: str, shown: str | None) -> None:
    (statement,) = parse_statements(written)
    came = show_statement(closed(statement, NAMES))
    assert came == (shown or 'notify "http://h" with { who: "ann", got: "{choice}-{-3}" }')
    assert parse_statements(came) == (closed(statement, NAMES),)


def test_a_whole_map_cannot_be_written() -> None:
    with pytest.raises(Fault, match="a map cannot be queued as a whole"):
        closed(parse_statements("let x = answer")[0], NAMES)


def test_names_that_a_block_binds_itself_are_its_own() -> None:
    block = parse_statements(
        'repeat 1 times { let a = 1; gather b digits 1 { }; wait tone "1" as c for 1s; ask "u" as d for 1s; '
        "record as e; for f in [] { wait 1s } }"
    )[0]
    assert rebound(block.block) == frozenset("abcdef")  # type: ignore[union-attr]
