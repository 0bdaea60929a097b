"""What could not be played, recorded or sent by a call."""

from collections.abc import Sequence
from typing import Any

_KINDS = (
    ("play", "sound", "sounds", "made"),
    ("record", "recording", "recordings", "made"),
    ("sms", "message", "messages", "sent"),
)


def told(failures: Sequence[dict[str, Any]]) -> str:
    """Say in one line how much could not be made, and why: the first reason of each kind."""
    said = []
    for what, one, more, done in _KINDS:
        alike = [failure for failure in failures if failure["what"] == what]
        if alike:
            times = sum(failure["times"] for failure in alike)
            others = len({failure["why"] for failure in alike}) - 1
            reasons = f" (and for {others} more)" if others else ""
            said.append(
                f"{times} {one if times == 1 else more} could not be {done}: {alike[0]['why']}{reasons}"
            )
    return "; ".join(said)
