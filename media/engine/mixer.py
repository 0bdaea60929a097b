"""Sound in a worker, as the rest of the engine sees it: voices, and the loop that gives them their ticks.

There are two mixers, in C (`native`) and in Python (`plain`), and one test holds both to the same
samples.  A voice plays a queue of sounds on each of its channels, keeps what it hears, and may sit on a
bus (`ringful.media.buses`).  It is lent to one leg after another, and knows none of them: what happens
on it is told to whoever borrowed it, between two ticks and never inside one.
"""

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

TICK_NS = 20_000_000
"""Nanoseconds of a tick."""
LATE_TICKS = 5
"""By how many ticks a loop may be late before it skips them."""
RING = 128
"""Frames that a voice keeps of what it heard."""
QUEUE = 8
"""Sounds that a channel takes, the present one with them."""
CHANNELS = 3
KEYS = 2
"""The channel of keys, which silences the others, and what is heard of a bus, for as long as it sounds."""
ECHO_TICKS = 15
"""For how long after a key of ours nothing that is heard is taken for one: it may have come back."""

Happened: TypeAlias = Literal["started", "ended", "speaks", "silent", "key"]
Told: TypeAlias = Callable[[Happened, int], None]
"""What happened on a voice, and the number of the sound that it happened to; of a key, its place in the GRID
of `dialling`."""


class Voice(Protocol):
    """What one leg says and hears; given back, it is silent."""

    @property
    def slot(self) -> int:
        """Where it is in the library's bridge; -1 for one that has no call."""

    def play(self, channel: int, number: int, samples: memoryview) -> bool:
        """Append a sound to a channel's queue; false where it is full, or the sound is empty."""

    def stop(self, channel: int, number: int) -> None:
        """Take a sound out of a channel's queue, wherever in it it is."""

    def sit(self, bus: int, seat: int, sitting: int = 0) -> None:
        """Speak on a bus from a seat, and hear the others there; the stay is called *sitting*."""

    def stand(self) -> None:
        """Leave the bus."""

    def hush(self, *, muted: bool, deaf: bool, to: int = 0) -> None:
        """Say whether the others on the bus are kept from hearing it, and it from hearing them.

        *to*: the one sitting that hears it, 0: all.  What one alone hears is no speech that is told.
        """

    def hear_keys(self, *, on: bool) -> None:
        """Say whether keys are heard in the sound that comes in."""

    def listen(self) -> int:
        """Begin to keep what is heard, the bus's other voices with it; gives the next frame's number."""

    def unlisten(self) -> None:
        """End it, for one of those that began."""

    def heard(self, since: int) -> tuple[bytes, list[int]]:
        """Give the frames since that number, and the energy of each.

        Those that were not fetched in time are silence.
        """

    def give_back(self) -> None:
        """Be silent, and be lent to somebody else in a moment."""


class Mixer(Protocol):
    """Lends voices, and runs the ticks."""

    def lend(self, told: Told, *, alone: bool = False) -> Voice:
        """Give a voice.

        *alone*: it has no call, plays into its seat alone, and hears the whole bus with itself.
        """

    def run(self, milliseconds: int, *, ticking: bool) -> None:
        """Handle what happens until something has, or for so long; without *ticking* there is no sound."""

    @property
    def skipped(self) -> int:
        """How many ticks were skipped so far because the loop was late."""
