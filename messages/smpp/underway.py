"""A message on its way over one bind: which parts are open, and what the desk is told.  It waits for nothing.

The desk is told what is true, and each thing once.  A message is given back only when none of its parts
is still open: a part that is written and not answered could be taken while another transport sends it again.
"""

from attrs import define, field

from ringful.messages.port import Desk, Outgoing
from ringful.messages.smpp import statuses
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.incoming import answer_id

LATER = 30.0
"""Seconds until a part comes again that the SMSC could not take for a reason of its own."""


@define(eq=False)
class Underway:
    """One message, and what came of its parts so far."""

    sent: Outgoing
    parts: int
    connection: SmppConnection
    desk: Desk
    _open: set[int] = field(factory=set)
    _back: tuple[str, float] | None = None
    """Why it goes back to the desk, and for how long."""
    _over: bool = False
    """The desk has been told the last that there is to tell."""

    @property
    def going(self) -> bool:
        """Whether its next part may be written."""
        return not self._over and self._back is None

    def submitted(self, part: int) -> None:
        """A part is open from now on."""
        self._open.add(part)

    def stopped(self, why: str) -> None:
        """No further part of it will be written here."""
        self._back = self._back or (why, 0.0)
        self._settle()

    def refused(self, why: str) -> None:
        """It can never be sent."""
        if not self._over:
            self._over = True
            self.desk.refused(self.sent, why)

    def answered(self, part: int, status: int, remote_id: str, pause: float) -> None:
        """The SMSC has answered a part; where it wants less, the part comes again after *pause* seconds."""
        self._open.discard(part)
        if status == statuses.OK:
            if not self._over:
                known = answer_id(remote_id, self.connection.receipt_ids)
                self.desk.taken(self.sent, part, self.parts, self.connection.name, known)
        elif status in statuses.SLOW_DOWN:
            self._gives_back(status, pause)
        elif status in statuses.LATER:
            self._gives_back(status, LATER)
        elif status == statuses.WRONG_STATE:
            self._gives_back(status, 0.0)
        else:
            self.refused(f"the SMSC refused {self._named(part)}: {statuses.described(status)}")
        self._settle()

    def _gives_back(self, status: int, pause: float) -> None:
        self._back = self._back or (f"the SMSC takes it later: {statuses.described(status)}", pause)

    def lost(self, written: list[int], why: str) -> None:
        """The bind is lost: of the *written* parts nobody can know, and no other is open."""
        self._open.clear()
        if not self._over and written and self.connection.unsure == "fail":
            self.refused(f"nobody can know whether {self._named(written[0])} arrived: {why}")
        if not self._over and written:
            self._over = True
            for part in written:
                self.desk.unsure(self.sent, part, why)
        self._back = self._back or (why, 0.0)
        self._settle()

    def _named(self, part: int) -> str:
        return f"part {part} of {self.parts}" if self.parts > 1 else "it"

    def _settle(self) -> None:
        """Give it back if it has to, now that no part is open."""
        if self._back and not self._over and not self._open:
            self._over = True
            self.desk.again(self.sent, *self._back)
