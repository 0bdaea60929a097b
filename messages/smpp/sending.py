"""The outward half of a bind: messages from the desk, as long as the window has room and nobody wants less.

A message is taken only when its first part could go at once: who is killed with one in hand leaves a doubt.
"""

from collections.abc import Callable
from typing import TypeAlias

import trio
from attrs import define, field

from ringful.ground.logger import get_logger
from ringful.messages.port import Desk, Outgoing
from ringful.messages.segments import Alphabet
from ringful.messages.smpp import statuses
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.pace import Pace
from ringful.messages.smpp.parts import submits_of
from ringful.messages.smpp.session import Answered, Session
from ringful.messages.smpp.underway import Underway

Part: TypeAlias = tuple[Underway, int]

_SLOW, _SLOWEST = 1.0, 30.0
"""Seconds of silence after the SMSC wanted less: the first time, and at most."""

log = get_logger()


@define(eq=False)
class Sending:
    """Sends what *desk* gives by *session*."""

    connection: SmppConnection
    alphabet: Alphabet
    """What texts are split by."""
    desk: Desk
    pace: Pace
    clock: Callable[[], float]
    """Gives Unix seconds."""
    session: Session[Part]
    write: Callable[[], None]
    """Says that the session has something to write."""
    useful: bool = False
    """Something was taken."""
    _why: str = ""
    """Why nothing more is sent."""
    _pause: float = _SLOW
    _slow_until: float = 0.0
    _changed: trio.Event = field(factory=trio.Event)

    async def run(self) -> None:
        """Take messages and send them, until cancelled."""
        while True:
            await self._room()
            await self.pace.ready()
            sent = await self.desk.next()
            await self._send(sent)

    async def _send(self, sent: Outgoing) -> None:
        try:
            parts = submits_of(sent, self.connection, self.alphabet, self.clock())
        except ValueError as error:
            self.desk.refused(sent, str(error))
            return
        underway = Underway(sent, len(parts), self.connection, self.desk)
        left = [number for number in parts if number not in sent.taken]
        try:
            while left and underway.going:
                await self._room()
                await self.pace.take()
                # Meanwhile a part before it may have been refused.
                if underway.going:
                    self.session.submit(parts[left[0]], (underway, left[0]))
                    underway.submitted(left.pop(0))
                    self.write()
        finally:
            if left:
                underway.stopped(self._why or "the server is ending")

    async def _room(self) -> None:
        """Wait until something may be submitted."""
        while True:
            if (pause := self._slow_until - trio.current_time()) > 0:
                await trio.sleep(pause)
            elif self.session.submits >= self.connection.window:
                await self._change()
            else:
                return

    async def _change(self) -> None:
        """Wait until something is answered, or all is over."""
        self._changed = trio.Event()
        await self._changed.wait()

    def answered(self, answer: Answered[Part]) -> None:
        """Take what the SMSC says of a part."""
        if answer.status in statuses.SLOW_DOWN:
            self._slower(answer.status)
        elif answer.status == statuses.OK:
            self.useful = True
            self._pause = _SLOW
        underway, part = answer.what
        underway.answered(part, answer.status, answer.remote_id, self._pause)
        self._changed.set()

    def _slower(self, status: int) -> None:
        """Be silent for a while: longer each time until something is taken again."""
        now = trio.current_time()
        if now < self._slow_until:
            return  # Of the same window as the first one.
        self._slow_until = now + self._pause
        log.info(
            "an SMSC wants less, and is sent nothing for a while",
            connection=self.connection.name,
            status=statuses.described(status),
            seconds=self._pause,
        )
        self._pause = min(2 * self._pause, _SLOWEST)

    async def drained(self) -> None:
        """Wait until nothing is open any more, or all is over."""
        while self.session.submits and not self._why:
            await self._change()

    def ended(self, why: str) -> None:
        """Nothing more can be sent or answered: whoever waits for that wakes up."""
        self._why = why
        self._changed.set()

    def settle(self, why: str) -> None:
        """Tell the desk of everything that is open now that the bind is no more."""
        written, unwritten = self.session.abandon()
        for underway in dict.fromkeys(one for one, _ in (*written, *unwritten)):
            underway.lost([part for other, part in written if other is underway], why)
