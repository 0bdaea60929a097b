"""The pieces of a text, each with its kind, as editors and highlighters want them.

A word means something only where the grammar asks for it, so the parser itself says what each piece
is.  What it skips after an error is taken apart by the looks of its words.  Every character of the
text is in exactly one piece, whatever the text.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from lark import Token

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.parser import parse
from ringful.grammar.vocabulary import KEYWORDS, VERBS

Kind: TypeAlias = Literal[
    "verb",  # the words that a statement or a menu's branch begins with
    "word",  # a clause's
    "operator",
    "constant",  # true, false, none
    "name",
    "flow",
    "function",
    "field",  # after a dot
    "key",  # of a map
    "number",
    "duration",
    "text",  # its quotes too
    "escape",  # in a text
    "hole",  # the braces of one in a text
    "bracket",
    "mark",  # , : . .. = ;
    "comment",
    "blank",
    "stray",  # what has no meaning
]


class Piece(NamedTuple):
    """A piece of a text, and the place of its first character, from 0."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Give the place behind its last character."""
        return self.start + len(self.text)


def pieces(text: str) -> list[Piece]:
    """Take *text* apart."""
    return take_apart(text)[1]


def take_apart(text: str) -> tuple[nodes.Script | ScriptError, list[Piece]]:
    """Read *text* once: give its tree, or what is wrong with it, and its pieces."""
    found: list[Piece] = []
    # The parser does not see a mark of the order of bytes.
    mark = len(text) - len(text.removeprefix("\ufeff"))

    def heed(reading: Reading, moved: int, place: int) -> None:
        _join(found, reading.heard or [], text, moved + mark, place + mark)
        # What was read stays known until the next text; its tokens are many.
        reading.heard = None

    script: nodes.Script | ScriptError
    try:
        script = parse(text, heed=heed)
    except ScriptError as error:
        script = error
    at = found[-1].end if found else 0
    return script, [*found, *_by_looks(text, at, len(text))]


def _join(found: list[Piece], tokens: list[Token], text: str, moved: int, place: int) -> None:
    """Add what a pass has read up to *place* to what was *found*, and what stands between."""
    kinds = _Kinds()
    for number, token in enumerate(tokens):
        start = (token.start_pos or 0) + moved
        at = found[-1].end if found else 0
        kind = kinds.of(token, tokens[number + 1].type if number + 1 < len(tokens) else "")
        if at <= start < place and len(token):
            found.extend(_by_looks(text, at, start))
            found.append(Piece(kind, text[start : start + len(token)], start))


_BEGINNING = frozenset({"NEWLINE", "SEMICOLON", "BLOCK_OPEN", "ELSE"})
_LONGER = frozenset({"START", "STOP", "WAIT", "INBOUND", "ON"})
"""The words that a statement's second word belongs to."""
_SIMPLE: dict[str, Kind] = {
    "TRUE": "constant",
    "FALSE": "constant",
    "NONE": "constant",
    "AND": "operator",
    "OR": "operator",
    "NOT": "operator",
    "NUMBER": "number",
    "DURATION": "duration",
    "QUOTE": "text",
    "LITERAL": "text",
    "ESCAPE": "escape",
    "HOLE_OPEN": "hole",
    "NEWLINE": "blank",
    "EQUALS": "mark",
    "UP_TO": "mark",
    "COMMA": "mark",
    "COLON": "mark",
    "DOT": "mark",
    "SEMICOLON": "mark",
    "CALLEE": "function",
}
_BRACKETS = frozenset("{}()[]")


class _Kinds:
    """Says what tokens are, one after the other."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._before = ["", "NEWLINE"]

    def of(self, token: Token, following: str) -> Kind:
        """Say what *token* is, where one of the type *following* comes next."""
        kind = self._kind(token, following)
        told = token.type
        if told in ("BLOCK_OPEN", "MAP_OPEN", "HOLE_OPEN"):
            self._open.append(told)
        elif told == "CLOSE" and self._open and self._open.pop() != "BLOCK_OPEN":
            told = "MAP_CLOSE"
        self._before = [self._before[1], told]
        return kind

    def _kind(self, token: Token, following: str) -> Kind:
        earlier, last = self._before
        if token.type in ("NAME", "CALLEE"):
            return _name(token, last, following)
        if token.type in _SIMPLE:
            return _SIMPLE[token.type]
        if token in _BRACKETS:
            return "hole" if token == "}" and self._open[-1:] == ["HOLE_OPEN"] else "bracket"
        if token.type.lower() not in KEYWORDS:
            return "operator" if token.type.isupper() else "stray"
        if last in _BEGINNING or (last == "CLOSE" and token.type != "ELSE"):
            return "verb"
        if last in _LONGER and earlier in _BEGINNING | {"CLOSE"}:
            return "verb" if token in VERBS | {"tones"} else "word"
        return "operator" if token.type == "IN" and earlier != "FOR" else "word"


def _name(token: Token, last: str, following: str) -> Kind:
    if last in ("FLOW", "DO"):
        return "flow"
    if last == "DOT":
        return "field"
    if token.type == "CALLEE":
        return "function"
    return "key" if following == "COLON" else "name"


_LOOKS = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<blank>\s+|\ufeff)
      | (?P<text>"(?:[^"\\\n]|\\[^\n])*"?)
      | (?P<duration>[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)\b)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<name>[a-z_][a-z0-9_]*)
      | (?P<bracket>[{}()\[\]])
      | (?P<mark>\.\.|[,:.;]|=(?!=))
      | (?P<operator>[=!<>]=|[<>+*/%-])
      | (?P<stray>[A-Za-z0-9_]+|.)""",
    re.VERBOSE | re.DOTALL,
)


def _by_looks(text: str, start: int, end: int) -> Iterator[Piece]:
    """Take apart what the parser has not read."""
    first = True
    for match in _LOOKS.finditer(text, start, end):
        kind, said = match.lastgroup, match[0]
        if kind == "name":
            # Only what begins a line is surely no name.
            kind = ("verb" if first else "word") if said in (VERBS if first else KEYWORDS) else "name"
        first = "\n" in said or (first and kind == "blank") or said in ("{", ";")
        yield Piece(kind, said, match.start())  # type: ignore[arg-type]  # the groups bear the kinds' names
