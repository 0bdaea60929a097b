"""One bind over one network connection, from its handshake to its end: trio around a `Session`.

One task reads, one writes, one watches the time, some hand over what came, and one takes messages from the
desk as long as the window has room.  The one that reads waits for none of the others.

*How it ends.*  Whatever ends it, its end is told once, and every submit that was open is told to be unsure
or to come again.  When the server ends, the tasks outlast that for a few seconds: what is open is waited
for, and the SMSC is told goodbye.
"""

import ssl
from collections.abc import Awaitable, Callable

import trio
from attrs import define, field

from ringful.ground.faults import fault
from ringful.ground.logger import get_logger
from ringful.messages.port import Desk
from ringful.messages.segments import Alphabet
from ringful.messages.smpp import incoming, session, statuses
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.handing import RECEIPTS, Handing
from ringful.messages.smpp.pace import Pace
from ringful.messages.smpp.sending import Part, Sending
from ringful.messages.smpp.session import Arrived, Event, Session

GRACE = 3.0
"""Seconds that open answers are waited for when the bind ends."""
_GOODBYE = 1.0
_MOST_EARLY = 1000
_MOST_TOLD = 10
"""Kinds of what was ignored that one bind tells of."""
_READ = 64 * 1024

log = get_logger()


class BindFailed(Exception):
    """The bind did not come about; *status* is what the SMSC answered, if it did."""

    def __init__(self, why: str, status: int = statuses.OK) -> None:
        super().__init__(why)
        self.status = status


