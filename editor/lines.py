"""Places in a text, as the parser, Python and the language server protocol count them.

The parser counts lines and columns from 1, a column for each character, and only ``\\n`` ends a line.
The protocol counts from 0, a column for each UTF-16 unit (or as client and server have agreed), and a
``\\r`` alone ends a line too.
Between them stands the offset: the characters before a place.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

from ringful.grammar.span import Span

_PROTOCOL_ENDS = re.compile(r"\r\n|\n|\r")


class Place(NamedTuple):
    """A place as the protocol counts."""

    line: int
    column: int


class Lines:
    """The lines of one text."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self._text = text
        self._begins = [0, *(match.end() for match in _PROTOCOL_ENDS.finditer(text))]
        self._parsed = [0, *(match.end() for match in re.finditer("\n", text))]
        # The parser does not see a mark of the order of bytes.
        self._marked = len(text) - len(text.removeprefix("\ufeff"))
        # A line may be as long as a text, so no line is counted through for each of its places.
        units = _UNITS[encoding]
        wide = [(at, units(one) - 1) for at, one in enumerate(text) if one > "\x7f" and units(one) > 1]
        self._wide = [at for at, _ in wide]
        self._more = [0, *accumulate(more for _, more in wide)]

    def place(self, offset: int) -> Place:
        """Give the place of *offset*."""
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._begins, offset) - 1
        return Place(line, self._units(self._begins[line], offset))

    def offset(self, place: Place) -> int:
        """Give the offset of *place*; one beyond a line's end is the line's end."""
        if place.line >= len(self._begins):
            return len(self._text)
        begin = self._begins[max(0, place.line)]
        end = self._begins[place.line + 1] if place.line + 1 < len(self._begins) else len(self._text)
        end = begin + len(self._text[begin:end].rstrip("\r\n"))
        offsets = range(begin, end)
        return begin + bisect_left(offsets, place.column, key=lambda offset: self._units(begin, offset))

    def _units(self, start: int, end: int) -> int:
        """Count the units from *start* to *end*."""
        more = self._more[bisect_left(self._wide, end)] - self._more[bisect_left(self._wide, start)]
        return end - start + more

    def range(self, span: Span) -> tuple[int, int]:
        """Give the offsets of a span's begin and end; at least a character, where there is one."""
        start = self._in_line(span.line, span.column)
        end = self._in_line(span.end_line, span.end_column)
        return min(start, len(self._text)), max(start, min(end, len(self._text)))

    def _in_line(self, line: int, column: int) -> int:
        if line < 1:
            return 0
        if line > len(self._parsed):
            return len(self._text)
        marked = self._marked if line == 1 else 0
        end = self._parsed[line] - 1 if line < len(self._parsed) else len(self._text)
        return max(self._parsed[line - 1], min(self._parsed[line - 1] + max(column, 1) - 1 + marked, end))


def _utf_16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _utf_8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


_UNITS: dict[str, Callable[[str], int]] = {"utf-8": _utf_8, "utf-16": _utf_16, "utf-32": len}
