"""Statements that are compiled once: from then on each is a text, and says which values go with it.

SQLAlchemy spells a statement for the database in use, and knows how its columns keep money and JSON.
Doing so costs several times what the database itself takes for a row, and what a call writes at each
turn is always the same few statements.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

from attrs import frozen
from sqlalchemy import Dialect, Executable, Insert, Table, bindparam, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

Take: TypeAlias = Callable[[Any], tuple[Any, ...]]


class Prepared:
    """A *statement* for *dialect*, whose values are taken from things: attributes named as the values are.

    *keys* are the columns that an INSERT or UPDATE without values of its own sets; *where* says of which
    attribute (``post.url``) a value is that is named otherwise.
    """

    def __init__(
        self,
        statement: Executable,
        dialect: Dialect,
        *,
        keys: Sequence[str] | None = None,
        where: Mapping[str, str] | None = None,
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=keys)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        self._text = compiled.string
        given = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        names = (compiled.positiontup if compiled.positional else None) or list(compiled.params)
        self.names = tuple(names)
        """Of the values, as the statement wants them."""
        self._take = _taker(names, given, where or {})
        self._positional = compiled.positional
        self._encoders = _encoders(compiled, names, dialect)

    def run(self, cursor: Any, things: Iterable[Any]) -> None:
        """Execute it for each of *things*, in their order.  Raises what the driver raises."""
        bound = self.values if self._positional else self._named
        cursor.executemany(self._text, [bound(thing) for thing in things])

    def ask(self, cursor: Any, thing: Any) -> Any:
        """Execute it once, and give the first row that it finds, or None."""
        cursor.execute(self._text, self.values(thing) if self._positional else self._named(thing))
        return cursor.fetchone()

    def values(self, thing: Any) -> Sequence[Any]:
        """Give the values that are taken of *thing*, as the database keeps them."""
        if not self._encoders:
            return self._take(thing)
        values = list(self._take(thing))
        for place, encode in self._encoders:
            values[place] = encode(values[place])
        return values

    def _named(self, thing: Any) -> dict[str, Any]:
        return dict(zip(self.names, self.values(thing), strict=True))


def _taker(names: Sequence[str], given: Mapping[str, Any], where: Mapping[str, str]) -> Take:
    """Give what takes the values of *names* from a thing, but for those that the statement has *given*."""
    if not given and len(names) > 1:
        # In C, and that it is not slow is what all of this is for.
        return attrgetter(*(where.get(name, name) for name in names))
    takes = [_constant(given[name]) if name in given else attrgetter(where.get(name, name)) for name in names]
    return lambda thing: tuple(take(thing) for take in takes)


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _encoders(
    compiled: SQLCompiler, names: Sequence[str], dialect: Dialect
) -> Sequence[tuple[int, Callable[[Any], Any]]]:
    """Give the places of the values that their columns keep otherwise, and how."""
    processors = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()
    }
    return [(place, encode) for place, name in enumerate(names) if (encode := processors.get(name))]


K = TypeVar("K")


class Known(dict[K, Prepared]):
    """Statements that were compiled, each made of what it is found by when it is first needed."""

    def __init__(self, make: Callable[[K], Prepared]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, what: K) -> Prepared:
        made = self[what] = self._make(what)
        return made


@frozen(eq=False)
class Form:
    """A *statement* that must be told whose values it takes: *keys* and *where* as for `Prepared`."""

    statement: Executable
    keys: Sequence[str]
    where: Mapping[str, str]


class Statements:
    """All that are written in a database of one *dialect*."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.insert = Known[Table](lambda table: self._filling(table, insert(table)))
        self.insert_new = Known[Table](
            lambda table: self._filling(table, inserter(dialect.name)(table).on_conflict_do_nothing())
        )
        self.replace = Known[Table](lambda table: self._filling(table, upsert(table, dialect.name)))
        self.look = Known[Table](self._looking)
        self.change = Known[tuple[Table, tuple[str, ...]]](self._changing)
        """By the table, and the columns that are set."""
        self.others = Known[Executable | Form](self._other)

    def _filling(self, table: Table, statement: Executable) -> Prepared:
        return Prepared(statement, self._dialect, keys=[one.name for one in table.columns])

    def _looking(self, table: Table) -> Prepared:
        same = (one == bindparam(one.name) for one in table.primary_key.columns)
        return Prepared(select(table).where(*same), self._dialect)

    def _changing(self, what: tuple[Table, tuple[str, ...]]) -> Prepared:
        table, names = what
        # A bound name must not be a column's own, or Core takes it for a value to set.
        where = {f"of_{one.name}": one.name for one in table.primary_key.columns}
        same = (table.c[name] == bindparam(of) for of, name in where.items())
        return Prepared(update(table).where(*same), self._dialect, keys=names, where=where)

    def _other(self, what: Executable | Form) -> Prepared:
        if isinstance(what, Form):
            return Prepared(what.statement, self._dialect, keys=what.keys, where=what.where)
        return Prepared(what, self._dialect)


@frozen
class Pen:
    """What writes in one transaction of the driver's *cursor*.  Every method raises what the driver raises.

    Where there are no things, nothing is executed.
    """

    cursor: Any
    statements: Statements

    def insert(self, table: Table, things: Sequence[Any]) -> None:
        """Insert a row for each of *things*."""
        if things:
            self.statements.insert[table].run(self.cursor, things)

    def insert_new(self, table: Table, things: Sequence[Any]) -> None:
        """Insert a row for each of *things*, unless there is one with the same primary key."""
        if things:
            self.statements.insert_new[table].run(self.cursor, things)

    def replace(self, table: Table, things: Sequence[Any]) -> None:
        """Insert a row for each of *things*, or replace the one with the same primary key."""
        if things:
            self.statements.replace[table].run(self.cursor, things)

    def change(self, table: Table, things: Iterable[Any]) -> None:
        """Insert a row for each of *things*, or change that of its primary key where it differs.

        What is written again although it stays the same costs its indexes, and a call has many.
        """
        fill, look = self.statements.replace[table], self.statements.look[table]
        for thing in things:
            known = look.ask(self.cursor, thing)
            if known is None:
                fill.run(self.cursor, [thing])
                continue
            pairs = zip(fill.names, known, fill.values(thing), strict=True)
            if changed := tuple(name for name, old, new in pairs if old != new):
                self.statements.change[table, changed].run(self.cursor, [thing])

    def run(self, statement: Executable | Form, things: Sequence[Any]) -> None:
        """Execute a *statement*, which always is the same object, for each of *things*."""
        if things:
            self.statements.others[statement].run(self.cursor, things)

    def first(self, statement: Executable, thing: Any) -> Any:
        """Give the first row that *statement* finds, or None."""
        return self.statements.others[statement].ask(self.cursor, thing)


def inserter(dialect: str) -> Callable[[Table], Any]:
    """Give what builds an INSERT that may meet a row.  Raises KeyError for other dialects."""
    # Core has no neutral upsert; these two are spelt alike.  PostgreSQL's is imported by who has one.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert
    return {"sqlite": sqlite.insert}[dialect]


def upsert(table: Table, dialect: str) -> Insert:
    """Insert a row, or replace the one with the same primary key.  Raises KeyError for other dialects."""
    statement: sqlite.Insert = inserter(dialect)(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key},
    )
