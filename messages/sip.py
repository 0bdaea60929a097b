"""Texts by SIP MESSAGE (RFC 3428), over the trunk that has the calls.

The trunk's answer is all that is known of a text: there are no receipts.  One that comes in is answered when
it is kept.
"""

import trio

from ringful.ground.faults import fault
from ringful.ground.logger import get_logger
from ringful.media.port import TextOffer, TextOutcome, Texts
from ringful.messages.checks import check_text, digits_of
from ringful.messages.pauses import LINE_PAUSES, Pauses, doubt
from ringful.messages.port import Carrier, Desk, Incoming, NotNow, Outgoing

log = get_logger()

NAME = "sip"
"""What the one connection is called."""
MOST_BYTES = 3000
"""What one text may have in UTF-8: with its headers it must fit into the library's 4,000 bytes."""
AT_ONCE = 8
"""Texts that are under way at a time."""
_LATER = frozenset({429, 430, 480, 486, 487, 491, 494, 600})
"""Refusals that another time would change, beside the faults of servers (5xx)."""
_NEVER = frozenset({501, 505, 513, 555})
"""Those of servers that no time changes: they have no messages, or none that long."""
_UNSURE = frozenset({408, 504})
"""Somebody on the way waited in vain: it may have arrived."""
_ABOUT_US = frozenset({401, 407})
"""The trunk does not believe that we are who we are: the text did nothing."""


class SipTransport:
    """Carry texts by the trunk."""

    def __init__(
        self,
        texts: Texts,
        *,
        pauses: Pauses | None = None,
        line_pauses: tuple[float, ...] = LINE_PAUSES,
    ) -> None:
        self._texts = texts
        self._pauses, self._line = pauses or Pauses(), Pauses(line_pauses)
        self._up: bool | None = None

    @property
    def carrier(self) -> Carrier:
        """See `port.Transport.carrier`."""
        return "sip"

    def parts(self, text: str) -> int:
        """See `port.Transport.parts`: one."""
        check_text(text)
        if (size := len(text.encode())) > MOST_BYTES:
            raise ValueError(f"a text by SIP has at most {MOST_BYTES} bytes in UTF-8; this one has {size}")
        return 1

    async def run(self, desk: Desk) -> None:
        """See `port.Transport.run`."""

        async def came(offer: TextOffer) -> int:
            try:
                await desk.received(Incoming(NAME, offer.sender, offer.number, offer.text))
            except NotNow as error:
                log.warning("a text that came in is not taken now", number=offer.number, why=str(error))
                return 503
            except Exception as error:
                fault("keeping a text that came in", error, number=offer.number)
                # The sender has it still, and tries again.
                return 503
            return 200

        self._texts.take_texts(came)
        # Nothing else says that the trunk is there, until it has answered.
        self._standing(desk, up=True)
        try:
            async with trio.open_nursery() as self._tasks:
                for _ in range(AT_ONCE):
                    self._tasks.start_soon(self._send_all, desk)
        finally:
            self._texts.take_texts(None)

    async def _send_all(self, desk: Desk) -> None:
        while True:
            sent = await desk.next()
            if await self._one(desk, sent):
                self._line.forget(NAME)
                self._standing(desk, up=True)
            else:
                await trio.sleep(self._line.next(NAME))

    def _standing(self, desk: Desk, *, up: bool, why: str = "") -> None:
        if up is not self._up:
            self._up = up
            desk.standing(NAME, up=up, why=why)

    async def _one(self, desk: Desk, sent: Outgoing) -> bool:
        """Send one text, and tell what came of it; say whether the trunk was there."""
        try:
            self.parts(sent.text)
            number = f"+{digits_of(sent.number)}"
        except ValueError as error:
            desk.refused(sent, str(error))
            return True
        outcome = await self._texts.send_text(number, sent.sender, sent.text)
        return self._tell(desk, sent, outcome)

    def _tell(self, desk: Desk, sent: Outgoing, outcome: TextOutcome) -> bool:
        status, answered = outcome.status, outcome.kind == "answered"
        why = f"{status} {outcome.reason}" if status else outcome.reason
        if answered and 200 <= status < 300:
            desk.taken(sent, 1, 1, NAME, "")
        elif answered and is_final(status):
            desk.refused(sent, why)
        else:
            pause = self._pauses.next(sent.message_id)
            if outcome.kind == "unknown" or (status in _UNSURE and answered):
                self._tasks.start_soon(doubt, desk, sent, why, pause)
            else:
                desk.again(sent, why, pause)
            if not answered or status in _ABOUT_US:
                self._standing(desk, up=False, why=why)
                return False
            return True
        self._pauses.forget(sent.message_id)
        return True


def is_final(status: int) -> bool:
    """Say whether a refusal is for ever: of this text, or of whom it is for."""
    return status not in _LATER | _UNSURE | _ABOUT_US and (status < 500 or status in _NEVER or status >= 600)
