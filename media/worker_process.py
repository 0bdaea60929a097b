"""A media worker as the node sees it: a child process behind a socket."""

import socket
import time
from collections import deque
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

import structlog
import trio
from attrs import define, field, frozen

from ringful.ground.faults import fault
from ringful.ground.pipe import Pipe
from ringful.media import port
from ringful.media.ranges import ANY, Range
from ringful.media.seats import Seats
from ringful.media.templates import Child, Templates
from ringful.media.texts import Texts
from ringful.media.wire import Framer, WireError, decode_event

log = structlog.get_logger()

START_SECONDS = 15.0
"""How long a worker may take to be ready; 20 ms is usual."""
MOST_CALLS = 100
"""Calls of one worker, whatever its library grants: it has one thread, and one fault of it ends them all."""
_END_SECONDS = 2.0
"""How long a worker may take to end when its socket is closed."""


class Answers(Protocol):
    """Who hears answers."""

    def hear(self, message: dict[str, Any]) -> None:
        """Take an answer that came to a worker."""


class Owner(Protocol):
    """Who hears of a worker."""

    @property
    def seats(self) -> Seats:
        """Who hears where its legs sit."""

    @property
    def texts(self) -> Texts:
        """Who hears what becomes of text messages, and of those that come in."""

    @property
    def through(self) -> Answers:
        """Who hears the answers to the node's own requests."""

    @property
    def telling(self) -> AbstractContextManager[object]:
        """What is told at once is told within it: who hears of it may act at its end."""

    def hear(self, worker: "WorkerProcess", event: port.Event) -> None:
        """Take an event of one of its legs."""

    def offered(self, worker: "WorkerProcess", name: str, offer: port.Offer, source: str) -> None:
        """Take a call that has come in at it from *source*, ``ADDRESS:PORT``; it calls the offer *name*."""

    def speaks(self, worker: "WorkerProcess", leg: str, speaks: bool) -> None:
        """Hear that *leg*, which sits on a bus, begins or ends to speak."""

    def voice_closed(self, worker: "WorkerProcess", room: str) -> None:
        """Hear that the voice of *room* has ended, as it was told to."""

    def noticed(self) -> None:
        """Hear that its number of free legs has changed."""

    def shaken(self) -> None:
        """Hear that a worker takes no more calls, since its library asserted."""

    def failed(self, leg: str, why: str) -> None:
        """Hear that what happened on *leg* could not be taken in: it must end."""


_EXPECTED_SECONDS = 3.0
"""How long a place is kept for a call that does not come."""
_RINGS, _RINGS_SECONDS = 20, 0.6
"""How many calls are placed at one worker within a moment: each one's sockets stay in the library for half
a second after it, which has 64 places for them and ends the process when there is none."""


