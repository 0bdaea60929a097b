"""A recording in a worker: frames come from a voice five times a second, a disk thread writes them.

The file's timeline is the call's: where no frame came (a re-INVITE disconnects everything for a
moment) the voice gives silence of the same length, never a shift.
"""

import errno
import queue
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from threading import Thread
from traceback import format_exception
from typing import Literal

from attrs import frozen

from ringful.media import wav
from ringful.media.port import Event, RecordingEnded, RecordingFailed, RecordingStarted

QUIET = 200 * 200 * wav.FRAME_SAMPLES
"""The energy of a frame below which nobody speaks: an RMS of 200, some -44 dB."""

SPEECH = 3
"""So many frames in a row that are not quiet are speech."""

Reason = Literal["stopped", "silence", "hangup", "lost"]


_WHY: Mapping[int | None, str] = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EEXIST: "there is a file of that name already",
    errno.EROFS: "the disk can only be read",
    errno.EIO: "the disk has failed",
}


def _why(error: Exception) -> str:
    if not isinstance(error, OSError):
        return str(error)
    if error.errno == errno.ENOENT and error.filename:
        return f"the folder {Path(error.filename).parent} is gone"
    return _WHY.get(error.errno, error.strerror or str(error))


class Disk:
    """A thread that does what may block, in the order in which it was asked."""

    def __init__(self, log: Callable[[str], None] = print) -> None:
        self._log = log
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = Thread(target=self._work, name="disk", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Have *job* done after all that was asked before."""
        self._jobs.put(job)

    def close(self) -> None:
        """Do what was asked, and end."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while job := self._jobs.get():
            try:
                job()
            except Exception as error:
                # The others still want their recordings, and their legs' ends.
                self._log("".join(format_exception(error)))


@frozen
class Quiet:
    """How many seconds may be quiet: *silence* at any time; with *within*, that before the first word."""

    silence: float | None = None
    within: float | None = None

    def frames(self, *, spoken: bool) -> float:
        """Give how many frames may be quiet, where somebody has *spoken* or not yet."""
        seconds = self.silence if spoken or self.within is None else self.within
        return inf if seconds is None else max(1, round(seconds / 0.02))


class Recorder:
    """Write the frames of one leg to *path*; every end of it is told to *emit* once."""

    def __init__(
        self,
        leg: str,
        recording: int,
        path: Path,
        disk: Disk,
        emit: Callable[[Event], None],
        quiet: Quiet,
    ) -> None:
        self.leg, self.recording, self.path = leg, recording, path
        self._disk, self._emit = disk, emit
        self._may_be_quiet = quiet
        self._loud = 0
        self._most = quiet.frames(spoken=False)
        self._frames: deque[tuple[bytes, int]] = deque()
        self._quiet = 0
        self._writer: wav.Writer | None = None
        self.over = False
        disk.do(self._open)

    def take(self, samples: bytes, energies: Iterable[int]) -> None:
        """Take frames of 20 ms, and the energy of each."""
        starts = range(0, len(samples), wav.FRAME_BYTES)
        frames = (samples[start : start + wav.FRAME_BYTES] for start in starts)
        self._frames.extend(zip(frames, energies, strict=True))

    def flush(self) -> None:
        """Have what came in written."""
        if self._frames and not self.over:
            self._disk.do(self._write)

    def end(self, reason: Reason) -> None:
        """End the recording with what has come in."""
        self._disk.do(lambda: self._close(reason))

    def _open(self) -> None:
        try:
            self._writer = wav.Writer(self.path)
        except Exception as error:
            self._fail(error)
        else:
            self._emit(RecordingStarted(self.leg, self.recording))

    def _fail(self, error: Exception) -> None:
        """Tell that the recording has failed; what was written before stays, as a valid file."""
        self.over = True
        kept = ""
        if self._writer is not None:
            with suppress(Exception):
                self._writer.close()
                kept = f"; the first {self._writer.duration_ms / 1000:.1f} s are kept"
        self._emit(RecordingFailed(self.leg, self.recording, f"{self.path.name}: {_why(error)}{kept}"))

    def _write(self) -> None:
        writer = self._writer
        if self.over or writer is None:
            return
        try:
            while self._frames:
                if self._write_some(writer):
                    self._close("silence")
                    return
        except Exception as error:
            self._fail(error)

    def _write_some(self, writer: wav.Writer) -> bool:
        """Write what has come, at most to where it has been quiet for long enough; say whether it has."""
        together, quiet = [], False
        while self._frames and not quiet:
            frame, energy = self._frames.popleft()
            together.append(frame)
            writer.energy += energy
            self._quiet = self._quiet + 1 if energy < QUIET else 0
            self._loud = 0 if energy < QUIET else self._loud + 1
            if self._loud == SPEECH:
                self._most = self._may_be_quiet.frames(spoken=True)
            quiet = self._quiet >= self._most
        writer.write(b"".join(together))
        return quiet

    def _close(self, reason: Reason) -> None:
        if reason != "silence":
            self._write()
        writer = self._writer
        if self.over or writer is None:
            return
        self.over = True
        try:
            writer.close()
        except Exception as error:
            self._writer = None
            self._fail(error)
            return
        try:
            is_there = self.path.exists()
        except OSError as error:
            self._fail(error)
            return
        if not is_there:
            self._fail(FileNotFoundError(errno.ENOENT, "it was deleted while it was written"))
            return
        level = wav.level_db(writer.energy, writer.size // 2)
        size = wav.HEADER_BYTES + writer.size
        self._emit(RecordingEnded(self.leg, self.recording, reason, writer.duration_ms, size, level))
