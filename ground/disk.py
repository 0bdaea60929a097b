"""Room on the disks."""

import os
from collections.abc import Iterable
from pathlib import Path


def why_short(places: Iterable[Path], least: int) -> str:
    """Say which of *places* has less than *least* bytes free on its disk; nothing where all have room.

    A place that is not there is looked for where it would be made.
    """
    for place in places:
        there = place.absolute()
        while not there.exists() and there != there.parent:
            there = there.parent
        try:
            found = os.statvfs(there)
        except OSError as error:
            return f"{place}: {error.strerror}"
        free = found.f_bavail * found.f_frsize
        if free < least:
            return f"{place}: {free // 1_000_000} MB are free, and store.min_free is {least // 1_000_000} MB"
    return ""
