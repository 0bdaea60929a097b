"""Durations, as commands take them."""

import re

from ringful.command.configuration import readers
from ringful.command.errors import CommandError


def seconds(written: str) -> float:
    """Read a duration such as ``1s`` or ``500ms``.  Raises CommandError (code 2)."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)?", written)
    if not found:
        raise CommandError(f"{written!r} is no duration: write 1s or 500ms", 2)
    return float(found[1]) * {"ms": 0.001, "m": 60}.get(found[2] or "s", 1)


def age(option: str, written: str) -> float:
    """Read how old something is, in seconds: ``90d``, ``12h``.  Raises CommandError (code 2)."""
    try:
        found = readers.keeping(written)
    except readers.Unfit:
        found = None
    if found is None:
        raise CommandError(f"{option}: expected a duration such as 90d or 12h, not {written}", 2)
    return found
