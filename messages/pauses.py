"""Pauses that grow: how long something waits before it is tried again."""

from collections import OrderedDict
from collections.abc import Sequence

import trio
from attrs import define, field

from ringful.messages.port import Desk, Outgoing

_REMEMBERED = 10_000
"""Messages whose tries are counted; beyond that the oldest begins anew, which only makes its pause short."""

MESSAGE_PAUSES = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
"""Seconds until a message that was not taken is tried again: a server that delays strangers wants minutes."""
LINE_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds until a connection is made again."""


@define
class Pauses:
    """How long each message waits; one that is taken, or refused, is forgotten."""

    lengths: Sequence[float] = MESSAGE_PAUSES
    _tries: "OrderedDict[str, int]" = field(factory=OrderedDict)

    def next(self, message_id: str) -> float:
        """Give the pause before the next try of a message: longer than the one before."""
        tries = self._tries.pop(message_id, 0)
        self._tries[message_id] = tries + 1
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        return self.lengths[min(tries, len(self.lengths) - 1)]

    def forget(self, message_id: str) -> None:
        """Let the next try of a message be its first."""
        self._tries.pop(message_id, None)


async def doubt(desk: Desk, sent: Outgoing, why: str, pause: float) -> None:
    """Tell that nobody knows of a message of one part, after *pause* seconds, or when it is cancelled.

    What is not known is sent again at once: where it goes wrong each time, many copies would arrive.
    """
    try:
        await trio.sleep(pause)
    finally:
        desk.unsure(sent, 1, why)
