"""Recordings over HTTP: given in pieces from the disk, and removed.

A recording's name cannot be guessed, and that is permission enough unless the configuration wants
links that are signed and expire.
"""

import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import structlog
import trio
from attrs import field, frozen

from ringful.http.exchange import Part, Request, Response
from ringful.http.problems import Problem
from ringful.http.reading.ranges import is_known, is_the_same, plain_range
from ringful.http.reading.recordings import FILE, RemoveRecording
from ringful.interpreter.links import Links
from ringful.interpreter.tell import stamp
from ringful.store.port import Key, RecordingFile, Store

log = structlog.get_logger()

SOUND = "audio/wav"

_REFUSED = {
    "unsigned": "this link lacks its expires and sig; QueryCall gives one that works",
    "forged": "this link's sig is not right for its file and its expires; QueryCall gives one that works",
    "expired": "this link has expired; QueryCall gives a new one",
}


@frozen
class RecordingDesk:
    """Gives recordings, and has them removed."""

    store: Store
    folder: Path
    links: Links
    remove: Callable[[Sequence[RecordingFile]], Awaitable[float]]
    """Removes files; raises OSError, StoreError."""
    clock: Callable[[], float] = field(default=time.time)

    async def give(self, file: str, request: Request) -> Response:
        """Answer *request* with a finished recording, or the part that is asked for.  Raises Problem."""
        query = request.query.decode("latin-1")
        if not FILE.fullmatch(file):
            raise Problem(404, "recording.unknown", "there is no such recording")
        if wrong := self.links.problem(file, query, self.clock()):
            raise Problem(403, f"link.{wrong}", _REFUSED[wrong])
        known = await self.store.recording(file)
        if known is None:
            raise Problem(404, "recording.unknown", "there is no such recording")
        if known.removed is not None:
            raise Problem(410, "recording.removed", f"this recording was removed at {stamp(known.removed)}")
        path = self.folder / file
        try:
            about = await trio.to_thread.run_sync(_about, path)
        except OSError as error:
            log.error("a recording cannot be read", file=file, why=str(error))
            raise Problem(404, "recording.gone", "the recording's file is gone") from error
        return _given(path, about, request.headers)

    async def removed(self, key: Key, made: RemoveRecording) -> tuple[str, dict[str, Any]]:
        """Remove what *made* names, if it is the key's; what is removed already stays so.  Raises Problem."""
        found = await self._named(made)
        files = [one for one in found if one.key == key.key and made.call_id in (None, one.call_id)]
        if not files:
            raise Problem(404, "recording.unknown", "this key has no such recording")
        there = [one for one in files if one.removed is None]
        try:
            at = await self.remove(there) if there else self.clock()
        except OSError as error:
            log.error("a recording cannot be removed", files=[one.file for one in there], why=str(error))
            why = f"the file cannot be removed: {error.strerror}"
            raise Problem(503, "recording.kept", why, {"Retry-After": "5"}) from error
        told = [
            {"file": one.file, "removed": stamp(at if one.removed is None else one.removed)} for one in files
        ]
        return "".join(f"{one['file']}\n" for one in told), {"recordings": told}

    async def _named(self, made: RemoveRecording) -> Sequence[RecordingFile]:
        if made.file is None:
            return await self.store.recordings(made.call_id or "")
        one = await self.store.recording(made.file)
        return [one] if one else []


def _about(path: Path) -> os.stat_result:
    """Give what is known of the file, which can be read.  Raises OSError."""
    with path.open("rb") as file:
        return os.fstat(file.fileno())


def _given(path: Path, about: os.stat_result, asked: Mapping[str, str]) -> Response:
    """Give what the headers *asked* want of a file.  Raises Problem."""
    size, changed = about.st_size, int(about.st_mtime)
    tag = f'"{about.st_mtime_ns:x}-{size:x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "public",
        "ETag": tag,
        "Last-Modified": formatdate(changed, usegmt=True),
    }
    if is_known(asked, tag, changed):
        return Response(b"", 304, SOUND, headers)
    part = plain_range(asked.get("range"), size) if is_the_same(asked, tag, changed) else None
    if part is None:
        return Response(b"", 200, SOUND, headers, Part(path, 0, size))
    begin, end = part
    headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return Response(b"", 206, SOUND, headers, Part(path, begin, end))
