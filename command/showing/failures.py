"""What could not be played or recorded on a call."""

from collections.abc import Sequence
from typing import Any


def told(failures: Sequence[dict[str, Any]]) -> str:
    """Say in one line how much could not be made, and why: the first reason of each kind."""
    said = []
    for what, one, more in (("play", "sound", "sounds"), ("record", "recording", "recordings")):
        alike = [failure for failure in failures if failure["what"] == what]
        if alike:
            times = sum(failure["times"] for failure in alike)
            others = len({failure["why"] for failure in alike}) - 1
            reasons = f" (and for {others} more)" if others else ""
            said.append(
                f"{times} {one if times == 1 else more} could not be made: {alike[0]['why']}{reasons}"
            )
    return "; ".join(said)
