"""The lines of a case about money: what calls cost, what may be spent, and when all this happens."""

import re
from typing import Any

from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.rates import DIRECTIONS, Rate
from ringful.interpreter.money.rows import Unfit, amount, flaws, moment, rate_of
from ringful.interpreter.money.sheet import read_sheet
from ringful.interpreter.tell import stamp
from ringful.simulation.cases.case import Case
from ringful.simulation.cases.lines import TEXT, Lines

_RATE = 'rate "1512" per_minute 0.012 connection 0.005 first 60 following 6'
_WHOLE = ("first", "following")


def read_rates(case: Case, lines: Lines, rest: str, *, alone: bool) -> None:
    """Read ``rates FILE.csv``: the rows of a file beside the case."""
    if alone:
        raise lines.wrong("no file can be named here", f"write its rows, e.g. `{_RATE}`")
    path = lines.path.parent / rest.removeprefix('"').removesuffix('"')
    if not rest or not path.is_file():
        raise lines.wrong(f"there is no file `{rest}`", "its path counts from the case's folder", word=rest)
    sheet = read_sheet(path.read_bytes(), rest)
    if sheet.flaws:
        raise lines.wrong(sheet.flaws[0], word=rest)
    case.rates.extend(sheet.rates)


def read_rate(case: Case, lines: Lines, rest: str) -> None:
    """Read ``rate "1512" inbound per_minute 0.012 …``: one row."""
    found = lines.match(rf"{TEXT}((?:\s+\S+)*)", rest, _RATE)
    words = found[2].split()
    row: dict[str, Any] = {"prefix": lines.unquoted(found[1])}
    if words and words[0] in DIRECTIONS:
        row["direction"] = words.pop(0)
    if len(words) % 2:
        raise lines.wrong(f"`{words[-1]}` has no value", f"write e.g. `{_RATE}`", word=words[-1])
    for name, value in zip(words[::2], words[1::2], strict=True):
        whole = name in _WHOLE and re.fullmatch(r"\d{1,9}", value, re.ASCII)
        row[name] = int(value) if whole else value.strip('"')
    try:
        case.rates.append(rate_of(row, "line ", lines.number))
    except Unfit as unfit:
        hint = f"write e.g. `{_RATE}`"
        raise lines.wrong(f"{unfit.column}: expected {unfit.wanted}, not {unfit.found!r}", hint) from None


def read_cap(case: Case, lines: Lines, rest: str) -> None:
    """Read ``cap 0.50``: what the key may spend."""
    try:
        case.cap = amount(rest)
    except ValueError as error:
        raise lines.wrong(
            f"`{rest}` is no cap: expected {error}", "write e.g. `cap 0.50`", word=rest
        ) from None


def read_clock(case: Case, lines: Lines, rest: str) -> None:
    """Read ``clock "2026-03-29T00:59:50Z"``: when the case begins."""
    try:
        case.clock = moment(lines.unquoted(lines.match(TEXT, rest, 'clock "2026-03-29T00:59:50Z"')[1]))
    except ValueError as error:
        raise lines.wrong(f"`{rest}` is no time: expected {error}", word=rest) from None


def check_rates(case: Case, lines: Lines) -> None:
    """Hold that the rows are a table.  Raises ScriptError."""
    for flaw in flaws(case.rates):
        raise lines.wrong(flaw, number=1)


def show_rate(rate: Rate) -> str:
    """Show a row as `read_rate` reads it."""
    said = [f'rate "{rate.prefix}"']
    if rate.direction != "outbound":
        said.append(rate.direction)
    if rate.per_minute is not None:
        said.append(f"per_minute {plain(rate.per_minute)}")
    if rate.connection:
        said.append(f"connection {plain(rate.connection)}")
    if (rate.first, rate.following) != (1, 1):
        said.append(f"first {rate.first} following {rate.following}")
    if rate.per_segment is not None:
        said.append(f"per_segment {plain(rate.per_segment)}")
    if rate.since is not None:
        said.append(f'from "{stamp(rate.since)}"')
    return " ".join(said)
