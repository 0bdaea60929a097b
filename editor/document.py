"""One text in an editor, and what is known of it.

A used script is got by a `Load`: an editor may have it open, with changes that are on no disk yet.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

from ringful.editor.lines import Lines
from ringful.editor.mentions import Mention, mentions
from ringful.grammar import nodes
from ringful.grammar.checker import check
from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.parser import parse
from ringful.grammar.printer import show
from ringful.grammar.tokens import Piece, pieces

Load: TypeAlias = Callable[[str], str | None]
"""Gives the text of a script that is used, by the path that ``use`` says; None where there is none."""


class Document:
    """A text; everything about it is worked out once, when it is first asked for."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.encoding = encoding

    @cached_property
    def lines(self) -> Lines:
        """Its lines."""
        return Lines(self.text, self.encoding)

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its pieces, in order and without holes."""
        return pieces(self.text)

    @cached_property
    def mentions(self) -> list[Mention]:
        """Where its names stand."""
        return mentions(self.pieces)

    @cached_property
    def parsed(self) -> nodes.Script | ScriptError:
        """Its tree, or what is wrong with its syntax."""
        try:
            return parse(self.text)
        except ScriptError as error:
            return error

    def problems(self, load: Load) -> tuple[Problem, ...]:
        """Give everything that is wrong with it."""
        if isinstance(self.parsed, ScriptError):
            return self.parsed.problems
        uses = {use.path: used for use in self.parsed.uses if (used := _script(load(use.path)))}
        return check(self.parsed, uses)

    def formatted(self) -> str:
        """Give its canonical form.  Raises ScriptError."""
        if isinstance(self.parsed, ScriptError):
            raise self.parsed
        return show(self.parsed)

    def at(self, offset: int) -> Piece | None:
        """Give the piece at *offset*; where two meet, the one that is a word."""
        touching = [piece for piece in self.pieces if piece.start <= offset <= piece.end]
        words = [piece for piece in touching if piece.kind not in ("blank", "bracket", "mark")]
        return next(iter(reversed(words or touching)), None)

    def mention(self, offset: int) -> Mention | None:
        """Give the name at *offset*."""
        piece = self.at(offset)
        return next((one for one in self.mentions if one.piece is piece), None)

    def used(self) -> list[str]:
        """Give the paths of the scripts that it uses, also of those that no `use` names rightly yet."""
        return [path for path, _ in self.uses]

    @cached_property
    def uses(self) -> list[tuple[str, Piece]]:
        """The scripts that it uses, each with the piece that names it."""
        words = [piece for piece in self.pieces if piece.kind != "blank"]
        return [
            (literal.text, literal)
            for use, _, literal in zip(words, words[1:], words[2:], strict=False)
            if use.kind == "verb" and use.text == "use" and literal.kind == "text"
        ]


def _script(text: str | None) -> nodes.Script | None:
    parsed = None if text is None else Document(text).parsed
    return parsed if isinstance(parsed, nodes.Script) else None
