"""The requests about queues, all ours: to wait in one, to serve it, to be put out of it, to look at it."""

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.parameters import Parameters

_Callback: TypeAlias = Callable[[Parameters], str | None]


@frozen
class Enqueue:
    """Let a call wait in a queue, in its turn."""

    call_id: str
    queue: str
    limit: float | None = None
    """Seconds that it waits at most."""
    announcement: str | None = None
    """What it hears meanwhile, again and again."""
    callback_url: str | None = None


@frozen
class Serve:
    """Let a call take the next one who waits in a queue, in its turn."""

    call_id: str
    queue: str
    within: float | None = None
    """Seconds that it waits until somebody is there."""
    limit: float | None = None
    """Seconds that they talk at most."""
    callback_url: str | None = None


@frozen
class LeaveQueue:
    """Put a call out of the queue that it waits in, at once."""

    call_id: str


@frozen
class QueryQueues:
    """Tell who waits in a queue, or (None) how many wait in each."""

    queue: str | None = None


def enqueue(given: Parameters, announcement: Callable[[str, str], str], callback: _Callback) -> Enqueue:
    """Read `Enqueue`."""
    return Enqueue(
        given.required("callId", p.identifier, "r1-…"),
        given.required("queue", p.label, "support"),
        given.optional("for timeout", p.time_to(p.DAY)),
        given.optional("announcement", announcement),
        callback(given),
    )


def serve(given: Parameters, callback: _Callback) -> Serve:
    """Read `Serve`."""
    return Serve(
        given.required("callId", p.identifier, "r1-…"),
        given.required("queue", p.label, "support"),
        given.optional("within", p.time_to(p.DAY)),
        given.optional("for", p.time_to(p.DAY)),
        callback(given),
    )


def query_queues(given: Parameters) -> QueryQueues:
    """Read `QueryQueues`."""
    return QueryQueues(given.optional("queue", p.label))
