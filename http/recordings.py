"""Recordings over HTTP: given in pieces from the disk, and removed.

A recording's name cannot be guessed, and that is permission enough unless the configuration wants
links that are signed and expire.
"""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
import trio
from attrs import field, frozen
from quart import Response, send_file

from ringful.http import parameters as p
from ringful.http.parameters import BadParameter, Parameters
from ringful.http.problems import Problem
from ringful.interpreter.links import Links
from ringful.interpreter.tell import stamp
from ringful.store.port import Key, RecordingFile, Store

log = structlog.get_logger()

_FILE = re.compile(r"[A-Za-z0-9._-]{1,200}\.wav", re.ASCII)
_REFUSED = {
    "unsigned": "this link lacks its expires and sig; QueryCall gives one that works",
    "forged": "this link's sig is not right for its file and its expires; QueryCall gives one that works",
    "expired": "this link has expired; QueryCall gives a new one",
}


@frozen
class RemoveRecording:
    """Remove a recording by its *file* (a bare name), or all of a call's."""

    file: str | None = None
    call_id: str | None = None


def remove(given: Parameters) -> RemoveRecording:
    """Read `RecordingRemove`."""
    named = given.optional("recordFile file", file_name)
    call_id = given.optional("callId", p.identifier)
    if named is None and call_id is None:
        example = "recordFile=https://…/recordings/r1-….wav, or callId=r1-… for all of a call's"
        raise BadParameter("recordFile", "missing", f"recordFile is missing; give e.g. {example}")
    return RemoveRecording(named, call_id)


def file_name(name: str, value: str) -> str:
    """Read a recording's URL, or its bare name."""
    try:
        bare = unquote(urlsplit(value).path.rpartition("/")[2])
    except ValueError:
        bare = ""
    if not _FILE.fullmatch(bare):
        expected = "a recording's URL, or its bare name such as r1-….wav"
        raise BadParameter(name, "invalid", f"{name} must be {expected}, not {value!r}")
    return bare


@frozen
class RecordingDesk:
    """Gives recordings, and has them removed."""

    store: Store
    folder: Path
    links: Links
    remove: Callable[[Sequence[RecordingFile]], Awaitable[float]]
    """Removes files; raises OSError, StoreError."""
    clock: Callable[[], float] = field(default=time.time)

    async def give(self, file: str, query: str) -> Response:
        """Answer with a finished recording.  Raises Problem."""
        if not _FILE.fullmatch(file):
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
            with await trio.to_thread.run_sync(path.open, "rb"):
                pass
            answer: Response = await send_file(path, mimetype="audio/wav", conditional=True)
        except OSError as error:
            log.error("a recording cannot be read", file=file, why=str(error))
            raise Problem(404, "recording.gone", "the recording's file is gone") from error
        return answer

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
