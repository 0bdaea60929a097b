"""`ringful recordings`: what was recorded, and its removal."""

import time
from pathlib import Path

from cyclopts import App

from ringful.command.arguments.durations import age
from ringful.command.asking.stored import read_stored, with_store
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.interpreter.calls.retention import Retention
from ringful.interpreter.tell import stamp
from ringful.store.port import Reads, RecordingFile, Store

app = App(name="recordings", help="Recordings.")


@app.command(name="list")
def list_recordings(*, call: str | None = None, limit: int = 50, config: Path | None = None) -> None:
    """List the newest recordings that are kept.

    Parameters
    ----------
    call
        Those of this call instead, removed ones too.
    """

    async def find(store: Reads) -> list[RecordingFile]:
        return list(await (store.kept_recordings(limit=limit) if call is None else store.recordings(call)))

    for one in read_stored(configuration(config), find):
        gone = "" if one.removed is None else f"  removed {stamp(one.removed)}"
        seconds = f"{one.duration_ms / 1000:g} s"
        print("  ".join([one.file, stamp(one.created), seconds, f"{one.size} bytes"]) + gone)


@app.command
def remove(
    *files: str, call: str | None = None, older_than: str | None = None, config: Path | None = None
) -> None:
    """Remove recordings, and print how many; their links answer 410 from then on.

    Parameters
    ----------
    files
        Their names, as `ringful recordings list` has them.
    call
        Those of this call.
    older_than
        All that are older, such as 90d.
    """
    if not files and call is None and older_than is None:
        raise CommandError("name the files, or --call ID, or --older-than 90d", 2)
    settings = configuration(config)
    before = None if older_than is None else time.time() - age("--older-than", older_than)

    async def do(store: Store) -> int:
        retention = Retention(store, settings.store.recordings)
        found = [await _known(store, Path(file).name) for file in files]
        if call is not None:
            found += await store.recordings(call)
        there = [one for one in found if one.removed is None]
        try:
            if there:
                await retention.remove(there)
        except OSError as error:
            raise CommandError(f"{error.filename or settings.store.recordings}: {error.strerror}") from error
        return len(there) + (await retention.prune_recordings(before) if before is not None else 0)

    print(with_store(settings, do), "removed")


async def _known(store: Store, file: str) -> RecordingFile:
    found = await store.recording(file)
    if found is None:
        raise CommandError(f"there is no recording {file}; see: ringful recordings list")
    return found
