"""Make a batch of changes within one transaction.

All rows of a batch that go to one table go there in one statement, in the order they were given.
Where a row replaces another (calls, the state of posts, keys), only the last one of the batch is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Insert, Table, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ringful.store import schema
from ringful.store.port import Key, Upload, Write
from ringful.store.rows import (
    Values,
    entry_values,
    key_values,
    number_values,
    plain,
    post_state_values,
    post_values,
    upload_values,
    used_values,
)
from ringful.store.window import WINDOW

Change: TypeAlias = Write | Key

# Core has no neutral upsert; these two are spelt alike.
_Inserter: TypeAlias = Callable[[Table], sqlite.Insert | postgresql.Insert]
_INSERT_OF_DIALECT: dict[str, _Inserter] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

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


def apply(connection: Connection, changes: Sequence[Change]) -> None:
    """Make *changes* on *connection*.  Raises what SQLAlchemy raises."""
    writes = [change for change in changes if isinstance(change, Write)]
    _insert(connection, schema.journal, [entry_values(e) for w in writes for e in w.entries])
    _insert(connection, schema.posts, [post_values(p) for w in writes for p in w.posts])
    _insert(connection, schema.recordings, [plain(r) for w in writes for r in w.recordings])
    seqs = [used_values(used) for w in writes for used in w.seqs]
    _insert(connection, schema.used_seqs, seqs)
    _prune(connection, {used["key"] for used in seqs})
    _add_versions(connection, [u for w in writes for u in w.scripts])
    _bind(connection, writes)
    _replace(connection, schema.calls, {r.call_id: plain(r) for w in writes for r in w.calls})
    states = {s.post.event_id: s for w in writes for s in w.post_states}
    _replace(connection, schema.posts, {id_: post_state_values(s) for id_, s in states.items()})
    _replace(connection, schema.keys, {k.key: key_values(k) for k in changes if isinstance(k, Key)})


def _insert(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _replace(connection: Connection, table: Table, rows: Mapping[Any, Values]) -> None:
    if rows:
        connection.execute(upsert(table, connection.dialect.name), list(rows.values()))


def upsert(table: Table, dialect: str) -> Insert:
    """Insert a row, or replace the one with the same primary key.  Raises KeyError for other dialects."""
    statement = _INSERT_OF_DIALECT[dialect](table)
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


def _prune(connection: Connection, keys: Iterable[str]) -> None:
    """Keep the newest `WINDOW` seqs of each of *keys*: all in the window are among them.

    By their number and not by arithmetic: where a seq is a time, 1024 of them may be a second, and who
    waits in vain for an answer asks again later than that.
    """
    for key in keys:
        connection.execute(_PRUNE, {"of_key": key})
