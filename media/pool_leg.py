"""A leg of the pool: state only, which the pool changes."""

from pathlib import Path

import trio
from attrs import define, field

from ringful.media import port
from ringful.media.worker_process import WorkerProcess


@define(eq=False)
class PoolLeg:
    """A leg, and what has been ordered on it and has not ended."""

    name: str
    sink: port.Sink
    number: str
    caller_id: str | None
    worker: WorkerProcess | None = None
    answered: bool = False
    over: bool = False
    cancelled: bool = False
    tries: int = 0
    playbacks: dict[int, str] = field(factory=dict)
    """Open playbacks: ``fetching``, ``sent``, or ``stopped`` while it was fetched."""
    cues: set[int] = field(factory=set)
    recordings: dict[int, Path] = field(factory=dict)
    sendings: set[int] = field(factory=set)
    transfers: set[int] = field(factory=set)
    muted: bool = False
    latest: trio.Event | None = None
    """Set when the latest foreground order has reached the worker: the next one waits for it."""

    def take_turn(self) -> tuple[trio.Event | None, trio.Event]:
        """Give what a foreground order waits for, and what it sets: trio starts tasks in no order."""
        before, self.latest = self.latest, trio.Event()
        return before, self.latest
