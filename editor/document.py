"""One text in an editor, and what is known of it.

A used script is got by a `Load`: an editor may have it open, with changes that are on no disk yet.
"""

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TypeAlias

from attrs import evolve

from ringful.editor.lines import Lines
from ringful.editor.mentions import Mention, mentions
from ringful.grammar import nodes
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.functions import BOUND_BY_CALL, BOUND_BY_MESSAGE
from ringful.grammar.reading.tokens import Piece, take_apart
from ringful.grammar.showing.printer import show

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
    def _read(self) -> tuple[nodes.Script | ScriptError, list[Piece]]:
        return take_apart(self.text)

    @property
    def pieces(self) -> list[Piece]:
        """Its pieces, in order and without holes."""
        return self._read[1]

    @property
    def parsed(self) -> nodes.Script | ScriptError:
        """Its tree, or what is wrong with its syntax."""
        return self._read[0]

    @cached_property
    def mentions(self) -> list[Mention]:
        """Where its names stand."""
        return mentions(self.pieces)

    def problems(self, load: Load) -> tuple[Problem, ...]:
        """Give everything that is wrong with it."""
        if isinstance(self.parsed, ScriptError):
            return self.parsed.problems
        uses, wrong = _used(self.parsed, load)
        return tuple(_unreadable(problem, wrong) for problem in check(self.parsed, uses))

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

    def beginning(self, offset: int) -> int:
        """Give where the last line before *offset* begins that stands in no block."""
        found = depth = 0
        for piece in self.pieces:
            if piece.end > offset:
                break
            if piece.kind == "bracket":
                depth += (piece.text in "{([") - (piece.text in "})]")
            elif piece.kind == "blank" and "\n" in piece.text and depth <= 0:
                found = piece.end
        return found

    def mention(self, offset: int) -> Mention | None:
        """Give the name at *offset*."""
        piece = self.at(offset)
        return next((one for one in self.mentions if one.piece is piece), None)

    def used(self) -> list[str]:
        """Give the paths of the scripts that it uses, also of those that no `use` names rightly yet."""
        return [path for path, _ in self.uses]

    @cached_property
    def brought(self) -> frozenset[str]:
        """The names that the message, or the call, that begins it brings."""
        words = [piece.text for piece in self.pieces if piece.kind == "verb"]
        if any(pair == ("inbound", "sms") for pair in pairwise(words)):
            return BOUND_BY_MESSAGE
        return BOUND_BY_CALL if "inbound" in words else frozenset()

    @cached_property
    def uses(self) -> list[tuple[str, Piece]]:
        """The scripts that it uses, each with the piece that names it."""
        words = [piece for piece in self.pieces if piece.kind != "blank"]
        return [
            (literal.text, literal)
            for use, _, literal in zip(words, words[1:], words[2:], strict=False)
            if use.kind == "verb" and use.text == "use" and literal.kind == "text"
        ]


def _used(script: nodes.Script, load: Load) -> tuple[dict[str, nodes.Script], dict[str, ScriptError]]:
    """Read what *script* uses, directly or by another script: the trees, and what cannot be read."""
    uses: dict[str, nodes.Script] = {}
    wrong: dict[str, ScriptError] = {}
    waiting = [(use.path, use.path) for use in script.uses]
    while waiting:
        name, path = waiting.pop(0)
        text = None if name in uses or name in wrong else load(path)
        read = None if text is None else Document(text).parsed
        if isinstance(read, ScriptError):
            wrong[name] = read
        elif read is not None:
            uses[name] = read
            waiting += [(use.path, str(PurePosixPath(path).parent / use.path)) for use in read.uses]
    return uses, wrong


def _unreadable(problem: Problem, wrong: dict[str, ScriptError]) -> Problem:
    """Say of a script that is there and cannot be read why it cannot."""
    found = next((path for path in wrong if problem.message == f"there is no script `{path}`"), None)
    if problem.code != "unknown-script" or found is None:
        return problem
    first = wrong[found].problems[0]
    return evolve(
        problem, message=f"`{found}` cannot be read", hint=f"line {first.span.line}: {first.message}"
    )
