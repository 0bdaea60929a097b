"""Show messages as they are kept: as JSON, as rows of a table, and as a line each.  Pure."""

from typing import Any

from ringful.interpreter.money.amounts import plain_if
from ringful.interpreter.tell import stamp, stamp_if
from ringful.store.port import Message

COLUMNS = (
    "messageId",
    "callId",
    "direction",
    "number",
    "own",
    "label",
    "state",
    "reason",
    "created",
    "changed",
    "segments",
    "carrier",
    "operator",
    "replyTo",
    "billAmount",
    "pruned",
    "text",
)
"""What a table tells of a message, in its order."""
_SHOWN = 60
"""Characters of a text that a line shows."""


def message_as_json(message: Message) -> dict[str, Any]:
    """Give a message as lists show it."""
    return {
        "messageId": message.message_id,
        "callId": message.call_id or None,
        "direction": "inbound" if message.inbound else "outbound",
        "number": message.number,
        "own": message.own,
        "label": message.label,
        "state": message.state,
        "reason": message.reason or None,
        "created": stamp(message.created),
        "changed": stamp(message.changed),
        "segments": message.segments,
        "carrier": message.carrier or None,
        "operator": message.operator or None,
        "replyTo": message.reply_to,
        "billAmount": plain_if(message.bill),
        "pruned": stamp_if(message.pruned),
        "text": None if message.pruned is not None else message.text,
    }


def message_in_full(message: Message) -> dict[str, Any]:
    """Give all that is known of a message, but for its journal and its callbacks."""
    waits = message.state == "queued"
    return message_as_json(message) | {
        "parts": list(message.parts),
        "attempts": message.attempts,
        "sentAgain": message.twice,
        "next": stamp(message.next_at) if waits else None,
        "expires": stamp(message.expires) if waits and message.expires else None,
        "callbackUrl": message.notify,
    }


def message_as_text(message: Message) -> str:
    """Give a message in one line; of its text, the beginning."""
    way = "from" if message.inbound else "to"
    bill = plain_if(message.bill) or ""
    parts = [message.message_id, stamp(message.created), f"{way} {message.number}", message.state, bill]
    text = "" if message.pruned is not None else _begins(message.text)
    return "  ".join(part for part in (*parts, message.label, text, message.reason) if part)


def _begins(text: str) -> str:
    line = "".join(mark if mark.isprintable() else " " for mark in text)
    return f'"{line[:_SHOWN]}…"' if len(line) > _SHOWN else f'"{line}"'
