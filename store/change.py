"""Make a batch of changes within one transaction.

All rows of a batch that go to one table go there in one statement, in the order they were given.
Where a row replaces another (calls, the state of posts, keys), only the last one of the batch is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, Insert, Table, bindparam, column, delete, insert, select, table, update
from sqlalchemy.dialects import sqlite

from ringful.store import schema
from ringful.store.port import FragmentRow, Key, LegRecord, Message, OptOut, Post, Slice, Upload, Write
from ringful.store.rows import (
    Values,
    entry_values,
    key_values,
    keyword_values,
    leg_values,
    message_values,
    number_values,
    plain,
    post_state_values,
    post_values,
    upload_values,
    used_values,
)
from ringful.store.window import WINDOW


@frozen
class Sign:
    """A write that changes nothing, and shows that the disk takes one."""


Change: TypeAlias = Write | Key | Sign


# A bound name must not be a column's own, or Core takes it for a value to set.
_KEPT = schema.used_seqs.alias("kept")
_LAST_KEPT = (
    select(_KEPT.c.seq)
    .where(_KEPT.c.key == bindparam("of_key"))
    .order_by(_KEPT.c.seq.desc())
    .limit(1)
    .offset(WINDOW - 1)
    .scalar_subquery()
)
_PRUNE = delete(schema.used_seqs).where(
    schema.used_seqs.c.key == bindparam("of_key"), schema.used_seqs.c.seq < _LAST_KEPT
)
# Only what is parked: in the meantime it may have been taken up, or delivered.
_RESEND = (
    update(schema.posts)
    .where(schema.posts.c.event_id == bindparam("of_event"), schema.posts.c.state == "parked")
    .values(state="resend")
)
_NOT_GONE = (
    update(schema.posts)
    .where(schema.posts.c.call_id == bindparam("of_call"), schema.posts.c.url == bindparam("of_url"))
    .values(gone=None)
)

# A row is written although it stays as it is.
_SIGN = update(table("alembic_version", column("version_num"))).values(version_num=column("version_num"))


def apply(connection: Connection, changes: Sequence[Change]) -> None:
    """Make *changes* on *connection*.  Raises what SQLAlchemy raises."""
    if any(isinstance(change, Sign) for change in changes):
        connection.execute(_SIGN)
    writes = [change for change in changes if isinstance(change, Write)]
    _insert(connection, schema.journal, [entry_values(e) for w in writes for e in w.entries])
    _insert(connection, schema.posts, [post_values(p) for w in writes for p in w.posts])
    _insert(connection, schema.recordings, [plain(r) for w in writes for r in w.recordings])
    seqs = [used_values(used) for w in writes for used in w.seqs]
    _insert(connection, schema.used_seqs, seqs)
    _prune(connection, {used["key"] for used in seqs})
    _add_versions(connection, [u for w in writes for u in w.scripts])
    _bind(connection, writes)
    _mail(connection, writes)
    _replace(connection, schema.calls, {r.call_id: plain(r) for w in writes for r in w.calls})
    legs = {leg.leg_id: leg for w in writes for leg in w.legs}
    _replace(connection, schema.legs, {leg_id: leg_values(leg) for leg_id, leg in legs.items()})
    _join_legs(connection, legs.values())
    states = {s.post.event_id: s for w in writes for s in w.post_states}
    _replace(connection, schema.posts, {id_: post_state_values(s) for id_, s in states.items()})
    _resend(connection, [post for w in writes for post in w.resend])
    _replace(
        connection, schema.beats, {node: {"node": node, "at": at} for w in writes for node, at in w.beats}
    )
    _insert(connection, schema.secrets, [{"name": n, "secret": s} for w in writes for n, s in w.secrets])
    _remove(connection, [pair for w in writes for pair in w.removed])
    _prune_journals(connection, [one for w in writes for one in w.pruned])
    _prune_messages(connection, [one for w in writes for one in w.pruned_messages])
    _forget(connection, max((w.forgotten for w in writes if w.forgotten is not None), default=None))
    _replace(connection, schema.keys, {k.key: key_values(k) for k in changes if isinstance(k, Key)})


def _insert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _replace(connection: Connection, table: Table, rows: Mapping[Any, Values]) -> None:
    if rows:
        connection.execute(upsert(table, connection.dialect.name), list(rows.values()))


def _inserter(dialect: str) -> Callable[[Table], Any]:
    # Core has no neutral upsert; these two are spelt alike.  PostgreSQL's is imported by who has one.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert
    return {"sqlite": sqlite.insert}[dialect]


def upsert(table: Table, dialect: str) -> Insert:
    """Insert a row, or replace the one with the same primary key.  Raises KeyError for other dialects."""
    statement: sqlite.Insert = _inserter(dialect)(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key},
    )


def _add_versions(connection: Connection, uploads: Iterable[Upload]) -> None:
    # One by one: what an upload is the next version of may be the one before it in the batch.
    table = schema.scripts
    for upload in uploads:
        of_name = select(table.c.version, table.c.digest).where(
            table.c.key == upload.key, table.c.name == upload.name
        )
        newest = connection.execute(of_name.order_by(table.c.version.desc()).limit(1)).first()
        if newest is None or newest.digest != upload.digest:
            version = newest.version + 1 if newest else 1
            connection.execute(insert(table), upload_values(upload, version))


def _bind(connection: Connection, writes: Iterable[Write]) -> None:
    # One by one: a number may be freed and bound again within the batch.
    table = schema.numbers
    for write in writes:
        if write.freed:
            connection.execute(delete(table).where(table.c.number.in_(write.freed)))
        _replace(connection, table, {one.number: number_values(one) for one in write.numbers})


def _mail(connection: Connection, writes: Sequence[Write]) -> None:
    """Write what is new of messages."""
    if not any(
        w.messages
        or w.remote_parts
        or w.fragments
        or w.joined
        or w.opt_outs
        or w.keywords
        or w.keywords_removed
        for w in writes
    ):
        return
    messages = {m.message_id: message_values(m) for w in writes for m in w.messages}
    _replace(connection, schema.messages, messages)
    parts = {(p.connection, p.remote_id): plain(p) for w in writes for p in w.remote_parts}
    _replace(connection, schema.remote_parts, parts)
    for write in writes:
        # One by one: what is put down in one write may be taken away in the next.
        rows = {tuple(plain(one).values())[:6]: plain(one) for one in write.fragments}
        _replace(connection, schema.fragments, rows)
        for one in write.joined:
            connection.execute(_fragments_like(one))
        for opted in write.opt_outs:
            _opt_out(connection, opted)
        for number, keyword in write.keywords_removed:
            table = schema.keywords
            connection.execute(delete(table).where(table.c.number == number, table.c.keyword == keyword))
        words = {(one.number, one.keyword): keyword_values(one) for one in write.keywords}
        _replace(connection, schema.keywords, words)


def _join_legs(connection: Connection, legs: Iterable[LegRecord]) -> None:
    """Write down which conferences *legs* were in, unless that is known."""
    rows = [
        {"conference": one, "leg_id": leg.leg_id} for leg in legs for one in dict.fromkeys(leg.conferences)
    ]
    if rows:
        statement = _inserter(connection.dialect.name)(schema.conference_legs)
        connection.execute(statement.on_conflict_do_nothing(), rows)


def _fragments_like(one: FragmentRow) -> Any:
    table = schema.fragments
    return delete(table).where(
        table.c.connection == one.connection,
        table.c.sender == one.sender,
        table.c.number == one.number,
        table.c.reference == one.reference,
        table.c.parts == one.parts,
    )


def _opt_out(connection: Connection, one: OptOut) -> None:
    if one.at is None:
        table = schema.opt_outs
        connection.execute(delete(table).where(table.c.own == one.own, table.c.number == one.number))
    else:
        _replace(connection, schema.opt_outs, {(one.own, one.number): plain(one)})


def _resend(connection: Connection, posts: Sequence[Post]) -> None:
    if posts:
        connection.execute(_RESEND, [{"of_event": post.event_id} for post in posts])
        urls = dict.fromkeys((post.call_id, post.url) for post in posts)
        connection.execute(_NOT_GONE, [{"of_call": call_id, "of_url": url} for call_id, url in urls])


def _prune(connection: Connection, keys: Iterable[str]) -> None:
    """Keep the newest `WINDOW` seqs of each of *keys*: all in the window are among them.

    By their number and not by arithmetic: where a seq is a time, 1024 of them may be a second, and who
    waits in vain for an answer asks again later than that.
    """
    for key in keys:
        connection.execute(_PRUNE, {"of_key": key})


def _remove(connection: Connection, removed: Iterable[tuple[str, float]]) -> None:
    rows = [{"of_file": file, "at": at} for file, at in removed]
    if rows:
        table = schema.recordings
        statement = update(table).where(table.c.file == bindparam("of_file"))
        connection.execute(statement.values(removed=bindparam("at")), rows)


def _prune_journals(connection: Connection, slices: Iterable[Slice]) -> None:
    journal, posts, calls = schema.journal, schema.posts, schema.calls
    for one in slices:
        lines = delete(journal).where(journal.c.call_id == one.call_id, journal.c.n <= one.n)
        connection.execute(lines)
        if one.last:
            told = delete(posts).where(
                posts.c.call_id == one.call_id, posts.c.state.in_(("delivered", "parked"))
            )
            connection.execute(told)
            connection.execute(update(calls).where(calls.c.call_id == one.call_id).values(pruned=one.at))


def _prune_messages(connection: Connection, pruned: Iterable[tuple[Message, float]]) -> None:
    journal, posts, calls, messages = schema.journal, schema.posts, schema.calls, schema.messages
    for message, at in pruned:
        run = message.call_id
        # The run of a request that sent no more than this message; those of calls go with their calls.
        of_run = (journal.c.call_id == run) & ~select(calls.c.call_id).where(calls.c.call_id == run).exists()
        connection.execute(delete(journal).where((journal.c.call_id == message.message_id) | of_run))
        told = delete(posts).where(
            posts.c.call_id == message.message_id, posts.c.state.in_(("delivered", "parked"))
        )
        connection.execute(told)
        row = update(messages).where(messages.c.message_id == message.message_id)
        connection.execute(row.values(text="", pruned=at))


def _forget(connection: Connection, before: float | None) -> None:
    if before is not None:
        for table in (schema.remote_parts, schema.fragments):
            connection.execute(delete(table).where(table.c.at < before))
