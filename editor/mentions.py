"""Where a text gives names and where it takes them.

This reads the pieces of a text and not its tree, so that it knows as much of a text that is half
typed.  A flow has names of its own; whatever else stands in a script shares the script's.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from attrs import frozen

from ringful.editor.meanings import STATEMENTS
from ringful.grammar.reading.tokens import Piece

Sort: TypeAlias = Literal[
    "param",
    "value",
    "leg",
    "conference",
    "digits",
    "recording",
    "tone",
    "answer",
    "item",
    "parameter",
    "flow",
]
"""What a name stands for."""

_GIVERS: dict[str, Sort] = {
    "param": "param",
    "let": "value",
    "gather": "digits",
    "conference": "conference",
    "for": "item",
    "flow": "flow",
}
_NAMED: dict[str, Sort] = {
    "call": "leg",
    "record": "recording",
    "start record": "recording",
    "wait tone": "tone",
    "wait call": "value",
    "connect": "value",
    "wait event": "value",
    "on event": "value",
    "until event": "value",
    "queue": "value",
    "serve": "value",
    "transfer": "value",
    "ask": "answer",
    "join": "value",
    "start join": "value",
    "on join": "value",
    "on leave": "value",
    "on speech": "value",
}
"""What `as` names, by the statement's words."""


@frozen
class Mention:
    """A name where it stands; *gives* says what it gets there, if it gets something."""

    piece: Piece
    gives: Sort | None
    statement: Piece
    """The first word of its line."""
    scope: str | None = None
    """The flow whose name it is; None is the script."""

    @property
    def name(self) -> str:
        """Give the name."""
        return self.piece.text


@frozen
class _Line:
    """What has been read of a statement."""

    first: Piece
    words: str
    head: bool = False
    """A flow's, before its block."""


def mentions(pieces: Iterable[Piece]) -> list[Mention]:
    """Give every name of a text, those of flows too, in order."""
    return list(_mentions([piece for piece in pieces if piece.kind not in ("blank", "comment")]))


def _mentions(pieces: list[Piece]) -> Iterator[Mention]:
    line: _Line | None = None
    flow: str | None = None
    depth = outside = 0
    for number, piece in enumerate(pieces):
        before = pieces[number - 1] if number else None
        if piece.kind == "verb":
            if line and before is line.first and f"{line.words} {piece.text}" in STATEMENTS:
                line = _Line(line.first, f"{line.words} {piece.text}")
            else:
                line = _Line(piece, piece.text, piece.text == "flow")
        elif piece.text == "{" and piece.kind == "bracket":
            if line and line.head and before and before.text != "with":
                line, outside = _Line(line.first, ""), depth
            depth += 1
        elif piece.text == "}" and piece.kind == "bracket":
            depth -= 1
            if flow is not None and depth <= outside:
                flow = None
        elif piece.kind == "flow" and line:
            if line.head:
                flow = piece.text
            yield Mention(piece, "flow" if line.words == "flow" else None, line.first)
        elif piece.kind == "name":
            first = line.first if line else piece
            yield Mention(piece, _gives(before, line), first, flow)


def _gives(before: Piece | None, line: _Line | None) -> Sort | None:
    if before is None or line is None:
        return None
    if before.kind == "verb" and before.text == line.words and line.words != "flow":
        return _GIVERS.get(line.words)
    if before.kind == "word" and before.text == "as":
        return _NAMED.get(line.words)
    return "parameter" if line.head and before.text in ("(", ",") else None


def giving(found: Iterable[Mention], mention: Mention) -> Mention | None:
    """Give the place where the name of *mention* got its value: the last one before, or the first."""
    givers = [one for one in found if one.gives and _same(one, mention)]
    earlier = [one for one in givers if one.piece.start <= mention.piece.start]
    return earlier[-1] if earlier else next(iter(givers), None)


def same(found: Iterable[Mention], mention: Mention) -> list[Mention]:
    """Give every mention of what *mention* means."""
    return [one for one in found if _same(one, mention)]


def _same(one: Mention, other: Mention) -> bool:
    if one.name != other.name or (one.piece.kind == "flow") != (other.piece.kind == "flow"):
        return False
    return one.scope == other.scope or one.piece.kind == "flow"


def scope_at(pieces: Iterable[Piece], offset: int) -> str | None:
    """Give the flow that a name at *offset* would belong to; None is the script."""
    before = [piece for piece in pieces if piece.end <= offset]
    return mentions([*before, Piece("name", "", offset)])[-1].scope
