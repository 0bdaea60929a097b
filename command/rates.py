"""`ringful rates`: what calls and messages cost here."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from cyclopts import App, Parameter

from ringful.command.configuration.config import sheet_of
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.command.showing.rates import call_in_words, in_words, message_in_words, summary
from ringful.interpreter.money.rates import Direction, Matter, RateTable
from ringful.interpreter.money.rows import moment
from ringful.interpreter.tell import stamp

app = App(name="rates", help="What calls and messages cost.")

Way: TypeAlias = Literal["out", "in", "message", "message-in"]
_KINDS: dict[Way, tuple[Direction, Matter]] = {
    "out": ("outbound", "call"),
    "in": ("inbound", "call"),
    "message": ("outbound", "message"),
    "message-in": ("inbound", "message"),
}


@app.command
def check(file: Path | None = None, *, config: Path | None = None) -> None:
    """Show what is wrong with the rate table, each thing with its place; exit 1 if anything is.

    Parameters
    ----------
    file
        A CSV file, alone; the table of the configuration, where none is named.
    config
        The configuration; ringful.toml, where none is named.
    """
    section = configuration(config).rates
    sheet = sheet_of(file) if file else section.sheet
    if sheet.flaws:
        print("\n".join(sheet.flaws))
        sys.exit(1)
    print("\n".join(summary(sheet.rates, section.currency)))


@app.command
def explain(
    number: str,
    *,
    direction: Way | None = None,
    seconds: int | None = None,
    segments: int | None = None,
    at: Annotated[str | None, Parameter(allow_leading_hyphen=False)] = None,
    file: Path | None = None,
    config: Path | None = None,
) -> None:
    """Show which row of the rate table counts for NUMBER, and how a bill is reckoned.

    Parameters
    ----------
    number
        Whom we call or write to; of what comes in, our own number.
    direction
        out: a call that we place; in: one that comes in; message, message-in: the same of a message.
    seconds
        The started seconds of the call; 60, where nothing is said.
    segments
        The segments of the message; 1, where nothing is said.
    at
        When it is answered, or sent, in UTC: 2026-03-01T06:00:00Z; now, where nothing is said.
    file
        A CSV file, alone, instead of the configuration's table.
    config
        The configuration; ringful.toml, where none is named.
    """
    way: Way = direction or ("out" if segments is None else "message")
    number = re.sub(r"[\s().-]", "", number) if number[:1] in "+(0123456789" else number
    _see_that_it_fits(way, number, seconds, segments)
    section = configuration(config).rates
    table = section.rates
    if file:
        sheet = sheet_of(file)
        if sheet.flaws:
            raise CommandError(sheet.flaws[0])
        table = RateTable(sheet.rates, section.currency)
    count = (60 if seconds is None else seconds) if segments is None else segments
    if segments is None and way in ("message", "message-in"):
        count = 1
    when = time.time() if at is None else _moment(at)
    print("\n".join(_explained(table, number, way, count, when)))


def _explained(table: RateTable, number: str, way: Way, count: int, when: float) -> Iterator[str]:
    direction, matter = _KINDS[way]
    yield f"{direction} {matter}, {number}, {stamp(when)}"
    rate = table.find(number, direction, matter, when)
    if rate is None:
        yield f"free: no row says anything of {direction} {matter}s"
        return
    yield f"{rate.place}: {in_words(rate, table.currency, matter)}"
    shown = call_in_words if matter == "call" else message_in_words
    yield from shown(rate, count, table.currency)
    if later := table.next_change(number, direction, matter, when):
        yield f"later: {later.place}: {in_words(later, table.currency, matter)}"


def _see_that_it_fits(way: Way, number: str, seconds: int | None, segments: int | None) -> None:
    message = way in ("message", "message-in")
    if message and seconds is not None:
        raise CommandError("--seconds is for calls; a message has --segments", 2)
    if not message and segments is not None:
        raise CommandError("--segments is for messages; a call has --seconds", 2)
    if seconds is not None and not 0 <= seconds <= 10**9:
        raise CommandError(f"--seconds: expected a whole number of at least 0, not {seconds}", 2)
    if segments is not None and not 1 <= segments <= 10**6:
        raise CommandError(f"--segments: expected a whole number of at least 1, not {segments}", 2)
    if not re.fullmatch(r"\+?\d{1,15}|sips?:\S+", number, re.ASCII | re.IGNORECASE):
        raise CommandError("NUMBER: expected a number such as +15125551234", 2)


def _moment(at: str) -> float:
    try:
        return moment(at)
    except ValueError as error:
        raise CommandError(f"--at: expected {error}, not {at!r}", 2) from None
