"""A media worker as the node sees it: a child process behind a socket."""

import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol

import structlog
import trio
from attrs import define, field

from ringful.ground.children import spared
from ringful.ground.faults import fault
from ringful.media import port
from ringful.media.wire import Framer, WireError, decode_event

log = structlog.get_logger()

START_SECONDS = 15.0
"""How long a worker may take to be ready; 40 ms is usual."""


class Owner(Protocol):
    """Who hears of a worker."""

    def hear(self, worker: "WorkerProcess", event: port.Event) -> None:
        """Take an event of one of its legs."""

    def offered(self, worker: "WorkerProcess", name: str, offer: port.Offer) -> None:
        """Take a call that has come in at it; *name* is what it calls the offer."""

    def noticed(self) -> None:
        """Hear that its number of free legs has changed."""

    def failed(self, leg: str, why: str) -> None:
        """Hear that what happened on *leg* could not be taken in: it must end."""


@define(eq=False)
class WorkerProcess:
    """A worker that is ready; *capacity* is what its library grants."""

    process: "subprocess.Popen[bytes]"
    stream: trio.SocketStream
    port: int
    capacity: int
    frames: int
    """The UDP port at which it takes frames of legs in other workers."""
    framer: Framer
    legs: set[str] = field(factory=set)
    occupied: int = 0
    """How many calls the library holds: some longer than they are told to be over."""
    dismissed: bool = False
    idle_since: float = field(factory=time.monotonic)
    heard: trio.Event = field(factory=trio.Event)
    """Set, and made anew, when it has answered a `ping`."""
    _framer_out: Framer = field(factory=Framer)
    _outbox: Any = None
    _faults: int = 0

    @property
    def pid(self) -> int:
        """The process's ID."""
        return self.process.pid

    @property
    def free(self) -> int:
        """How many more calls it can take."""
        return 0 if self.dismissed else self.capacity - max(self.occupied, len(self.legs))

    def tell(self, command: dict[str, Any]) -> None:
        """Send *command*, behind those that were sent before."""
        # Where it has died, the pool will tell of it.
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            self._outbox.send_nowait(self._framer_out.pack(command))

    async def ping(self) -> None:
        """Return when its engine has answered; that may never be."""
        heard = self.heard
        self.tell({"do": "ping"})
        await heard.wait()

    def dismiss(self) -> None:
        """Let it end."""
        self.dismissed = True
        with suppress(OSError):  # It may have gone by itself.
            self.stream.socket.shutdown(trio.socket.SHUT_RDWR)

    async def serve(self, owner: Owner) -> None:
        """Pass messages both ways until the worker has ended, however it did."""
        self._outbox, outgoing = trio.open_memory_channel[bytes](math.inf)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, outgoing, nursery.cancel_scope)
                await self._read(owner)
                nursery.cancel_scope.cancel()
        finally:
            self._outbox.close()
            with trio.CancelScope(shield=True):
                await self._leave()

    async def _leave(self) -> None:
        await self.stream.aclose()
        # A closed socket ends it; what does not end by itself is ended.
        with trio.move_on_after(2):
            await trio.to_thread.run_sync(self.process.wait, abandon_on_cancel=True)
        self.process.kill()
        self.process.wait()

    async def _write(self, outgoing: "trio.MemoryReceiveChannel[bytes]", serving: trio.CancelScope) -> None:
        try:
            async for data in outgoing:
                await self.stream.send_all(data)
        except trio.BrokenResourceError:
            return
        except Exception as error:
            # Half a command may be out: it is let go, and its calls end as lost.
            fault("writing to a media worker", error, pid=self.pid)
            serving.cancel()

    async def _read(self, owner: Owner) -> None:
        try:
            while data := await self.stream.receive_some(65536):
                for message in self.framer.unpack(data):
                    if not self._taken(owner, message):
                        return
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
        except WireError as error:
            log.error("a media worker cannot be understood", pid=self.pid, why=str(error))
        except Exception as error:
            fault("reading from a media worker", error, pid=self.pid)

    def _taken(self, owner: Owner, message: dict[str, Any]) -> bool:
        """Take *message*; say whether it is worth reading on, which it is not after two faults in a row."""
        try:
            self._take(owner, message)
        except Exception as error:
            leg = str(message.get("leg", ""))
            why = fault("taking in what a media worker says", error, pid=self.pid, call=leg)
            self._faults += 1
            owner.failed(leg, why)
            return self._faults < 2
        self._faults = 0
        return True

    def _take(self, owner: Owner, message: dict[str, Any]) -> None:
        match message["is"]:
            case "Occupied":
                self.occupied = message["calls"]
                owner.noticed()
            case "Offered":
                owner.offered(self, message["offer"], port.Offer(message["caller"], message["called"]))
            case "Pong":
                self.heard.set()
                self.heard = trio.Event()
            case "Log":
                log.warning("media worker", pid=self.pid, line=message["line"])
            case _:
                event = decode_event(message)
                if event:
                    owner.hear(self, event)


async def start_worker(config: dict[str, Any], ports: Iterable[int]) -> WorkerProcess | None:
    """Start a worker on the first of *ports* that is free; None where none will do."""
    for number in ports:
        worker, reason = await _try_port(config, number)
        if worker:
            return worker
        if "in use" not in reason:
            log.error("a media worker could not start", why=reason)
            return None
    return None


async def _try_port(config: dict[str, Any], number: int) -> tuple[WorkerProcess | None, str]:
    ours, theirs = socket.socketpair()
    command = [
        sys.executable,
        "-m",
        "ringful.media.engine.worker",
        str(theirs.fileno()),
        json.dumps(config | {"port": number}),
    ]
    # Forking takes a millisecond, and happens when a worker is wanted and not for each call.
    try:
        with spared():
            process = subprocess.Popen(  # noqa: ASYNC220
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
    except OSError as error:
        ours.close()
        return None, f"no process can be started: {error}"
    finally:
        theirs.close()
    stream, framer = trio.SocketStream(trio.socket.from_stdlib_socket(ours)), Framer()
    reason = "it did not start in time"
    try:
        with trio.move_on_after(START_SECONDS):
            while data := await stream.receive_some(65536):
                for message in framer.unpack(data):
                    if message["is"] == "Ready":
                        at, capacity, frames = (message[one] for one in ("port", "capacity", "frames"))
                        return WorkerProcess(process, stream, at, capacity, frames, framer), ""
                    reason = message["reason"]
            else:
                reason = reason if reason.count("in time") == 0 else "it died at once"
    except BaseException:
        process.kill()
        process.wait()
        stream.socket.close()
        raise
    process.kill()
    process.wait()
    await stream.aclose()
    return None, reason
