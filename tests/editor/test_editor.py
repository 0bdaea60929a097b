"""What editors are told of a text: places, completion, hover, outline, definitions, fixes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.editor import answers, meanings
from ringful.editor.actions import fix
from ringful.editor.completion import SNIPPETS, suggestions
from ringful.editor.definition import definition, renamed
from ringful.editor.document import Document
from ringful.editor.hover import hover, in_words
from ringful.editor.lines import Lines, Place
from ringful.editor.outline import Part, outline
from ringful.grammar.functions import BOUND, BOUND_BY_CALL, BOUND_BY_MESSAGE, FUNCTIONS
from ringful.grammar.nodes import Script
from ringful.grammar.reading.parser import parse
from ringful.grammar.showing.printer import show
from ringful.grammar.span import Span
from ringful.grammar.vocabulary import KEYWORDS, RESERVED, VERBS
from tests import trees
from tests.grammar.test_tokens import TEXTS, fuzzing

LANGUAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
LIBRARY = "# Says who calls.\nflow greet(who, how) { say who }\n"
SCRIPT = """param order = "A-1"
use "lib.call"

call "15125551234" as customer
record as message for 90s
# Who is it?
gather pin digits 4 { say "Your code, {order}" }
call "15125550000" as clerk { say "Hello" }
conference room
menu tries 2 {
    prompt { say "Press 1" }
    "1" { do greet("Ann", "hi") }
    timeout { do local(pin) }
}
on hangup { notify "http://h/{message.url}" }
hangup

