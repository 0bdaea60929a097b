"""Numbers as they are kept, however they were written."""

import re
from collections.abc import Callable
from functools import lru_cache

import phonenumbers
from attrs import frozen

_MARKS = str.maketrans("", "", " .-()")
"""What people put between the digits of a number."""


def bare(written: str) -> str:
    """Give a number without what people put between its digits."""
    return written.translate(_MARKS)


@frozen
class Plan:
    """How somebody writes numbers."""

    country: str
    """Where those are that have no country."""
    whole: bool = False
    """They have one, also without ``+``: ``4420…`` is in Britain, whatever else it could be at home."""


@lru_cache(maxsize=4096)
def e164(written: str, country: str, *, whole: bool = False) -> str | None:
    """Give *written* as ``+E.164``; None where it is no phone number.

    Without ``+`` or ``00`` a number is national where *country* has such a number, and otherwise
    international; with *whole* it is the other way round.
    """
    if not re.fullmatch(r"\+?[0-9]{3,15}|00[0-9]{3,15}|011[0-9]{3,15}", written):
        return None
    # 00 stands for + in most of the world, and trunks write it everywhere.
    bare_digits = re.sub(r"^00|^\+", "", written)
    international = ("+" + bare_digits, None, phonenumbers.is_possible_number)
    plans: list[tuple[str, str | None, Callable[[phonenumbers.PhoneNumber], bool]]] = [international]
    if not written.startswith(("+", "00")):
        plans.insert(0, (written, country, phonenumbers.is_valid_number))
        plans.append((written, country, phonenumbers.is_possible_number))
        if whole:
            plans.insert(0, ("+" + bare_digits, None, phonenumbers.is_valid_number))
    for candidate, region, suits in plans:
        try:
            parsed = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if suits(parsed):
            return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return None


def known(written: str, country: str, *, whole: bool = False) -> str:
    """Give a number as it is kept here: ``+E.164``, or as it is where that is no phone number."""
    return e164(written, country, whole=whole) or written
