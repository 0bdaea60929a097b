"""What a façade may ask about the conferences of this node, and what it is told.

A conference is meant by its ID or by its name; a name is that of the live conference which has it
under the same key.  A method that raises has changed nothing.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from attrs import frozen

from ringful.grammar import nodes
from ringful.interpreter.calls.switchboard import Calls, Operation, Refusal
from ringful.interpreter.events import Change, Started
from ringful.interpreter.messages.board import Messages
from ringful.store.port import Key, UsedSeq


class NoSuchConference(Refusal):
    """This key has no such conference (404)."""


class ConferenceOver(Refusal):
    """The conference has ended (409)."""


class NotMember(Refusal):
    """Who is meant is not in the conference (409)."""


class Engaged(Refusal):
    """The leg is in a conference, that one or another, or will be when its queue has come so far (409)."""


class IsModerator(Refusal):
    """It cannot be done to the moderator, whose leaving ends the conference (409)."""


MemberState: TypeAlias = Literal["in", "waiting", "called"]
"""``waiting``: outside, to be let in; ``called``: it has not asked to come in yet."""


@frozen
class MemberView:
    """Somebody in a conference, or outside it."""

    phone: str
    id: str
    """The call's ID, or that of a script's leg; empty: nobody has called yet."""
    state: MemberState
    muted: bool = False
    deaf: bool = False
    speaks: bool = False
    coaching: str = ""
    """The leg, or the number, that alone hears it; empty: all do."""


@frozen
class ConferenceView:
    """Who is in a conference, and how."""

    conference: str
    name: str
    begun: float | None
    """When its first member came in."""
    moderator: MemberView | None
    """None: it has none."""
    participants: tuple[MemberView, ...]
    """Who is in it but the moderator."""
    waiting: tuple[MemberView, ...]
    """Who waits outside but the moderator."""
    most: int


@frozen
class Opening:
    """The conference that is to be, and who leads it.

    *conference* is the statement that makes it and *join* the one that its moderator comes in by:
    both run on the call *call_id*, or on the newest one that is up with *moderator*, or else on
    a call that *ring* places.
    """

    moderator: str
    conference: nodes.Conference
    join: nodes.Join
    ring: Started
    call_id: str | None = None


@frozen
class Who:
    """Whom something is done to: a leg, or a *phone*, or everybody but the leg *but*; nothing: everybody."""

    leg: str | None = None
    phone: str | None = None
    but: str | None = None


class Answered(Protocol):
    """Give what is kept with a request, now that its answer is known."""

    def __call__(self, conference: str) -> Sequence[UsedSeq]: ...


class Conferences(Protocol):
    """What a façade may ask; *seqs* are kept with what they were used for."""

    async def open(self, key: Key, opening: Opening, used: Answered) -> str:
        """Open a conference; give its ID.

        Raises NoSuchCall, CallOver, Engaged, NotAllowed, TooMany, Unavailable.
        """
        ...

    async def call(self, key: Key, numbers: Sequence[str], started: Started, used: Answered) -> str:
        """Start a script that calls *numbers* into the conference that it makes; give that one's ID.

        Raises NotAllowed, TooMany, Unavailable.
        """
        ...

    async def join(
        self, key: Key, conference: str, call_id: str, statement: nodes.Join, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Append *statement*, by which a call joins *conference*, to its queue; a new name is free to take.

        Raises NoSuchConference, ConferenceOver, NoSuchCall, CallOver, Engaged, TooMany.
        """
        ...

    async def leave(
        self,
        key: Key,
        conference: str,
        leg: str,
        statement: nodes.Leave | None = None,
        *,
        seqs: Sequence[UsedSeq] = (),
    ) -> None:
        """Let *leg* leave now, or by *statement* in its turn.

        Raises NoSuchConference, ConferenceOver, NoSuchCall, CallOver, NotMember, IsModerator, TooMany.
        """
        ...

    async def end(self, key: Key, conference: str, *, seqs: Sequence[UsedSeq] = ()) -> None:
        """End it, and every leg in it.  Raises NoSuchConference, ConferenceOver."""
        ...

    async def change(
        self, key: Key, conference: str, change: Change, who: Who, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Mute, deafen or put out members.

        Raises NoSuchConference, ConferenceOver, NotMember, IsModerator.
        """
        ...

    async def coach(
        self, key: Key, conference: str, leg: str, coached: str | None, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Have the member *leg* be heard by the member *coached* alone, or (None) by all again.

        Raises NoSuchConference, ConferenceOver, NoSuchCall, NotMember.
        """
        ...

    async def queue(
        self, key: Key, conference: str, statement: nodes.Statement, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Append *statement* to its queue.  Raises NoSuchConference, ConferenceOver, TooMany."""
        ...

    async def interrupt(
        self,
        key: Key,
        conference: str,
        operation: Operation,
        *,
        notify: str | None = None,
        seqs: Sequence[UsedSeq] = (),
    ) -> None:
        """Do *operation* at once.  Raises NoSuchConference, ConferenceOver, CallOver."""
        ...

    async def look(self, key: Key, conference: str) -> ConferenceView:
        """Tell who is in it.  Raises NoSuchConference, ConferenceOver."""
        ...


class Board(Calls, Messages, Protocol):
    """A switchboard with its conferences and messages."""

    @property
    def conferences(self) -> Conferences:
        """Those of this node."""
