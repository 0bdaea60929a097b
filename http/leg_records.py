"""Show the records of legs: as JSON, as rows of a table, and as a line each.  Pure."""

from typing import Any

from ringful.interpreter.money.amounts import plain
from ringful.interpreter.tell import stamp, stamp_if
from ringful.store.port import LegRecord

COLUMNS = (
    "legId",
    "callId",
    "direction",
    "number",
    "own",
    "trunk",
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


def leg_as_json(leg: LegRecord) -> dict[str, Any]:
    """Give all that is kept of a leg but whose it is."""
    return {
        "legId": leg.leg_id,
        "callId": leg.call_id,
        "direction": "inbound" if leg.inbound else "outbound",
        "number": leg.number,
        "own": leg.own,
        "trunk": leg.trunk,
        "label": leg.label,
        "script": leg.script,
        "version": leg.version,
        "created": stamp_if(leg.created),
        "rung": stamp_if(leg.rung),
        "answered": stamp_if(leg.answered),
        "ended": stamp_if(leg.ended),
        "duration": leg.seconds,
        "outcome": leg.outcome,
        "endedBy": leg.ended_by,
        "sipStatus": leg.sip_status,
        "billAmount": plain(leg.bill),
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
        "billAmount": plain(leg.bill),
    }


def leg_as_text(leg: LegRecord) -> str:
    """Give a leg in one line."""
    other = leg.number or "nobody known"
    who = f"{leg.own} called by {other}" if leg.inbound else other
    seconds = "" if leg.seconds is None else f"{leg.seconds} s"
    parts = [leg.leg_id, stamp(leg.ended), who, leg.outcome, seconds, plain(leg.bill)]
    more = [f"by {leg.trunk}"] if leg.trunk else []
    return "  ".join([*parts, *more, *([leg.label] if leg.label else [])]).rstrip()
