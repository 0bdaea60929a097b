"""A text's pieces: every character in one of them, each of the kind that the parser took it for."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygments import lex
from pygments.formatters import NullFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Error, Keyword, Name, String

from ringful.editor.highlighting import RingfulLexer
from ringful.grammar.errors import ScriptError
from ringful.grammar.nodes import Script
from ringful.grammar.reading.parser import parse
from ringful.grammar.reading.tokens import Piece, pieces
from ringful.grammar.showing.printer import show
from ringful.grammar.vocabulary import KEYWORDS
from tests import trees

ROOT = Path(__file__).parents[2]
FENCES = [
    body
    for kind, body in re.findall(
        r"^```(\w*)\n(.*?)^```$",
        (ROOT / "docs" / "language.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    if not kind
]
SCRIPTS = [
    *(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("scripts/**/*.call"))),
    *(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("tests/**/*.call"))),
    *FENCES,
]

fuzzing = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def kinds(text: str) -> str:
    """Show the pieces of *text*, but for blanks, each with its kind."""
    return " ".join(f"{piece.kind}:{piece.text}" for piece in pieces(text) if piece.kind != "blank")


def held(text: str) -> list[Piece]:
    """Take *text* apart, and hold that nothing of it is lost."""
    found = pieces(text)
    assert "".join(piece.text for piece in found) == text
    at = 0
    for piece in found:
        assert piece.start == at
        assert piece.text
        at = piece.end
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_script_holds_nothing_stray(script: str) -> None:
    assert not [piece for piece in held(script) if piece.kind == "stray"]
    tokens = list(lex(script, RingfulLexer(stripnl=False)))
    assert "".join(value for _, value in tokens) == script
    assert Error not in {kind for kind, _ in tokens}


@given(trees.scripts)
@fuzzing
def test_every_script_is_known_to_its_last_word(script: Script) -> None:
    text = show(script)
    parse(text)
    assert not [piece for piece in held(text) if piece.kind == "stray"]


TEXTS = st.lists(
    st.sampled_from(
        [
            *sorted(KEYWORDS),
            *["order", "f(", ")", "{", "}", "[", "]", '"', "\n", " ", "# x", "5s", "3", "==", "=", ".."],
            *["\\", ",", ":", ".", ";", "Ü", "𝄞", "\r\n", "\r", "\ufeff", "\u2028", "\0", "\ud800"],
        ]
    ),
    max_size=30,
).map(" ".join)


@given(st.one_of(TEXTS, st.text(max_size=60)))
@fuzzing
def test_any_text_is_taken_apart(text: str) -> None:
    held(text)


def test_a_long_text_is_taken_apart_too() -> None:
    held('say "x" }\n' * 40)
    held("{" * 5000)
    held('play "x"\n' * 150_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wait tone tone as tone", "verb:wait verb:tone name:tone word:as name:tone"),
        ("start play play until times", "verb:start verb:play name:play word:until name:times"),
        ("stay for 2m", "verb:stay word:for duration:2m"),
        ("for x in y { }", "verb:for name:x word:in name:y bracket:{ bracket:}"),
        ("if a in b { in c { } }", None),
        (
            "if not a { hangup } else if b == none { break }",
            "verb:if operator:not name:a bracket:{ verb:hangup bracket:} word:else verb:if name:b "
            "operator:== constant:none bracket:{ verb:break bracket:}",
        ),
        (
            r'say "a\n{length(x)}"',
            'verb:say text:" text:a escape:\\n hole:{ function:length bracket:( '
            'name:x bracket:) hole:} text:"',
        ),
        (
            "notify u with { for: 1 } # c",
            "verb:notify name:u word:with bracket:{ key:for mark:: number:1 bracket:} comment:# c",
        ),
        (
            "ask u with { a: b.c } as d else { do e(1) }",
            "verb:ask name:u word:with bracket:{ key:a mark:: name:b mark:. field:c bracket:} word:as name:d "
            "word:else bracket:{ verb:do flow:e bracket:( number:1 bracket:) bracket:}",
        ),
        (
            "flow f(a) { return }",
            "verb:flow flow:f bracket:( name:a bracket:) bracket:{ verb:return bracket:}",
        ),
        ("reject busy", "verb:reject word:busy"),
        ("inbound sms x keyword y", "verb:inbound verb:sms name:x word:keyword name:y"),
        ("menu { timeout { } otherwise { } }", None),
    ],
)
def test_the_kinds(text: str, said: str | None) -> None:
    if said is not None:
        assert kinds(text) == said
    elif text.startswith("if"):
        assert "name:a operator:in name:b" in kinds(text)
        assert "verb:in name:c" in kinds(text)
    else:
        assert "verb:timeout" in kinds(text)
        assert "verb:otherwise" in kinds(text)


def test_what_follows_an_error_is_known() -> None:
    text = 'play "x" untl "1"\nsay play\nhangup # now\n'
    with pytest.raises(ScriptError):
        parse(text)
    assert kinds(text) == (
        'verb:play text:" text:x text:" name:untl text:"1" verb:say name:play verb:hangup comment:# now'
    )
    assert kinds("Ünter = 5\n}\nhangup").endswith("verb:hangup")


def test_pygments_finds_the_lexer() -> None:
    for lexer in (get_lexer_by_name("ringful"), get_lexer_by_name("call"), get_lexer_for_filename("a.call")):
        assert isinstance(lexer, RingfulLexer)
    tokens = {value: kind for kind, value in lex('say "Hi {upper(caller)} {x}"\n', RingfulLexer())}
    assert tokens["say"] is Keyword
    assert tokens["Hi "] is String.Double
    assert tokens["upper"] is Name.Builtin
    assert tokens["caller"] is Name.Variable.Magic
    assert tokens["x"] is Name.Variable
    assert NullFormatter().aliases
