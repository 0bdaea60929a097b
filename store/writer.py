"""The one writer: a thread that commits everything that is waiting in one transaction.

A durable commit costs one flush of the disk however much is in it, so whatever was given while the
last flush went on goes into the next one together.  Nothing waits for company: a change that comes
alone is committed at once.  A change that the database refuses does not sink the others of its
batch, which is then made anew with a savepoint round each.

The trio side and the thread meet in two places: the queue that changes go into, and one message for
each batch that says what became of it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

import trio
from attrs import define, field
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from ringful.ground.faults import fault
from ringful.ground.logger import get_logger
from ringful.store.change import Change, apply
from ringful.store.engine import describe, refused_for_itself
from ringful.store.port import StoreError

log = get_logger()


@define(eq=False)
class Pending:
    """A `Commit`: one change on its way to the disk."""

    change: Change
    _settled: trio.Event = field(factory=trio.Event)
    _error: str = ""

    async def wait(self) -> None:
        """Return when the change is durable.  Raises StoreError if it could not be made so."""
        await self._settled.wait()
        if self._error:
            raise StoreError(self._error)

    def settle(self, error: str) -> None:
        """Say what became of it, in trio's thread; *error* is empty when it is on the disk."""
        self._error = error
        self._settled.set()


class Writer:
    """Commits changes on *engine* in the order they are given."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.on_commit: Callable[[int, float], None] = lambda _writes, _seconds: None
        """Told of each commit how many writes it held and how long it took; in the writer's thread."""
        self._queue: SimpleQueue[Pending | None] = SimpleQueue()
        self._closed = False
        self._trio = trio.lowlevel.current_trio_token()
        # A daemon: if the process must go down without closing, an open transaction is simply not there.
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many changes wait for the next commit."""
        return self._queue.qsize()

    def submit(self, change: Change) -> Pending:
        """Put *change* in its place; never blocks.  To be called in trio's thread."""
        pending = Pending(change)
        if self._closed:
            pending.settle("the store is closed")
        else:
            self._queue.put(pending)
        return pending

    async def close(self) -> None:
        """Commit what is waiting, and end the thread; what is given later is refused."""
        self._closed = True
        self._queue.put(None)
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._take()
            if batch:
                began = time.perf_counter()
                errors = self._fenced([pending.change for pending in batch])
                self.on_commit(len(batch), time.perf_counter() - began)
                self._tell(batch, errors)

    def _take(self) -> tuple[list[Pending], bool]:
        """Wait for a change, and take it with all that wait behind it; False once there will be no more."""
        batch: list[Pending] = []
        pending = self._queue.get()
        while pending is not None:
            batch.append(pending)
            try:
                pending = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _tell(self, batch: Sequence[Pending], errors: Sequence[str]) -> None:
        def settle() -> None:
            for pending, error in zip(batch, errors, strict=True):
                pending.settle(error)

        # Once trio is over there is nobody left to tell.
        with suppress(trio.RunFinishedError):
            self._trio.run_sync_soon(settle)

    def _fenced(self, changes: Sequence[Change]) -> list[str]:
        """Commit *changes*, whatever comes: the thread must not end, for nobody would write any more."""
        try:
            return self._commit(changes)
        except Exception as error:
            return [fault("writing to the store", error)] * len(changes)

    def _commit(self, changes: Sequence[Change]) -> list[str]:
        """Commit *changes* together; give an error for each, empty where it is durable."""
        try:
            with self._engine.begin() as connection:
                apply(connection, changes)
        except Exception as error:
            if len(changes) > 1 and refused_for_itself(error):
                return self._commit_one_by_one(changes)
            return self._failed(changes, error)
        return [""] * len(changes)

    def _commit_one_by_one(self, changes: Sequence[Change]) -> list[str]:
        try:
            with self._engine.begin() as connection:
                return [self._attempt(connection, change) for change in changes]
        except Exception as error:
            return self._failed(changes, error)

    def _attempt(self, connection: Connection, change: Change) -> str:
        try:
            with connection.begin_nested():
                apply(connection, [change])
        except Exception as error:
            if not refused_for_itself(error):
                raise
            return self._failed([change], error)[0]
        return ""

    def _failed(self, changes: Sequence[Change], error: Exception) -> list[str]:
        if isinstance(error, SQLAlchemyError):
            why = describe(error, self._engine.url)
        else:
            why = fault("writing to the store", error)
        log.error("the store refused a write", writes=len(changes), why=why)
        return [why] * len(changes)
