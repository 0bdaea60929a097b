"""How times are told to the outside."""

from datetime import UTC, datetime


def stamp(at: float) -> str:
    """Show Unix seconds as ISO 8601 in UTC, to the millisecond: ``2026-01-31T09:00:04.000Z``."""
    moment = datetime.fromtimestamp(round(at, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_if(at: float | None) -> str | None:
    """Show a time, where there is one."""
    return None if at is None else stamp(at)
