"""Show the records of legs: as JSON, as rows of a table, and as a line each.  Pure."""

from typing import Any

from ringful.interpreter.tell import stamp
from ringful.store.port import LegRecord

COLUMNS = (
    "legId",
    "callId",
    "direction",
    "number",
    "own",
    "label",
    "script",
    "version",
    "created",
    "rung",
    "answered",
    "ended",
    "duration",
    "outcome",
    "endedBy",
    "sipStatus",
    "billAmount",
    "conferences",
    "packets",
    "lost",
    "jitter",
)
"""What is told of a leg, in its order."""


def _time(at: float | None) -> str | None:
    return None if at is None else stamp(at)


def leg_as_json(leg: LegRecord) -> dict[str, Any]:
    """Give all that is kept of a leg but whose it is."""
    return {
        "legId": leg.leg_id,
        "callId": leg.call_id,
        "direction": "inbound" if leg.inbound else "outbound",
        "number": leg.number,
        "own": leg.own,
        "label": leg.label,
        "script": leg.script,
        "version": leg.version,
        "created": _time(leg.created),
        "rung": _time(leg.rung),
        "answered": _time(leg.answered),
        "ended": _time(leg.ended),
        "duration": leg.seconds,
        "outcome": leg.outcome,
        "endedBy": leg.ended_by,
        "sipStatus": leg.sip_status,
        "billAmount": format(leg.bill, "f"),
        "conferences": list(leg.conferences),
        "packets": leg.packets,
        "lost": leg.lost,
        "jitter": leg.jitter_ms,
    }


def leg_brief(leg: LegRecord) -> dict[str, Any]:
    """Give what is told of a leg with its call."""
    return {
        "legId": leg.leg_id,
        "number": leg.number,
        "outcome": leg.outcome,
        "duration": leg.seconds,
        "billAmount": format(leg.bill, "f"),
    }


def leg_as_text(leg: LegRecord) -> str:
    """Give a leg in one line."""
    other = leg.number or "nobody known"
    who = f"{leg.own} called by {other}" if leg.inbound else other
    seconds = "" if leg.seconds is None else f"{leg.seconds} s"
    parts = [leg.leg_id, stamp(leg.ended), who, leg.outcome, seconds, format(leg.bill, "f")]
    return "  ".join([*parts, leg.label] if leg.label else parts).rstrip()
