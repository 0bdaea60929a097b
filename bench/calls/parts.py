"""What a phone of the far end does, as the number says that is called; and what it tells of it."""

from enum import Enum
from typing import Any

from attrs import asdict, frozen

from ringful.bench.media.heard import Heard, Lateness

_DIGITS = 7
_FIRST = 2_000_000
"""The third digit of seven is none below 2 in North America."""


class Part(Enum):
    """The parts, each by the area that its phones live in."""

    MAIN = "201"
    """Hears two sounds, presses a key, hears a beep, speaks into the recording, hangs up."""
    BRIEF = "202"
    """Hangs up `BRIEF_SECONDS` after its answer."""
    PROBE = "203"
    """Hangs up `PROBE_SECONDS` after its answer."""
    HELD = "205"
    """Stays until it is hung up."""

    def number(self, place: int) -> str:
        """Give the number of the phone at *place*, which no other has."""
        return f"1{self.value}{_FIRST + place:0{_DIGITS}}"


BRIEF_SECONDS = 0.3
PROBE_SECONDS = 1.0
BEEP_SECONDS = 0.3
SPEAKING_SECONDS = 2.0
MOST_SECONDS = 40.0
"""A phone that is not held hangs up then, whatever has come."""


def part_of(number: str) -> Part:
    """Say what the phone with *number* does."""
    area = number.removeprefix("+").removeprefix("1")[:3]
    return next((part for part in Part if part.value == area), Part.HELD)


@frozen
class Seen:
    """What one phone saw of a call; times are the machine's clock in nanoseconds, 0 where it never came."""

    number: str
    """Without +."""
    invited: int
    """Its INVITE was read."""
    answered: int
    """Our 200 was sent."""
    ended: int
    """Our BYE was sent, or the server's came."""
    heard: Heard


@frozen
class Story:
    """All that the far end tells when it ends."""

    seen: dict[str, Seen]
    """By number."""
    late: Lateness

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"seen": [asdict(one) for one in self.seen.values()], "late": asdict(self.late)}


def story_of(told: Any) -> Story:
    """Read what `Story.as_json` gave."""
    seen = [Seen(**{**one, "heard": Heard(**one["heard"])}) for one in told["seen"]]
    return Story({one.number: one for one in seen}, Lateness(**told["late"]))
