"""What a façade may ask about messages, and why it is refused."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ringful.interpreter.calls.switchboard import Refusal
from ringful.interpreter.events import RefusedMessage, Started
from ringful.store.port import Key, UsedSeq


class NotSent(Refusal):
    """A message cannot be sent; *reason* is one of `events.RefusedMessage`."""

    def __init__(self, reason: RefusedMessage, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoSuchKeyword(Refusal):
    """This key has not bound that keyword (404)."""


class KeywordTaken(Refusal):
    """Another key has bound that keyword, or that number (409)."""


class Draft(NamedTuple):
    """What is to be sent, and where."""

    number: str
    text: str
    operator: str = ""
    """Of an e-mail gateway; empty: by the usual transport."""


class Messages(Protocol):
    """The sending of messages."""

    async def judge(self, key: Key, draft: Draft) -> int:
        """Give the segments that *draft* would go in.  Raises NotSent, Unavailable."""
        ...

    async def send(self, key: Key, run_id: str, started: Started, *, seqs: Sequence[UsedSeq] = ()) -> None:
        """Run *started*, a script that sends what was judged just now; return once it is kept.

        Raises Unavailable; then nothing was sent and nothing is kept.
        """
        ...
