"""How times are told to the outside."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=64)
def stamp(at: float) -> str:
    """Show Unix seconds as ISO 8601 in UTC, to the millisecond: ``2026-01-31T09:00:04.000Z``.

    What happens at one time is told of several times.
    """
    moment = datetime.fromtimestamp(round(at, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_if(at: float | None) -> str | None:
    """Show a time, where there is one."""
    return None if at is None else stamp(at)
