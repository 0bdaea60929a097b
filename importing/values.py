"""Values of other systems as ours: seconds, numbers, tones; None where one is not to be had."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ringful.grammar import nodes
from ringful.grammar.tones import TONES
from ringful.importing.draft import Draft, clean

_LONGEST = 24 * 3600
_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]*")
_SIP = re.compile(r"sips?:[^\s@]+@[^\s@]+", re.IGNORECASE)


def words(value: Any) -> str:
    """Give a value of JSON, which may be a number or nothing, as words."""
    match value:
        case None | dict() | list():
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return clean(str(value)[:10_000])


def amount(value: Any) -> Decimal | None:
    """Give *value* as a number, which may stand in a text (``"5"``)."""
    try:
        number = Decimal(words(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def seconds(value: Any, default: float | None = None, unit: int = 1000) -> nodes.Duration | None:
    """Give *value*, in units of so many milliseconds, as a duration of 1 ms to a day; else *default* (s)."""
    number = amount(value)
    if number is None or number < 0:
        number, unit = (None if default is None else Decimal(str(default))), 1000
    if number is None:
        return None
    milliseconds = int(min(number, Decimal(_LONGEST * 1000)) * unit)
    return nodes.Duration(min(milliseconds, _LONGEST * 1000)) if milliseconds > 0 else None


def count(value: Any, default: int, most: int) -> int:
    """Give *value* as a whole number of 1 to *most*; else *default*."""
    number = amount(value)
    return int(min(number, Decimal(most))) if number is not None and number >= 1 else default


def truth(value: Any, default: bool) -> bool:
    """Give *value* as a truth; else *default*."""
    return {"true": True, "false": False}.get(words(value).lower(), default)


def number(draft: Draft, value: Any) -> nodes.Expression | None:
    """Give what is to be called: a number, a SIP address, or a value of the flow."""
    said = re.sub(r"^tel:", "", words(value), flags=re.IGNORECASE)
    if _SIP.fullmatch(said):
        return draft.text(said)
    if _NUMBER.fullmatch(said):
        return nodes.text("+" * said.startswith("+") + "".join(c for c in said if c.isdigit()))
    expression = draft.value(said)
    return None if isinstance(expression, nodes.Text) else expression


def keys(value: Any) -> list[str]:
    """Give each tone that *value* names, once."""
    return list(dict.fromkeys(c for c in words(value).upper() if c in TONES))


def listed(tones: Sequence[str]) -> nodes.Expression:
    """Give *tones* as a clause says them: any of them, or none."""
    return nodes.text(",".join(tones)) if tones else nodes.Nothing()


def sent(value: Any, pauses: dict[str, int]) -> Iterator[nodes.Tone | nodes.Wait]:
    """Give statements that send the tones of *value*; *pauses* has the milliseconds of what is no tone."""
    row, rest = "", 0
    for mark in words(value).upper():
        if mark in TONES:
            if rest:
                yield nodes.Wait(nodes.Duration(rest))
            row, rest = row + mark, 0
        elif mark in pauses:
            if row:
                yield nodes.Tone(nodes.text(row))
            row, rest = "", rest + pauses[mark]
    if row:
        yield nodes.Tone(nodes.text(row))