@define(eq=False)
class WorkerProcess:
    """A worker that is ready, and takes *capacity* calls."""

    child: Child
    pipe: Pipe
    port: int
    capacity: int
    granted: int
    """How many calls it could take; *capacity* is less where its ports are not enough for them."""
    engine: str
    """What makes its sound: ``c``, or ``python`` where that cannot be, for *why_python*."""
    why_python: str
    framer: Framer
    ports: Range = ANY
    """Its ports for RTP."""
    legs: set[str] = field(factory=set)
    voices: set[str] = field(factory=set)
    """Rooms whose announcements are played, and which are recorded, there."""
    occupied: int = 0
    """How many calls the library holds: some longer than they are told to be over."""
    rings: deque[float] = field(factory=lambda: deque(maxlen=_RINGS))
    """When the last calls were placed there."""
    unchecked: str = ""
    """Why SIP packets are not checked before its library has them; empty where they are."""
    expected: dict[str, float] = field(factory=dict)
    """Calls in, by their Call-IDs, that the front sends there and that have not come yet; and until when."""
    shaken: bool = False
    """Its library has asserted, and was kept alive: its calls go on, and it takes no more."""
    dismissed: bool = False
    idle_since: float = field(factory=time.monotonic)
    heard: trio.Event = field(factory=trio.Event)
    """Set, and made anew, when it has answered a `ping`."""
    _framer_out: Framer = field(factory=Framer)
    _faults: int = 0

    @property
    def pid(self) -> int:
        """The process's ID."""
        return self.child.pid

    @property
    def free(self) -> int:
        """How many more calls it can take."""
        if self.dismissed or self.shaken:
            return 0
        if self.expected:
            now = time.monotonic()
            self.expected = {call: until for call, until in self.expected.items() if until > now}
        return self.capacity - max(self.occupied, len(self.legs)) - len(self.expected)

    def expect(self, call_id: str) -> None:
        """Keep a place for a call that the front sends there now."""
        now = time.monotonic()
        self.expected[call_id] = now + _EXPECTED_SECONDS
        self.rings.append(now)

    def is_rushed(self, most: int = _RINGS) -> bool:
        """Whether *most* calls began there a moment ago: what its library bears, or its gate lets in."""
        return len(self.rings) >= most and time.monotonic() - self.rings[-most] < _RINGS_SECONDS

    @property
    def idle(self) -> bool:
        """Whether nothing is done there."""
        return not (self.legs or self.voices or self.occupied)

    def tell(self, command: dict[str, Any]) -> None:
        """Send *command*, behind those that were sent before."""
        # Where it has died, the pool will tell of it.
        with suppress(OSError):
            self.pipe.send(self._framer_out.pack(command))

    async def ping(self) -> None:
        """Return when its engine has answered; that may never be."""
        heard = self.heard
        self.tell({"do": "ping"})
        await heard.wait()

    def dismiss(self) -> None:
        """Let it end."""
        self.dismissed = True
        with suppress(OSError):  # It may have gone by itself.
            self.pipe.shut()

    async def serve(self, owner: Owner) -> None:
        """Pass messages both ways until the worker has ended, however it did."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, nursery.cancel_scope)
                nursery.start_soon(self._read, owner, nursery.cancel_scope)
        finally:
            with trio.CancelScope(shield=True):
                await self._leave()

    async def _leave(self) -> None:
        # A closed socket ends it; what does not end by itself is ended.
        self.pipe.close()
        await self.child.leave(_END_SECONDS)

    async def _write(self, serving: trio.CancelScope) -> None:
        try:
            await self.pipe.flush()
        except OSError:
            return  # It has ended, or was told to.
        except Exception as error:
            # Half a command may be out: it is let go, and its calls end as lost.
            fault("writing to a media worker", error, pid=self.pid)
            serving.cancel()

    async def _read(self, owner: Owner, serving: trio.CancelScope) -> None:
        try:
            while data := await self.pipe.receive():
                with owner.telling:
                    for message in self.framer.unpack(data):
                        if not self._taken(owner, message):
                            return
        except WireError as error:
            log.error("a media worker cannot be understood", pid=self.pid, why=str(error))
        except Exception as error:
            fault("reading from a media worker", error, pid=self.pid)
        finally:
            serving.cancel()

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
                self.expected.pop(message["call_id"], None)
                owner.offered(self, message["offer"], port.Offer(**message["call"]), message["source"])
            case "Seated":
                owner.seats.seated(message["sitting"])
            case "NotSeated":
                owner.seats.not_seated(message["sitting"], message["detail"])
            case "Stood":
                owner.seats.stood(message["sitting"])
            case "Speaking":
                owner.speaks(self, message["leg"], message["speaks"])
            case "VoiceClosed":
                owner.voice_closed(self, message["leg"])
            case "TextSent" | "TextOffered":
                owner.texts.hear(self, message)
            case "PacketCame":
                owner.through.hear(message)
            case "Shaken":
                self.shaken = True
                log.error("a media worker was shaken: it keeps its calls, and takes no more", pid=self.pid)
                owner.shaken()
            case "Pong":
                self.heard.set()
                self.heard = trio.Event()
            case "Log":
                log.warning("media worker", pid=self.pid, line=message["line"])
            case _:
                event = decode_event(message)
                if event:
                    owner.hear(self, event)


@frozen
class Start:
    """What workers are started with."""

    templates: Templates
    config: dict[str, Any]
    buses: int
    """The descriptor of the memory of all buses."""


async def start_worker(start: Start, ports: Range, at: Iterable[int]) -> WorkerProcess | None:
    """Start a worker on the first of *at* that is free, with *ports* for RTP; None where none will do."""
    for number in at:
        worker, reason = await _try_port(start, ports, number)
        if worker:
            return worker
        if "in use" not in reason:
            log.error("a media worker could not start", why=reason)
            return None
    return None


async def _try_port(start: Start, ports: Range, number: int) -> tuple[WorkerProcess | None, str]:
    config = start.config | {"port": number, "rtp_port": ports.first, "rtp_ports": ports.count}
    ours, theirs = socket.socketpair()
    try:
        child = await start.templates.fork(config, theirs, start.buses)
    except OSError as error:
        ours.close()
        return None, str(error)
    finally:
        theirs.close()
    pipe, framer = Pipe(ours), Framer()
    reason = "it did not start in time"
    worker = None
    try:
        with trio.move_on_after(START_SECONDS):
            while worker is None and (data := await pipe.receive()):
                for message in framer.unpack(data):
                    if message["is"] == "Ready":
                        worker = _ready(child, pipe, framer, ports, message)
                        break
                    reason = message.get("reason", reason)
            if worker is None and "in time" in reason:
                reason = "it died at once"
    finally:
        if worker is None:
            pipe.close()
            with trio.CancelScope(shield=True):
                await child.leave(0)
    return worker, reason


def _ready(child: Child, pipe: Pipe, framer: Framer, ports: Range, said: dict[str, Any]) -> WorkerProcess:
    granted = min(said["capacity"], MOST_CALLS)
    return WorkerProcess(
        child,
        pipe,
        said["port"],
        min(granted, ports.calls or granted),
        granted,
        said["engine"],
        said["engine_reason"],
        framer,
        ports,
        unchecked=said["unchecked"],
    )
