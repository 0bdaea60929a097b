"""Open a store to read it and nothing else, as a short command does: no writer, no thread, no trio."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from ringful.store.engine import describe, file_of, parse_url, reading_engine
from ringful.store.migrate import look
from ringful.store.port import StoreError
from ringful.store.reads import SqlReads, T


@contextmanager
def read_store(url: str) -> Iterator[SqlReads | None]:
    """Open the database at *url*; None: it has no tables yet, or must be brought up to date (`open_store`).

    Its reads are made in place, and so never wait.  Raises StoreError.
    """
    parsed = parse_url(url)
    must_exist(parsed)
    engine = reading_engine(parsed)
    try:
        try:
            ready = look(engine) == "ready"
        except SQLAlchemyError as error:
            raise StoreError(describe(error, parsed)) from error
        yield SqlReads(engine, _in_place) if ready else None
    finally:
        engine.dispose()


async def _in_place(read: Callable[[], T], /) -> T:
    return read()


def must_exist(url: URL) -> None:
    """Hold that there is a database at *url*, as far as a file shows that.  Raises StoreError."""
    if url.get_backend_name() == "sqlite" and not file_of(url).exists():
        raise nothing_at(str(file_of(url)))


def nothing_at(place: str) -> StoreError:
    """Say that *place* has no database."""
    return StoreError(
        f"there is no database at {place}; start the server there, or name its configuration with --config"
    )
