"""What is removed: recordings that somebody asks to have removed, and what is older than it may get.

What is old goes in small pieces with pauses between them, so that no call waits long for the writer.
A file goes first, and then it is written down that it is gone: a crash between the two leaves a row
that the next pass sets right, and never a file of which it is said that there is none.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
import trio
from attrs import frozen

from ringful.ground.faults import fault
from ringful.store.port import RecordingFile, Slice, Store, StoreError, Write

log = structlog.get_logger()

EVERY = 3600.0
"""Seconds between two passes."""
BATCH = 500
"""Rows that are removed in one transaction."""
PARTS = 7 * 86400.0
"""Seconds for which receipts find their messages, and parts of a text wait for the others."""
SLICE = 300.0
"""Seconds whose parts are removed in one transaction."""
PAUSE = 0.05
"""Seconds between two transactions."""


@frozen
class Retention:
    """What a store and its folder of recordings keep; None for a time keeps for ever."""

    store: Store
    recordings: Path
    keep: float | None = None
    """Seconds after its end for which a call's journal and callbacks are kept."""
    keep_recordings: float | None = None
    clock: Callable[[], float] = time.time

    async def run(self) -> None:
        """Remove what is too old, now and every hour, or oftener where things are kept for hours only."""
        while True:
            try:
                await self.once()
            except StoreError as error:
                log.error("what is too old could not be removed", why=str(error))
            except Exception as error:
                fault("removing what is too old", error)
            await trio.sleep(self.pause)

    @property
    def pause(self) -> float:
        """Seconds until the next look: a tenth of what the shortest is kept, an hour at most."""
        shortest = min(kept for kept in (self.keep, self.keep_recordings, PARTS) if kept is not None)
        return min(EVERY, max(5.0, shortest / 10))

    async def once(self) -> None:
        """Remove all that is too old."""
        await self.forget_parts(self.clock() - PARTS)
        if self.keep is not None and (messages := await self.prune_messages(self.clock() - self.keep)):
            log.info("texts and callbacks of messages were removed for their age", messages=messages)
        if self.keep is not None and (calls := await self.prune_calls(self.clock() - self.keep)):
            log.info("journals and callbacks were removed for their age", calls=calls)
        if self.keep_recordings is not None:
            files = await self.prune_recordings(self.clock() - self.keep_recordings)
            if files:
                log.info("recordings were removed for their age", files=files)

    async def prune_calls(self, before: float) -> int:
        """Remove journals and callbacks of calls that ended *before*; give how many.  Raises StoreError."""
        calls = 0
        while found := await self.store.old_journals(before, limit=BATCH):
            slices: list[Slice] = []
            room = BATCH
            for call_id, last in found:
                done = 0
                while True:
                    step = min(room, last - done)
                    done += step
                    slices.append(Slice(call_id, done, self.clock(), last=done == last))
                    room -= max(1, step)
                    if room <= 0:
                        await self._submit(Write(pruned=slices))
                        slices, room = [], BATCH
                    if done == last:
                        break
                calls += 1
            if slices:
                await self._submit(Write(pruned=slices))
        return calls

    async def prune_messages(self, before: float) -> int:
        """Remove texts, journals and callbacks of messages that came to rest *before*; give how many.

        Raises StoreError.
        """
        count = 0
        while found := await self.store.old_messages(before, limit=BATCH // 5):
            await self._submit(Write(pruned_messages=[(one, self.clock()) for one in found]))
            count += len(found)
        return count

    async def forget_parts(self, before: float) -> None:
        """Remove what SMSCs called parts of messages, and parts of texts whose others never came.

        Raises StoreError.
        """
        while (oldest := await self.store.oldest_part()) is not None and oldest < before:
            await self._submit(Write(forgotten=[min(before, oldest + SLICE)]))

    async def _submit(self, write: Write) -> None:
        await self.store.submit(write).wait()
        await trio.sleep(PAUSE)

    async def prune_recordings(self, before: float) -> int:
        """Remove recordings made *before*; give how many.  Raises StoreError."""
        stuck: set[str] = set()
        count = 0
        while True:
            found = await self.store.kept_recordings(before=before, limit=100 + len(stuck))
            files = [one for one in found if one.file not in stuck]
            if not files:
                return count
            for one in files:
                try:
                    await self.remove([one])
                    count += 1
                except OSError as error:
                    log.error("a recording cannot be removed", file=one.file, why=str(error))
                    stuck.add(one.file)
            await trio.sleep(PAUSE)

    async def remove(self, files: Sequence[RecordingFile]) -> float:
        """Remove *files* from the disk, and say so in the store; give when.  Raises OSError, StoreError."""

        def unlink() -> None:
            for one in files:
                # A name of the store is bare; what is not would be somewhere else.
                (self.recordings / Path(one.file).name).unlink(missing_ok=True)
            folder = os.open(self.recordings, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

        await trio.to_thread.run_sync(unlink)
        at = self.clock()
        await self.store.submit(Write(removed=[(one.file, at) for one in files])).wait()
        return at
