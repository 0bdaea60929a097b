"""Conversions as the node sees them: each in a process that may be slow, grow or die by itself.

The process that they are forked from is started when the first one is wanted, and again when it has
died.  A sound that is what workers play already is only copied.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import structlog
import trio

from ringful.ground.faults import fault
from ringful.media import wav
from ringful.media.sounds import SoundError

log = structlog.get_logger()

AT_ONCE = 4
"""Conversions that are done side by side; the next one waits."""
SECONDS = 60.0
"""How long a conversion may take; see `converting` for its other bounds."""


class Converter:
    """Convert sounds; *serve* must run for as long as that is wanted."""

    def __init__(self, *, seconds: float = SECONDS, at_once: int = AT_ONCE) -> None:
        self.seconds = seconds
        self._turns = trio.CapacityLimiter(at_once)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    async def serve(self) -> None:
        """End the converter's process when this is cancelled."""
        try:
            await trio.sleep_forever()
        finally:
            self.close()

    async def convert(self, source: Path, target: Path) -> None:
        """Write the sound of *source* to *target*, whole or not at all.  Raises SoundError."""
        try:
            if await trio.to_thread.run_sync(wav.copy_plain, source, target):
                return
            await self._make("convert", source, target)
        except OSError as error:
            raise SoundError(f"it cannot be converted: {error.strerror or error}") from error

    async def stretch(self, source: Path, target: Path, speed: float) -> None:
        """Write the sound of *source*, of the shape that is played, to *target*: *speed* times as fast.

        Raises SoundError.
        """
        try:
            await self._make(f"stretch {speed:g}", source, target)
        except OSError as error:
            raise SoundError(f"it cannot be made faster or slower: {error.strerror or error}") from error

    async def _make(self, order: str, source: Path, target: Path) -> None:
        async with self._turns:
            await self._make_one(order, source, target)

    async def _make_one(self, order: str, source: Path, target: Path) -> None:
        with (
            source.open("rb") as reading,
            NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as out,
        ):
            try:
                answer = await self._ask(order, reading.fileno(), out.fileno())
                if "fault" in answer:
                    error = RuntimeError(answer["fault"])
                    raise SoundError(fault("converting a sound", error, file=source.name))
                if "reason" in answer:
                    raise SoundError(answer["reason"])
                os.replace(out.name, target)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(out.name)
                raise

    async def _ask(self, order: str, source: int, target: int) -> dict[str, Any]:
        """Have *target* made of *source* as *order* says; the other end goes when this does."""
        ours, theirs = socket.socketpair()
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        said, seconds = b"", self.seconds
        async with stream:
            with theirs:
                self._order(order, [theirs.fileno(), source, target])
            with trio.move_on_after(seconds) as limit, suppress(trio.BrokenResourceError):
                while data := await stream.receive_some(65536):
                    said += data
        if limit.cancelled_caught:
            raise SoundError(f"it takes more than {seconds:.0f} seconds to read")
        if not said:
            log.error("a conversion ended without an answer: a decoder died, or was stopped by its bounds")
            raise SoundError(
                "the decoder does not survive it: it is damaged, or takes too much time or memory"
            )
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _order(self, order: str, descriptors: Sequence[int]) -> None:
        for control in (self._control, None):
            try:
                socket.send_fds(control or self._start(), [order.encode()], descriptors)
                return
            except (BrokenPipeError, ConnectionResetError):
                if control is None:
                    raise
                log.error("the converter died, and is started again")

    def _start(self) -> socket.socket:
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "ringful.media.library.converting", str(theirs.fileno())]
        # A library for matrices would start threads, and a process with threads cannot fork.
        one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, **one_thread},
                )
            except BaseException:
                ours.close()
                raise
        self._control = ours
        return ours

    @property
    def pid(self) -> int | None:
        """The process that conversions are forked from, once there is one."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the converter's process, and what it is doing."""
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control:
            control.close()
        if process:
            process.kill()
            process.wait()
