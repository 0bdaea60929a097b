"""Show calls as lists show them: as JSON, as rows of a table, and as a line each.  Pure."""

import math
from typing import Any

from ringful.interpreter.money.amounts import plain_if
from ringful.interpreter.tell import stamp, stamp_if
from ringful.store.port import CallRecord

COLUMNS = (
    "callId",
    "callee",
    "caller",
    "direction",
    "trunk",
    "label",
    "state",
    "outcome",
    "created",
    "answered",
    "ended",
    "duration",
    "billAmount",
)
"""What a list tells of a call, in its order."""


def record_as_json(call: CallRecord) -> dict[str, Any]:
    """Give a call as lists show it."""
    seconds = call.ended - call.answered if call.ended and call.answered else None
    return {
        "callId": call.call_id,
        "callee": call.callee,
        "caller": call.caller,
        "direction": _direction(call),
        "trunk": call.trunk,
        "label": call.label,
        "state": _state(call),
        "outcome": call.outcome or None,
        "created": stamp_if(call.created),
        "answered": stamp_if(call.answered),
        "ended": stamp_if(call.ended),
        "duration": None if seconds is None else max(1, math.ceil(seconds)),
        "billAmount": plain_if(call.bill),
    }


def _direction(call: CallRecord) -> str:
    if call.is_conference:
        return "conference"
    return "outbound" if call.caller is None else "inbound"


def _state(call: CallRecord) -> str:
    if call.state == "ended":
        return "ended"
    if call.answered is not None:
        return "up"
    if call.is_conference:
        return "waiting"
    return "ringing" if call.callee else "running"


def record_as_text(call: CallRecord) -> str:
    """Give a call as lists show it, in one line."""
    bill = plain_if(call.bill) or ""
    seconds = f"{call.ended - call.answered:.0f} s" if call.ended and call.answered else ""
    parts = [call.call_id, stamp(call.created), _who(call), call.outcome or call.state, seconds, bill]
    more = [f"by {call.trunk}"] if call.trunk else []
    return "  ".join([*parts, *more, *([call.label] if call.label else [])]).rstrip()


def _who(call: CallRecord) -> str:
    if call.is_conference:
        return f"conference {call.callee}".rstrip()
    if call.caller is None:
        return call.callee
    return f"{call.callee} called by {call.caller or 'nobody known'}"
