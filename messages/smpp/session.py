"""One bind's conversation, without any I/O: octets in, events out, and octets to send (after h11).

Whoever holds the session reads from the network and gives it to `receive`, and sends what `to_send` gives.
Time and waiting are none of its business.  It keeps what was asked and not yet answered: an answer that
nobody asked for, a second one, or one with a sequence number of nobody's is `Strange`, and changes nothing.

A submit is *written* as soon as `to_send` has given it: from then on it may have arrived.  What is still in
the session when the connection is lost has certainly not.
"""

from collections.abc import Iterator
from typing import Generic, TypeAlias, TypeVar

from attrs import define, field, frozen

from ringful.messages.smpp import codec, statuses
from ringful.messages.smpp.codec import Deliver, Framer, Malformed, Pdu, Submit

T = TypeVar("T")

_MOST_UNSENT = 1024 * 1024
_LAST_SEQUENCE = 0x7FFFFFFF
_IGNORED = frozenset({codec.ALERT_NOTIFICATION, codec.OUTBIND})
"""Requests that have no answer."""


@frozen
class Bound:
    """The SMSC has taken the bind; *name* is what it calls itself."""

    name: str


@frozen
class Refused:
    """The SMSC did not take the bind."""

    status: int


@frozen
class Answered(Generic[T]):
    """What was submitted as *what* is answered; *remote_id* is empty where it was not taken."""

    what: T
    status: int
    remote_id: str


@frozen
class Arrived:
    """The SMSC brings something, and waits for `Session.acknowledge` with its *sequence*."""

    sequence: int
    deliver: Deliver


@frozen
class Leaving:
    """The SMSC ends the bind, and that is answered: nothing more may be submitted."""


@frozen
class Left:
    """The SMSC has taken our unbind."""


@frozen
class Strange:
    """Something came that means nothing here, and was answered if it must be."""

    what: str


@frozen
class Broken:
    """The stream makes no sense any more, *why* says why: it must be closed."""

    why: str


Event: TypeAlias = Bound | Refused | Answered[T] | Arrived | Leaving | Left | Strange | Broken


@define
class _Asked(Generic[T]):
    """A request of ours: which, for what, and when it was written (None: not yet)."""

    command: int
    what: T | None = None
    written: float | None = None


