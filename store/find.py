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
    query = select(calls).order_by(calls.c.created.desc(), calls.c.call_id.desc()).limit(limit)
    for column, value in (
        (calls.c.key, wanted.key),
        (calls.c.state, wanted.state),
        (calls.c.outcome, wanted.outcome),
        (calls.c.label, wanted.label),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(calls.c.created >= wanted.since)
    if wanted.until is not None:
        query = query.where(calls.c.created < wanted.until)
    if after is not None:
        place = tuple_(calls.c.created, calls.c.call_id)
        query = query.where(calls.c.created <= after.created, place < (after.created, after.call_id))
    if not wanted.numbers:
        return [query]
    return [
        query.where(column == number)
        for column in (calls.c.callee, calls.c.caller)
        for number in dict.fromkeys(wanted.numbers)
    ]


def messages_like(
    wanted: MessageFilter, after: Message | None, limit: int, *, oldest: bool = False
) -> Select[Any]:
    """Give the statement whose rows are the first *limit* messages behind *after*."""
    place = tuple_(messages.c.created, messages.c.message_id)
    query = select(messages).limit(limit)
    if oldest:
        query = query.order_by(messages.c.created, messages.c.message_id)
    else:
        query = query.order_by(messages.c.created.desc(), messages.c.message_id.desc())
    for column, value in (
        (messages.c.key, wanted.key),
        (messages.c.inbound, wanted.inbound),
        (messages.c.state, wanted.state),
        (messages.c.label, wanted.label),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.numbers:
        query = query.where(messages.c.number.in_(wanted.numbers))
    if wanted.since is not None:
        query = query.where(messages.c.created >= wanted.since)
    if wanted.until is not None:
        query = query.where(messages.c.created < wanted.until)
    if after is not None:
        at, last = messages.c.created, (after.created, after.message_id)
        behind = (at >= after.created, place > last) if oldest else (at <= after.created, place < last)
        query = query.where(*behind)
    return query


def legs_like(wanted: LegFilter, after: LegRecord | None, limit: int, *, oldest: bool) -> Select[Any]:
    """Give the statement whose rows are the first *limit* legs behind *after*, by their ends."""
    place = tuple_(legs.c.ended, legs.c.leg_id)
    query = legs_that(wanted, select(legs))
    if oldest:
        query = query.order_by(legs.c.ended, legs.c.leg_id)
    else:
        query = query.order_by(legs.c.ended.desc(), legs.c.leg_id.desc())
    if after is not None:
        at, last = legs.c.ended, (after.ended, after.leg_id)
        query = (
            query.where(at >= after.ended, place > last)
            if oldest
            else query.where(at <= after.ended, place < last)
        )
    return query.limit(limit)


def legs_that(wanted: LegFilter, query: Select[Any]) -> Select[Any]:
    """Narrow *query*, which selects of legs, to those that are *wanted*."""
    few = wanted.call_id is not None or wanted.conference is not None
    # A call and a conference have few legs, and a key may have a million: its index is not to be taken then.
    key = legs.c.key + "" if few else legs.c.key
    for column, value in (
        (key, wanted.key),
        (legs.c.call_id, wanted.call_id),
        (legs.c.inbound, wanted.inbound),
        (legs.c.outcome, wanted.outcome),
        (legs.c.label, wanted.label),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.conference is not None:
        was_in = select(conference_legs.c.leg_id).where(conference_legs.c.conference == wanted.conference)
        query = query.where(legs.c.leg_id.in_(was_in))
    if wanted.numbers:
        query = query.where(or_(legs.c.number.in_(wanted.numbers), legs.c.own.in_(wanted.numbers)))
    if wanted.since is not None:
        query = query.where(legs.c.ended >= wanted.since)
    if wanted.until is not None:
        query = query.where(legs.c.ended < wanted.until)
    return query


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
