"""What can be put right at once: where a problem's hint says what to write."""

import re
from bisect import bisect_left, bisect_right

from attrs import frozen

from ringful.editor.document import Document
from ringful.grammar.errors import Problem

_MEANT = re.compile(r"(?:did you mean|write(?: it without quotes:)?) `([^` …]+)`(?: for seconds)?\??")


@frozen
class Fix:
    """Write *text* from *start* to *end*, as *title* says."""

    title: str
    start: int
    end: int
    text: str


def fix(document: Document, problem: Problem) -> Fix | None:
    """Give what puts *problem* right, if its hint says so."""
    meant = _MEANT.fullmatch(problem.hint)
    if meant is None:
        return None
    start, end = document.lines.range(problem.span)
    pieces = document.pieces
    near = pieces[
        bisect_left(pieces, start, key=lambda one: one.start) : bisect_right(
            pieces, end, key=lambda one: one.end
        )
    ]
    inside = [piece for piece in near if piece.kind not in ("blank", "comment")]
    wrong = re.findall(r"`([^`]+)`", problem.message)
    named = [piece for piece in inside if piece.text in wrong]
    if named and len(inside) > 1 and not document.text[start:end].startswith('"'):
        start, end = named[0].start, named[0].end
    return Fix(f"Write `{meant[1]}`", start, end, meant[1])
