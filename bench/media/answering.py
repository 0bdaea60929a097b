"""The far end as the node sees it: a child process that has a port, and in the end a story to tell."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from attrs import define

from ringful.bench.media.heard import Heard, Lateness
from ringful.ground.complaint import Complaint

START_SECONDS = 15.0
SPARE = 8
"""Phones more than there are calls at once: a line rests before it is used again."""


@define(eq=False)
class Answering:
    """A far end that answers at *port*."""

    process: trio.Process
    port: int

    @property
    def pid(self) -> int:
        """The process's ID."""
        return self.process.pid

    def address(self, name: str) -> str:
        """Give the URI of the phone that calls *name* its own."""
        return f"sip:{name}@127.0.0.1:{self.port}"

    async def close(self) -> tuple[dict[str, Heard], Lateness]:
        """End it; give what its phones heard, by the legs' names, and how late it was itself.

        Raises Complaint where it has died.
        """
        found = await self.told()
        heard = [Heard(**{**one, "hertz": tuple(one["hertz"])}) for one in found["heard"]]
        return {one.name: one for one in heard}, Lateness(**found["late"])

    async def told(self) -> Any:
        """End it; give what it says then.  Raises Complaint where it has died."""
        assert self.process.stdin
        assert self.process.stdout
        await self.process.stdin.aclose()
        told = b""
        async for data in self.process.stdout:
            told += data
        if not told:
            raise Complaint("the far end has died: what it heard is lost")
        return json.loads(told)


@asynccontextmanager
async def open_far_end(calls: int, module: str = "ringful.bench.media.far_end") -> AsyncIterator[Answering]:
    """Give the far end of *module* for *calls* at once; it ends with us, however we end."""
    command = [sys.executable, "-m", module, str(2 * calls + SPARE)]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        told = b""
        with trio.fail_after(START_SECONDS):
            while not told.endswith(b"\n"):
                data = await process.stdout.receive_some()
                if not data:
                    raise Complaint("the far end could not be started")
                told += data
        yield Answering(process, int(told))
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    await stream.aclose()
