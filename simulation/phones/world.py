"""What simulated phones find outside: who answers how, how long sounds are, what goes wrong.

All of it is values, written down before the call begins.  A far end follows its steps in order;
each says when it happens.  Seconds everywhere.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from attrs import field, frozen

from ringful.media.port import RefusalReason

KEY_GAP = 0.3
"""Between two keys of one `Press`, as a person presses them."""

WORD_LENGTH = 0.4
"""How long a spoken word is."""

DEFAULT_LENGTH = 2.0
"""How long an announcement is whose length nobody gave."""

RINGBACK_LENGTH = 60.0
"""How long one `port.Ringback` is."""


@frozen
class After:
    """So long after the step before; for the first one, after the phone was rung."""

    seconds: float = 0.0


@frozen
class At:
    """At a time of the agenda, counted from its start."""

    seconds: float


@frozen
class Heard:
    """So long after a sound starts or ends, whose URL or text contains *sound*.

    It is the first such moment (or the *turn*-th) since the step before: since that step itself or,
    if it waited for a sound as well, since that sound's moment.
    """

    sound: str
    edge: Literal["starts", "ends"]
    seconds: float = 0.0
    turn: int = 1


When: TypeAlias = After | At | Heard


@frozen
class Answer:
    """Pick up."""

    when: When = After()


@frozen
class Refuse:
    """Do not take the call: ``busy`` (486), ``rejected`` (603), ``unreachable`` (480)."""

    reason: RefusalReason
    when: When = After()


@frozen
class Press:
    """Press *tones*, one every *gap* seconds; the step ends with the last."""

    tones: str
    when: When = After()
    gap: float = KEY_GAP


@frozen
class Speak:
    """Speak for so long; the step ends with it."""

    seconds: float
    when: When = After()


@frozen
class HangUp:
    """Put the phone down."""

    when: When = After()


@frozen
class Lose:
    """Our side's media process dies, and the leg with it."""

    when: When = After()


Step: TypeAlias = Answer | Refuse | Press | Speak | HangUp | Lose


@frozen
class FarEnd:
    """The phone of *number* (None: of every number that has none of its own).

    Without steps it rings and is never answered; after its last step it stays on the line.
    """

    number: str | None
    steps: tuple[Step, ...] = ()
    transferable: bool = True
    """Whether it lets us send it to another number."""

    @property
    def rings(self) -> bool:
        """Whether it says that it rings: a phone that is busy, or not there, does not."""
        first = self.steps[0] if self.steps else None
        return not isinstance(first, Refuse) or first.reason == "rejected"


@frozen
class Caller:
    """A phone that rings one of our numbers: *called*, so many seconds *after* the beginning.

    Its steps are those of any phone once it is taken, but that it need not answer.
    """

    number: str
    called: str
    after: float = 0.0
    steps: tuple[Step, ...] = ()
    transferable: bool = True
    name: str = ""
    """What it is called, for people to read."""
    diverted_from: str = ""
    """The number that sends its call on to ours."""


@frozen
class RecordingFault:
    """No recording comes to anything: each fails with *reason*, so long after it has begun."""

    reason: str
    after: float = 0.0


@frozen
class World:
    """Everything beyond the phones."""

    phones: tuple[FarEnd, ...] = ()
    """Several for one number are its calls in turn; the last one stands for all further calls."""
    lengths: Mapping[str, float] = field(factory=dict)
    """How long announcements (by URL) and speech (by text) are, where the default will not do."""
    missing: Mapping[str, str] = field(factory=dict)
    """Announcements that cannot be had, and why."""
    max_calls: int = 100_000
    """How many legs there can be at once."""
    recording_fault: RecordingFault | None = None
    callers: tuple[Caller, ...] = ()

    def far_end(self, number: str, turn: int) -> FarEnd | None:
        """Give the phone that takes call *turn* (from 0) to *number*, or None if there is no such phone."""
        own = [phone for phone in self.phones if phone.number and same_number(phone.number, number)]
        some = own or [phone for phone in self.phones if phone.number is None]
        return some[min(turn, len(some) - 1)] if some else None


def same_number(one: str, other: str) -> bool:
    """Say whether two ways of writing a number ring the same phone: ``+1512…`` and ``1512…``."""
    return plain_number(one) == plain_number(other)


def plain_number(number: str) -> str:
    """Give *number* without its plus, blanks and dashes; a SIP URI in lower case."""
    return number.lower().strip().removeprefix("+").translate(_PUNCTUATION)


_PUNCTUATION = str.maketrans("", "", " -()")
