"""One server for a store: a lock that the system drops with the process that holds it.

For SQLite it is a lock on a file beside the database's own (SQLite locks that one itself), found through
every symbolic link, so that two paths to one database are one lock.  For PostgreSQL it is an advisory
lock of a connection of its own.  A server holds it alone, from before it reads anything until its last
write; whoever makes or upgrades tables beside it shares it for that moment, and finds that it cannot
while a server runs.  In the file stands who holds it, for the one who is refused; it is never removed,
since the lock is on the file and not on its name.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname
from typing import Any, Protocol

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from ringful.store.engine import describe, file_of
from ringful.store.port import StoreError

PATIENCE = 2.0
"""Seconds for which a server waits for those who only make or upgrade tables."""
_ADVISORY = 0x72696E6766756C  # "ringful"


class StoreTaken(StoreError):
    """A server has the store; the message says which."""


class Lock(Protocol):
    """The lock of a server."""

    def tell(self, addresses: Sequence[str]) -> None:
        """Let whoever is refused read where this server answers."""
        ...


@contextmanager
def owned(url: URL) -> Iterator[Lock]:
    """Hold the store at *url* alone.  Raises StoreTaken where a server has it, and StoreError."""
    with _file_lock(url) if url.get_backend_name() == "sqlite" else _advisory_lock(url) as lock:
        yield lock


@contextmanager
def shared(url: URL) -> Iterator[None]:
    """Keep servers off the store at *url* for a moment.  Raises StoreTaken if one has it, and StoreError."""
    if url.get_backend_name() == "sqlite":
        path = _lock_path(url)
        file = _open(path)
        try:
            if not _locked(file, path, fcntl.LOCK_SH):
                raise _taken(url, _who(file))
            yield
        finally:
            os.close(file)
        return
    with _connected(url, "ringful") as connection:
        if not connection.execute(text(f"SELECT pg_try_advisory_lock_shared({_ADVISORY})")).scalar():
            raise _taken(url, _who_in(connection))
        yield


def _taken(url: URL, who: str) -> StoreTaken:
    where = str(file_of(url)) if url.get_backend_name() == "sqlite" else url.render_as_string()
    return StoreTaken(f"{where}: another server has this store: {who}; end that one first, or name another")


# SQLite


class _FileLock:
    def __init__(self, file: int) -> None:
        self._file = file
        self._told: dict[str, Any] = {"pid": os.getpid(), "host": gethostname(), "since": time.time()}

    def tell(self, addresses: Sequence[str]) -> None:
        self._told["addresses"] = list(addresses)
        self.write(json.dumps(self._told))

    def write(self, said: str) -> None:
        # What stands in it is a courtesy: the lock holds without it, on a full disk too.
        try:
            os.pwrite(self._file, said.encode(), 0)
            os.ftruncate(self._file, len(said.encode()))
        except OSError:
            return


@contextmanager
def _file_lock(url: URL) -> Iterator[Lock]:
    path = _lock_path(url)
    file = _open(path)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _locked(file, path, fcntl.LOCK_EX):
            who = _who(file)
            if who != _NOBODY or time.monotonic() > deadline:
                raise _taken(url, who)
            time.sleep(0.02)
        lock = _FileLock(file)
        lock.tell(())
        try:
            yield lock
        finally:
            lock.write("")
    finally:
        os.close(file)


def _lock_path(url: URL) -> Path:
    path = file_of(url)
    return path.with_name(path.name + ".lock")


def _open(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(file, 0o600)
    except PermissionError:
        raise StoreError(f"{path}: it cannot be opened: it, or its folder, may not be written") from None
    except OSError as error:
        raise StoreError(
            f"{path}: it cannot be opened: its folder is missing, or may not be written ({error.strerror})"
        ) from error
    return file


def _locked(file: int, path: Path, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            why = "its file system has no locks; keep the database on a disk of this machine"
            raise StoreError(f"{path}: {why}") from error
        raise StoreError(f"{path}: it cannot be locked: {error.strerror}") from error
    return True


_NOBODY = "a ringful that does not say which"


def _who(file: int) -> str:
    try:
        found = json.loads(os.pread(file, 4096, 0))
        since = datetime.fromtimestamp(found["since"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        place = "" if found["host"] == gethostname() else f" on {found['host']}"
        addresses = "".join(f", {one}" for one in found["addresses"])
        return f"process {found['pid']}{place}, since {since}{addresses}"
    except (ValueError, TypeError, LookupError, OSError, OverflowError):
        return _NOBODY


# PostgreSQL


class _AdvisoryLock:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, addresses: Sequence[str]) -> None:
        said = " ".join(["ringful", f"{os.getpid()}@{gethostname()}", *addresses])[:63]
        self._connection.execute(text("SELECT set_config('application_name', :said, false)"), {"said": said})


@contextmanager
def _advisory_lock(url: URL) -> Iterator[Lock]:
    with _connected(url, f"ringful {os.getpid()}@{gethostname()}"[:63]) as connection:
        deadline = time.monotonic() + PATIENCE
        while not connection.execute(text(f"SELECT pg_try_advisory_lock({_ADVISORY})")).scalar():
            if time.monotonic() > deadline:
                raise _taken(url, _who_in(connection))
            time.sleep(0.05)
        yield _AdvisoryLock(connection)


@contextmanager
def _connected(url: URL, name: str) -> Iterator[Connection]:
    try:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise StoreError(describe(error, url)) from error
    try:
        connection.execute(text("SELECT set_config('application_name', :said, false)"), {"said": name})
        yield connection
    except SQLAlchemyError as error:
        raise StoreError(describe(error, url)) from error
    finally:
        # The lock is the session's: it must end with it, and not rest in a pool.
        connection.invalidate()
        connection.close()
        engine.dispose()


def _who_in(connection: Connection) -> str:
    holder = text(
        "SELECT a.application_name, a.backend_start, a.client_addr FROM pg_locks l JOIN pg_stat_activity a"
        " ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ExclusiveLock'"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND ((l.classid::bigint << 32) | l.objid::bigint) = :lock LIMIT 1"
    )
    found = connection.execute(holder, {"lock": _ADVISORY}).first()
    if found is None:
        return _NOBODY
    place = f" from {found.client_addr}" if found.client_addr else ""
    return f"{found.application_name}{place}, since {found.backend_start:%Y-%m-%d %H:%M:%S%z}"
