"""A place where the parser could not go on, with all that can be said about it."""

import re

from attrs import frozen
from lark import Token

from ringful.grammar.errors import Problem
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.words import OPERATORS
from ringful.grammar.span import Span

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD_BEFORE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
_FIRST_WORD = re.compile(r"(?:^|[{};])\s*([a-z]\w*)[^{};]*$")
_PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"|[A-Za-z0-9_.+*#-]+')
_LONGEST = 80
"""Longer code is not written out in a hint."""


@frozen
class Slip:
    """A token that cannot stand where it stands; *wanted* are the terminals that could."""

    token: Token
    span: Span
    wanted: frozenset[str]
    before: str
    """Its line up to it, as far as this pass has read that."""
    after: str
    """Its line from it on, without the comment of a whole line's end."""
    reading: Reading

    @property
    def word(self) -> str:
        """Give the word that it is the beginning of, or the end: ``callerName`` is read as ``caller``."""
        begun = _WORD_BEFORE.search(self.before)
        ends = _WORD.match(self.after)
        if not ends:
            return ""
        return (begun[0] if begun and self.touches else "") + ends[0]

    @property
    def touches(self) -> bool:
        """Say whether a word runs up to it without a blank."""
        return self.token.type == "STRAY" and self.before[-1:].replace("_", "a").isalnum()

    @property
    def rest(self) -> str:
        """Give what stands behind its word, or behind itself, in its line."""
        ends = _WORD.match(self.after)
        return self.after[len(ends[0]) if ends else len(self.token) :].strip()

    @property
    def line(self) -> str:
        """Give its line."""
        return (self.before + self.after).strip()

    @property
    def verb(self) -> str:
        """Give the first word of its statement."""
        verb = self.reading.verb
        if verb is not None:
            return str(verb)
        begun = _FIRST_WORD.search(self.before)
        return begun[1] if begun else ""

    @property
    def last(self) -> str:
        """Give the token before it."""
        last = self.reading.last
        return str(last) if last is not None else ""

    @property
    def inner(self) -> str:
        """Give the type of the innermost bracket that is open around it."""
        openers = self.reading.openers
        own = openers and openers[-1].token is self.token
        openers = openers[:-1] if own else openers
        return openers[-1].token.type if openers else ""

    @property
    def in_menu(self) -> bool:
        """Say whether a branch of a menu could begin in its line."""
        openers = self.reading.openers
        own = openers and openers[-1].token is self.token
        openers = openers[:-1] if own else openers
        return bool(openers and openers[-1].menu)

    @property
    def begins(self) -> bool:
        """Say whether a statement was to begin with it."""
        return {"PLAY", "LET"} <= self.wanted and self.token.type not in ("CLOSE", "NEWLINE", "$END")

    @property
    def wants_value(self) -> bool:
        """Say whether a value could stand there."""
        return "NUMBER" in self.wanted

    @property
    def follows_value(self) -> bool:
        """Say whether a value ends before it."""
        return len(OPERATORS & self.wanted) > 1

    def problem(self, message: str, hint: str = "", back: int = 0, width: int = 0) -> Problem:
        """Say what is wrong, *back* columns before it and over *width* columns."""
        span = self.span
        if back or width:
            column = span.column - back
            end = span.end_column if not width else column + width
            span = Span(span.line, column, span.line, end, span.path)
        return Problem("syntax", message, span, hint)

    def of_word(self, message: str, hint: str) -> Problem:
        """Say what is wrong with the whole word that it is a part of."""
        begun = _WORD_BEFORE.search(self.before)
        back = len(begun[0]) if begun and self.touches else 0
        return self.problem(message, hint, back, len(self.word) or len(self.token))


def write(code: str, otherwise: str) -> str:
    """Give the hint that *code* does it; *otherwise* stands there where that would be long."""
    short = code.strip()
    return (
        f"write `{short}`"
        if short and len(short) <= _LONGEST and "`" not in short
        else f"write `{otherwise}`"
    )


def piece(text: str) -> str:
    """Give the value that *text* begins with, as it is written, behind an `=` or `:`."""
    found = _PIECE.match(text.lstrip(" \t=:"))
    return found[0] if found else ""


def bare(text: str) -> str:
    """Give *text*, the end of a line, without blanks, a comma, and the braces around it."""
    text = text.strip().rstrip(";,").strip()
    if text.startswith("{"):
        text = text[1:].strip()
        text = text.removesuffix("}").strip()
    return text
