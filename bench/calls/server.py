"""A server in a process of its own: ringful itself, or whatever a command starts that speaks as it does.

docs/operation.md says what the command is given and what it must do.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import trio
from attrs import define, frozen

from ringful.bench.calls.asking import Asker
from ringful.bench.calls.numbers import Numbers
from ringful.bench.calls.wire import WireError
from ringful.ground.complaint import Complaint

START_SECONDS = 60.0
END_SECONDS = 15.0
_GUARD = 'read nothing; kill -TERM "-$1"; sleep 5; kill -KILL "-$1"'
"""Ends the server where we are gone, and its standard input with us."""
_ASKED_EVERY = 0.1
_LAST_LINES = 5
_RINGFUL = shlex.join([sys.executable, "-m", "ringful.command.main"])
OURS = f'made=$({_RINGFUL} keys add bench) && echo "key $made" && exec {_RINGFUL} serve'
"""What starts this ringful; another checkout is started by the same with its own path."""


@frozen
class Order:
    """What a server is started for."""

    trunk: str
    """Where it calls: the far end's host and port."""
    web: str
    """What its customer's URLs begin with."""
    calls: int
    """How many it must be able to have at once."""
    command: str = OURS
    patience: float = START_SECONDS


@define(eq=False)
class Server:
    """A server that is ready, at *port*; *pid* is the first of its processes."""

    pid: int
    port: int
    key: str
    secret: str
    log: Path

    def said(self) -> str:
        """Give the last lines that it has logged."""
        return _last(self.log)


def environment(order: Order, port: int, folder: Path, key: str, secret: str) -> dict[str, str]:
    """Give what the command finds in its environment; of what is set for another ringful, nothing stays."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RINGFUL_") or name == "RINGFUL_ENGINE"
    }
    return kept | {
        "BENCH_HTTP": f"127.0.0.1:{port}",
        "BENCH_TRUNK": order.trunk,
        "BENCH_WEB": order.web,
        "BENCH_CALLS": str(order.calls),
        "BENCH_FOLDER": str(folder),
        "BENCH_KEY": key,
        "BENCH_SECRET": secret,
        **_of_ringful(order, port),
    }


def _of_ringful(order: Order, port: int) -> Mapping[str, str]:
    return {
        "RINGFUL_HTTP__BIND": f"127.0.0.1:{port}",
        "RINGFUL_SIP__BIND": "127.0.0.1:0",
        "RINGFUL_SIP__FRONT": "none",
        "RINGFUL_SIP__TRUNK": f"sip:{order.trunk}",
        "RINGFUL_SIP__OPTIONS": "false",
        "RINGFUL_MEDIA__PORTS": "any",
        "RINGFUL_MEDIA__MAX_CALLS": str(order.calls),
        "RINGFUL_MEDIA__SILENCE_LIMIT": "off",
        "RINGFUL_FETCH__ALLOW": "127.0.0.0/8",
        "RINGFUL_LIMITS__CALLS_PER_SECOND": "10000",
        "RINGFUL_LIMITS__CONCURRENT": "10000",
        "RINGFUL_LIMITS__DRAIN": "1s",
        "RINGFUL_LOG__LEVEL": "warning",
    }


@contextmanager
def held_port() -> Iterator[int]:
    """Give a port of TCP that the kernel gives to nobody else meanwhile.

    A server that binds it with SO_REUSEADDR, as servers do, can have it.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@asynccontextmanager
async def open_server(order: Order, folder: Path) -> AsyncIterator[Server]:
    """Start a server in *folder*, and give it when it is ready; it ends with us.  Raises Complaint."""
    key, secret = f"bench-{token_hex(4)}", token_hex(16)
    told, log = folder / "server.out", folder / "server.log"
    with held_port() as port:
        given = environment(order, port, folder, key, secret)
        async with _running(order, folder, given, told, log) as process:
            await until_ready(process, port, order.patience, log)
            key, secret = key_in(told.read_text(encoding="utf-8", errors="replace")) or (key, secret)
            yield Server(process.pid, port, key, secret, log)
            if process.poll() is not None:
                raise Complaint(f"the server has ended by itself: {_last(log)}")


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def _running(
    order: Order, folder: Path, environment: Mapping[str, str], told: Path, log: Path
) -> AsyncIterator[trio.Process]:
    """Start a server; end it and all of its group with us, however we end and whenever."""
    process, guard = await _started(order, folder, environment, told, log), None
    try:
        guard = await trio.lowlevel.open_process(
            ["/bin/sh", "-c", _GUARD, "guard", str(process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        yield process
    finally:
        with trio.CancelScope(shield=True):
            await _end(process)
            if guard:
                guard.kill()
                await guard.wait()
                if guard.stdin:
                    await guard.stdin.aclose()


async def _started(
    order: Order, folder: Path, environment: Mapping[str, str], told: Path, log: Path
) -> trio.Process:
    with told.open("wb") as out, log.open("wb") as errors:
        return await trio.lowlevel.open_process(
            ["/bin/sh", "-c", order.command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            start_new_session=True,
        )


def key_in(told: str) -> tuple[str, str] | None:
    """Find the line ``key KEY SECRET`` in what a server has printed."""
    for line in told.splitlines():
        match line.split():
            case ["key", key, secret]:
                return key, secret
    return None


async def until_ready(process: trio.Process, port: int, patience: float, log: Path) -> None:
    """Wait until who listens at *port* says that it is ready.  Raises Complaint."""
    asker = Asker(port, f"127.0.0.1:{port}", "", "", Numbers(-1))
    said = "nobody listens there"
    with trio.move_on_after(patience):
        while True:
            if process.poll() is not None:
                raise Complaint(f"the server has ended with {process.returncode}: {_last(log)}", 2)
            try:
                answer = await asker.get("/ready")
            except (OSError, WireError, trio.BrokenResourceError):
                answer = None
            if answer:
                said = answer.first.partition(" ")[2]
                if said.startswith("200"):
                    await asker.close()
                    return
            await trio.sleep(_ASKED_EVERY)
    await asker.close()
    raise Complaint(
        f"the server was not ready within {patience:g} s: GET http://127.0.0.1:{port}/ready must answer 200, "
        f"and {said}; it said: {_last(log)}",
        2,
    )


def _last(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-_LAST_LINES:]) or "nothing"


async def _end(process: trio.Process) -> None:
    """Ask all of its processes to end, and see to it."""
    _tell(process.pid, signal.SIGTERM)
    with trio.move_on_after(END_SECONDS):
        await process.wait()
    _tell(process.pid, signal.SIGKILL)
    await process.wait()


def _tell(group: int, sent: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, sent)
