"""The one writer: a thread that commits everything that is waiting in one transaction.

A durable commit costs one flush of the disk however much is in it, so whatever was given while the
last flush went on goes into the next one together.  A change that somebody waits for is committed at
once, with all that were given before it; one that nobody waits for, and that tells nothing to anybody
(`can_wait`), is given `PATIENCE` to find company.  A change that the database refuses does not sink the
others of its batch, which is then made anew with a savepoint round each.

The trio side and the thread meet in two places: the queue that changes go into, and one message for
each batch that says what became of it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Literal

import trio
from attrs import define, field
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ringful.ground.faults import fault
from ringful.ground.logger import get_logger
from ringful.store.change import Change, Scribe, can_wait, says_something
from ringful.store.engine import Line, as_sqlalchemy_says, describe, refused_for_itself
from ringful.store.port import StoreError

log = get_logger()

PATIENCE = 0.05
"""Seconds that a change which nobody waits for may wait for others to be committed with."""


@define(eq=False)
class Pending:
    """A `Commit`: one change on its way to the disk."""

    change: Change
    hurried: bool
    """Whether it is to be committed without waiting for company."""
    _call: Callable[[], None]
    """Tells the writer that a change which it may have taken is hurried now."""
    _told: list[Callable[[str], None]] = field(factory=list)
    _settled: bool = False
    _waited_for: trio.Event | None = None
    """Set when it is settled, where somebody waits for that."""
    _error: str = ""

    async def wait(self) -> None:
        """Return when the change is durable.  Raises StoreError if it could not be made so."""
        self.hurry()
        await self.settled()

    def hurry(self) -> None:
        """Let it be committed at once.  To be called in trio's thread."""
        if not self.hurried:
            self.hurried = True
            self._call()

    async def settled(self) -> None:
        """Wait as `wait` does, but hurry nothing."""
        if self._settled:
            await trio.lowlevel.checkpoint()
        else:
            if self._waited_for is None:
                self._waited_for = trio.Event()
            await self._waited_for.wait()
        if self._error:
            raise StoreError(self._error)

    def then(self, told: Callable[[str], None]) -> None:
        """See `ringful.store.port.Commit.then`."""
        if self._settled:
            self._say(told)
        else:
            self._told.append(told)

    def _say(self, told: Callable[[str], None]) -> None:
        try:
            told(self._error)
        except Exception as error:
            # The others are told nevertheless.
            fault("telling what became of a write", error)

    def settle(self, error: str) -> None:
        """Say what became of it, in trio's thread; *error* is empty when it is on the disk."""
        self._settled, self._error = True, error
        for told in self._told:
            self._say(told)
        if self._waited_for is not None:
            self._waited_for.set()


class Writer:
    """Commits changes on *engine* in the order they are given."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._line = Line(engine)
        self._scribe = Scribe(engine.dialect)
        self.on_commit: Callable[[int, float], None] = lambda _writes, _seconds: None
        """Told of each commit how many writes it held and how long it took; in the writer's thread."""
        self._queue: SimpleQueue[Pending | Literal["hurry", "end"]] = SimpleQueue()
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
        pending = Pending(change, not can_wait(change), self._call)
        if self._closed:
            pending.settle("the store is closed")
        else:
            self._queue.put(pending)
        return pending

    async def close(self) -> None:
        """Commit what is waiting, and end the thread; what is given later is refused."""
        self._closed = True
        self._queue.put("end")
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)

    def _call(self) -> None:
        self._queue.put("hurry")

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._take()
            changes = [pending.change for pending in batch]
            errors = [""] * len(batch)
            kept = [place for place, change in enumerate(changes) if says_something(change)]
            if kept:
                began = time.perf_counter()
                said = self._fenced([changes[place] for place in kept])
                self.on_commit(len(kept), time.perf_counter() - began)
                for place, error in zip(kept, said, strict=True):
                    errors[place] = error
            self._tell(batch, errors)
        self._line.close()

    def _take(self) -> tuple[list[Pending], bool]:
        """Wait for changes, and for company as long as none of them is hurried.

        Give them with all that wait behind them, and False once there will be no more.
        """
        batch: list[Pending] = []
        hurried, until = False, 0.0
        while True:
            pause = 0.0 if hurried else max(0.0, until - time.monotonic())
            try:
                one = self._queue.get(timeout=pause) if batch else self._queue.get()
            except Empty:
                return batch, True
            if isinstance(one, Pending):
                until = until if batch else time.monotonic() + PATIENCE
                batch.append(one)
                hurried = hurried or one.hurried
            elif one == "hurry":
                # Where there is nothing, that which it is about has been committed.
                hurried = bool(batch)
            else:
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
            self._line.transact(lambda cursor: self._scribe.write(cursor, changes))
        except Exception as error:
            if len(changes) > 1 and refused_for_itself(error):
                return self._commit_one_by_one(changes)
            return self._failed(changes, error)
        return [""] * len(changes)

    def _commit_one_by_one(self, changes: Sequence[Change]) -> list[str]:
        try:
            return self._line.transact(lambda cursor: [self._attempt(cursor, change) for change in changes])
        except Exception as error:
            return self._failed(changes, error)

    def _attempt(self, cursor: Any, change: Change) -> str:
        cursor.execute("SAVEPOINT one")
        try:
            self._scribe.write(cursor, [change])
        except Exception as error:
            dialect = self._engine.dialect
            if isinstance(error, dialect.loaded_dbapi.Error):
                error = as_sqlalchemy_says(error, dialect)
            if not refused_for_itself(error):
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT one")
            return self._failed([change], error)[0]
        cursor.execute("RELEASE SAVEPOINT one")
        return ""

    def _failed(self, changes: Sequence[Change], error: Exception) -> list[str]:
        if isinstance(error, SQLAlchemyError):
            why = describe(error, self._engine.url)
        else:
            why = fault("writing to the store", error)
        log.error("the store refused a write", writes=len(changes), why=why)
        return [why] * len(changes)
