"""A rate table as a CSV file: with commas, semicolons or tabs, as spreadsheets write it."""

import csv
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from attrs import frozen

from ringful.interpreter.money.rates import Rate
from ringful.interpreter.money.rows import COLUMNS, Unfit, field_of, flaws, value_of

_WHOLE = ("first", "following")
_MOST_FLAWS = 100
"""How many things that are wrong with a file are told."""


@frozen
class Sheet:
    """What was read of a file, and what is wrong with it, line by line."""

    rates: tuple[Rate, ...]
    flaws: tuple[str, ...]


def read_sheet(written: bytes, name: str, above: tuple[Rate, ...] = ()) -> Sheet:
    """Read the file *name*, which holds *written*: its rows are joined to those *above*."""
    rates = list(above)
    wrong: list[str] = []
    try:
        for one in _rows(_text(written, name), name):
            if isinstance(one, Rate):
                rates.append(one)
            else:
                wrong.append(one)
                if len(wrong) >= _MOST_FLAWS:
                    wrong.append(f"{name}: there is more that is wrong; it is not told")
                    break
    except _Unreadable as error:
        wrong.append(str(error))
    if not wrong:
        # What rows lack together cannot be said while some could not be read.
        wrong += flaws(rates)
    return Sheet(tuple(rates), tuple(wrong))


class _Unreadable(Exception):
    """Nothing can be made of the file."""


def _text(written: bytes, name: str) -> str:
    if written.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in written:
        raise _Unreadable(f'{name}: it is no UTF-8 text: save it as "CSV UTF-8"')
    try:
        return written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f'{name}:{line}: it is no UTF-8 text: save it as "CSV UTF-8"') from None


def _cells(text: str, separator: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Give each row, and the line at which it ends.  Raises _Unreadable."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield reader.line_num, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _Unreadable(f"{name}:{begins}: the row that begins here is no CSV: {error}") from None


def _rows(text: str, name: str) -> Iterator[Rate | str]:
    """Give each row, or what is wrong with it.  Raises _Unreadable."""
    head_line = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    separator = next((mark for mark in ";\t" if mark in head_line), ",")
    head: list[str] | None = None
    source = f"{name}:"
    read_cell = lru_cache(maxsize=16_384)(_value)
    for line, cells in _cells(text, separator, name):
        if not any(map(str.strip, cells)):
            continue
        if head is None:
            head = _head(cells, name, line)
            continue
        try:
            yield _rate(head, cells, source, line, read_cell)
        except Unfit as unfit:
            yield f"{name}:{line}: {unfit.column}: expected {unfit.wanted}, not {unfit.found!r}"
    if head is None:
        raise _Unreadable(f"{name}: it is empty: its first line names the columns, such as prefix,per_minute")


def _head(cells: list[str], name: str, line: int) -> list[str]:
    head = [cell.strip().lower() for cell in cells]
    while head and not head[-1]:
        head.pop()
    for n, column in enumerate(head):
        if column not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise _Unreadable(f"{name}:{line}: there is no column {column!r}; there are: {known}")
        if column in head[:n]:
            raise _Unreadable(f"{name}:{line}: the column {column} is there twice: leave one of them out")
    if "prefix" not in head:
        raise _Unreadable(f"{name}:{line}: the column prefix is missing; the first line names the columns")
    return head


def _rate(head: list[str], cells: list[str], source: str, line: int, read_cell: Any) -> Rate:
    if any(map(str.strip, cells[len(head) :])):
        raise Unfit("the row", f"{len(head)} cells, as the head has", separated(cells))
    # A spreadsheet may leave the last cells of a row out where they are empty.
    named = zip(head, map(str.strip, cells), strict=False)
    made = {field_of(column): read_cell(column, text) for column, text in named if text}
    return Rate(**made, source=source, row=line)


def _value(column: str, text: str) -> Any:
    number = column in _WHOLE and text.isascii() and text.isdigit() and len(text) < 10
    return value_of(column, int(text) if number else text)


def separated(cells: list[str]) -> str:
    """Show the cells of a row in a line."""
    return " | ".join(cell.strip() for cell in cells)
