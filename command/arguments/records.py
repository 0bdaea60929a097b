"""Which calls, legs and messages a list is to hold: options, read as the API reads its parameters."""

from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from ringful.command.errors import CommandError
from ringful.http.reading import parameters as p
from ringful.http.reading.call_filter import call_filter
from ringful.http.reading.records import direction as read_direction
from ringful.http.reading.records import message_state
from ringful.store.port import CallFilter, LegFilter, MessageFilter

_T = TypeVar("_T")


@frozen
class Given:
    """What the options of a list say, as they were written; None: nothing."""

    state: str | None = None
    direction: str | None = None
    number: str | None = None
    label: str | None = None
    since: str | None = None
    until: str | None = None


def calls(country: str, given: Given) -> CallFilter:
    """Say which calls are wanted, but for their key.  Raises CommandError (code 2)."""
    since, until = span(given.since, given.until)
    state = _read("--state", given.state, p.call_state)
    return call_filter(state, _numbers(country, given), _label(given), since, until)


def messages(country: str, given: Given) -> MessageFilter:
    """Say which messages are wanted, but for their key.  Raises CommandError (code 2)."""
    since, until = span(given.since, given.until)
    inbound = _read("--direction", given.direction, read_direction)
    state = _read("--state", given.state, message_state)
    numbers, label = _numbers(country, given), _label(given)
    return MessageFilter(None, inbound, state, numbers, label, since=since, until=until)


def legs(given: Given) -> LegFilter:
    """Say which legs are wanted, but for their key.  Raises CommandError (code 2)."""
    since, until = span(given.since, given.until)
    return LegFilter(since=since, until=until)


def span(since: str | None, until: str | None) -> tuple[float | None, float | None]:
    """Read --from and --to: a time before the other one.  Raises CommandError (code 2)."""
    start, end = _read("--from", since, p.moment), _read("--to", until, p.moment)
    if start is not None and end is not None and start >= end:
        raise CommandError("--from: expected a time before --to", 2)
    return start, end


def _numbers(country: str, given: Given) -> tuple[str, ...]:
    return _read("--number", given.number, p.any_number(country)) or ()


def _label(given: Given) -> str | None:
    return _read("--label", given.label, p.label)


def _read(option: str, written: str | None, reader: Callable[[str, str], _T]) -> _T | None:
    try:
        return None if written is None else reader(option, written.strip())
    except p.BadParameter as bad:
        raise CommandError(str(bad), 2) from bad
