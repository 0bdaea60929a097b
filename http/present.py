"""Show a call, and what happened on it: as JSON, and as lines of text.  Pure."""

from collections.abc import Mapping
from typing import Any

from attrs import asdict

from ringful.interpreter.calls.switchboard import CallView
from ringful.interpreter.money.amounts import plain_if
from ringful.interpreter.tell import stamp_if
from ringful.interpreter.trace import Line, clock


def _direction(call: CallView) -> str:
    if call.conference is not None:
        return "conference"
    return "inbound" if call.inbound else "outbound"


def call_as_json(call: CallView) -> dict[str, Any]:
    """Give all that is known of *call*."""
    return {
        "callId": call.call_id,
        "callee": call.callee,
        "caller": call.caller,
        "callerName": call.caller_name,
        "divertedFrom": call.diverted_from,
        "direction": _direction(call),
        "trunk": call.trunk,
        "script": None if call.origin is None else call.origin.name,
        "version": None if call.origin is None else call.origin.version,
        "label": call.label,
        **({} if call.conference is None else {"conference": call.conference}),
        "state": call.state,
        "outcome": call.outcome or None,
        "created": stamp_if(call.created),
        "answered": stamp_if(call.answered),
        "ended": stamp_if(call.ended),
        "duration": call.duration,
        "billAmount": plain_if(call.bill),
        "queue": [
            {
                "task": task.task,
                "statement": task.statement.strip(),
                "state": task.state,
                "detail": task.detail,
            }
            for task in call.tasks
        ],
        "recordings": [
            {
                "recordFile": one.url,
                "duration": one.duration,
                "size": one.size,
                "removed": stamp_if(one.removed),
            }
            for one in call.recordings
        ],
        "quality": asdict(call.quality) if call.quality else None,
        "failures": [{"what": one.what, "why": one.why, "times": one.times} for one in call.failures],
        "pruned": stamp_if(call.pruned),
    }


def as_lines(members: Mapping[str, Any]) -> str:
    """Give the members of a JSON object as lines, ``name: value``."""
    lines = []
    for name, value in members.items():
        match value:
            case None:
                continue
            case list() if value and all(isinstance(one, str) for one in value):
                lines.append(f"{name}: {'  '.join(value)}")
            case list():
                lines += [
                    f"{name}: " + "  ".join(str(part) for part in one.values() if part not in ("", None))
                    for one in value
                ]
            case dict():
                lines.append(f"{name}: " + "  ".join(f"{key}={part}" for key, part in value.items()))
            case _:
                lines.append(f"{name}: {value}")
    return "\n".join(lines) + "\n"


def line_as_json(line: Line) -> dict[str, Any]:
    """Give a line of a trace."""
    return {
        "at": round(line.at, 3),
        "leg": line.leg,
        "verb": line.verb,
        "text": line.text,
        "place": line.place or None,
    }


def line_as_text(line: Line) -> str:
    """Give a line of a trace as it is printed."""
    text = f"{clock(line.at)}  {line.leg}  {line.verb:<12}  {line.text}".rstrip()
    return f"{text}  @{line.place}" if line.place else text
