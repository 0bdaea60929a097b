"""Texts become trees, or problems at the right place; no text does anything else."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lark import Lark, Token

from ringful.grammar import nodes
from ringful.grammar.errors import Problem, ScriptError, render
from ringful.grammar.reading import words
from ringful.grammar.reading.builder import Builder
from ringful.grammar.reading.layout import Layout
from ringful.grammar.reading.parser import MAX_SIZE, lark, parse, parse_statements
from ringful.grammar.showing.printer import show
from ringful.grammar.span import Span
from ringful.grammar.vocabulary import KEYWORDS, RESERVED, VERBS
from ringful.grammar.walk import MAX_DEPTH, walk
from tests import trees
from tests.conftest import GoldenCase
from tests.laws import hold

fuzzing = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def outline(node: nodes.Node, indent: str = "") -> Iterator[str]:
    """Show a tree with a line for each statement: what it is, where, and its plain fields."""
    if isinstance(node, nodes.Line):
        end = f"{node.span.end_line}:{node.span.end_column}"
        yield f"{indent}{node.span}-{end} {type(node).__name__}"
        indent += "  "
        for field in node.__attrs_attrs__:  # type: ignore[attr-defined]
            value = getattr(node, field.name)
            if field.name in ("span", "spaced") or value in (None, False, ()):
                continue
            if not isinstance(value, nodes.Block) and not _lines(value):
                yield f"{indent}{field.name} {value!r}"
    for child in _below(node):
        yield from outline(child, indent)


def _lines(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, nodes.Line) for item in value)


def _below(node: nodes.Node) -> list[nodes.Node]:
    if isinstance(node, nodes.Script):
        return [*node.params, *node.uses, *([node.header] if node.header else []), node.body]
    found: list[nodes.Node] = []
    for field in node.__attrs_attrs__:  # type: ignore[attr-defined]
        value = getattr(node, field.name)
        items = value if isinstance(value, tuple) else (value,)
        found += [item for item in items if isinstance(item, nodes.Line | nodes.Block)]
    return sorted(found, key=lambda item: item.span)


def problems(text: str) -> tuple[Problem, ...]:
    """Give what is wrong with *text*."""
    with pytest.raises(ScriptError) as caught:
        parse(text)
    return caught.value.problems


@pytest.mark.golden("parse/*.golden")
def test_parse(case: GoldenCase) -> None:
    try:
        script = parse(case["script"])
    except ScriptError as error:
        case.expect("problems", str(error))
    else:
        case.expect("tree", "\n".join(outline(script)))


def test_no_two_terminals_match_the_same_text() -> None:
    Lark.open_from_package(
        "ringful.grammar.reading",
        "call.lark",
        parser="lalr",
        start="script",
        strict=True,
        keep_all_tokens=True,
        maybe_placeholders=False,
        postlex=Layout(),
    )


def test_the_vocabulary_is_that_of_the_grammar() -> None:
    assert {one.pattern.value for one in lark().terminals if one.pattern.value.isalpha()} == KEYWORDS
    assert RESERVED <= KEYWORDS
    assert VERBS <= KEYWORDS


def test_every_rule_has_its_method() -> None:
    # A rule that stands for its one child builds nothing.
    rules = {
        rule.alias or rule.origin.name for rule in lark().rules if rule.alias or not rule.options.expand1
    }
    built = {str(name) for name in rules if not str(name).startswith("_")}
    methods = {name for name in dir(Builder) if not name.startswith("_")}
    assert built == methods


@pytest.mark.parametrize("word", sorted(KEYWORDS - RESERVED))
def test_words_of_the_language_may_be_names(word: str) -> None:
    script = parse(f"param {word}\nlet {word} = {word} + 1\nrecord as {word}\nplay {word} until {word}\n")
    assert script.params[0].name == word
    assert show(parse(show(script))) == show(script)


@pytest.mark.parametrize("word", sorted(RESERVED))
@pytest.mark.parametrize("line", ["param {}", "let {} = 1", "record as {}", "do {}()", "hangup {}"])
def test_reserved_words_may_not(word: str, line: str) -> None:
    (problem,) = problems(line.format(word))
    assert problem.message == f"`{word}` is a word of the language and cannot be a name"


def test_spans_say_where_things_stand() -> None:
    text = 'play "a {order.id} b" until "1"\nif not (a == 1) {\n    say x\n}\n'
    script = parse(text, "here.call")
    lines = text.split("\n")
    shown = {}
    for node in walk(script):
        span = node.span
        if span.line == span.end_line:
            shown[lines[span.line - 1][span.column - 1 : span.end_column - 1]] = type(node).__name__
        assert span.path == "here.call"
    assert shown['play "a {order.id} b" until "1"'] == "Play"
    assert shown["order.id"] == "Field"
    assert shown['"a {order.id} b"'] == "Text"
    assert shown["a == 1"] == "Binary"
    assert shown["not (a == 1"] == "Unary"
    assert shown["say x"] == "Say"


def test_line_ends_of_windows_and_a_byte_order_mark_are_taken() -> None:
    text = "\ufeffparam a  # first\r\n\r\nif a == 1 {\r\n    play a\r\n}\r\n"
    assert parse(text) == parse(text.replace("\r", "").removeprefix("\ufeff"))
    assert parse(text).params[0].trailing == "first"


def test_numbers_are_exact() -> None:
    (let,) = parse_statements("let x = 0.1 + 123456789012345678901234567890")
    assert show(nodes.Script(nodes.Block((let,)))) == "let x = 0.1 + 123456789012345678901234567890\n"


def test_statements_alone_have_no_head() -> None:
    for text in ("param x", 'use "x"', 'inbound "1"', 'call "123"'):
        with pytest.raises(ScriptError):
            parse_statements(text)
    (call,) = parse_statements('call "123" { hangup }')
    assert isinstance(call, nodes.Call)


def test_the_path_is_shown_with_a_problem() -> None:
    with pytest.raises(ScriptError, match=r"^dir/x\.call:2:1: there is no statement `paly`"):
        parse('play "a"\npaly "b"\n', "dir/x.call")


# Whatever the text, a tree or located problems.

WORDS = st.sampled_from(
    [*sorted(KEYWORDS), *'{}[]()"#;:,.=+-*/%<>', "\n", "..", "==", "x", "3", "8s", "\\", "\\n", "A"]
)


def _read(text: str) -> nodes.Script | ScriptError:
    try:
        return parse(text)
    except ScriptError as error:
        return error


@fuzzing
@given(st.text(max_size=60))
@example("\r")
@example("\ud800")
@example("\x00")
@example('say "\x85\u2028"')
def test_any_text_at_all(text: str) -> None:
    hold(text)


@fuzzing
@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_any_words_of_the_language(text: str) -> None:
    hold(text)


@fuzzing
@given(trees.scripts, st.randoms(use_true_random=False))
def test_a_script_with_a_slip_in_it(script: nodes.Script, chance: random.Random) -> None:
    text = show(script)
    at = chance.randrange(len(text) + 1)
    cut = chance.randrange(4)
    hold(text[:at] + chance.choice(["", "}", "{", '"', "(", " x ", "\n", "1", "#"]) + text[at + cut :])


SIZE = 60_000

SHAPES = {
    "brackets": "let x = " + "[" * SIZE,
    "parentheses": "let x = " + "(" * SIZE + "1" + ")" * SIZE,
    "nots": "let x = " + "not " * SIZE + "a",
    "signs": "let x = " + "-" * SIZE + "1",
    "sums": "let x = 1" + " + 1" * SIZE,
    "fields": "let x = a" + ".b" * SIZE,
    "texts in texts": 'say "' + '{"' * SIZE,
    "closed texts in texts": 'say "' + '{"' * 200 + "x" + '"}' * 200 + '"',
    "blocks": "start {\n" * SIZE,
    "closed blocks": "start {\n" * SIZE + "}\n" * SIZE,
    "else if": "if a { }" + " else if a { }" * (SIZE // 8),
    "menus": 'menu { "1" {\n' * SIZE,
    "closers": "}" * SIZE,
    "quotes": '"' * SIZE,
    "escapes": 'say "' + "\\" * SIZE,
    "digits": "let x = " + "1" * SIZE,
    "letters": "a" * SIZE,
    "semicolons": ";" * SIZE,
    "lines": "\n" * SIZE,
    "comments": "# x\n" * SIZE,
    "wrong lines": "paly x\n" * SIZE,
    "wrong blocks": "paly x {\n" * SIZE,
    "nulls": "\x00" * SIZE,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_is_too_much(shape: str) -> None:
    read = _read(SHAPES[shape])
    if isinstance(read, nodes.Script):
        assert parse(show(read)) == read
    else:
        assert 1 <= len(read.problems) <= 20
        assert str(read)


def test_a_text_that_is_too_long_is_not_read() -> None:
    assert [problem.code for problem in problems("#" * (MAX_SIZE + 1))] == ["too-long"]
    assert [problem.code for problem in problems("é" * (MAX_SIZE // 2 + 1))] == ["too-long"]
    parse("#" * MAX_SIZE)


def test_nesting_is_bounded_exactly() -> None:
    def nested(depth: int) -> str:
        return "start {\n" * depth + "wait 1s\n" + "}\n" * depth

    parse(nested(MAX_DEPTH))
    assert problems(nested(MAX_DEPTH + 1))[0].code == "too-deep"


def test_a_problem_in_a_long_line_shows_what_is_around_it() -> None:
    text = 'say "' + "a" * 500 + '" unitl "1" voice "' + "b" * 500 + '"'
    (problem,) = problems(text)
    place, line, caret, _ = render(problem, text).split("\n")
    assert place.startswith(f"1:{text.index('unitl') + 1}: ")
    assert len(line) < 220
    assert line[caret.index("^") :].startswith("unitl")
    assert line.strip().endswith("…")
    assert "| …a" in line


def test_a_problem_that_reaches_over_a_long_line_is_cut() -> None:
    text = "hangup\n\n" + 'let x = "' + "a" * 500 + '" + ' + "1\n"
    caret = render(Problem("x", "x", Span(3, 9, 3, 517)), text).split("\n")[2]
    assert caret.count("^") <= 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('say "a\x01b"', "a text cannot hold this control character"),
        ('say "a\\q"', "`\\q` means nothing in a text"),
        ("\ud800", "this is no Unicode text"),
        ("a\n \udfff", "this is no Unicode text"),
        ("\x07", "the character U+0007 has no place here"),
        ("say ä", "found `ä`, expected a value"),
        ("let x = $y", "`$` has no place here"),
        ("say Name", "`Name` is no word: words are written small"),
        ("wait 5 seconds", "`5 seconds` is no duration"),
        ("wait 5s seconds", "`wait` does not take `seconds` here"),
        ("let and = 1", "`and` is a word of the language and cannot be a name"),
        ("if 1 < 2 < 3 { }", "comparisons do not chain"),
        ("menu { secret }", "found `}`, expected `{`"),
        ("if a == 1 { wait }", "found `}`, expected a value, `call`, `event` or `tone`"),
        ("start { }\n}", "this `}` closes nothing"),
    ],
)
def test_a_slip_is_told_in_the_words_of_the_language(text: str, message: str) -> None:
    assert message in problems(text)[0].message


def test_what_would_do_is_said_the_shortest_way() -> None:
    assert words.shown(frozenset({"PLAY", "LET", "SAY", "NEWLINE"})) == "a statement"
    assert words.shown(frozenset({"NUMBER", "QUOTE", "NAME", "TONE"})) == "a value or `tone`"
    assert words.shown(frozenset({"PLUS", "SAME", "UNTIL", "NEWLINE"})) == "the end of the line or `until`"
    assert words.shown(frozenset()) == "nothing more"
    assert words.found(Token("NAME", "a" * 40)) == f"`{'a' * 30}…`"


def test_one_slip_does_not_hide_the_next() -> None:
    text = (
        "paly x\n"
        + "if a = b {\n    play utnil\n    say x unitl y\n}\n"
        + "menu {\n    prompt { sya x }\n}\n"
    )
    assert [problem.span.line for problem in problems(text)] == [1, 2, 4, 7]
