"""Open a store, and close it so that nothing that was given to it is lost."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ringful.store.engine import (
    BUSY_MS,
    describe,
    outside_transaction,
    parse_url,
    reading_engine,
    writing_engine,
)
from ringful.store.migrate import upgrade
from ringful.store.port import StoreError
from ringful.store.sql import SqlStore
from ringful.store.writer import Writer


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[SqlStore]:
    """Open the database at *url*, made or brought up to date first; on leaving, commit what waits.

    Several processes may have the same database open.  Raises StoreError.
    """
    parsed = parse_url(url)
    writing, reading = writing_engine(parsed), reading_engine(parsed)
    try:
        await trio.to_thread.run_sync(_prepare, writing)
        writer = Writer(writing)
        try:
            yield SqlStore(writer, reading)
        finally:
            await writer.close()
    finally:
        writing.dispose()
        reading.dispose()


def _prepare(engine: Engine) -> None:
    try:
        if engine.dialect.name == "sqlite":
            _use_write_ahead_log(engine)
        upgrade(engine)
    except SQLAlchemyError as error:
        raise StoreError(describe(error, engine.url)) from error


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
