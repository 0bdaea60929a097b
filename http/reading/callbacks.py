"""The requests about callbacks, which are ours: what was not delivered, and sending it again."""

from typing import TypeAlias

from attrs import frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.store.port import Standing

STATES: dict[str, tuple[Standing, ...]] = {
    "waiting": ("pending", "resend"),
    "parked": ("parked",),
    "delivered": ("delivered",),
}
"""The words of the API, and what they mean in the store."""
UNDELIVERED = STATES["waiting"] + STATES["parked"]
MOST = 1000
"""Callbacks in one answer."""


@frozen
class QueryCallbacks:
    """List callbacks, the oldest first, from behind the event *after*."""

    call_id: str | None
    states: tuple[Standing, ...]
    after: str | None
    limit: int


@frozen
class CallbackResend:
    """Send parked callbacks again: all that fit what is given."""

    event: str | None
    call_id: str | None
    url: str | None


CallbackRequest: TypeAlias = QueryCallbacks | CallbackResend


def query(given: Parameters) -> QueryCallbacks:
    """Read `QueryCallbacks`."""
    state = given.optional("state", p.one_of(*STATES))
    return QueryCallbacks(
        given.optional("callId", p.identifier),
        UNDELIVERED if state is None else STATES[state],
        given.optional("after", p.text),
        given.optional("limit", _limit) or 100,
    )


def resend(given: Parameters) -> CallbackResend:
    """Read `CallbackResend`."""
    asked = CallbackResend(
        given.optional("event", p.text), given.optional("callId", p.identifier), given.optional("url", p.text)
    )
    if asked == CallbackResend(None, None, None):
        raise BadParameter("event", "missing", "event is missing; give an event, a callId or a url")
    return asked


def _limit(name: str, value: str) -> int:
    if 1 <= (number := p.whole(name, value)) <= MOST:
        return number
    raise BadParameter(name, "invalid", f"{name} must be 1 to {MOST}, not {value!r}")
