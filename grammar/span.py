"""Where something stands in a script's text.

Lines and columns count from 1, and the end is the first column after the last character.
A span carries the name of its text, because one run may execute statements of several files.
"""

from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of a script's text: ``approve.call:3:6``.

    It is a tuple, since a text has several for each line, and nothing else is made as fast.
    """

    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    path: str = ""

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}"
        return f"{self.path}:{place}" if self.path else place


NOWHERE = Span()
"""The span of a node that no text was written for (a REST call's statement)."""
