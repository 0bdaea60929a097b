"""What was up when the server died ends properly when it starts again.

The journal is fed to a run, which then stands where the old one stood; then it is told that its
legs are lost.  What comes of that (open recordings, discarded tasks, the final event) is journalled
and posted as ever, so that every answered call has its one hang-up callback.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import structlog
from attrs import define, evolve, field

from ringful.interpreter import effects, events
from ringful.interpreter.calls.view import rebuild
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.media import port
from ringful.store.port import CallRecord, Entry, Post, RecordingFile, Store, Write

log = structlog.get_logger()

Repair = Callable[[Path], tuple[int, int] | None]
"""Make an unfinished recording a valid file; give its milliseconds and bytes, or None if nothing is there."""


@define
class _Farewell:
    """A door through which only callbacks leave: there are no phones behind it any more."""

    key: str
    call_id: str
    at: float
    run: Run | None = None
    posts: list[Post] = field(factory=list)

    def perform(self, effect: effects.Effect) -> None:
        if self.run is None:
            return  # Still what the old run did.
        match effect:
            case effects.Notify(url, fields, n):
                self.posts.append(Post(uuid4().hex, self.key, self.call_id, n, url, fields, self.at))
            case effects.Ask(asking):
                self.run.post(events.WebFailed(asking, "the server was restarted"))
            case _:
                pass

    def now(self) -> float:
        return self.at


async def recover(
    store: Store, settings: Settings, recordings: Path, repair: Repair, now: float
) -> Sequence[Post]:
    """End every call that the store believes to be live; return the callbacks to deliver, now durable."""
    posts: list[Post] = []
    for record in await store.calls(state="live", limit=1_000_000):
        entries = await store.journal(record.call_id)
        write = _end(record, entries, settings, recordings, repair, now)
        await store.submit(write).wait()
        posts += write.posts
        log.warning("a call that was up when the server died has been ended", call=record.call_id)
    return posts


def _end(
    record: CallRecord,
    entries: Sequence[Entry],
    settings: Settings,
    recordings: Path,
    repair: Repair,
    now: float,
) -> Write:
    try:
        door = _Farewell(record.key, record.call_id, now)
        run = rebuild(record.call_id, entries, settings, door)
    except ValueError as error:
        log.error("a journal cannot be read", call=record.call_id, why=str(error))
        return Write(calls=[evolve(record, state="ended", ended=now, outcome="lost")])
    written: list[Entry] = []
    run.resume_journal(written.append, len(entries))
    door.run = run
    files = []
    for leg in [leg for leg in run.legs.values() if leg.state != "over"]:
        for number, recording in list(leg.recordings.items()):
            found = repair(recordings / recording.file)
            if found:
                run.post(port.RecordingEnded(leg.name, number, "lost", *found))
                files.append(RecordingFile(recording.file, record.call_id, record.key, now, *found))
            else:
                run.post(port.RecordingFailed(leg.name, number, "the server was restarted"))
        up = leg.answered_at is not None
        run.post(port.HungUp(leg.name, "lost") if up else port.Refused(leg.name, "cancelled"))
    if run.subject is None:
        run.post(events.Interrupted("hangup", why="lost"))
    run.drain()
    if not run.ended:
        run.abandon("the server was restarted")
    ended = evolve(
        record,
        state="ended",
        answered=run.subject.answered_at if run.subject else None,
        ended=now,
        outcome=run.outcome,
        bill=run.bill,
    )
    return Write(written, door.posts, [ended], files)
