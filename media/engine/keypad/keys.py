"""Which packets and which bodies are a key: RFC 4733, and SIP INFO.

Nothing here knows the library, or time: who has packets of telephone-events in any order, some of them more
than once and some not at all, learns when a press begins, once.
"""

import re
from collections import deque

from attrs import define, field, frozen

KEYS = "0123456789*#ABCD"
"""By their event (RFC 4733 3.2)."""
_WRAP = 1 << 32
_SEGMENT = 0xFFFF
"""The longest duration that a packet can say: a longer key goes on in another segment (2.5.1.3)."""
_NEAR = 24
"""By how much a segment may begin beside the end of the one before: 3 ms."""
_SHORTEST = 60 * 8
"""From one press to the next of the same key it takes longer, in units of 1/8000 s: 40 ms, and a pause."""
_LATE = 2 * 8000
"""How old a packet can be that was overtaken on its way; what is older counts time anew."""
_REMEMBERED = 16

_LONGEST_BODY = 1000
_KEY = r"\"?([0-9]{1,2}|[*#A-D])\"?"
_SIGNAL = re.compile(rf"^[ \t]*signal[ \t]*[=:][ \t]*{_KEY}[ \t]*\r?$", re.I | re.M)
_BARE = re.compile(rf"\s*{_KEY}\s*", re.I)


@frozen
class Packet:
    """A packet of a telephone-event (RFC 4733 2.3); times in units of 1/8000 s."""

    source: int
    """The SSRC; 0: it is not known."""
    timestamp: int
    """When the key was pressed."""
    event: int
    duration: int
    is_end: bool


@define
class _Press:
    source: int
    event: int
    timestamp: int
    """Of its last segment."""
    duration: int
    ended: bool = False


def _since(later: int, earlier: int) -> int:
    """Give *later* less *earlier*, both of 32 bits that wrap; negative where it is not later."""
    return (later - earlier + _WRAP // 2) % _WRAP - _WRAP // 2


@define
class Presses:
    """Tells one press from the next by their timestamps (RFC 4733 2.5.1.2), and not by durations."""

    _recent: deque[_Press] = field(factory=lambda: deque(maxlen=_REMEMBERED))

    def take(self, packet: Packet) -> str | None:
        """Give the key that *packet* is the first one of; None where it belongs to a press that was told."""
        if not 0 <= packet.event < len(KEYS):
            return None
        for press in reversed(self._recent):
            if self._goes_on(press, packet):
                return None
        if self._recent and self._is_late(self._recent[-1], packet):
            return None
        new = _Press(packet.source, packet.event, packet.timestamp, packet.duration, packet.is_end)
        self._recent.append(new)
        return KEYS[packet.event]

    def _goes_on(self, press: _Press, packet: Packet) -> bool:
        """Say whether *packet* belongs to *press*, and keep what it says of it."""
        if press.event != packet.event or (press.source != packet.source and press.ended):
            return False
        passed = _since(packet.timestamp, press.timestamp)
        if passed == 0:
            press.duration = max(press.duration, packet.duration)
        elif (
            0 < passed < _SHORTEST  # There are far ends whose timestamp goes on within a key.
            or abs(passed - press.duration) <= _NEAR
            or (not press.ended and abs(passed - _SEGMENT) <= _NEAR)
        ):
            press.timestamp, press.duration = packet.timestamp, packet.duration
        else:
            return False
        press.source, press.ended = packet.source, press.ended or packet.is_end
        return True

    @staticmethod
    def _is_late(last: _Press, packet: Packet) -> bool:
        """Say whether *packet* is of a press before the *last* one: its key would be told in wrong order."""
        return last.source == packet.source and -_LATE < _since(packet.timestamp, last.timestamp) < 0


_OFFERED = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000", re.M)


def as_everybody_numbers(offer: str) -> str:
    """Give an SDP offer of ours with telephone-event numbered 101.

    The library numbers it 120.  Who answers may number it otherwise, and some that only ever say 101, also
    where they should say the offer's number, are heard so (RFC 3264 6.1).
    """
    found = _OFFERED.search(offer)
    if found is None or re.search(r"^a=rtpmap:101 ", offer, re.M):
        return offer
    number = found[1]
    offer = re.sub(rf"^(m=audio .*) {number}\b", r"\1 101", offer, flags=re.M)
    return re.sub(rf"^a=(rtpmap|fmtp):{number} ", r"a=\1:101 ", offer, flags=re.M)


def key_in(kind: str, body: str) -> str | None:
    """Give the key that the body of an INFO of content type *kind* says; None where it says none.

    ``application/dtmf-relay`` has lines ``Signal=5`` and ``Duration=160``, ``application/dtmf`` the key
    alone; in both 10 is ``*``, 11 ``#``, and 12 to 15 are A to D, as the events of RFC 4733 are numbered.
    """
    body = body[:_LONGEST_BODY]
    found = _SIGNAL.search(body)
    if found is None and kind.lower() == "application/dtmf":
        found = _BARE.fullmatch(body)
    if found is None:
        return None
    said = found[1].upper()
    if not said.isdecimal():
        return said
    return KEYS[int(said)] if int(said) < len(KEYS) else None
