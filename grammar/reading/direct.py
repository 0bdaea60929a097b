"""Read a text in which nothing is wrong, in a fraction of the time that Lark itself takes.

Lark makes objects and calls functions for every step of every token.  Here the way through the same
tables is gone first (in C, where there is a compiler), and what the same builder is to be given comes
of it as a row of moves: a text without holes is one piece, a word that stands often is one object, and
what leads from rule to rule without making anything is no move.  What the tables did not expect ends
it; then Lark reads the text again, and says what is wrong and what would do.  So nothing is ever said
here.
"""

from collections.abc import Iterable
from typing import Any, Final

from lark import Token

from ringful.grammar import nodes
from ringful.grammar.reading import comments
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.moves.steps import TEXT, Go, Move, Tables
from ringful.grammar.span import Span

MOST_WORDS: Final = 2000
"""So many names and numbers are remembered, and no more: whoever sends texts can think of others."""
LONGEST_WORD: Final = 64
"""Characters of one that is remembered."""

_new: Final = tuple.__new__
"""Makes a `Span` of all its fields, in half the time that its own way takes; every node has one."""

_words: dict[tuple[str, str], Token] = {}


def read_directly(text: str, reading: Reading, tables: Tables, go: Go) -> Any:
    """Give what the builder makes of *text*; None where Lark would find something wrong."""
    way = go(text)
    if way is None:
        return None
    reading.depth = way.depth
    return _built(way.moves, text, reading, tables)


def _built(moves: Iterable[Move], text: str, reading: Reading, tables: Tables) -> Any:
    values: list[Any] = []
    keep = values.append
    makers: Any = tables.makers
    words, builds, path = tables.words, tables.builds, reading.path
    for what, given, line, column, end_line, end_column in moves:
        maker = makers[what]
        if what < words:
            keep(maker)
        elif what >= builds:
            first = len(values) - given
            children = values[first:]
            del values[first:]
            reading.here = _new(Span, (line, column, end_line, end_column, path))
            keep(maker(children))
        elif maker == "COMMENT":
            said = comments.said(text[given : given + end_column - column])
            reading.comments.append(comments.Comment(line, column, said))
        elif maker == "BLOCK_OPEN":
            keep(_brace(line))
        elif maker == TEXT:
            said = text[given + 1 : given + end_column - column - 1]
            span = _new(Span, (line, column, end_line, end_column, path))
            keep(nodes.Text((said,) if said else (), span=span))
        else:
            said = text[given : given + end_column - column]
            keep(_words.get((maker, said)) or _word(maker, said))
    return values[0]


def _brace(line: int) -> Token:
    brace = str.__new__(Token, "{")
    brace.type, brace.line = "BLOCK_OPEN", line
    return brace


def _word(kind: str, said: str) -> Token:
    token = Token(kind, said)
    if len(_words) < MOST_WORDS and len(said) <= LONGEST_WORD:
        _words[kind, said] = token
    return token
