"""What came of a connection, a transfer, a conference, a further leg: the value that a script reads.

Every such value has ``reason``, a stable word; ``seconds``, the started seconds that it lasted (0 where
it never began); and ``status``, the SIP status of a far end that was not reached, or none.  What came of
legs has ``leg``, its ID, and ``given``, what its own block gave the script (`give`).
"""

from collections.abc import Mapping
from math import ceil

from ringful.interpreter.leg import Leg
from ringful.interpreter.values import Value


def outcome(reason: str | None, seconds: int = 0, status: int | None = None) -> Mapping[str, Value]:
    """Make the value of something that ended for *reason* (None: it has not ended)."""
    return {"reason": reason, "seconds": seconds, "status": status}


def lasted(since: float | None, until: float) -> int:
    """Give the started seconds between two times; 0 where *since* never was."""
    return 0 if since is None else max(0, ceil(round(until - since, 3)))


def reason_of(leg: Leg) -> str:
    """Say why *leg* is over, or about to be.

    Never answered: what it was refused with.  Otherwise ``hangup`` (its far end hung up), ``transferred``,
    ``lost``, ``limit`` (it was up as long as a call may be), ``ended`` (our side ended it).
    """
    if leg.refused:
        return leg.refused
    if leg.ended_by == "lost":
        return "lost"
    if leg.closing == "transferred":
        return "transferred"
    if leg.ended_by == "callee" or leg.closing in (None, "", "far end"):
        return "hangup"
    return "limit" if leg.closing == "max duration" else "ended"


def of_leg(leg: Leg) -> Mapping[str, Value]:
    """Give what came of *leg*; of one that is not over there is no reason yet."""
    if leg.state != "over":
        return {**outcome(None), "leg": leg.name, "given": leg.given}
    seconds = lasted(leg.answered_at, leg.ended_at or 0.0) if leg.answered_at is not None else 0
    return {**outcome(reason_of(leg), seconds, leg.sip_status), "leg": leg.name, "given": leg.given}
