"""Time zones, by their names in the tz database."""

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo | None:
    """Give the time zone that has this *name* (``Europe/Vienna``); None: there is none."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def zones() -> frozenset[str]:
    """Give the names of all zones."""
    return frozenset(available_timezones())
