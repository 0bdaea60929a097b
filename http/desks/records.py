"""The desk for records: lists of calls, legs and messages, what they cost, and all about one message.

A key sees its own alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import evolve, frozen

from ringful.http import leg_records, message_records, records
from ringful.http.authenticate import Answer
from ringful.http.desks.callbacks import CallbackDesk
from ringful.http.present import as_lines, line_as_json, line_as_text
from ringful.http.problems import Problem
from ringful.http.reading.records import (
    F,
    Listed,
    QueryBill,
    QueryCalls,
    QueryLegs,
    QueryMessage,
    QueryMessages,
    RecordRequest,
)
from ringful.http.tables import table
from ringful.interpreter.calls.switchboard import CallView
from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.bills import (
    BILL_COLUMNS,
    amounts,
    bill_as_json,
    bill_as_text,
    bill_row,
    bills,
    purse_as_json,
    whole,
)
from ringful.interpreter.trace import Tracer
from ringful.store.port import CallRecord, Cost, Key, LegFilter, LegRecord, Message, Reads

SHOWN = 100
"""Legs that are shown with their call."""
_T = TypeVar("_T", CallRecord, LegRecord, Message)
Found: TypeAlias = Callable[..., Awaitable[Sequence[_T]]]
"""Reads the records that are wanted, *after* one of them, up to a *limit*: as the store does."""


@frozen
class Kind(Generic[_T]):
    """How one sort of records is shown; the first of the columns is what each is known by."""

    name: str
    columns: Sequence[str]
    as_json: Callable[[_T], dict[str, Any]]
    as_text: Callable[[_T], str]


CALLS = Kind("call", records.COLUMNS, records.record_as_json, records.record_as_text)
LEGS = Kind("leg", leg_records.COLUMNS, leg_records.leg_as_json, leg_records.leg_as_text)
MESSAGES = Kind(
    "message", message_records.COLUMNS, message_records.message_as_json, message_records.message_as_text
)


def cost_as_json(cost: Cost) -> dict[str, Any]:
    """Show what several legs cost."""
    return {"legs": cost.count, "billAmount": plain(cost.bill)}


@frozen
class RecordDesk:
    """Answers about what is kept; *posts* knows the callbacks."""

    store: Reads
    posts: CallbackDesk

    async def answer(self, key: Key, asked: RecordRequest) -> Answer:
        """Answer a request.  Raises Problem, StoreError."""
        store = self.store
        match asked:
            case QueryCalls(after=after):
                call = _own(key, after, after and await store.call(after), "call")
                return await self._listed(key, asked, CALLS, call, store.find_calls)
            case QueryLegs(after=after):
                leg = _own(key, after, after and await store.leg(after), "leg")
                return await self._listed(key, asked, LEGS, leg, store.find_legs)
            case QueryMessages(after=after):
                message = _own(key, after, after and await store.message(after), "message")
                return await self._listed(key, asked, MESSAGES, message, store.find_messages)
            case QueryMessage(message_id):
                return await self._message(key, message_id)
            case QueryBill():
                return await self._bill(key, asked)

    async def _listed(
        self, key: Key, asked: Listed[F], kind: Kind[_T], after: _T | None, found: Found[_T]
    ) -> Answer:
        wanted = evolve(asked.wanted, key=key.key)
        # One more than is told says whether there is more.
        more = await found(wanted, after=after, limit=asked.limit + 1)
        page = more[: asked.limit]
        shown = [kind.as_json(one) for one in page]
        following = shown[-1][kind.columns[0]] if len(more) > len(page) else None
        lines = "".join(f"{kind.as_text(one)}\n" for one in page)
        text = table(kind.columns, shown) if asked.table else lines
        return text, {f"{kind.name}s": shown, "next": following}

    async def _message(self, key: Key, message_id: str) -> Answer:
        message = _own(key, message_id, await self.store.message(message_id), "message")
        assert message
        lines = Tracer().lines(await self.store.journal(message_id))
        members = message_records.message_in_full(message) | await self.posts.of_call(message_id)
        text = as_lines(members) + "".join(f"{line_as_text(line)}\n" for line in lines)
        return text, members | {"trace": [line_as_json(line) for line in lines]}

    async def _bill(self, key: Key, asked: QueryBill) -> Answer:
        days = await self.store.bills(key.key, since=asked.since, until=asked.until)
        found = bills(days, asked.by)
        shown = [bill_as_json(one, asked.by) for one in found]
        members = purse_as_json(key, await self.store.spent(key.key)) | {
            "total": amounts(whole(found)),
            f"{asked.by}s": shown,
        }
        if asked.table:
            return table(BILL_COLUMNS, [bill_row(one) for one in found]), members
        text = as_lines({name: members[name] for name in ("spent", "cap", "left", "mostCost")})
        return text + "".join(f"{bill_as_text(one)}\n" for one in (*found, whole(found))), members

    async def of_call(self, key: Key, call: CallView) -> dict[str, Any]:
        """Give what `QueryCall` tells of legs that are over: a call's, or those that were in a conference."""
        if call.conference is None:
            wanted = LegFilter(key.key, call_id=call.call_id)
        else:
            wanted = LegFilter(key.key, conference=call.call_id)
        found = await self.store.find_legs(wanted, limit=SHOWN, oldest=True)
        legs = {"legs": [leg_records.leg_brief(one) for one in found]}
        return legs if call.conference is None else legs | await self.of_conference(key, call.call_id)

    async def of_conference(self, key: Key, conference: str) -> dict[str, Any]:
        """Give what a conference has cost so far: the legs that were in it and are over, each as a whole."""
        return {"cost": cost_as_json(await self.store.cost(LegFilter(key.key, conference=conference)))}


def _own(key: Key, named: str | None, found: _T | str | None, kind: str) -> _T | None:
    """Give what was *found* as *named*, which must be the key's.  Raises Problem."""
    if named is None:
        return None
    if found is None or isinstance(found, str) or found.key != key.key:
        raise Problem(404, f"{kind}.unknown", f"this key has no {kind} {named}")
    return found
