"""Tables as CSV: RFC 4180, and harmless to whoever opens them in a spreadsheet.  Pure.

A cell that begins as a formula does is run as one by spreadsheets, and cells hold what strangers said: a text
that came in, a caller's name.  So such a cell gets a `'` in front, which spreadsheets take for the sign that
text follows.  What is nothing but a number stays as it is, with its sign: ``+15125551234`` does no harm.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = re.compile(r"[\s\0]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]")
"""How a formula begins, also after blanks and in full width."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


class Csv(str):
    """Text that is a table."""


def cell(value: object) -> str:
    """Write *value* as a cell holds it: nothing for None, and lists with blanks between."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return cell(" ".join(map(str, value)))
    text = str(value)
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if _FORMULA.match(text) or text[:1] in ("\t", "\r") else text


def rows(columns: Sequence[str], found: Iterable[Mapping[str, Any]]) -> str:
    """Write a row for each of *found*, by the names of their members; without *found*'s names."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        [cell(one[column]) for column in columns] for one in found
    )
    return written.getvalue()


def head(columns: Sequence[str]) -> str:
    """Write the first row: the names of the columns."""
    return ",".join(columns) + "\r\n"


def table(columns: Sequence[str], found: Iterable[Mapping[str, Any]]) -> Csv:
    """Write a whole table."""
    return Csv(head(columns) + rows(columns, found))
