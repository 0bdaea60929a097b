"""The keys of one leg, by whichever of three ways they come: RTP's events, INFO, or the sound.

Sound is listened to only where the far end has no telephone-event in its SDP, and no longer than until it
shows that it has another way after all.
"""

import time
from collections import deque
from collections.abc import Callable

from attrs import define, field

from ringful.media import port
from ringful.media.engine.keypad.keys import Packet, Presses
from ringful.media.engine.sounding import Sound

_SAME_SECONDS = 1.0
"""How long after a key was heard in the sound another way's first word of it may come."""
_REMEMBERED = 32
_MOST, _EACH_SECOND = 200.0, 25.0
"""How many keys are told at once, as after a network stood still, and how many more in each second."""


@define(eq=False)
class Keying:
    """See the module's docstring."""

    sound: Sound
    emit: Callable[[port.Event], None]
    log: Callable[[str], None]
    in_sound: bool = False
    """The far end has no telephone-event: what we send it is sent in the sound."""
    _presses: Presses = field(factory=Presses)
    _other_way: bool = False
    """Keys have come otherwise than in the sound."""
    _infos: deque[int] = field(factory=lambda: deque(maxlen=_REMEMBERED))
    """The CSeqs of those that were heard."""
    _may_tell: float = _MOST
    _told_at: float = 0.0
    _complained: bool = False
    _sounded: tuple[str, float] = ("", 0.0)
    """The last key that was heard in the sound, and when."""

    def __attrs_post_init__(self) -> None:
        self.sound.on_key = self.sounded

    def agreed(self, *, events: bool) -> None:
        """Take whether the far end's SDP has telephone-event."""
        self.in_sound = not events
        self._listen()

    def packet(self, packet: Packet) -> None:
        """Take a packet of a telephone-event."""
        if key := self._presses.take(packet):
            self._tell(key, "rfc4733")

    def info(self, sequence: int, key: str) -> None:
        """Take the *key* of an INFO with the CSeq *sequence*: one that comes again says nothing new."""
        if sequence not in self._infos:
            self._infos.append(sequence)
            self._tell(key, "info")

    def sounded(self, key: str) -> None:
        """Take a key that was heard in the sound."""
        if not self._other_way:
            self._sounded = key, time.monotonic()
            self._emit(key, "inband")

    def _tell(self, key: str, method: port.KeyMethod) -> None:
        if not self._other_way:
            self._other_way = True
            self._listen()
            heard, at = self._sounded
            if heard == key and time.monotonic() - at < _SAME_SECONDS:
                return
        self._emit(key, method)

    def _emit(self, key: str, method: port.KeyMethod) -> None:
        """Tell a key, unless the far end says more of them than anybody presses."""
        now = time.monotonic()
        self._may_tell = min(_MOST, self._may_tell + _EACH_SECOND * (now - self._told_at))
        self._told_at = now
        if self._may_tell >= 1:
            self._may_tell -= 1
            self.emit(port.TonePressed(self.sound.name, key, method))
        elif not self._complained:
            self._complained = True
            self.log(f"{self.sound.name}: more keys came than anybody presses; some are not heard")

    def _listen(self) -> None:
        self.sound.hear_keys(on=self.in_sound and not self._other_way)
