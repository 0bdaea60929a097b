"""What can enter a run's inbox: all that a run ever learns of the world.

Events of the legs are those of the media port.  These are the others: what the façade asked for,
timers, and answers from the web.  They carry no time; the inbox stamps them as they enter.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.interpreter.values import Value
from ringful.media import port

Operation: TypeAlias = Literal["hangup", "stop record", "stop tones"]
"""What can be done at once instead of queued."""


@frozen
class Origin:
    """The stored script that a run is of."""

    name: str
    version: int


@frozen
class Plan:
    """What a conference is made with.

    *moderator* is the number of its moderator, if that is known; with *waiting* the moderator is
    brought in with the first other member; *notify* is told when it begins and ends.
    """

    moderator: str | None = None
    waiting: bool = False
    notify: str | None = None


@frozen
class Started:
    """The run began; *params* are the values that its script was started with.

    *offer* is the call that came in, where that is how it began; *plan* is that of the conference,
    where the run is one.  *uses* are the scripts that it uses, as they were then.
    """

    script: nodes.Script
    params: Mapping[str, Value] = field(factory=dict)
    offer: port.Offer | None = None
    uses: Mapping[str, nodes.Script] = field(factory=dict)
    notify: str | None = None
    """Where the end of the run as a whole is told."""
    origin: Origin | None = None
    """None: the script came with the request."""
    plan: Plan | None = None
    pace: float = 0.0
    """Seconds between the legs that the script places itself: what its key's calls per second allow."""
    label: str = ""
    """What its key calls it: told with everything that is told of it."""


@frozen
class Queued:
    """A statement was appended to the queue, as task number *task* (from 1; 0: the next)."""

    task: int
    statement: nodes.Statement


@frozen
class Interrupted:
    """An immediate operation: it does not queue.

    *notify* is where `stop tones` is told; *why* is told in the trace (``api``, ``shutdown``).
    """

    operation: Operation
    notify: str | None = None
    why: str = "api"


@frozen
class TimerFired:
    """A timer that was set has run out."""

    timer: int


@frozen
class WebAnswered:
    """The answer to an `effects.Ask`: JSON as plain values, or a script's text."""

    asking: int
    value: Value


@frozen
class WebFailed:
    """An `effects.Ask` came to nothing; *reason* is for a person to read."""

    asking: int
    reason: str


@frozen
class MemberCame:
    """To a conference: *leg*, of the run *call*, wants to be in it."""

    call: str
    leg: str
    number: str
    moderator: bool = False
    muted: bool = False


@frozen
class MemberWent:
    """To a conference: *leg* leaves it (*why* is ``left``), or is over (``hangup``)."""

    leg: str
    why: str


@frozen
class MemberPressed:
    """To a conference: *leg*, which is in it, pressed a key."""

    leg: str
    tone: str


@frozen
class Released:
    """To a conference: the call that made it has ended."""


@frozen
class Joined:
    """From a conference: *leg* is in it now."""

    leg: str
    conference: str


@frozen
class Left:
    """From a conference: *leg* is in it no more, or never was; *why* is for a person to read.

    With *hang_up*, the leg is to end.
    """

    leg: str
    conference: str
    why: str
    hang_up: bool = False


MemberEvent: TypeAlias = MemberCame | MemberWent | MemberPressed | Released

Event: TypeAlias = (
    port.Event
    | Started
    | Queued
    | Interrupted
    | TimerFired
    | WebAnswered
    | WebFailed
    | MemberEvent
    | Joined
    | Left
)
