"""The store in a SQL database.

Writes go to the writer's thread.  A read is one SELECT, in a thread and on a connection of its own,
so that it neither waits for the writer nor blocks trio.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import trio
from attrs import define, field
from sqlalchemy import Engine, bindparam, select

from ringful.store import rows
from ringful.store.engine import READERS
from ringful.store.keys import KeyMemory, new_secret
from ringful.store.place import place_of
from ringful.store.port import Commit, Key, StoreError, Write
from ringful.store.reads import SqlReads, T, only
from ringful.store.schema import keys, secrets
from ringful.store.writer import Writer

_KEY = select(keys).where(keys.c.key == bindparam("of_key"))
"""Made once: it is asked for all the time."""


@define(eq=False)
class _Look:
    """A key that is being read, for all who ask for it meanwhile."""

    done: trio.Event = field(factory=trio.Event)
    found: Key | None = None
    error: StoreError | None = None
    is_over: bool = False
    """Whether it was read; whoever read it may have been cancelled."""


class SqlStore(SqlReads):
    """A `Store`; every read raises StoreError where the database cannot be read."""

    def __init__(self, writer: Writer, readers: Engine) -> None:
        limiter = trio.CapacityLimiter(READERS)

        async def in_a_thread(read: Callable[[], T], /) -> T:
            return await trio.to_thread.run_sync(read, limiter=limiter)

        super().__init__(readers, in_a_thread)
        self.writer = self._writer = writer
        self._place = place_of(readers.url)
        self._memory = KeyMemory()
        self._looks: dict[str, _Look] = {}

    def submit(self, write: Write) -> Commit:
        """Put *write* in its place at once; the commit tells when it is durable."""
        return self._writer.submit(write)

    @property
    def file(self) -> Path | None:
        """The database's file, where it has one."""
        return self._place.path

    async def why_unwritable(self) -> str:
        """Say why nothing can be stored; nothing where a write has just come to the disk."""
        if moved := await trio.to_thread.run_sync(self._place.why_moved, abandon_on_cancel=True):
            return moved
        try:
            await self._writer.submit(Write(signs=[None])).wait()
        except StoreError as error:
            return str(error)
        return ""

    async def secret(self, name: str) -> str:
        """Give the store's own secret of that *name*, made when it is first asked for."""
        query = select(secrets.c.secret).where(secrets.c.name == name)
        for made in (False, True):
            found = only(await self._read(query, lambda row: str(row.secret)))
            if found is not None or made:
                break
            # Of two processes that make it at once, one is refused, and finds the other's.
            with suppress(StoreError):
                await self._writer.submit(Write(secrets=[(name, new_secret())])).wait()
        if found is None:
            raise StoreError(f"the store's secret `{name}` cannot be made: the log says why")
        return found

    async def key(self, key: str) -> Key | None:
        """Give *key* as it is, or was less than a second ago."""
        while True:
            if known := self._memory.get(key):
                return known
            look = self._looks.get(key)
            if look is None:
                return await self._look_up(key)
            # Whoever comes while it is read waits for that: a read for each would be many threads at once.
            await look.done.wait()
            if look.error:
                raise StoreError(str(look.error)) from look.error
            if look.is_over:
                return look.found

    async def _look_up(self, key: str) -> Key | None:
        look, asked = _Look(), self._memory.clock()
        self._looks[key] = look
        try:
            look.found = only(await self._read(_KEY, rows.to_key, of_key=key))
            look.is_over = True
        except StoreError as error:
            look.error = error
            raise
        finally:
            if self._looks.get(key) is look:
                del self._looks[key]
            look.done.set()
        if look.found:
            self._memory.put(look.found, asked)
        return look.found

    async def put_key(self, key: Key) -> None:
        """Add *key*, or replace it; it holds at once in this process.  Raises StoreError."""
        try:
            await self._writer.submit(Write(keys=[key])).wait()
        finally:
            self._memory.forget(key.key)
            self._looks.pop(key.key, None)  # What is being read now may be what it was.
