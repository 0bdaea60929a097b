"""The live calls of this node: what the façade talks to.

Everything a client asks for becomes a statement in some call's inbox.  Each method returns when
what it did is durable; when it raises, nothing has changed.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeAlias

from attrs import frozen

from ringful.grammar import nodes
from ringful.media.port import Quality
from ringful.store.port import Key


class Refusal(Exception):
    """The switchboard will not do what was asked; the message says why, in one readable line."""


class NoSuchCall(Refusal):
    """This key has no such call (404)."""


class CallOver(Refusal):
    """The call has ended, or the operation makes no sense now (409)."""


class NotAllowed(Refusal):
    """The key may not call that number, or has spent its cap (403)."""


class TooMany(Refusal):
    """The key is over its calls per second or concurrent calls (429)."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """The server is draining or has no free leg (503)."""


Operation: TypeAlias = Literal["hangup", "stop record", "stop tones"]
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
    """A finished recording: its *url*, and its length in seconds."""

    url: str
    duration: float
    size: int


@frozen
class CallView:
    """All that is known of a call."""

    call_id: str
    callee: str
    state: Literal["ringing", "up", "ended"]
    created: float
    answered: float | None
    ended: float | None
    outcome: str
    """Empty while the call is live; then ``completed`` or the reason of its failure."""
    duration: float | None
    bill: Decimal | None
    tasks: tuple[TaskView, ...]
    recordings: tuple[RecordingView, ...]
    quality: Quality | None


class Calls(Protocol):
    """What a façade may ask of the switchboard."""

    async def place(
        self, key: Key, script: nodes.Script, *, seq: int | None, params: Mapping[str, Any] | None = None
    ) -> str:
        """Start *script*, whose header is a `nodes.Call`; return the call ID.

        Raises NotAllowed, TooMany, Unavailable.
        """
        ...

    async def queue(self, key: Key, call_id: str, statement: nodes.Statement, *, seq: int | None) -> None:
        """Append *statement* to the call's queue.  Raises NoSuchCall, CallOver."""
        ...

    async def interrupt(
        self, key: Key, call_id: str, operation: Operation, *, notify: str | None = None, seq: int | None
    ) -> None:
        """Do *operation* at once, past the queue.  Raises NoSuchCall, CallOver."""
        ...

    async def query(self, key: Key, call_id: str) -> CallView:
        """Tell all about a call, live or ended.  Raises NoSuchCall."""
        ...

    async def script(self, key: Key, call_id: str) -> str:
        """Show the call as a script: what it ran, and what is queued.  Raises NoSuchCall."""
        ...