@define
class Session(Generic[T]):
    """One bind.  What is submitted is known by a *what* of the holder's own."""

    bound: bool = False
    submits: int = 0
    """How many wait for their answers."""
    _framer: Framer = field(factory=Framer)
    _asked: dict[int, _Asked[T]] = field(factory=dict)
    _unwritten: list[_Asked[T]] = field(factory=list)
    _unsent: bytearray = field(factory=bytearray)
    _sequence: int = 0
    _broken: bool = False

    # What we ask

    def bind(self, system_id: str, password: str, system_type: str = "") -> None:
        """Ask to be bound as a transceiver.  Raises ValueError."""
        self._ask(codec.BIND_TRANSCEIVER, codec.bind_body(system_id, password, system_type))

    def submit(self, part: Submit, what: T) -> None:
        """Submit a part.  Raises ValueError where it cannot be sent at all."""
        self._ask(codec.SUBMIT_SM, codec.submit_body(part), what)
        self.submits += 1

    def enquire(self) -> None:
        """Ask whether anybody is there."""
        self._ask(codec.ENQUIRE_LINK)

    def unbind(self) -> None:
        """Say that this is the end."""
        self._ask(codec.UNBIND)

    def acknowledge(self, arrived: Arrived, status: int = statuses.OK) -> None:
        """Answer what arrived."""
        # The message ID of this answer is unused, and empty.
        self._send(Pdu(codec.DELIVER_SM | codec.RESPONSE, status, arrived.sequence, b"\0"))

    def _ask(self, command: int, body: bytes = b"", what: T | None = None) -> None:
        while True:
            self._sequence = self._sequence % _LAST_SEQUENCE + 1
            if self._sequence not in self._asked:
                break
        asked = self._asked[self._sequence] = _Asked(command, what)
        self._unwritten.append(asked)
        self._send(Pdu(command, 0, self._sequence, body))

    def _send(self, pdu: Pdu) -> None:
        self._unsent += pdu.octets()

    def to_send(self, now: float) -> bytes:
        """Give what is to be sent *now*, once; whatever is submitted in it counts as written."""
        data = bytes(self._unsent)
        self._unsent.clear()
        for asked in self._unwritten:
            asked.written = now
        self._unwritten.clear()
        return data

    # What is open

    @property
    def oldest(self) -> float | None:
        """When that was written which waits longest for an answer."""
        first = next(iter(self._asked.values()), None)
        return first.written if first else None

    @property
    def idle(self) -> bool:
        """Whether nothing waits for an answer."""
        return not self._asked

    def abandon(self) -> tuple[list[T], list[T]]:
        """Give up what is open: the submits that may have arrived, and those that certainly have not."""
        asked = [one for one in self._asked.values() if one.what is not None]
        self._asked.clear()
        self._unwritten.clear()
        self.submits = 0
        written = [one.what for one in asked if one.what is not None and one.written is not None]
        return written, [one.what for one in asked if one.what is not None and one.written is None]

    # What comes

    def receive(self, data: bytes | bytearray) -> list[Event[T]]:
        """Take *data*, and give what it meant.  After `Broken` comes nothing."""
        if self._broken:
            return []
        events: list[Event[T]] = []
        try:
            for pdu in self._framer.feed(data):
                events.extend(self._one(pdu))
            if len(self._unsent) > _MOST_UNSENT:
                raise Malformed("it asks, and does not read the answers")
        except Malformed as error:
            self._broken = True
            events.append(Broken(str(error)))
        return events

    def _one(self, pdu: Pdu) -> Iterator[Event[T]]:
        if pdu.command & codec.RESPONSE:
            yield from self._answer(pdu)
        elif pdu.command == codec.DELIVER_SM:
            yield from self._deliver(pdu)
        elif pdu.command == codec.ENQUIRE_LINK:
            self._send(Pdu(codec.ENQUIRE_LINK | codec.RESPONSE, 0, pdu.sequence))
        elif pdu.command == codec.UNBIND:
            self._send(Pdu(codec.UNBIND | codec.RESPONSE, 0, pdu.sequence))
            yield Leaving()
        elif pdu.command not in _IGNORED:
            self._send(Pdu(codec.GENERIC_NACK, statuses.INVALID_COMMAND, pdu.sequence))
            yield Strange(f"a command that an ESME has no answer to, 0x{pdu.command:08X}")

    def _deliver(self, pdu: Pdu) -> Iterator[Event[T]]:
        arrived = None
        status = statuses.OK if self.bound else statuses.WRONG_STATE
        try:
            arrived = Arrived(pdu.sequence, codec.read_deliver(pdu.body))
        except Malformed as error:
            # With an answer it is the SMSC's to drop; without one it would come again, for ever.
            status = statuses.UNREADABLE
            yield Strange(f"a deliver_sm that cannot be read: {error}")
        if status == statuses.OK and arrived:
            yield arrived
        else:
            self._send(Pdu(codec.DELIVER_SM | codec.RESPONSE, status, pdu.sequence, b"\0"))

    def _answer(self, pdu: Pdu) -> Iterator[Event[T]]:
        asked = self._asked.get(pdu.sequence)
        expected = (asked.command | codec.RESPONSE, codec.GENERIC_NACK) if asked else ()
        if asked is None or asked.written is None or pdu.command not in expected:
            yield Strange("an answer that nobody waits for")
            return
        del self._asked[pdu.sequence]
        # A nack that says "all is well" says nothing.
        nacked = pdu.command == codec.GENERIC_NACK and pdu.status == statuses.OK
        status = statuses.INVALID_COMMAND if nacked else pdu.status
        if asked.command == codec.BIND_TRANSCEIVER:
            self.bound = status == statuses.OK
            yield Bound(codec.read_text(pdu.body)) if self.bound else Refused(status)
        elif asked.command == codec.UNBIND:
            yield Left()
        elif asked.what is not None:
            self.submits -= 1
            remote_id = codec.read_text(pdu.body) if status == statuses.OK else ""
            yield Answered(asked.what, status, remote_id)
