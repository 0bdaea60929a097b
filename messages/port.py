"""What carries text messages, and what it is given and gives: the port of this room.

A transport is a task: it asks its desk for the next message, sends it, and tells the desk what came of it.
It keeps nothing.  Whatever it holds when it ends, or is killed, is sent by the next one; so *what it tells
must be true*: `Desk.taken` that the other side has taken a part, `Desk.again` that it certainly has not,
`Desk.unsure` that nobody can know.
"""

from typing import Literal, Protocol, TypeAlias

from attrs import frozen

Carrier: TypeAlias = Literal["smpp", "sip", "mail"]
"""The kinds of transport; a message goes by one of them."""

Delivery: TypeAlias = Literal["delivered", "failed"]


@frozen
class Outgoing:
    """A message to send: *text* as it was written, from *sender* to *number* (both ``+E.164``)."""

    message_id: str
    number: str
    sender: str
    """May be digits alone (a short code), letters, or empty: whatever the configuration has."""
    text: str
    operator: str = ""
    """Of an e-mail gateway: which one; otherwise empty."""
    taken: frozenset[int] = frozenset()
    """The parts (from 1) that the other side has taken already: they are not sent again."""
    expires: float = 0.0
    """Unix seconds after which nobody wants it any more; 0: whenever."""
    attempt: int = 1
    """How often it was given to a transport, this time included."""


@frozen
class Receipt:
    """What the other side told of a part that it took before: it is known by *remote_id* there."""

    connection: str
    """Which connection it came by: IDs of two of them have nothing to do with each other."""
    remote_id: str
    delivery: Delivery
    reason: str = ""
    """Why it failed, for a person to read: the SMSC's own words."""


@frozen
class Fragment:
    """That a text is a part of a longer one: part *number* of *of*, and what *reference* they share."""

    reference: str
    number: int
    of: int


@frozen
class Incoming:
    """A text that came in, or a part of one: from *sender* to *number*, one of ours."""

    connection: str
    sender: str
    number: str
    text: str
    fragment: Fragment | None = None


class NotNow(Exception):
    """A text cannot be taken now: whoever brings it is to bring it again; the message says why."""


class Desk(Protocol):
    """Where a transport takes its work from, and tells what came of it."""

    async def next(self) -> Outgoing:
        """Wait for the next message; from now on it is this transport's, and the store says so.

        Several tasks of a transport may wait at once: each message goes to one of them, in order.
        """
        ...

    def taken(self, sent: Outgoing, part: int, parts: int, connection: str, remote_id: str) -> None:
        """Tell that part *part* (from 1) of *parts* was taken; *remote_id* is what receipts will name.

        An empty *remote_id*: no receipt will come, and ``sent`` is the last that is known of it.
        """
        ...

    def refused(self, sent: Outgoing, reason: str) -> None:
        """Tell that the other side will never take it; *reason* is for a person to read."""
        ...

    def again(self, sent: Outgoing, why: str, pause: float = 0.0) -> None:
        """Give back a message no further part of which was taken: it comes again after *pause* seconds."""
        ...

    def unsure(self, sent: Outgoing, part: int, why: str) -> None:
        """Give back a message of which *part* may have been taken or not: the answer never came."""
        ...

    async def receipt(self, receipt: Receipt) -> None:
        """Take a receipt; it is kept when this returns.  Raises StoreError."""
        ...

    async def received(self, incoming: Incoming) -> None:
        """Take a text; it is kept when this returns, and only then may it be acknowledged.

        Raises NotNow, and whatever the store raises.
        """
        ...

    def standing(self, connection: str, *, up: bool, why: str = "") -> None:
        """Tell that a connection is up, or is not and *why*: for the log, the metrics and the probes."""
        ...


class Transport(Protocol):
    """What carries messages."""

    @property
    def carrier(self) -> Carrier:
        """Which kind it is."""
        ...

    def parts(self, text: str) -> int:
        """Say in how many parts *text* would go.  Raises ValueError where it cannot go at all, and why."""
        ...

    async def run(self, desk: Desk) -> None:
        """Carry messages until it is cancelled; a connection that is lost is made again, for ever."""
        ...