flow local(which) {
    let twice = which + which
    if twice == "11" { repeat 2 times { menu { "2" { say twice } } } }
}
"""


def load(path: str) -> str | None:
    return LIBRARY if path == "lib.call" else None


def cut(text: str) -> tuple[Document, int]:
    """Give a text and where its cursor ``|`` stands."""
    before, _, after = text.partition("|")
    return Document(before + after), len(before)


def at(words: str, inside: int = 0) -> int:
    """Give where *words* stand in SCRIPT; `inside` characters further."""
    assert SCRIPT.count(words) == 1, words
    return SCRIPT.index(words) + inside


def labels(text: str) -> list[str]:
    document, offset = cut(text)
    return [one.label for one in suggestions(document, offset, load)]


# Places.


@pytest.mark.parametrize(
    ("text", "span", "start", "end"),
    [
        ('say "𝄞ü" x', Span(1, 9, 1, 10), Place(0, 9), Place(0, 10)),
        ("\ufeffsay x", Span(1, 5, 1, 6), Place(0, 5), Place(0, 6)),
        ("a\r\nsay x\r\n", Span(2, 5, 2, 6), Place(1, 4), Place(1, 5)),
        ("a\n", Span(2, 1, 2, 2), Place(1, 0), Place(1, 0)),
        ("a", Span(), Place(0, 0), Place(0, 0)),
        ("a\u2028b\fc x", Span(1, 7, 1, 8), Place(0, 6), Place(0, 7)),
        ("a\rb x", Span(1, 5, 1, 6), Place(1, 2), Place(1, 3)),
    ],
)
def test_a_span_is_told_in_utf_16(text: str, span: Span, start: Place, end: Place) -> None:
    lines = Lines(text)
    first, last = lines.range(span)
    assert (lines.place(first), lines.place(last)) == (start, end)


def test_other_encodings_are_counted_as_agreed() -> None:
    assert [Lines("𝄞ü x", name).place(3).column for name in ("utf-8", "utf-16", "utf-32")] == [7, 4, 3]


@given(
    st.text(st.sampled_from("a𝄞ü\r\n\u2028\ufeff"), max_size=12),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
)
@fuzzing
def test_a_place_leads_back_to_where_it_is(text: str, encoding: str) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":
            assert lines.offset(lines.place(offset)) == offset
    assert lines.offset(Place(99, 0)) == len(text)
    assert lines.offset(Place(0, 99)) == len(re.split("\r|\n", text)[0])


def test_a_line_as_long_as_a_text_is_no_burden() -> None:
    text = 'say "𝄞"; ' * 5_000
    lines = Lines(text)
    assert lines.place(len(text)) == Place(0, 10 * 5_000)
    assert lines.offset(Place(0, 10 * 5_000 - 1)) == len(text) - 1
    told = answers.semantic(Document(text))
    assert sum(told[1::5]) == 10 * 5_000 - 3


# Meanings.


def test_every_word_has_a_meaning() -> None:
    first = {statement.split()[0] for statement in meanings.STATEMENTS}
    assert VERBS - {"stop"} <= first
    assert (first | meanings.CLAUSES.keys() | meanings.WORDS.keys() | {"tones", "sms"}) >= KEYWORDS
    assert meanings.WORDS.keys() == RESERVED
    assert meanings.FUNCTIONS.keys() == FUNCTIONS.keys()
    assert meanings.BOUND.keys() == BOUND
    assert meanings.BROUGHT.keys() == BOUND_BY_MESSAGE | BOUND_BY_CALL


@pytest.mark.parametrize("words", meanings.STATEMENTS)
def test_a_statement_is_written_as_the_language_page_has_it(words: str) -> None:
    form = meanings.STATEMENTS[words].form
    assert form.startswith(words)
    if words not in ("prompt", "timeout", "otherwise"):
        assert f"`{form}`" in LANGUAGE


@pytest.mark.parametrize("words", SNIPPETS)
def test_a_snippet_is_a_statement_of_the_language(words: str) -> None:
    shown = re.sub(r"\$\{\d:(.*?)\}|\$\d", lambda match: match[1] or "", SNIPPETS[words])
    assert shown.startswith(words)
    inside = (
        f'menu {{ prompt {{ }} "1" {{ }} {shown} }}' if words in ("prompt", "timeout", "otherwise") else shown
    )
    parse(inside.replace("prompt { } ", "", words == "prompt") + "\n")


# Completion.


def test_statements_are_offered_where_they_can_stand() -> None:
    everywhere = labels("call x\n|")
    assert {"play", "start play", "wait tone", "on hangup", "menu", "let", "flow"} <= set(everywhere)
    assert not {"param", "use", "inbound", "break", "return", "answer", "prompt"} & set(everywhere)
    assert {"param", "use", "call", "inbound", "inbound sms"} <= set(labels("|"))
    assert "flow" not in labels("call x\nif a {\n    |\n}\n")
    assert "break" in labels("call x\nrepeat 2 times {\n  |")
    assert "return" in labels("flow f() {\n  |")
    assert "answer" in labels("inbound x\n|")
    assert {"prompt", "timeout", "otherwise"} <= set(labels("call x\nmenu {\n    |\n}"))
    assert "play" not in labels("call x\nmenu {\n    |\n}")


def test_clauses_are_offered_once() -> None:
    assert {"until", "times", "notify"} <= set(labels('call x\nplay "a" |'))
    assert labels('call x\nplay "a" until "1" un|').count("until") == 0
    assert {"play", "record", "tones", "join", "call"} == set(labels("call x\nstart |"))
    assert "tone" in labels("call x\nwait |")
    assert "moderator" in labels("join room as |")


def test_names_are_offered_where_they_have_a_value() -> None:
    values = labels(SCRIPT.replace("hangup\n\nflow", "say |\nhangup\n\nflow"))
    assert {"order", "customer", "message", "pin", "clerk", "room", "caller", "length"} <= set(values)
    assert not {"which", "twice", "greet"} & set(values)
    inside = labels(SCRIPT.replace("    if twice", "    say |\n    if twice"))
    assert {"which", "twice", "caller"} <= set(inside)
    assert "order" not in inside
    assert labels('let a = 1\nsay "{|"\nlet b = 2').count("b") == 0
    assert "a" in labels('let a = 1\nsay "{|')


def test_what_a_message_brings_is_offered_where_one_begins_the_script() -> None:
    text = 'inbound sms "1" keyword "JOIN"\nsms caller |'
    assert {"message", "keyword", "caller"} <= set(labels(text))
    assert not {"message", "keyword"} & set(labels('inbound "1"\nlet x = |'))
    assert not {"message", "keyword"} & set(labels('call "1"\nsms caller |'))


def test_legs_flows_and_fields_are_offered_where_they_are_wanted() -> None:
    connected = set(labels(SCRIPT.replace("hangup\n\nflow", "connect |\n\nflow")))
    assert connected == {"customer", "clerk", "to"}
    assert set(labels(SCRIPT.replace("hangup\n\nflow", "do |\n\nflow"))) == {"local", "greet"}
    assert set(labels(SCRIPT.replace("hangup\n\nflow", "say message.|\n\nflow"))) == {
        "url",
        "duration",
        "reason",
    }


@pytest.mark.parametrize(
    "text", ['say "pl|', "# pl|", "say x # pl|", "wait 5|", 'play "a" foo |', "let |", "call x as |"]
)
def test_nothing_is_offered_where_nothing_can_be_known(text: str) -> None:
    assert labels(text) == []


def test_errors_before_the_cursor_are_no_matter() -> None:
    assert "play" in labels('call x\npaly "x"\nif a { foo bar\n    |')
    assert "until" in labels('paly "x"\nplay "y" |')


def test_what_is_offered_replaces_the_word_that_is_begun() -> None:
    document, offset = cut("call x\npl|")
    (play,) = [one for one in suggestions(document, offset, load) if one.label == "play"]
    assert document.text[play.start : offset] == "pl"
    assert (play.detail or "").startswith("play AUDIO [early] [from DURATION]")


# Hover.


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (at("gather pin"), "gather NAME [secret] digits"),
        (at("on hangup"), "Runs once after the leg has ended"),
        (at("on hangup", 4), "Runs once after the leg has ended"),
        (at("times {"), "`times N`"),
        (at("90s", 1), "1 minute 30 seconds"),
        (at("{order}", 2), 'param order = "A-1"'),
        (at("local(pin)", 7), "# Who is it?\ngather pin digits 4"),
        (at("message.url", 2), "a recording"),
        (
            at("greet("),
            "# Says who calls.\nflow greet(who, how) { say who }\n```\na flow, line 2, in `lib.call`",
        ),
        (at("do local"), "do NAME(values)"),
        (at("+ which", 4), "a parameter of this flow, line 18"),
    ],
)
def test_hover(offset: int, said: str) -> None:
    found = hover(Document(SCRIPT), offset, load)
    assert found
    assert said in found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("say len|gth(x)", "the characters of a text"),
        ("say cal|ler", "the number that calls"),
        ("start pl|ay x", "Plays in the background"),
        ('inbound sms "1"\nsms caller mess|age', "as it was written"),
        ("sms caller mess|age", ""),
        ('s|ms caller "x"', "Sends a message, and goes on"),
        ("st|art { }", "Runs a block beside the script"),
        ('wait to|ne "1"', "Goes on when one of TONES is pressed"),
        ("if a an|d b { }", "both are true"),
        ("say no|ne", "what has no value"),
        ("stay f|or 1h", "the longest that it may take"),
        ("say x|", ""),
        ('say "a|b"', ""),
        ("do noth|ing()", ""),
    ],
)
def test_hover_of_words(text: str, said: str) -> None:
    document, offset = cut(text)
    found = hover(document, offset, load)
    if said:
        assert found
        assert said in found[0]
    else:
        assert found is None


def test_durations_in_words() -> None:
    assert [in_words(one) for one in ("500ms", "1s", "1.5h", "90m", "0s", "3600s")] == [
        "500 milliseconds",
        "1 second",
        "1 hour 30 minutes",
        "1 hour 30 minutes",
        "no time",
        "1 hour",
    ]
    assert in_words("9" * 40 + "s") == ""


# Outline.


def outlined(parts: list[Part]) -> list[object]:
    return [[part.name, outlined(part.parts)] if part.parts else part.name for part in parts]


def test_the_outline() -> None:
    assert outlined(outline(Document(SCRIPT))) == [
        "order",
        'call "15125551234" as customer',
        'call "15125550000" as clerk',
        ["menu tries 2", ["prompt", '"1"', "timeout"]],
        "on hangup",
        ["local(which)", [["menu", ['"2"']]]],
    ]


def test_the_outline_of_a_text_that_is_half_typed() -> None:
    parts = outline(Document('flow f(a) {\n  paly "x"\n  menu {\n  "1" { say "a"\n'))
    assert outlined(parts) == [["f(a)", [["menu", ['"1"']]]]]
    assert parts[0].end == len('flow f(a) {\n  paly "x"\n  menu {\n  "1" { say "a"\n')


# Definitions and new names.


@pytest.mark.parametrize(
    ("offset", "path", "defined"),
    [
        (at("{order}", 1), "", at("order = ")),
        (at("local(pin)"), "", at("local(which)")),
        (at("local(pin)", 6), "", at("pin digits")),
        (at("greet("), "lib.call", LIBRARY.index("greet")),
        (at("lib.call", 3), "lib.call", 0),
        (at("say twice", 4), "", at("twice = ")),
    ],
)
def test_definitions(offset: int, path: str, defined: int) -> None:
    found = definition(Document(SCRIPT), offset, load)
    assert found
    assert found[:2] == (path, defined)


def test_what_is_defined_nowhere() -> None:
    assert definition(Document("say x"), 4, load) is None
    assert definition(Document('use "other.call"'), 7, load) is None


def test_a_name_is_changed_wherever_it_means_the_same() -> None:
    text = 'let a = 1\nflow f(a) { say "{a}" }\nsay "{a} a" # a\nnotify u with { a: a }\ndo a()\n'
    pieces = renamed(Document(text), 4, "b")
    for piece in reversed(pieces):
        text = text[: piece.start] + "b" + text[piece.end :]
    assert text == 'let b = 1\nflow f(a) { say "{a}" }\nsay "{b} a" # a\nnotify u with { a: b }\ndo a()\n'


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("let |a = 1", "1b", "is no name"),
        ("let |a = 1", "none", "means something else"),
        ("let |a = 1", "caller", "means something else"),
        ('inbound sms "1"\nlet |a = 1', "message", "means something else"),
        ("let |a = 1\nlet b = 2", "b", "there is a `b` already"),
        ("do |other()", "b", "is not named in this script"),
        ("|hangup", "b", "there is no name here"),
    ],
)
def test_a_name_that_cannot_be_changed(text: str, name: str, said: str) -> None:
    document, offset = cut(text)
    with pytest.raises(ValueError, match=said):
        renamed(document, offset, name)


# Fixes.


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('call "15125551234"\npaly "x"\n', 'call "15125551234"\nplay "x"\n'),
        ('call "15125551234"\nplay "x" untl "1"\n', 'call "15125551234"\nplay "x" until "1"\n'),
        ('param order\nsay "{ordr}"\n', 'param order\nsay "{order}"\n'),
        ("flow greet() { }\ndo gret()\n", "flow greet() { }\ndo greet()\n"),
        ('use "lub.call"\nuse "lib.call"\n', 'use "lib.call"\nuse "lib.call"\n'),
        ("wait 5\n", "wait 5s\n"),
        ('wait "5s"\n', "wait 5s\n"),
        ("if a = 1 { }\n", "if a == 1 { }\n"),
        ("let x = lenght(y)\n", "let x = length(y)\n"),
    ],
)
def test_a_near_word_is_put_right(wrong: str, right: str) -> None:
    document = Document(wrong)
    found = [one for problem in document.problems(load) if (one := fix(document, problem))]
    assert found
    assert right in [wrong[: one.start] + one.text + wrong[one.end :] for one in found]


def test_a_used_script_that_cannot_be_read_says_why() -> None:
    texts = {"a.call": 'use "lib/b.call"\nflow a() { do b() }\n', "lib/b.call": "flow b() { notify x\n"}
    document = Document('use "a.call"\ndo a()\n')
    assert [problem.code for problem in document.problems(texts.get)] == []
    document = Document('use "lib/b.call"\ndo b()\n')
    problem, _ = document.problems(texts.get)
    assert (problem.message, problem.hint) == (
        "`lib/b.call` cannot be read",
        "line 1: this `{` is never closed",
    )


def test_what_needs_thought_is_not_put_right() -> None:
    document = Document("sleep 5\ncall x\nsay unknown\n")
    assert [fix(document, problem) for problem in document.problems(load)] == [None] * len(
        document.problems(load)
    )


# Whatever the text.


def everything(document: Document, offset: int) -> None:
    """Ask everything that an editor asks."""
    here = document.lines.offset(document.lines.place(offset))
    suggestions(document, here, load)
    hover(document, here, load)
    definition(document, here, load)
    outline(document)
    for problem in document.problems(load):
        start, end = document.lines.range(problem.span)
        assert 0 <= start <= end <= len(document.text)
        answers.diagnostic(document, problem, "file:///a.call")
        meant = fix(document, problem)
        assert meant is None or 0 <= meant.start <= meant.end <= len(document.text)
    told = answers.semantic(document)
    assert len(told) % 5 == 0
    assert all(number >= 0 for number in told)


@given(st.one_of(TEXTS, st.text(max_size=40)), st.floats(0, 1))
@fuzzing
def test_any_text_is_answered(text: str, part: float) -> None:
    everything(Document(text), int(len(text) * part))


@given(
    trees.scripts,
    st.floats(0, 1),
    st.sampled_from([str.upper, str.strip, lambda one: one[:-3], lambda one: one + "{"]),
)
@fuzzing
def test_any_half_typed_script_is_answered(script: Script, part: float, spoil: Callable[[str], str]) -> None:
    text = show(script)
    at = int(len(text) * part)
    everything(Document(text[: at - 2] + spoil(text[at:])), at)
    everything(Document(text[:at]), at)
