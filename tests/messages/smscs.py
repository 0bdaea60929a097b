"""SMSCs that none of us wrote, each in its own process: PyPI's smpp34, and npm's smpp.

They take orders and tell what they see as lines of JSON.  Orders: ``answer`` (how submits are answered:
``ok``, ``refuse`` with a ``status``, ``some`` with ``statuses`` in turn, ``late`` ``after`` milliseconds; and
those that only npm's can: ``twice``, ``never``, ``drop``, ``hold`` ``until`` there are so many), ``deliver``
(``fields``, the text as ``hex``, or as ``payload``), ``away``, ``back``, ``unbind``, ``enquire``, ``raw``.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import define, field

from tests.server import PATIENCE, free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def node_modules() -> Path:
    """Give the folder of npm's packages, as the lock file has them; they are installed once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        _missing("node and npm are not installed: apt-get install nodejs npm")
    lock = (HERE / "node" / "package-lock.json").read_bytes()
    folder = ROOT / "build" / f"npm-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.exists():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        making.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, making)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        made = subprocess.run(command, cwd=making, capture_output=True, text=True, check=False)
        if made.returncode:
            shutil.rmtree(making)
            _missing(f"npm cannot install: {made.stderr}")
        try:
            making.rename(folder)
        except OSError:
            # Another process of the tests was faster.
            shutil.rmtree(making)
    return folder / "node_modules"


def _missing(why: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


@define(eq=False)
class Smsc:
    """An SMSC that runs."""

    kind: str
    process: trio.Process
    port: int = 0
    events: list[dict[str, Any]] = field(factory=list)
    _ordered: int = 0
    _changed: trio.Event = field(factory=trio.Event)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    async def do(self, what: str, **order: Any) -> None:
        """Give it an order, and wait until it has taken it."""
        assert self.process.stdin
        self._ordered += 1
        number = self._ordered
        await self.process.stdin.send_all(json.dumps({"do": what, **order}).encode() + b"\n")
        await self.until("done", number)

    async def deliver(self, text: bytes = b"", payload: bytes = b"", **fields: Any) -> None:
        """Have it bring something to the first bind."""
        numbers = {"source_addr": "15125550199", "destination_addr": "15125550000", "source_addr_ton": 1}
        more = {"payload": payload.hex()} if payload else {}
        await self.do("deliver", fields={**numbers, "dest_addr_ton": 1, **fields}, hex=text.hex(), **more)

    def seen(self, event: str) -> list[dict[str, Any]]:
        """Give what it has told of one kind."""
        return [one for one in self.events if one["event"] == event]

    async def until(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until it has told of *count* of a kind, and give them all."""
        with trio.fail_after(PATIENCE):
            while len(found := self.seen(event)) < count:
                await self._changed.wait()
        return found

    async def listen(self) -> None:
        """Read what it tells."""
        assert self.process.stdout
        rest = b""
        async for data in self.process.stdout:
            *lines, rest = (rest + data).split(b"\n")
            self.events += [json.loads(line) for line in lines]
            self._changed.set()
            self._changed = trio.Event()


@asynccontextmanager
async def running(
    kind: str, pem: Path | None = None, *, port: int = 0, ids: str = "m"
) -> AsyncIterator[Smsc]:
    """Run an SMSC of a *kind*: ``smpp34`` or ``npm``, which speaks TLS where it has a certificate.

    npm's listens at *port*, where one is given, and names what it takes with *ids* and a number.
    """
    environ = {**os.environ, "SMSC_PORT": str(port), "SMSC_IDS": ids}
    if pem:
        environ["SMSC_PEM"] = str(pem)
    if kind == "npm":
        environ["NODE_PATH"] = str(node_modules())
        command = ["node", str(HERE / "node" / "smsc.js")]
    else:
        command = [sys.executable, str(HERE / "smsc34.py"), str(free_port())]
    async with trio.open_nursery() as nursery:
        run = partial(trio.run_process, stdin=subprocess.PIPE, stdout=subprocess.PIPE, check=False)
        process = await nursery.start(partial(run, command, env=environ))
        smsc = Smsc(kind, process)
        nursery.start_soon(smsc.listen)
        smsc.port = (await smsc.until("listening"))[0]["port"]
        yield smsc
        process.kill()
        nursery.cancel_scope.cancel()
