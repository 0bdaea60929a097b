"""The requests that ask for records, which are ours: lists of calls, legs and messages, and one message."""

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar, get_args

from attrs import frozen

from ringful.http.reading import parameters as p
from ringful.http.reading.call_filter import call_filter
from ringful.http.reading.parameters import Parameters
from ringful.interpreter.money.bills import By
from ringful.store.port import CallFilter, LegFilter, MessageFilter, MessageState

MOST = 1000
"""Records in one answer."""
USUAL = 100
Numbers: TypeAlias = Callable[[str, str], tuple[str, ...]]
"""Reads a number that is looked for."""
F = TypeVar("F", CallFilter, LegFilter, MessageFilter)


@frozen
class Listed(Generic[F]):
    """List what the key has that is *wanted*, the newest first, from behind *after*."""

    wanted: F
    """But for whose they are."""
    after: str | None = None
    limit: int = USUAL
    table: bool = False


class QueryCalls(Listed[CallFilter]):
    """List the key's calls."""


class QueryLegs(Listed[LegFilter]):
    """List the key's legs that are over, by their ends."""


class QueryMessages(Listed[MessageFilter]):
    """List the key's messages."""


@frozen
class QueryMessage:
    """Tell all about a message."""

    message_id: str


@frozen
class QueryBill:
    """Tell what the key has spent and may, and what it has to pay by days or months."""

    by: By = "month"
    since: float | None = None
    until: float | None = None
    table: bool = False


RecordRequest: TypeAlias = QueryCalls | QueryLegs | QueryMessages | QueryMessage | QueryBill


def _page(given: Parameters) -> tuple[str | None, int, bool]:
    after = given.optional("after", p.identifier)
    return after, given.optional("limit", p.to_most(MOST)) or USUAL, p.as_table(given)


def calls(given: Parameters, numbers: Numbers) -> QueryCalls:
    """Read `QueryCalls`."""
    state = given.optional("state", p.call_state)
    number = given.optional("number", numbers)
    label = given.optional("label", p.label)
    wanted = call_filter(state, number or (), label, *p.span_of_time(given))
    return QueryCalls(wanted, *_page(given))


def legs(given: Parameters, numbers: Numbers) -> QueryLegs:
    """Read `QueryLegs`."""
    call_id = given.optional("callId", p.identifier)
    conference = given.optional("confCallId", p.identifier)
    inbound = given.optional("direction", direction)
    outcome = given.optional("outcome", p.word_of(p.LEG_OUTCOMES))
    number = given.optional("number", numbers)
    label = given.optional("label", p.label)
    since, until = p.span_of_time(given)
    wanted = LegFilter(
        None, call_id, conference, inbound, outcome, number or (), label, since=since, until=until
    )
    return QueryLegs(wanted, *_page(given))


def messages(given: Parameters, numbers: Numbers) -> QueryMessages:
    """Read `QueryMessages`."""
    inbound = given.optional("direction", direction)
    state = given.optional("state", message_state)
    number = given.optional("number", numbers)
    label = given.optional("label", p.label)
    since, until = p.span_of_time(given)
    wanted = MessageFilter(None, inbound, state, number or (), label, since=since, until=until)
    return QueryMessages(wanted, *_page(given))


def message(given: Parameters) -> QueryMessage:
    """Read `QueryMessage`."""
    return QueryMessage(given.required("messageId", p.identifier, "r1-….sms"))


def bill(given: Parameters) -> QueryBill:
    """Read `QueryBill`."""
    by = given.optional("by", bill_by) or "month"
    return QueryBill(by, *p.span_of_time(given), p.as_table(given))


def bill_by(name: str, value: str) -> By:
    """Read by what bills are told."""
    return "day" if p.one_of("day", "month")(name, value) == "day" else "month"


def direction(name: str, value: str) -> bool:
    """Read a direction; say whether it is inwards."""
    return p.one_of("inbound", "outbound")(name, value) == "inbound"


def message_state(name: str, value: str) -> MessageState:
    """Read a state of messages."""
    states: tuple[MessageState, ...] = get_args(MessageState)
    word = p.word_of(states)(name, value)
    return next(one for one in states if one == word)
