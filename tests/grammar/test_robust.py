"""No text takes more than linear work, or nests without bound, in the parser, checker, printer and bounds.

Work is counted, in calls of functions, and not timed: the same text is always the same work.
"""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest

from ringful.grammar.bounds.bound import longest
from ringful.grammar.bounds.explain import explain
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.grammar.walk import MAX_DEPTH
from tests.laws import hold

HEAD = 'call "123"\n'

# What is repeated; {n} is the number of the turn and {next} the one after it.
LINES = {
    "texts": 'say "Hello {n} \\{x}" until "1,2"\n',
    "names": "let a{n} = a{n} + 1\n",
    "names of names": "let a{next} = a{n}\n",
    "branches": 'if caller == "{n}" { let x{n} = 1 } else { let y = 2 }\n',
    "menus": 'menu { "1" { say "a" } "2" { hangup } timeout { let a{n} = 1 } }\n',
    "flows in a chain": "flow f{n}(a) { do f{next}(a) }\n",
    "flows that double": 'flow f{n}(a) { do f{next}(a); do f{next}(a); notify "http://h" with { a: a } }\n',
    "flows in a circle": "flow f{next}() { do f{n}() }\n",
    "recordings on some ways": 'if caller == "1" { start record as r{n} }\n',
    "handlers": 'on tone "1" { stop record; start record }\n',
    "legs that wait for each other": 'call "2" as l{n} { connect l{next} for 1s }\n',
    "loops": 'repeat 2 times { if caller == "1" { break }; wait 1s }\n',
    "secrets": 'gather p{n} secret digits 4\nask "http://h" with { p: p{n} } as a for 5s\n',
    "comments": "# a {n}\nwait 1s  # b\n",
    "wrong values": 'wait "{n}"\n',
    "unknown names": "let name_{n} = 1\nsay nmae_{n}\n",
    "unknown flows": "flow name_{n}() { }\ndo nmae_{n}()\n",
    "nested blocks": "start { " * MAX_DEPTH + "wait 1s" + " }" * MAX_DEPTH + "\n",
    "nested parentheses": "let x = " + "(" * 50 + "1" + ")" * 50 + "\n",
}

# What stands on one line, or in one statement.
WHOLE = {
    "a wide menu": ("menu {\n", '"1" { let b{n} = 1 }\n', "}\n"),
    "a wide list": ("let x = [", "a{n}, ", "]\n"),
    "a wide map": ('notify "http://h" with { ', "k{n}: {n}, ", "}\n"),
    "a wide text": ('say "', "{x{n}} ", '"\n'),
    "a long text": ('say "', "a", '"\n'),
    "a long name": ("say ", "a", "\n"),
    "a long sum": ("let x = 1", " + 1", "\n"),
    "a long chain of ifs": ('if caller == "" { }', ' else if caller == "{n}" { }', "\n"),
    "many params": ("", "param p{n} = p{n}\n", ""),
    "many uses": ("", 'use "f{n}"\n', ""),
    "many slips": ("", "paly {n}\n", ""),
}

SHAPES = {
    **{name: (HEAD + "do f0()\n" if "flow" in name else HEAD, line, "") for name, line in LINES.items()},
    **WHOLE,
}


def text_of(shape: str, size: int) -> str:
    """Make a text of about *size* characters."""
    before, turn, after = SHAPES[shape]
    turns: list[str] = []
    length = 0
    while length < size:
        turns.append(turn.replace("{n}", str(len(turns))).replace("{next}", str(len(turns) + 1)))
        length += len(turns[-1])
    return before + "".join(turns) + after


def work(done: Callable[[], Any]) -> int:
    """Count the functions that are called when something is *done*."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        done()
    finally:
        sys.setprofile(before)
    return calls


def all_of(text: str) -> None:
    """Do all that is done with a text."""
    try:
        script = parse(text)
    except ScriptError as error:
        str(error)
        return
    show(script)
    check(script)
    explain(longest(script))


@pytest.mark.parametrize("shape", SHAPES)
def test_work_is_linear(shape: str) -> None:
    parse("wait 1s\n")
    # Near spellings are looked for at so many places and among so many words, and no more.
    size = 6000 if shape.startswith("unknown") else 1500
    small, large = (work(partial(all_of, text_of(shape, length))) for length in (size, 4 * size))
    # What is quadratic takes sixteen times the work.
    assert large < 4.6 * small + 20_000


NESTED = {
    "parentheses": ("let x = ", "(", "1", ")", ""),
    "lists": ("let x = ", "[", "1", "]", ""),
    "maps": ("let x = ", "{ a: ", "1", " }", ""),
    "calls of functions": ("let x = ", "upper(", '"a"', ")", ""),
    "indices": ("let x = ", "a[", "0", "]", ""),
    "fields": ("let x = a", ".b", "", "", ""),
    "items of items": ("let x = a", "[0]", "", "", ""),
    "texts in texts": ("let x = ", '"{', "1", '}"', ""),
    "negations": ("let x = ", "not ", "a", "", ""),
    "signs": ("let x = ", "-", "1", "", ""),
    "sums": ("let x = 1", " + 1", "", "", ""),
    "products": ("let x = 1", " * 1", "", "", ""),
    "alternatives": ("let x = a", " or a", "", "", ""),
    "conditions": ("let x = a", " and a", "", "", ""),
    "blocks": ("", "start {\n", "wait 1s\n", "}\n", ""),
    "ifs": ("", "if a == 1 {\n", "wait 1s\n", "}\n", ""),
    "elses": ("", "if a == 1 { } else {\n", "wait 1s\n", "}\n", ""),
    "else ifs": ("if a == 1 { }", " else if a == 1 { }", "", "", ""),
    "loops": ("", "repeat 2 times {\n", "wait 1s\n", "}\n", ""),
    "lists gone through": ("", "for a in [1] {\n", "wait 1s\n", "}\n", ""),
    "legs": ("", 'call "1" {\n', "wait 1s\n", "}\n", ""),
    "menus": ("", 'menu { "1" {\n', "wait 1s\n", "} }\n", ""),
    "prompts": ("", "gather x digits 1 {\n", "wait 1s\n", "}\n", ""),
    "answers": ("", 'ask "http://h" as x for 1s else {\n', "wait 1s\n", "}\n", ""),
    "flows": ("", "flow f() {\n", "wait 1s\n", "}\n", ""),
    "conferences": ("", 'in "c" {\n', "wait 1s\n", "}\n", ""),
    "farewells": ("", "on hangup {\n", "wait 1s\n", "}\n", ""),
}


# The last is deeper than Python's own stack.
@pytest.mark.parametrize("depth", [10, MAX_DEPTH - 4, MAX_DEPTH + 4, 1100])
@pytest.mark.parametrize("shape", NESTED)
def test_nesting_is_bounded_in_every_construct(shape: str, depth: int) -> None:
    before, opening, middle, closing, after = NESTED[shape]
    for closed in (True, False):
        text = before + opening * depth + middle + closing * depth * closed + after + "\n"
        script = hold(text)
        if closed and depth < MAX_DEPTH / 2:
            assert script is not None
        if depth > 2 * MAX_DEPTH and shape != "parentheses":
            assert script is None
