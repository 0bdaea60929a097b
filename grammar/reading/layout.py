"""Decide which ends of lines matter, between the lexer and the parser.

Inside ( ), [ ] and the { } of a map a line's end is a blank; in a block it ends a statement.  In a
string it is passed on, so that the parser says that the string is not closed.
"""

from collections.abc import Iterator

from lark import Token
from lark.lark import PostLex

from ringful.grammar.reading import comments
from ringful.grammar.reading.known import Opener, Reading, current

OPENING = {
    "OPEN": "SHUT",
    "SQUARE_OPEN": "SQUARE_CLOSE",
    "MAP_OPEN": "CLOSE",
    "BLOCK_OPEN": "CLOSE",
    "HOLE_OPEN": "CLOSE",
}
CLOSING = frozenset(OPENING.values())
FREE = frozenset({"OPEN", "SQUARE_OPEN", "MAP_OPEN"})


class Layout(PostLex):
    """Lark's hook for a filter of tokens."""

    # NAME is tried everywhere, so that `playing` is one wrong word and never `play` and a rest.
    always_accept = ("NEWLINE", "NAME")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Give the tokens that the parser shall see."""
        reading = current()
        for token in stream:
            if token.type == "NEWLINE" and reading.openers and reading.openers[-1].token.type in FREE:
                continue
            _follow(reading, token)
            if reading.heard is not None:
                reading.heard.append(token)
            yield token
            reading.last = token


def _follow(reading: Reading, token: Token) -> None:
    """Keep the brackets, the quotes and the verb of *reading* up to *token*."""
    kind = token.type
    if kind == "QUOTE" and reading.quote is not None:
        reading.openers.pop()
    elif kind == "QUOTE":
        reading.openers.append(Opener(token, reading.span(token)))
    elif kind in OPENING:
        menu = kind == "BLOCK_OPEN" and reading.verb is not None and reading.verb.type == "MENU"
        known = reading.outer.pop(0) if reading.outer else None
        reading.openers.append(known or Opener(token, reading.span(token), menu))
    reading.closing = False
    if kind in CLOSING and reading.openers and OPENING.get(reading.openers[-1].token.type) == kind:
        reading.openers.pop()
        reading.closing = True
    if kind in ("NEWLINE", "SEMICOLON", "BLOCK_OPEN"):
        reading.verb = None
    elif reading.verb is None and kind != "CLOSE":
        reading.verb = token


def keep_comment(token: Token) -> Token:
    """Keep a comment for the line that it stands by; Lark itself drops it."""
    reading = current()
    line = (token.line or 0) + reading.shift
    reading.comments.append(comments.Comment(line, token.column or 0, comments.said(token)))
    return token
