"""Engines for a database URL, and what the database's errors mean to a person.

SQLite is used with a write-ahead log, so that readers and the writer never wait for each other, and
with synchronous=FULL, so that what was committed survives a loss of power.  The writer's transactions
begin IMMEDIATE: they take their place among processes at once, where waiting works, instead of failing
half-way.  SQLite's Python driver is told to leave transactions alone, or savepoints would not work.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from ringful.store.port import StoreError

S = TypeVar("S")
T = TypeVar("T")

BUSY_MS = 30_000
"""How long SQLite waits for another process's lock, in milliseconds."""
READERS = 8


def _as_json(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is nothing that JSON has")


# A `json.JSONEncoder` makes this anew for each value, which takes as long as it does to encode one.
_in_pieces = c_make_encoder(None, _as_json, encode_basestring_ascii, None, ":", ",", False, False, True)


def _json(value: object) -> str:
    """Write *value* as JSON; whatever mapping it is, it is kept as an object."""
    return "".join(_in_pieces(value, 0))


_SQLITE_MEANINGS = {
    "disk is full": "the disk is full",
    "readonly database": "the database can only be read",
    "database is locked": f"another process has kept it locked for {BUSY_MS // 1000} s",
    "unable to open database file": "it cannot be opened: its folder is missing, or may not be written",
    "not a database": "it is not a SQLite database",
    "malformed": "it is damaged",
}


def parse_url(text: str) -> URL:
    """Check a database URL.  Raises StoreError."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreError(f"`{text}` is no database URL such as sqlite:///ringful.db") from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"a {url.get_backend_name()} database is not supported: use sqlite or postgresql")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise StoreError("the database must be a file, such as sqlite:///ringful.db")
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def file_of(url: URL) -> Path:
    """Give the file of a SQLite database, through every symbolic link."""
    name = url.database or ""
    if name.startswith("file:"):
        name = unquote(name.removeprefix("file:").partition("?")[0])
    return Path(name).resolve()


def writing_engine(url: URL) -> Engine:
    """Make the engine of the one writer.  Raises StoreError."""
    engine = _engine(url, pool_size=1)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def reading_engine(url: URL) -> Engine:
    """Make the engine of up to `READERS` readers at once.  Raises StoreError."""
    engine = _engine(url, pool_size=READERS)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "connect", _read_only)
    return engine


def _engine(url: URL, pool_size: int) -> Engine:
    remote = url.get_backend_name() != "sqlite"
    try:
        return create_engine(
            url, pool_size=pool_size, max_overflow=0, pool_pre_ping=remote, json_serializer=_json
        )
    except (ImportError, NoSuchModuleError) as error:
        if url.get_backend_name() == "postgresql":
            wanted = (
                "pip install 'psycopg[binary]', and say store.url = \"postgresql+psycopg://USER@HOST/NAME\""
            )
            raise StoreError(f"the driver of {url.drivername} is not installed: {wanted}") from None
        raise StoreError(f"no driver for {url.drivername} is installed: {error}") from None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _read_only(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    if not connection.get_execution_options().get("outside_transaction"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Line:
    """The one writer's connection by the driver, whose transactions are its own.

    What SQLAlchemy does round a transaction takes longer than a small one does.  A file stays connected
    until something goes wrong; a server may go away, so that the pool is asked each time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._connection: PoolProxiedConnection | None = None
        self._cursor: Any = None

    def transact(self, work: Callable[[Any, S], T], what: S) -> T:
        """Have *work* done on *what* with a cursor in a transaction, and commit.

        Raises what SQLAlchemy raises.
        """
        try:
            self._begin()
            done = work(self._cursor, what)
            self._commit()
        except self._engine.dialect.loaded_dbapi.Error as error:
            self.close()
            raise as_sqlalchemy_says(error, self._engine.dialect) from error
        except BaseException:
            self.close()
            raise
        if not self._sqlite:
            self.close()
        return done

    def _begin(self) -> None:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
            self._cursor = self._connection.cursor()
        if self._sqlite:
            self._cursor.execute("BEGIN IMMEDIATE")

    def _commit(self) -> None:
        if self._sqlite:
            # Not by the connection, which has SQLite compile it each time.
            self._cursor.execute("COMMIT")
        elif self._connection is not None:
            self._connection.commit()

    def close(self) -> None:
        """Give the connection back; the pool rolls back what was not committed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def as_sqlalchemy_says(error: Exception, dialect: Dialect) -> StatementError:
    """Make of a driver's *error* SQLAlchemy's of the same kind."""
    return DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)


@contextmanager
def outside_transaction(engine: Engine) -> Iterator[Connection]:
    """Connect a writing *engine* without taking the writer's lock: to look, or to set a mode."""
    with engine.connect().execution_options(outside_transaction=True) as connection:
        yield connection


def describe(error: Exception, url: URL) -> str:
    """Say in one line what *error* means, and of which database."""
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    text = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    said = " ".join(text.split()) or type(error).__name__
    for words, meaning in _SQLITE_MEANINGS.items():
        if words in said:
            return f"{where}: {meaning}"
    return f"{where}: {said}"


def refused_for_itself(error: Exception) -> bool:
    """Say whether *error* is the fault of what was written, and not of the database's state."""
    if isinstance(error, DBAPIError):
        # The others, OperationalError above all, speak of the disk, a lock, the connection.
        return isinstance(error, IntegrityError | DataError | ProgrammingError | NotSupportedError)
    return type(error) is StatementError or not isinstance(error, SQLAlchemyError)
