"""Open a store, and close it so that nothing that was given to it is lost."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from stat import S_IMODE

import trio
from sqlalchemy import URL, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ringful.ground.logger import get_logger
from ringful.store.engine import (
    BUSY_MS,
    describe,
    file_of,
    outside_transaction,
    parse_url,
    reading_engine,
    writing_engine,
)
from ringful.store.lock import Lock, StoreTaken, owned, shared
from ringful.store.migrate import look, upgrade
from ringful.store.port import StoreError
from ringful.store.reading import must_exist, nothing_at
from ringful.store.sql import SqlStore
from ringful.store.writer import Writer

log = get_logger()


@asynccontextmanager
async def open_store(url: str, *, make: bool = True) -> AsyncIterator[SqlStore]:
    """Open the database at *url*, brought up to date first; on leaving, commit what waits.

    With *make* it is made where there is none.  Several processes may have the same database open, beside
    the one server (`own_store`).  Raises StoreError.
    """
    parsed = parse_url(url)
    if not make:
        must_exist(parsed)
    async with _opened(parsed, make=make, alone=False) as store:
        yield store


@asynccontextmanager
async def own_store(url: str) -> AsyncIterator[tuple[SqlStore, Lock]]:
    """Open the database at *url* as its one server, made or brought up to date first.

    Raises StoreTaken where another server has it, before anything is read or written; and StoreError.
    """
    parsed = parse_url(url)
    with owned(parsed) as lock:
        if parsed.get_backend_name() == "sqlite":
            narrow(file_of(parsed))
        async with _opened(parsed, make=True, alone=True) as store:
            yield store, lock


@asynccontextmanager
async def _opened(url: URL, *, make: bool, alone: bool) -> AsyncIterator[SqlStore]:
    writing, reading = writing_engine(url), reading_engine(url)
    try:
        await trio.to_thread.run_sync(lambda: _prepare(writing, make=make, alone=alone))
        writer = Writer(writing)
        try:
            yield SqlStore(writer, reading)
        finally:
            await writer.close()
    finally:
        writing.dispose()
        reading.dispose()


def narrow(path: Path) -> None:
    """Let only their owner read the database at *path* and what SQLite keeps beside it: it holds secrets."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        file = path.with_name(name)
        try:
            mode = S_IMODE(file.stat().st_mode)
            if mode & 0o077:
                file.chmod(mode & 0o700)
                log.warning("others could read this file of secrets: now only its owner can", file=str(file))
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("others may read this file of secrets", file=str(file), why=error.strerror)


def _prepare(engine: Engine, *, make: bool, alone: bool) -> None:
    try:
        found = look(engine)
        if found == "empty" and not make:
            raise nothing_at(engine.url.render_as_string() if engine.name != "sqlite" else _path(engine))
        if engine.dialect.name == "sqlite":
            _use_write_ahead_log(engine)
        if found == "ready":
            return
        if alone:
            upgrade(engine)
            return
        try:
            with shared(engine.url):
                upgrade(engine)
        except StoreTaken as taken:
            raise StoreError(f"{taken} (its tables are of another version of ringful)") from None
    except SQLAlchemyError as error:
        raise StoreError(describe(error, engine.url)) from error


def _path(engine: Engine) -> str:
    return str(file_of(engine.url))


def _use_write_ahead_log(engine: Engine) -> None:
    # The mode stays with the file.  SQLite does not wait for a lock here, so two processes that
    # make a database at once may meet.
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            with outside_transaction(engine) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
