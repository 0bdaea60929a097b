"""The statements that look for calls and messages: each is read off one index, the newest first."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, tuple_

from ringful.store.port import CallFilter, CallRecord, Message, MessageFilter
from ringful.store.schema import calls, messages


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


def messages_like(wanted: MessageFilter, after: Message | None, limit: int) -> Select[Any]:
    """Give the statement whose rows are the first *limit* messages behind *after*."""
    query = select(messages).order_by(messages.c.created.desc(), messages.c.message_id.desc()).limit(limit)
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
        place = tuple_(messages.c.created, messages.c.message_id)
        query = query.where(messages.c.created <= after.created, place < (after.created, after.message_id))
    return query
