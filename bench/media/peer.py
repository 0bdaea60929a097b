"""One phone of the far end: what it sends, and what it notes of what it hears.

It knows neither sockets nor the clock: packets are given to it with the kernel's stamps, and every 20 ms
it is asked for the next one to send.  It sends to where the call's SDP says, from when it first hears.
"""

import random
import struct
from collections import deque

from ringful.bench.media.heard import Heard
from ringful.bench.media.sip import Offer
from ringful.bench.media.ulaw import FRAME, HOLE, Payloads, hertz_in, loud, payloads, tone, turns

_HEADER = struct.Struct("!BBHII")
_REPORTS = range(192, 224)
"""The second byte of RTCP (RFC 5761, 4)."""
_MILLISECOND = 1_000_000
LATE = 40 * _MILLISECOND
BETWEEN = 13
"""Rises through zero in 20 ms: the first prompt has fewer (9), the second one more (18)."""
TELLING = 40
"""Samples of a tone that tell which of the two it is."""
WHOLE = 49
"""Packets of the second prompt after which its end is believed at once."""
PAUSE = 200 * _MILLISECOND
"""How long after the second prompt the key is pressed."""
DOUBT = 1000 * _MILLISECOND
"""How much longer where packets of it have not come, or not yet."""
KEY = 1
"""The key pressed: 1."""
_KEY_PACKETS = 5
"""Packets of a key that is held, 20 ms each; its end is sent three times (RFC 4733, 2.5.1.4)."""

LEVEL = 600
"""How loud a phone in a conference is: fifty of them do not reach the limit."""
VOICES = 50


def hertz_of(number: int) -> int:
    """Give the tone of the phone with *number*.

    All are multiples of 50 Hz: each 20 ms hold whole turns of every tone, so that no packet of a mix is
    silent, and one that is lost or said twice on the way leaves the tones what they are.
    """
    return 300 + 50 * (number % VOICES)


class Peer:
    """A phone in a call; *voice* is what it says, over and over."""

    def __init__(self, name: str, offer: Offer, voice: Payloads, *, talks: bool) -> None:
        self.heard = Heard(name)
        self.to = (offer.address, offer.port)
        self._keys, self._voice, self._talks = offer.keys, voice, talks
        self._number, self._stamp = random.randrange(1 << 16), random.randrange(1 << 32)
        self._source, self._turn = random.randrange(1 << 32), random.randrange(len(voice))
        self._key = 0
        """How many packets of the key were sent."""
        self._key_stamp = 0
        self._came = 0
        """When the last packet came."""
        self._expected: int | None = None
        self._sounded: int | None = None
        """The stamp after the last sample that was heard."""
        self._first_came = self._second_came = 0
        self._silent = 0
        self._last: deque[bytes] = deque(maxlen=VOICES)

    # What it hears

    def hear(self, packet: bytes, sender: tuple[str, int], came: int) -> None:
        """Take a packet of the server's."""
        if len(packet) < _HEADER.size or packet[0] >> 6 != 2:
            return
        _, kind, number, stamp, _ = _HEADER.unpack_from(packet)
        if kind in _REPORTS:  # Of another call on this machine, whose SDP says nothing of its reports.
            return
        heard = self.heard
        if sender != self.to:
            heard.strangers += 1
            return
        if self._came and came - self._came > LATE:
            heard.late += 1
        self._came = came
        heard.packets += 1
        if self._expected is not None:
            # One that comes after a later one was missed before it came: it is taken back.
            ahead = (number - self._expected + 0x8000 & 0xFFFF) - 0x8000
            heard.missing += ahead if ahead >= 0 else -1
            if ahead < 0:
                return
        self._expected = number + 1 & 0xFFFF
        if kind & 0x7F == 0:
            self._listen(packet[_HEADER.size :], stamp, came)

    def _listen(self, payload: bytes, stamp: int, came: int) -> None:
        heard, stretches = self.heard, loud(payload)
        if self._talks:
            self._last.append(payload)
        if not stretches:
            self._silent += 1
            return
        if self._sounded is not None:
            heard.silent += self._silent
        self._silent = 0
        if heard.key_ns:
            heard.next_ns = heard.next_ns or came
        elif not self._talks:
            self._prompt(payload, stamp, came, stretches)
        self._sounded = stamp + stretches[-1][1]

    def _prompt(self, payload: bytes, stamp: int, came: int, stretches: tuple[tuple[int, int], ...]) -> None:
        heard = self.heard
        for first, last in stretches:
            if self._sounded is not None:
                hole = (stamp + first - self._sounded + 0x80000000 & 0xFFFFFFFF) - 0x80000000
                heard.hole = max(heard.hole, hole if hole >= HOLE else 0)
            self._sounded = stamp + last
        length = sum(last - first for first, last in stretches)
        if length < TELLING:
            return
        if turns(payload) * FRAME / length < BETWEEN and not heard.second_frames:
            heard.first_frames += 1
            self._first_came = came
            return
        if not heard.second_frames:
            heard.gap_ns = came - self._first_came - 20 * _MILLISECOND
        heard.second_frames += 1
        self._second_came = came

    # What it says

    def next(self, now: int) -> bytes | None:
        """Give the packet to send now; None before anything was heard."""
        if not self._came:
            return None
        if not self._key and not self._talks and self._presses(now):
            self.heard.key_ns, self._key_stamp = now, self._stamp
            self._key = 1
            return self._packet(self._key_packet(1), self._keys, mark=True)
        if 0 < self._key < _KEY_PACKETS + 3:
            self._key += 1
            return self._packet(self._key_packet(self._key), self._keys)
        self._turn = (self._turn + 1) % len(self._voice)
        return self._packet(self._voice[self._turn], 0, mark=not self.heard.sent)

    def _presses(self, now: int) -> bool:
        frames, waited = self.heard.second_frames, now - self._second_came
        return frames > 5 and waited >= (PAUSE if frames >= WHOLE else PAUSE + DOUBT)

    def _key_packet(self, count: int) -> bytes:
        end = 0x80 if count > _KEY_PACKETS else 0
        return struct.pack("!BBH", KEY, end | 10, min(count, _KEY_PACKETS) * FRAME)

    def _packet(self, payload: bytes, kind: int, *, mark: bool = False) -> bytes:
        stamp = self._key_stamp if kind else self._stamp
        head = _HEADER.pack(0x80, kind | (0x80 if mark else 0), self._number, stamp, self._source)
        self._number = self._number + 1 & 0xFFFF
        self._stamp = self._stamp + FRAME & 0xFFFFFFFF
        self.heard.sent += 1
        return head + payload

    def end(self, *, over: bool) -> Heard:
        """Give what was heard of the call; *over* where it was hung up."""
        self.heard.over = over
        if self._talks:
            among = [hertz_of(number) for number in range(VOICES)]
            self.heard.hertz = hertz_in(self._last, among, LEVEL)
        return self.heard


def voice_of(number: int) -> Payloads:
    """Give what the phone with *number* says in a conference: a second of its own tone."""
    return payloads(tone(hertz_of(number), 1.0, LEVEL))
