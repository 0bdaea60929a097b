"""Whom a phone calls."""

import re

from ringful.command.errors import CommandError


def sip_uri(number: str, server: str) -> str:
    """Give the SIP URI of *number*, which may be one already, at *server*.  Raises CommandError (code 2)."""
    if number.lower().startswith("sip:"):
        return number
    plain = re.sub(r"[\s().-]", "", number)
    if not re.fullmatch(r"\+?[0-9*#]{1,32}", plain):
        raise CommandError(f"{number!r} is no number to call: write +15125551234, or a SIP URI", 2)
    return f"sip:{plain}@{server}"
