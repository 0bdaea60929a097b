"""Calls that come in to a pool's workers: who takes them, and where there is room for them.

A trunk knows one address, that of the *entrance*: the worker that listens there is always kept, and
some of its places stay free for calls that come in.
"""

from collections.abc import Mapping

import structlog
from attrs import define

from ringful.ground.faults import fault
from ringful.ground.holder import holder_of
from ringful.media import port
from ringful.media.worker_process import WorkerProcess

log = structlog.get_logger()

RESERVED = 2
"""Places of the entrance that calls of our own do not take."""

STATUS: Mapping[port.RefusalReason, int] = {
    "busy": 486,
    "noanswer": 480,
    "rejected": 603,
    "unreachable": 404,
    "capacity": 503,
    "cancelled": 480,
    "notallowed": 403,
}
"""What a caller is told whom nobody takes (RFC 3261, 21)."""


@define(eq=False)
class Reception:
    """The desk, once there is one, and the worker whose address callers know."""

    address: str
    at_port: int
    """Where the entrance ought to be; 0: wherever the first worker is."""
    desk: port.Desk | None = None
    fronted: bool = False
    """A front stands before all workers, and spreads calls over them: no place is better than another."""
    entrance: WorkerProcess | None = None
    lost: bool = False
    """There was an entrance while calls were taken, and there is none now."""

    def open(self, desk: port.Desk) -> None:
        """Take calls from now on."""
        self.desk = desk
        if self.entrance is None:
            place = f"{self.address}:{self.at_port}"
            log.error(
                "no call can come in: something else listens at sip.bind",
                address=place,
                by=holder_of(self.at_port, udp=True) or "a process of another user",
            )

    def ask(self, offer: port.Offer) -> port.Taken | port.RefusalReason:
        """Ask who takes *offer*; a fault of whoever decides it refuses this call and no other."""
        if self.desk is None:
            return "capacity"
        try:
            return self.desk(offer)
        except Exception as error:
            fault("taking a call that came in", error, called=offer.called)
            return "noanswer"

    def began(self, worker: WorkerProcess) -> None:
        """Note that *worker* listens."""
        if self.entrance is None and self.at_port in (0, worker.port):
            self.entrance, self.lost = worker, False

    def ended(self, worker: WorkerProcess) -> bool:
        """Note that *worker* has ended; say whether another must take its place."""
        if worker is not self.entrance:
            return False
        self.entrance, self.lost = None, self.desk is not None
        return self.lost

    def room(self, worker: WorkerProcess) -> int:
        """Say how many calls of our own *worker* can take."""
        kept = RESERVED if self.desk and worker is self.entrance and not self.fronted else 0
        return max(0, worker.free - kept)