@define(eq=False)
class Bind:
    """One bind of a connection."""

    connection: SmppConnection
    alphabet: Alphabet
    """What texts are split by."""
    desk: Desk
    pace: Pace
    clock: Callable[[], float]
    """Gives Unix seconds."""
    stream: trio.abc.Stream
    _why: str = ""
    _session: Session[Part] = field(factory=Session)
    _early: list[Event[Part]] = field(factory=list)
    """What came with the answer to the bind."""
    _strange: set[str] = field(factory=set)
    _serving: trio.CancelScope = field(factory=lambda: trio.CancelScope(shield=True))
    _taking: trio.CancelScope = field(factory=trio.CancelScope)
    _to_write: trio.Event = field(factory=trio.Event)
    _left: trio.Event = field(factory=trio.Event)
    _heard: float = 0.0
    _writes_since: float | None = None
    _leaving: bool = False
    """The SMSC has ended the bind, and may answer what is open."""
    _sending: Sending = field(init=False)
    _handing: Handing = field(init=False)

    def __attrs_post_init__(self) -> None:
        mine = (self.connection, self.alphabet, self.desk, self.pace, self.clock)
        self._sending = Sending(*mine, self._session, lambda: self._to_write.set())
        self._handing = Handing(self.connection.name, self.desk, self._acknowledge)

    @property
    def useful(self) -> bool:
        """Whether it was more than a handshake: something was taken."""
        return self._sending.useful

    # From the handshake to the end

    async def open(self) -> None:
        """Bind.  Raises BindFailed."""
        one = self.connection
        try:
            self._session.bind(one.system_id, one.password, one.system_type)
            await self.stream.send_all(self._session.to_send(trio.current_time()))
            while not self._session.bound:
                data = await self.stream.receive_some(_READ)
                if not data:
                    raise BindFailed("the SMSC closed the connection instead of answering the bind")
                self._early += self._session.receive(data)
                for event in self._early:
                    self._refused(event)
                if len(self._early) > _MOST_EARLY:
                    raise BindFailed("the SMSC sends everything but an answer to the bind")
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise BindFailed(f"the connection broke before the bind was answered{_cause(error)}") from None

    def _refused(self, event: Event[Part]) -> None:
        match event:
            case session.Refused(status):
                raise BindFailed(f"the SMSC refused the bind: {statuses.described(status)}", status)
            case session.Broken(why):
                raise BindFailed(f"what the SMSC sends is no SMPP: {why}")
            case _:
                pass

    async def run(self) -> str:
        """Carry messages until the bind ends, and say why it did; or until it is cancelled."""
        self._heard = trio.current_time()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve)
                try:
                    with self._taking:
                        await self._sending.run()
                finally:
                    with trio.CancelScope(shield=True):
                        await self._farewell()
        finally:
            self._sending.settle(self._why or "the bind failed")
        return self._why

    async def _serve(self) -> None:
        with self._serving:
            async with trio.open_nursery() as nursery:
                for event in self._early:
                    self._event(event)
                tasks = [self._read, self._write, self._watch, self._handing.texts]
                for task in tasks + [self._handing.receipts] * RECEIPTS:
                    nursery.start_soon(self._fenced, task)

    async def _fenced(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except Exception as error:
            self._end(fault("an SMPP bind", error, connection=self.connection.name))

    def _end(self, why: str) -> None:
        """Nothing more goes over this bind; the first *why* counts."""
        self._why = self._why or why
        self._serving.cancel()
        self._taking.cancel()
        self._left.set()
        self._sending.ended(self._why)

    async def _farewell(self) -> None:
        """Wait a moment for what is open, and for the goodbyes; where all is over, for nothing."""
        with trio.move_on_after(GRACE):
            await self._sending.drained()
        if not self._why and not self._leaving:
            self._session.unbind()
            self._to_write.set()
        with trio.move_on_after(_GOODBYE):
            await self._left.wait()
        self._end("the SMSC ended the bind" if self._leaving else "the server is ending")

    # The network

    async def _read(self) -> None:
        try:
            while data := await self.stream.receive_some(_READ):
                self._heard = trio.current_time()
                for event in self._session.receive(data):
                    self._event(event)
                self._to_write.set()
            self._end("the SMSC ended the bind" if self._leaving else "the SMSC closed the connection")
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._end(f"the connection broke{_cause(error)}")

    async def _write(self) -> None:
        try:
            while True:
                now = trio.current_time()
                if data := self._session.to_send(now):
                    self._writes_since = now
                    await self.stream.send_all(data)
                    self._writes_since = None
                else:
                    self._to_write = trio.Event()
                    await self._to_write.wait()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._end(f"the connection broke{_cause(error)}")

    async def _watch(self) -> None:
        """End the bind where an answer does not come, and ask when nothing is heard."""
        limit, quiet = self.connection.response_timeout, self.connection.enquire_link
        while True:
            await trio.sleep(min(1.0, limit / 4, quiet / 4))
            now = trio.current_time()
            waits_since = [since for since in (self._session.oldest, self._writes_since) if since is not None]
            if waits_since and now - min(waits_since) >= limit:
                self._end(f"the SMSC did not answer within {limit:g} s")
            elif now - self._heard >= quiet and self._session.idle:
                self._session.enquire()
                self._to_write.set()

    def _event(self, event: Event[Part]) -> None:
        match event:
            case session.Answered():
                self._sending.answered(event)
                if event.status == statuses.WRONG_STATE:
                    self._end(f"the SMSC says {statuses.described(event.status)}")
            case session.Arrived():
                self._arrived(event)
            case session.Leaving():
                self._leaving = True
                self._taking.cancel()
            case session.Left():
                self._left.set()
            case session.Strange(what):
                self._tell_once(what)
            case session.Broken(why):
                self._end(f"what the SMSC sends is no SMPP: {why}")
            case session.Bound() | session.Refused():
                pass  # `open` has seen them

    def _tell_once(self, what: str) -> None:
        if what not in self._strange and len(self._strange) < _MOST_TOLD:
            self._strange.add(what)
            log.warning("an SMSC sent what was ignored", connection=self.connection.name, what=what)

    def _arrived(self, arrived: Arrived) -> None:
        brought = incoming.read(arrived.deliver, self.connection)
        if not isinstance(brought, incoming.Unknown):
            self._handing.put(arrived, brought)
            return
        if brought.what:
            self._tell_once(brought.what)
        self._acknowledge(arrived, statuses.OK)

    def _acknowledge(self, arrived: Arrived, status: int) -> None:
        self._session.acknowledge(arrived, status)
        self._to_write.set()


def _cause(error: BaseException) -> str:
    """Say what is below an error of the stream, where that says more."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError):
        return f": {cause.reason or cause}"
    return f": {cause.strerror}" if isinstance(cause, OSError) and cause.strerror else ""
