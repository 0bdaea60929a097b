"""The statements that look for calls, legs and messages: each is read off one index, in its order."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, or_, select, tuple_

from ringful.store.port import CallFilter, CallRecord, LegFilter, LegRecord, Message, MessageFilter
from ringful.store.schema import calls, conference_legs, legs, messages


def queries(wanted: CallFilter, after: CallRecord | None, limit: int) -> Sequence[Select[Any]]:
    """Give the statements whose rows together hold the first *limit* calls behind *after*.

    A number has one for each way to write it, as the one who was called and as the one who called: an
    index can give only one of those in order.
    """
    c = calls.c
    same = (c.key, wanted.key), (c.state, wanted.state), (c.outcome, wanted.outcome), (c.label, wanted.label)
    query = _between(_same(select(calls), *same), c.created, wanted)
    query = _page(query, (c.created, c.call_id), (after.created, after.call_id) if after else None, limit)
    if not wanted.numbers:
        return [query]
    return [
        query.where(column == number)
        for column in (c.callee, c.caller)
        for number in dict.fromkeys(wanted.numbers)
    ]


def messages_like(
    wanted: MessageFilter, after: Message | None, limit: int, *, oldest: bool = False
) -> Select[Any]:
    """Give the statement whose rows are the first *limit* messages behind *after*."""
    c = messages.c
    same = (c.key, wanted.key), (c.inbound, wanted.inbound), (c.state, wanted.state), (c.label, wanted.label)
    query = _between(_same(select(messages), *same), c.created, wanted)
    if wanted.numbers:
        query = query.where(c.number.in_(wanted.numbers))
    behind = (after.created, after.message_id) if after else None
    return _page(query, (c.created, c.message_id), behind, limit, oldest=oldest)


def legs_like(wanted: LegFilter, after: LegRecord | None, limit: int, *, oldest: bool) -> Select[Any]:
    """Give the statement whose rows are the first *limit* legs behind *after*, by their ends."""
    behind = (after.ended, after.leg_id) if after else None
    query = legs_that(wanted, select(legs))
    return _page(query, (legs.c.ended, legs.c.leg_id), behind, limit, oldest=oldest)


def legs_that(wanted: LegFilter, query: Select[Any]) -> Select[Any]:
    """Narrow *query*, which selects of legs, to those that are *wanted*."""
    few = wanted.call_id is not None or wanted.conference is not None
    # A call and a conference have few legs, and a key may have a million: its index is not to be taken then.
    key = legs.c.key + "" if few else legs.c.key
    query = _same(
        query,
        (key, wanted.key),
        (legs.c.call_id, wanted.call_id),
        (legs.c.inbound, wanted.inbound),
        (legs.c.outcome, wanted.outcome),
        (legs.c.label, wanted.label),
    )
    if wanted.conference is not None:
        was_in = select(conference_legs.c.leg_id).where(conference_legs.c.conference == wanted.conference)
        query = query.where(legs.c.leg_id.in_(was_in))
    if wanted.numbers:
        query = query.where(or_(legs.c.number.in_(wanted.numbers), legs.c.own.in_(wanted.numbers)))
    return _between(query, legs.c.ended, wanted)


def _same(query: Select[Any], *pairs: tuple[Any, Any]) -> Select[Any]:
    """Narrow *query* to the rows whose columns have these values; None: whatever there is."""
    return query.where(*(column == value for column, value in pairs if value is not None))


def _between(query: Select[Any], at: Any, wanted: CallFilter | MessageFilter | LegFilter) -> Select[Any]:
    """Narrow *query* to the time that is *wanted*."""
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    if wanted.until is not None:
        query = query.where(at < wanted.until)
    return query


def _page(
    query: Select[Any],
    place: tuple[Any, Any],
    after: tuple[float, str] | None,
    limit: int,
    *,
    oldest: bool = False,
) -> Select[Any]:
    """Give the first *limit* rows of *query* behind *after*, by time and name: the newest, or the oldest."""
    at = place[0]
    query = query.order_by(*(place if oldest else [column.desc() for column in place])).limit(limit)
    if after is None:
        return query
    # The first condition says nothing new, and is what an index is searched by.
    if oldest:
        return query.where(at >= after[0], tuple_(*place) > after)
    return query.where(at <= after[0], tuple_(*place) < after)


def billed(key: str) -> Iterator[tuple[str, Select[Any], Any]]:
    """Give the statements that count the bills of *key* by day and amount.

    Each has the name of what it counts, as a `DayBill` has it, and the time that a bill is of.
    """
    for name, at, table in (
        ("legs", legs.c.ended, legs),
        ("messages", messages.c.created, messages),
        ("earlier", calls.c.ended, calls),
    ):
        day = (at // 86400).label("day")
        query = select(day, table.c.bill, func.count().label("times")).where(
            table.c.key == key, table.c.bill.is_not(None)
        )
        if table is calls:
            # A call whose legs have records is counted by them.
            query = query.where(
                ~exists().where(legs.c.call_id == calls.c.call_id), ~calls.c.call_id.contains(".")
            )
        yield name, query.group_by(day, table.c.bill), at
