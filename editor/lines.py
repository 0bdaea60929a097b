"""Places in a text, as the parser, Python and the language server protocol count them.

The parser counts lines and columns from 1, a column for each character, and only ``\\n`` ends a line.
The protocol counts from 0, a column for each UTF-16 unit (or as client and server have agreed), and a
``\\r`` alone ends a line too.
Between them stands the offset: the characters before a place.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
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
        self._units = _UNITS[encoding]
        self._begins = [0, *(match.end() for match in _PROTOCOL_ENDS.finditer(text))]
        self._parsed = [0, *(match.end() for match in re.finditer("\n", text))]
        # The parser does not see a mark of the order of bytes.
        self._marked = len(text) - len(text.removeprefix("\ufeff"))

    def place(self, offset: int) -> Place:
        """Give the place of *offset*."""
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._begins, offset) - 1
        return Place(line, self._units(self._text[self._begins[line] : offset]))

    def offset(self, place: Place) -> int:
        """Give the offset of *place*; one beyond a line's end is the line's end."""
        if place.line >= len(self._begins):
            return len(self._text)
        begin = self._begins[max(0, place.line)]
        end = self._begins[place.line + 1] if place.line + 1 < len(self._begins) else len(self._text)
        units = 0
        for offset, character in enumerate(self._text[begin:end].rstrip("\r\n"), begin):
            if units >= place.column:
                return offset
            units += self._units(character)
        return begin + len(self._text[begin:end].rstrip("\r\n"))

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
