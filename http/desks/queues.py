"""What is told of queues: who waits, since when, and who is ready to serve.  Pure."""

from collections.abc import Sequence
from typing import Any

from ringful.http.authenticate import Answer
from ringful.interpreter.calls.switchboard import QueueView, WaitingView
from ringful.interpreter.tell import stamp

MOST = 1000
"""Queues that one answer has: those in which somebody has waited longest."""


def tell_queues(queues: Sequence[QueueView], wanted: str | None) -> Answer:
    """Tell of the queue that is *wanted*, which may be empty, or how all of them stand."""
    if wanted is not None:
        view = next((one for one in queues if one.name == wanted), QueueView(wanted, (), ()))
        lines = [_head(view), *(_line(one) for one in view.waiting)]
        return "\n".join(lines) + "\n", _as_json(view) | {"waiting": [_who(one) for one in view.waiting]}
    shown = sorted(queues, key=lambda one: (-_longest(one), one.name))[:MOST]
    text = "".join(f"{_head(one)}\n" for one in shown)
    return text, {"queues": [_as_json(one) for one in shown], "more": len(queues) > MOST}


def _longest(view: QueueView) -> int:
    return max((one.waited for one in view.waiting), default=0)


def _head(view: QueueView) -> str:
    # A script may call a queue anything: a line stays a line.
    name = view.name if view.name.isprintable() else repr(view.name)
    return f"{name}: waiting={len(view.waiting)}  longest={_longest(view)}  ready={len(view.ready)}"


def _line(one: WaitingView) -> str:
    return f"{one.place}  {one.leg}  {one.number}  since={stamp(one.since)}  waited={one.waited}"


def _as_json(view: QueueView) -> dict[str, Any]:
    longest = _longest(view)
    return {"queue": view.name, "length": len(view.waiting), "longest": longest, "ready": list(view.ready)}


def _who(one: WaitingView) -> dict[str, Any]:
    return {
        "callId": one.call_id,
        "leg": one.leg,
        "number": one.number,
        "place": one.place,
        "since": stamp(one.since),
        "waited": one.waited,
        "expected": one.expected,
    }
