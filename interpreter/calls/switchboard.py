"""The live calls of this node: what the façade talks to.

Everything a client asks for becomes a statement in some call's inbox.  Each method returns when
what it did is durable; when it raises, nothing has changed.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.span import Span
from ringful.interpreter.events import Origin, Started
from ringful.interpreter.trace import Line
from ringful.interpreter.values import Value
from ringful.media.port import Quality
from ringful.store.port import Key, UsedSeq


class Refusal(Exception):
    """The switchboard will not do what was asked; the message says why, in one readable line."""


class NoSuchCall(Refusal):
    """This key has no such call (404)."""


class CallOver(Refusal):
    """The call has ended, or the operation makes no sense now (409)."""


class Pruned(Refusal):
    """The call's journal was removed for its age (410)."""


class NotAllowed(Refusal):
    """The key may not call that number, or has spent its cap (403)."""


class TooMany(Refusal):
    """The key is over its calls per second or concurrent calls (429)."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Refusal):
    """More calls are placed than this server can set up at once (429)."""


class CannotStart(Refusal):
    """The script cannot be started with these values (422)."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


class Unavailable(Refusal):
    """The server is draining or has no free leg (503)."""


Operation: TypeAlias = (
    Literal["hangup", "stop play", "stop record", "stop tones", "mute", "unmute", "leave queue"]
    | nodes.Steering
)
"""What can be done at once instead of queued."""


@frozen
class TaskView:
    """One queued statement, and what became of it."""

    task: int
    statement: str
    """In canonical form."""
    state: Literal["waiting", "running", "done", "failed", "interrupted", "discarded"]
    detail: str = ""


@frozen
class RecordingView:
    """A finished recording: its *url*, its length in seconds, and when its file was removed."""

    url: str
    duration: float
    size: int
    removed: float | None = None


@frozen
class FailureView:
    """Something that could not be played, recorded or sent, so many *times*; the script went on."""

    what: Literal["play", "record", "sms"]
    why: str
    times: int


ViewState: TypeAlias = Literal["ringing", "up", "running", "waiting", "ended"]
"""A run without a call is ``running`` until it has ended, a conference ``waiting`` for its first member."""


@frozen
class CallView:
    """All that is known of a call, of a conference, or of a run that has no call of its own."""

    call_id: str
    callee: str
    """Whom it calls: for a call that came in, the number of ours; empty where there is no call.

    Of a conference the number of its moderator, if it has one.
    """
    caller: str | None
    """Who calls: empty where that is withheld, None where our own call does not say."""
    inbound: bool
    state: ViewState
    created: float
    answered: float | None
    ended: float | None
    outcome: str
    """Empty while the call is live; then ``completed`` or the reason of its failure."""
    origin: Origin | None
    duration: float | None
    bill: Decimal | None
    tasks: tuple[TaskView, ...]
    recordings: tuple[RecordingView, ...]
    quality: Quality | None
    failures: tuple[FailureView, ...] = ()
    label: str | None = None
    """What its key calls it."""
    conference: str | None = None
    """Of a conference its name, empty where it has none; None: it is no conference."""
    pruned: float | None = None
    """When its journal was removed for its age, and with it all that is not told here."""
    trunk: str | None = None
    """The name of the trunk that carries it; None: none does, or none that is known yet."""
    caller_name: str | None = None
    """Of a call that came in: what its caller is called."""
    diverted_from: str | None = None
    """Of a call that came in: the number that sent it on to ours."""


@frozen
class TraceView:
    """What happened on a call, line by line, from some line on."""

    lines: tuple[Line, ...]
    ended: bool
    outcome: str


@frozen
class WaitingView:
    """Who waits in a queue: since when (Unix seconds), how many seconds, and how many it may take yet."""

    call_id: str
    leg: str
    number: str
    place: int
    since: float
    waited: int
    expected: int | None


@frozen
class QueueView:
    """A queue of one key: who waits, the next one first, and the legs that are ready to serve it."""

    name: str
    waiting: tuple[WaitingView, ...]
    ready: tuple[str, ...]


class Calls(Protocol):
    """What a façade may ask of the switchboard; *seqs* are kept with what they were used for."""

    def new_id(self) -> str:
        """Make the ID of a call."""
        ...

    async def place(self, key: Key, call_id: str, started: Started, *, seqs: Sequence[UsedSeq] = ()) -> None:
        """Start what *started* says, as *call_id*.

        Raises CannotStart, NotAllowed, TooMany, Busy, Unavailable.
        """
        ...

    async def queue(
        self, key: Key, call_id: str, statement: nodes.Statement, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Append *statement* to the call's queue.  Raises NoSuchCall, CallOver, NotAllowed, TooMany."""
        ...

    async def interrupt(
        self,
        key: Key,
        call_id: str,
        operation: Operation,
        *,
        notify: str | None = None,
        seqs: Sequence[UsedSeq] = (),
    ) -> None:
        """Do *operation* at once, past the queue.  Raises NoSuchCall, CallOver."""
        ...

    async def signal(
        self, key: Key, call_id: str, event: str, fields: Mapping[str, Value], *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Send *event* with *fields* to the call's script.  Raises NoSuchCall, CallOver."""
        ...

    async def query(self, key: Key, call_id: str) -> CallView:
        """Tell all about a call, live or ended.  Raises NoSuchCall."""
        ...

    async def trace(self, key: Key, call_id: str, *, after: int, patience: float) -> TraceView:
        """Give the call's lines behind the first *after*; where there are none yet, wait for some.

        A call that has ended, or *patience* seconds without anything new, end the wait.
        Raises NoSuchCall.
        """
        ...

    async def script(self, key: Key, call_id: str) -> str:
        """Show the call as a script: what it ran, and what is queued.  Raises NoSuchCall."""
        ...

    def queues(self, key: Key) -> tuple[QueueView, ...]:
        """Give the queues of *key* in which somebody waits, or that somebody is ready to serve."""
        ...
