"""Numbers as a trunk writes them, the called one and the caller's alike.  Pure."""

import re

import phonenumbers

from ringful.media.trunks import Trunk

_E164 = re.compile(r"\+?([1-9][0-9]{6,14})")
"""A number of the telephone network; shorter ones are the trunk's own, and stay what they are."""


def as_written_there(number: str, trunk: Trunk) -> str:
    """Give *number*, ``+E.164`` or E.164 without ``+``, in the form of *trunk*.

    What is no number of the telephone network (a short code, a name) is given as it is.
    """
    found = _E164.fullmatch(number)
    if found is None:
        return number
    digits = found[1]
    match trunk.numbers:
        case "+e164":
            return f"+{digits}"
        case "e164":
            return digits
        case "00":
            return f"00{digits}"
        case "national":
            return _dialled(digits, trunk.country) or f"00{digits}"


def _dialled(digits: str, country: str) -> str | None:
    """Give the number as it is dialled within *country*; None where that cannot be said."""
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.country_code_for_region(country):
        return None
    if parsed.country_code == phonenumbers.country_code_for_region(country):
        shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    else:
        shown = phonenumbers.format_out_of_country_calling_number(parsed, country)
    # Where there are several ways to call abroad, none is chosen.
    return None if shown.startswith("+") else "".join(filter(str.isdecimal, shown))
