"""What can enter a run's inbox: all that a run ever learns of the world.

Events of the legs are those of the media port.  These are the others: what the façade asked for,
timers, and answers from the web.  They carry no time; the inbox stamps them as they enter.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.rates import Rate
from ringful.interpreter.values import Value
from ringful.media import port

Operation: TypeAlias = Literal[
    "hangup", "stop play", "stop record", "stop tones", "mute", "unmute", "leave", "leave queue"
]
"""What can be done at once instead of queued."""

Change: TypeAlias = Literal[nodes.Change, "coach"]
"""What can be done to who is in a conference.  ``deafen``: it hears nobody any more."""


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
    name: str = ""
    """What calls of the same key find it by; empty: it is known by its ID alone."""
    most: int | None = None
    """How many legs it holds; None: as many as any conference may."""
    speaking: bool = False
    """Its room says who speaks: *notify* is told, and its ``on speech`` handlers run."""
    holder: str = ""
    """The call that holds it: until that is over, it does not end for being empty.  Empty: nobody."""


@frozen
class Arrival:
    """A message that came in, and that a run is to take: *text* from *sender* to *number*, one of ours."""

    message_id: str
    sender: str
    number: str
    text: str
    keyword: str = ""
    """Its first word, as keywords are compared."""


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
    message: Arrival | None = None
    """The message that came in, where that is how it began."""

    @property
    def came(self) -> tuple[str, str] | None:
        """The number of ours that was called, or written to, and who did it; None: it began here."""
        if self.offer:
            return self.offer.called, self.offer.caller
        return (self.message.number, self.message.sender) if self.message else None


@frozen
class Queued:
    """A statement was appended to the queue, as task number *task* (from 1; 0: the next)."""

    task: int
    statement: nodes.Statement


@frozen
class Interrupted:
    """An immediate operation: it does not queue.

    *notify* is where `stop tones` is told; *why* is told in the trace (``api``, ``shutdown``).
    Of a conference, ``hangup`` ends it and every leg in it; ``leave`` takes the script's own leg
    out of *conference* (empty: of the one that it is in).  ``leave queue`` puts whatever leg of the
    run waits in a queue out of it.
    """

    operation: Operation
    notify: str | None = None
    why: str = "api"
    conference: str = ""


@frozen
class Steered:
    """What is heard is done this with at once: it does not queue."""

    statement: nodes.Steering


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
    """It begins the conference where others wait for that, and ends it by leaving."""
    muted: bool = False
    deaf: bool = False
    waiting: bool = False
    """It stays outside until somebody is in who does not wait."""
    most: int | None = None
    """It wants in only where it is one of so many at most."""
    alone: bool = False
    """It does not bring in a moderator who waits outside for the first other member."""
    coaching: str = ""
    """The leg, or the number, that alone hears it; empty: all do."""


@frozen
class MemberWent:
    """To a conference: *leg* leaves it, or gives up waiting for it, or is over; *why* is of `Why`."""

    leg: str
    why: str


@frozen
class MemberPressed:
    """To a conference: *leg*, which is in it, pressed a key."""

    leg: str
    tone: str


@frozen
class MembersChange:
    """To a conference: do *change* to *who*, which is a leg or the number of one (or of several).

    None: to everybody but the leg *by*.  With ``coach`` it is *by* who is heard by *who* alone, or by
    everybody.  *call* is the run that asks, and is told (`NotReached`)
    where nobody is there of whom it could be done; empty: nobody is told.
    """

    change: Change
    who: str | None = None
    by: str = ""
    call: str = ""


@frozen
class Held:
    """To a conference that has a name: the run *call* asked for it as well, and holds it too."""

    call: str


@frozen
class Released:
    """To a conference: the run *call*, which held it, has ended; *why* says more, if there is more."""

    call: str = ""
    why: str = ""


@frozen
class EndWanted:
    """To a conference: the run *call* wants it to end."""

    call: str


@frozen
class Closed:
    """From a conference to itself, as its room is over: what came before this has been answered, and it ends.

    So whoever asked to come in meanwhile is told, and a journal says itself when that was done.
    """


Why: TypeAlias = Literal[
    "left", "limit", "kicked", "ended", "hangup", "lost", "full", "capacity", "unknown", "engaged", "nobody"
]
"""Why a leg is in a conference no more, or never was: stable words, which scripts compare.

