"""Until when a text is wanted, as SMPP writes it (7.1.1)."""

import math
from datetime import UTC, datetime, timedelta

from ringful.messages.smpp.connection import Validity

_LONGEST = 30 * 86400
"""Seconds: a relative time has months and years too, but nobody says how long those are."""


def validity_period(expires: float, now: float, form: Validity = "relative") -> str:
    """Give the validity period of what nobody wants after *expires* (0: whenever).

    It is at least a second: what is written this close to its end is still written.
    """
    if not expires or form == "none":
        return ""
    left = max(1, min(math.ceil(expires - now), _LONGEST))
    if form == "absolute":
        # Tenths of a second, and quarters of an hour ahead of UTC: none.
        return (datetime.fromtimestamp(math.floor(now), UTC) + timedelta(seconds=left)).strftime(
            "%y%m%d%H%M%S000+"
        )
    minutes, seconds = divmod(left, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"
