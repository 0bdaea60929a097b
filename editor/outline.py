"""What a script consists of: its params and head, flows, handlers, legs, and menus with their branches.

It is read from the pieces of the text, so a block that is not closed yet is there as well.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from attrs import define, field

from ringful.editor.document import Document
from ringful.grammar.reading.tokens import Piece

Sort: TypeAlias = Literal["param", "head", "flow", "handler", "leg", "menu", "branch"]

_BLOCKS: dict[str, Sort] = {
    "flow": "flow",
    "on": "handler",
    "call": "leg",
    "start": "leg",
    "in": "leg",
    "menu": "menu",
    "prompt": "branch",
    "timeout": "branch",
    "otherwise": "branch",
}
_HEADS: dict[str, Sort] = {"param": "param", "call": "head", "inbound": "head"}


MAX_DEPTH = 16
"""Parts stand so deep in one another at most; nobody looks further, and clients must take them in."""


@define
class Part:
    """A part of a script: from *start* to *end*, named by what stands at *first* to *last*."""

    name: str
    sort: Sort
    start: int
    end: int
    first: int
    last: int
    parts: list["Part"] = field(factory=list)


@define
class _Open:
    """A bracket that is open; *part* is what it belongs to, if that is shown."""

    block: bool
    part: Part | None = None
    parts: list[Part] = field(factory=list)
    depth: int = 0


def outline(document: Document) -> list[Part]:
    """Give the parts of a script, the outermost ones, in order."""
    found: list[Part] = []
    openers = [_Open(block=True, parts=found)]
    head: list[Piece] = []
    for piece in document.pieces:
        if piece.kind == "comment":
            continue
        if piece.kind == "bracket" and piece.text == "{":
            openers.append(_opened(head, openers[-1], document.text, piece))
            head = [] if openers[-1].block else [*head, piece]
        elif piece.kind == "bracket" and piece.text == "}" and len(openers) > 1:
            closed = openers.pop()
            if closed.part:
                closed.part.end = piece.end
            head = [] if closed.block else [*head, piece]
        elif openers[-1].block and ("\n" in piece.text or piece.text == ";"):
            openers[-1].parts.extend(_line(head, document.text))
            head = []
        elif piece.kind != "blank":
            head.append(piece)
    found.extend(_line(head, document.text) if len(openers) == 1 else ())
    for one in openers[1:]:
        if one.part:
            one.part.end = len(document.text)
    return found


def _opened(head: list[Piece], outer: _Open, text: str, brace: Piece) -> _Open:
    """Say what a brace behind *head* opens."""
    if not outer.block or (head and (head[-1].text == "with" or head[-1].kind in ("mark", "operator"))):
        return _Open(block=False)
    first = head[0] if head else brace
    sort = _BLOCKS.get(first.text) if first.kind == "verb" else None
    if outer.part and outer.part.sort == "menu" and head:
        sort = "branch"
    if sort is None:
        # An `if`, a loop: what is in them stands where they stand.
        return _Open(True, None, outer.parts, outer.depth)
    part = _part(head or [brace], sort, text)
    outer.parts.append(part)
    return _Open(True, part, part.parts if outer.depth < MAX_DEPTH else outer.parts, outer.depth + 1)


def _line(head: list[Piece], text: str) -> Iterator[Part]:
    if len(head) > 1 and head[0].kind == "verb" and head[0].text in _HEADS:
        yield _part(head, _HEADS[head[0].text], text)


def _part(head: list[Piece], sort: Sort, text: str) -> Part:
    start, end = head[0].start, head[-1].end
    named = head[1:] if sort in ("param", "flow") and len(head) > 1 else head
    said = " ".join(text[named[0].start : end].split())
    if sort == "param":
        said, named = named[0].text, named[:1]
    return Part(said or head[0].text, sort, start, end, named[0].start, named[-1].end)