It was in: ``left`` (by `leave`, or its script went on), ``limit`` (its time passed), ``kicked``,
``ended`` (the conference did), ``hangup`` (the leg is over), ``lost`` (it, or the room, was lost).
It never was: ``full``, ``ended``, ``capacity`` (there are as many conferences as there may be),
``unknown`` (there is no such conference), ``engaged`` (it is in
another one, or connected), ``nobody`` (nobody came in the time that it waited), ``lost`` (the
phones could not bring it in).
"""


@frozen
class Joined:
    """From a conference: *leg* is in it now; *name* is the conference's name, if it has one."""

    leg: str
    conference: str
    name: str = ""


@frozen
class Left:
    """From a conference: *leg* is in it no more, or never was.

    *why* is of `Why`; *detail* is for a person to read.  With *hang_up*, the leg is to end.
    Where there is no such conference, *conference* is what the leg called it.
    """

    leg: str
    conference: str
    why: str
    hang_up: bool = False
    detail: str = ""
    name: str = ""


@frozen
class NotReached:
    """What was asked of *conference* (``in``, ``mute … in``, ``kick`` …) came to nothing; *why* says why."""

    conference: str
    why: str


@frozen
class Placed:
    """*leg* is number *place* in *queue* now; it may take so many seconds more (None: nobody knows).

    0: it cannot wait there, since the queue is as long as it may be.
    """

    leg: str
    queue: str
    place: int
    expected: int | None = None


@frozen
class Summoned:
    """It is the turn of *leg*, which waited in *queue*: whoever serves it is in *conference*."""

    leg: str
    queue: str
    conference: str


@frozen
class NextCame:
    """*leg*, which serves *queue*, is given *caller*, a leg of the run *call* which waits since *since*."""

    leg: str
    queue: str
    call: str
    caller: str
    number: str
    since: float


@frozen
class Signalled:
    """The event *name* was sent to this run by another one (*by*; empty: a client, or itself)."""

    name: str
    fields: Mapping[str, Value] = field(factory=dict)
    by: str = ""


QueueEvent: TypeAlias = Placed | Summoned | NextCame

RefusedMessage: TypeAlias = Literal["optedout", "notallowed", "unavailable", "spent", "invalid", "capacity"]
"""Why a message was not taken: stable words.

``optedout``: its receiver wants none; ``notallowed``: the key may not send there; ``unavailable``: nothing
carries it here; ``spent``: the key's money is used up; ``invalid``: its text or number
cannot be sent; ``capacity``: too many wait already.
"""


@frozen
class MessageTaken:
    """The message that this run sends is in the outbox, in so many *segments*: it will be sent, and told."""

    message: str
    segments: int


@frozen
class MessageRefused:
    """The message that this run wanted to send was not taken; *detail* is for a person to read."""

    message: str
    reason: RefusedMessage
    detail: str = ""


@frozen
class Priced:
    """What *leg*, which is about to be answered, costs: the numbers of the rate that is in force now."""

    leg: str
    per_minute: str
    connection: str
    first: int
    following: int


def priced(leg: str, rate: Rate) -> Priced:
    """Say that *leg* costs what *rate* says."""
    per_minute = rate.per_minute or Decimal(0)
    return Priced(leg, plain(per_minute), plain(rate.connection), rate.first, rate.following)


@frozen
class Spent:
    """*leg* has had the *seconds* that its key could pay for, and can pay no more: it ends here.

    Of *cap*, the key has *spent* so much then, what is paid for other live legs among it.
    """

    leg: str
    seconds: int
    spent: str
    cap: str


MemberEvent: TypeAlias = MemberCame | MemberWent | MemberPressed | MembersChange | EndWanted | Held | Released

Event: TypeAlias = (
    port.Event
    | Started
    | Queued
    | Interrupted
    | Steered
    | TimerFired
    | WebAnswered
    | WebFailed
    | MemberEvent
    | Closed
    | Joined
    | Left
    | NotReached
    | QueueEvent
    | Signalled
    | MessageTaken
    | MessageRefused
    | Priced
    | Spent
)
