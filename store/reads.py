"""What is read of a SQL database: every question that the store answers is a SELECT of this module.

A read neither waits for the writer nor holds anything: where it is made, in a thread beside trio or
in place, is for whoever opens the database to say.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from attrs import evolve
from sqlalchemy import Engine, Row, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from ringful.ground.faults import fault
from ringful.store import find, rows
from ringful.store.engine import describe
from ringful.store.port import (
    CallFilter,
    CallRecord,
    CallState,
    Cost,
    DayBill,
    Entry,
    FragmentRow,
    Key,
    Keyword,
    LegFilter,
    LegRecord,
    Message,
    MessageFilter,
    Number,
    OptOut,
    Post,
    PostState,
    RecordingFile,
    RemotePart,
    ScriptVersion,
    Standing,
    StoredScript,
    StoreError,
    UsedSeq,
)
from ringful.store.schema import (
    beats,
    calls,
    fragments,
    journal,
    keys,
    keywords,
    legs,
    messages,
    numbers,
    opt_outs,
    posts,
    recordings,
    remote_parts,
    scripts,
    used_seqs,
)
from ringful.store.window import WINDOW

T = TypeVar("T")


class Run(Protocol):
    """Makes a read, and gives what it gave."""

    async def __call__(self, read: Callable[[], T], /) -> T: ...


class SqlReads:
    """`Reads` of the database that *readers* connect to, each of them one SELECT on a connection of its own.

    *run* is where they are made: a reader that waits for nobody else makes them in place.  Every read raises
    StoreError where the database cannot be read.
    """

    def __init__(self, readers: Engine, run: Run) -> None:
        self._readers = readers
        self._run = run

    async def journal(self, call_id: str) -> Sequence[Entry]:
        """Give all lines of the call's journal, in order."""
        return await self._read(
            select(journal).where(journal.c.call_id == call_id).order_by(journal.c.n), rows.to_entry
        )

    async def call(self, call_id: str) -> CallRecord | None:
        """Give the record of a call."""
        return only(await self._read(select(calls).where(calls.c.call_id == call_id), rows.to_call))

    async def calls(
        self, *, key: str | None = None, state: CallState | None = None, limit: int = 100
    ) -> Sequence[CallRecord]:
        """Give the newest calls first."""
        query = select(calls).order_by(calls.c.created.desc(), calls.c.call_id.desc()).limit(limit)
        if key is not None:
            query = query.where(calls.c.key == key)
        if state is not None:
            query = query.where(calls.c.state == state)
        return await self._read(query, rows.to_call)

    async def find_calls(
        self, wanted: CallFilter, *, after: CallRecord | None = None, limit: int = 100
    ) -> Sequence[CallRecord]:
        """Give the newest calls that are *wanted*, behind *after*."""
        found: dict[str, CallRecord] = {}
        for query in find.queries(wanted, after, limit):
            found |= {call.call_id: call for call in await self._read(query, rows.to_call)}
        return sorted(found.values(), key=lambda call: (call.created, call.call_id), reverse=True)[:limit]

    async def leg(self, leg_id: str) -> LegRecord | None:
        """Give a leg that is over."""
        return only(await self._read(select(legs).where(legs.c.leg_id == leg_id), rows.to_leg))

    async def find_legs(
        self,
        wanted: LegFilter,
        *,
        after: LegRecord | None = None,
        limit: int = 100,
        oldest: bool = False,
    ) -> Sequence[LegRecord]:
        """Give the legs that are *wanted*, behind *after*, by their ends."""
        return await self._read(find.legs_like(wanted, after, limit, oldest=oldest), rows.to_leg)

    async def cost(self, wanted: LegFilter) -> Cost:
        """Give how many legs are *wanted*, and what they cost together, exactly."""
        query = find.legs_that(wanted, select(legs.c.bill, func.count().label("times")))
        amounts = await self._read(query.group_by(legs.c.bill), _cost)
        return sum(amounts, Cost())

    async def bills(
        self, key: str, *, since: float | None = None, until: float | None = None
    ) -> Sequence[DayBill]:
        """Give what *key* has to pay for each day."""
        days: dict[int, DayBill] = {}
        for name, query, at in find.billed(key):
            if since is not None:
                query = query.where(at >= since)
            if until is not None:
                query = query.where(at < until)
            for day, cost in await self._read(query, lambda row: (int(row.day), _cost(row))):
                if name == "earlier" and not cost.bill:
                    continue  # It had no leg, and so it is no call of before.
                known = days.setdefault(day, DayBill(day))
                days[day] = evolve(known, **{name: getattr(known, name) + cost})
        return [days[day] for day in sorted(days)]

    async def recordings(self, call_id: str) -> Sequence[RecordingFile]:
        """Give the call's recordings, the first one first."""
        query = select(recordings).where(recordings.c.call_id == call_id)
        return await self._read(query.order_by(recordings.c.created, recordings.c.file), rows.to_recording)

    async def recording(self, file: str) -> RecordingFile | None:
        """Give what is known of a recording file."""
        return only(await self._read(select(recordings).where(recordings.c.file == file), rows.to_recording))

    async def pending_posts(
        self, *, after: Post | None = None, limit: int | None = None
    ) -> Sequence[PostState]:
        """Give everything undelivered and not parked, in order of call and n, from behind *after*."""
        query = select(posts).where(posts.c.state == "pending")
        if after is not None:
            # Spelt so that the index is entered at the call, and not at its beginning.
            behind = and_(
                posts.c.call_id == after.call_id,
                or_(posts.c.n > after.n, and_(posts.c.n == after.n, posts.c.event_id > after.event_id)),
            )
            query = query.where(
                posts.c.call_id >= after.call_id, or_(posts.c.call_id > after.call_id, behind)
            )
        query = query.order_by(posts.c.call_id, posts.c.n, posts.c.event_id).limit(limit)
        return await self._read(query, rows.to_post_state)

    async def asked_posts(self, *, limit: int = 100) -> Sequence[PostState]:
        """Give what is to be sent again, in order of call and n."""
        return await self._read(_posts().where(posts.c.state == "resend").limit(limit), rows.to_post_state)

    async def kept_recordings(
        self, *, before: float | None = None, limit: int = 100
    ) -> Sequence[RecordingFile]:
        """Give those whose files are there: the newest first; older ones than *before*, the oldest first."""
        query = select(recordings).where(recordings.c.removed.is_(None)).limit(limit)
        if before is None:
            query = query.order_by(recordings.c.created.desc(), recordings.c.file)
        else:
            query = query.where(recordings.c.created < before)
            query = query.order_by(recordings.c.created, recordings.c.file)
        return await self._read(query, rows.to_recording)

    async def beats(self) -> Mapping[str, float]:
        """Give when each node was last known to be alive."""
        return dict(await self._read(select(beats), lambda row: (str(row.node), float(row.at))))

    async def old_journals(self, before: float, *, limit: int = 100) -> Sequence[tuple[str, int]]:
        """Give the calls that ended before then and keep a journal, and its last line's number.

        One with a callback still to be delivered is not among them.
        """
        last = select(func.max(journal.c.n)).where(journal.c.call_id == calls.c.call_id).scalar_subquery()
        query = select(calls.c.call_id, last.label("last")).where(
            calls.c.pruned.is_(None),
            calls.c.state == "ended",
            calls.c.ended < before,
            ~exists().where(posts.c.state.in_(("pending", "resend")), posts.c.call_id == calls.c.call_id),
        )
        ordered = query.order_by(calls.c.ended).limit(limit)
        return await self._read(ordered, lambda row: (str(row.call_id), int(row.last or 0)))

    async def old_messages(self, before: float, *, limit: int = 100) -> Sequence[Message]:
        """Give messages that came to stand as they do before then and keep their text, the oldest first."""
        waiting = exists().where(
            posts.c.state.in_(("pending", "resend")), posts.c.call_id == messages.c.message_id
        )
        query = select(messages).where(
            messages.c.pruned.is_(None),
            messages.c.changed < before,
            messages.c.state.not_in(("queued", "sending")),
            ~waiting,
        )
        return await self._read(query.order_by(messages.c.changed).limit(limit), rows.to_message)

    async def oldest_part(self) -> float | None:
        """Give when the oldest fragment, or name of a part, was kept."""
        found = [
            at
            for table in (remote_parts, fragments)
            for at in await self._read(select(func.min(table.c.at).label("at")), lambda row: row.at)
            if at is not None
        ]
        return min(found, default=None)

    async def parked_posts(self, *, limit: int = 100) -> Sequence[PostState]:
        """Give what was given up, in order of call and n."""
        return await self._read(_posts().where(posts.c.state == "parked").limit(limit), rows.to_post_state)

    async def posts(self, call_id: str) -> Sequence[PostState]:
        """Give all callbacks of a call, in order."""
        return await self._read(_posts().where(posts.c.call_id == call_id), rows.to_post_state)

    async def post(self, event_id: str) -> PostState | None:
        """Give a callback, and how it stands."""
        return only(await self._read(select(posts).where(posts.c.event_id == event_id), rows.to_post_state))

    async def find_posts(
        self,
        states: Sequence[Standing],
        *,
        key: str | None = None,
        call_id: str | None = None,
        url: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Sequence[PostState]:
        """Give those of *states* that fit, the oldest first, from behind the event *after*."""
        query = select(posts).where(posts.c.state.in_(states))
        wanted = {posts.c.key: key, posts.c.call_id: call_id, posts.c.url: url}
        query = query.where(*(column == value for column, value in wanted.items() if value is not None))
        if after is not None:
            other = posts.alias()
            since = select(other.c.created).where(other.c.event_id == after).scalar_subquery()
            same = and_(posts.c.created == since, posts.c.event_id > after)
            query = query.where(or_(posts.c.created > since, same))
        query = query.order_by(posts.c.created, posts.c.event_id).limit(limit)
        return await self._read(query, rows.to_post_state)

    async def count_posts(self, call_id: str) -> Mapping[Standing, int]:
        """Say how many callbacks of a call stand how."""
        query = select(posts.c.state, func.count().label("times")).where(posts.c.call_id == call_id)
        counted: list[tuple[Standing, int]] = list(
            await self._read(query.group_by(posts.c.state), lambda row: (row.state, row.times))
        )
        return dict(counted)

    async def count_parked(self) -> int:
        """Say how many callbacks were given up."""
        query = select(func.count().label("times")).where(posts.c.state == "parked")
        return sum(await self._read(query, lambda row: int(row.times)))

    async def is_gone(self, call_id: str, url: str) -> bool:
        """Say whether a receiver wants nothing more of this call at this URL."""
        query = select(posts.c.n).where(posts.c.call_id == call_id, posts.c.url == url)
        return bool(await self._read(query.where(posts.c.gone.is_not(None)).limit(1), lambda _: True))

    async def script(
        self, key: str, name: str, *, version: int | None = None, digest: str | None = None
    ) -> StoredScript | None:
        """Give the newest version, or the newest one that has this number or this digest."""
        query = select(scripts).where(scripts.c.key == key, scripts.c.name == name)
        if version is not None:
            query = query.where(scripts.c.version == version)
        if digest is not None:
            query = query.where(scripts.c.digest == digest)
        return only(await self._read(query.order_by(scripts.c.version.desc()).limit(1), rows.to_script))

    async def script_versions(
        self, key: str, *, name: str | None = None, limit: int = 1000
    ) -> Sequence[ScriptVersion]:
        """Give all versions of *name*, the newest first; or without it each script's newest one, by name."""
        query = _versions().where(scripts.c.key == key)
        if name is not None:
            query = query.where(scripts.c.name == name).order_by(scripts.c.version.desc())
        else:
            other = scripts.alias()
            newest = select(func.max(other.c.version)).where(
                other.c.key == scripts.c.key, other.c.name == scripts.c.name
            )
            query = query.where(scripts.c.version == newest.scalar_subquery()).order_by(scripts.c.name)
        return await self._read(query.limit(limit), rows.to_script_version)

    async def numbers(self) -> Sequence[Number]:
        """Give all numbers that are bound, in their order."""
        return await self._read(select(numbers).order_by(numbers.c.number), rows.to_number)

    async def message(self, message_id: str) -> Message | None:
        """Give a message."""
        query = select(messages).where(messages.c.message_id == message_id)
        return only(await self._read(query, rows.to_message))

    async def find_messages(
        self,
        wanted: MessageFilter,
        *,
        after: Message | None = None,
        limit: int = 100,
        oldest: bool = False,
    ) -> Sequence[Message]:
        """Give messages that are *wanted*, behind *after*, by their times."""
        return await self._read(find.messages_like(wanted, after, limit, oldest=oldest), rows.to_message)

    async def unsent_messages(self, *, after: Message | None = None, limit: int = 1000) -> Sequence[Message]:
        """Give the messages that are queued or being sent, in the order in which they were made."""
        query = select(messages).where(messages.c.state.in_(("queued", "sending")))
        if after is not None:
            place = tuple_(messages.c.created, messages.c.message_id)
            query = query.where(place > (after.created, after.message_id))
        query = query.order_by(messages.c.created, messages.c.message_id)
        return await self._read(query.limit(limit), rows.to_message)

    async def answerable(self, own: str, number: str, since: float) -> Message | None:
        """Give the newest message from *own* to *number* that has a URL for replies."""
        query = select(messages).where(
            messages.c.number == number,
            messages.c.own == own,
            messages.c.created >= since,
            messages.c.inbound.is_(False),
            messages.c.notify.is_not(None),
            messages.c.state != "failed",
        )
        return only(await self._read(query.order_by(messages.c.created.desc()).limit(1), rows.to_message))

    async def remote_part(self, connection: str, remote_id: str) -> RemotePart | None:
        """Give the part that the other side of *connection* calls *remote_id*."""
        query = select(remote_parts).where(
            remote_parts.c.connection == connection, remote_parts.c.remote_id == remote_id
        )
        return only(await self._read(query, rows.to_remote_part))

    async def fragments(self, like: FragmentRow) -> Sequence[FragmentRow]:
        """Give all fragments of the same text as *like*, in their order."""
        query = select(fragments).where(
            fragments.c.connection == like.connection,
            fragments.c.sender == like.sender,
            fragments.c.number == like.number,
            fragments.c.reference == like.reference,
            fragments.c.parts == like.parts,
        )
        return await self._read(query.order_by(fragments.c.part), rows.to_fragment)

    async def opt_outs(self) -> Sequence[OptOut]:
        """Give everybody who wants no messages."""
        return await self._read(select(opt_outs), rows.to_opt_out)

    async def keywords(self) -> Sequence[Keyword]:
        """Give all keywords, in their order."""
        query = select(keywords).order_by(keywords.c.number, keywords.c.keyword)
        return await self._read(query, rows.to_keyword)

    async def keys(self) -> Sequence[Key]:
        """Give all keys, revoked ones too, the oldest first."""
        return await self._read(select(keys).order_by(keys.c.created, keys.c.key), rows.to_key)

    async def used_seqs(self, key: str) -> frozenset[int]:
        """Give the used seqs that lie less than `WINDOW` below the newest."""
        newest = select(func.max(used_seqs.c.seq)).where(used_seqs.c.key == key).scalar_subquery()
        query = select(used_seqs.c.seq).where(used_seqs.c.key == key, used_seqs.c.seq > newest - WINDOW)
        return frozenset(await self._read(query, lambda row: int(row.seq)))

    async def used_seq(self, key: str, seq: int) -> UsedSeq | None:
        """Give what is kept of a seq."""
        query = select(used_seqs).where(used_seqs.c.key == key, used_seqs.c.seq == seq)
        return only(await self._read(query, rows.to_used))

    async def spent(self, key: str) -> Decimal:
        """Give the sum of the bills of this key's calls and messages, exactly."""
        cost = Cost()
        for table in (calls, messages):
            query = select(table.c.bill, func.count().label("times")).where(
                table.c.key == key, table.c.bill.is_not(None)
            )
            cost = sum(await self._read(query.group_by(table.c.bill), _cost), cost)
        return cost.bill

    async def _read(
        self, query: Select[Any], to_value: Callable[[Row[Any]], T], **values: Any
    ) -> Sequence[T]:
        """Make *query*, with *values* by the names that it leaves open."""

        def read() -> list[T]:
            try:
                with self._readers.connect() as connection:
                    return [to_value(row) for row in connection.execute(query, values)]
            except SQLAlchemyError as error:
                raise StoreError(describe(error, self._readers.url)) from error
            except Exception as error:
                raise StoreError(fault("reading the store", error)) from error

        return await self._run(read)


def _cost(row: Row[Any]) -> Cost:
    """Read an amount, and how often it is to be paid.

    Bills are few different amounts: the database counts each, and the sum is ours, since SQLite would add
    in binary floating point.
    """
    return Cost(row.times, row.bill * row.times)


def _posts() -> Select[Any]:
    return select(posts).order_by(posts.c.call_id, posts.c.n, posts.c.created)


def _versions() -> Select[Any]:
    return select(*(column for column in scripts.columns if column is not scripts.c.text))


def only(found: Sequence[T]) -> T | None:
    return found[0] if found else None
