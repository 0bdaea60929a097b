"""The one writer: a thread that commits everything that is waiting in one transaction.

A durable commit costs one flush of the disk however much is in it, so whatever was given while the
last flush went on goes into the next one together.  A change that somebody waits for is committed at
once, with all that were given before it; one that nobody waits for, and that tells nothing to anybody
(`can_wait`), is given `PATIENCE` to find company.  A change that the database refuses does not sink the
others of its batch, which is then made anew with a savepoint round each.

The trio side and the thread meet in two places: the changes that were given, with a bell beside them,
and one message for each batch that says what became of it.  To wake the thread costs more than to queue
a change, so the bell is rung for what is hurried; all else waits until the thread looks by itself, which
it does within `PATIENCE`, and only where nothing has come for that long it sleeps until something comes.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import trio
from attrs import define, field
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ringful.ground.faults import fault
from ringful.ground.logger import get_logger
from ringful.store.change import Held, Scribe, can_wait, held
from ringful.store.engine import Line, as_sqlalchemy_says, describe, refused_for_itself
from ringful.store.port import StoreError, Write

log = get_logger()

PATIENCE = 0.05
"""Seconds that a change which nobody waits for may wait for others to be committed with."""


@define(eq=False)
class Pending:
    """A `Commit`: one change on its way to the disk."""

    held: Held
    """What is to be written: nothing, of a turn in which nothing happened."""
    hurried: bool
    """Whether it is to be committed without waiting for company."""
    given: float
    """When it was given, in seconds of a steady clock."""
    _ring: Callable[[], None]
    """Tells the writer that something is hurried."""
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
            self._ring()

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
        self._given: deque[Pending] = deque()
        self._bell = threading.Lock()
        """Held while it is silent: the thread waits for it, and whoever rings lets go of it."""
        self._bell.acquire()
        self._sleeps = False
        """The thread looks for nothing by itself."""
        self._closed = False
        self._trio = trio.lowlevel.current_trio_token()
        # A daemon: if the process must go down without closing, an open transaction is simply not there.
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many changes wait to be taken by the thread."""
        return len(self._given)

    def submit(self, write: Write) -> Pending:
        """Put *write* in its place; never blocks.  To be called in trio's thread."""
        kept = held(write)
        pending = Pending(kept, not can_wait(kept), time.monotonic(), self._ring)
        if self._closed:
            pending.settle("the store is closed")
            return pending
        self._given.append(pending)
        if pending.hurried or self._sleeps:
            self._ring()
        return pending

    async def close(self) -> None:
        """Commit what is waiting, and end the thread; what is given later is refused."""
        self._closed = True
        self._ring()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._thread.join)

    def _ring(self) -> None:
        """Have the thread look at once.  Called in trio's thread alone, so that nobody rings meanwhile."""
        if self._bell.locked():
            self._bell.release()

    def _run(self) -> None:
        # Once it is closed nothing is given any more.
        while not self._closed or self._given:
            if batch := self._take():
                self._make(batch)
            else:
                self._sleep()
        self._line.close()

    def _sleep(self) -> None:
        """Wait until something is given."""
        self._sleeps = True
        # What was given before that was said has rung no bell, and is seen here.
        if not self._given and not self._closed:
            self._bell.acquire()
        self._sleeps = False

    def _take(self) -> list[Pending]:
        """Wait until something is hurried, or has waited for company long enough.

        Give it with all that was given; nothing, where nothing came for as long.
        """
        batch: list[Pending] = []
        until = time.monotonic() + PATIENCE
        while True:
            closed = self._closed
            while self._given:
                batch.append(self._given.popleft())
            if closed or any(one.hurried for one in batch):
                return batch
            if batch:
                until = batch[0].given + PATIENCE
            pause = until - time.monotonic()
            if pause <= 0:
                return batch
            self._bell.acquire(timeout=pause)

    def _make(self, batch: Sequence[Pending]) -> None:
        """Commit *batch*, and tell what became of it."""
        kept = [pending.held for pending in batch if pending.held]
        said: Sequence[str] = ()
        if kept:
            began = time.perf_counter()
            said = self._fenced(kept)
            self.on_commit(len(kept), time.perf_counter() - began)
        # Once trio is over there is nobody left to tell.
        with suppress(trio.RunFinishedError):
            self._trio.run_sync_soon(_settle, batch, said)

    def _fenced(self, batch: Sequence[Held]) -> Sequence[str]:
        """Commit *batch*, whatever comes: the thread must not end, for nobody would write any more."""
        try:
            return self._commit(batch)
        except Exception as error:
            return [fault("writing to the store", error)] * len(batch)

    def _commit(self, batch: Sequence[Held]) -> Sequence[str]:
        """Commit *batch* together; give an error for each of it, empty where it is durable."""
        try:
            self._line.transact(self._scribe.write, batch)
        except Exception as error:
            if len(batch) > 1 and refused_for_itself(error):
                return self._commit_one_by_one(batch)
            return self._failed(batch, error)
        return [""] * len(batch)

    def _commit_one_by_one(self, batch: Sequence[Held]) -> Sequence[str]:
        try:
            return self._line.transact(self._attempt_each, batch)
        except Exception as error:
            return self._failed(batch, error)

    def _attempt_each(self, cursor: Any, batch: Sequence[Held]) -> Sequence[str]:
        return [self._attempt(cursor, one) for one in batch]

    def _attempt(self, cursor: Any, one: Held) -> str:
        cursor.execute("SAVEPOINT one")
        try:
            self._scribe.write(cursor, [one])
        except Exception as error:
            dialect = self._engine.dialect
            if isinstance(error, dialect.loaded_dbapi.Error):
                error = as_sqlalchemy_says(error, dialect)
            if not refused_for_itself(error):
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT one")
            return self._failed([one], error)[0]
        cursor.execute("RELEASE SAVEPOINT one")
        return ""

    def _failed(self, batch: Sequence[Held], error: Exception) -> Sequence[str]:
        if isinstance(error, SQLAlchemyError):
            why = describe(error, self._engine.url)
        else:
            why = fault("writing to the store", error)
        log.error("the store refused a write", writes=len(batch), why=why)
        return [why] * len(batch)


def _settle(batch: Sequence[Pending], said: Sequence[str]) -> None:
    """Tell each of *batch* what became of it, in trio's thread; *said* is of those that held something."""
    each = iter(said)
    for pending in batch:
        pending.settle(next(each) if pending.held else "")
