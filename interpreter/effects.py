"""What a script can ask of the world.

An effect is a value: the statement that led to it holds expressions, the effect holds what they
came to.  A run performs an effect by handing it to its door and going on; whatever comes of it
comes back as an event in the run's inbox.  There is no other way out of a script.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.interpreter.events import Change, Plan
from ringful.interpreter.values import Value
from ringful.media import port
from ringful.media.port import Shown, Sound


@frozen
class Ring:
    """Call *number*; the events of *leg* come to the inbox."""

    leg: str
    number: str
    caller_id: str | None = None
    shown: Shown | None = None
    """What else the callee is shown of who calls; None: nothing."""


@frozen
class Answer:
    """Answer *leg*, which came in."""

    leg: str


@frozen
class Progress:
    """Let sound pass to *leg*, which came in, before its answer (183)."""

    leg: str


@frozen
class Reject:
    """Refuse *leg*, which came in and still rings, with a SIP *status* (RFC 3261, 21)."""

    leg: str
    status: int = port.DECLINED


@frozen
class Hangup:
    """End *leg*; *why* is for the trace (``script``, ``api``, ``no answer``, ``max duration`` …)."""

    leg: str
    why: str = "script"


@frozen
class Prepare:
    """Fetch *sound* ahead of its turn."""

    sound: Sound


@frozen
class Cue:
    """Let *sound* follow the present playback without a hole."""

    leg: str
    playback: int
    sound: Sound


@frozen
class Play:
    """Play *sound* on *leg*, from *offset* seconds after its beginning."""

    leg: str
    playback: int
    sound: Sound
    background: bool = False
    offset: float = 0.0


@frozen
class StopPlayback:
    """Cut a playback short."""

    leg: str
    playback: int


@frozen
class StartRecording:
    """Record *leg* into the recording store under *file*, a bare file name."""

    leg: str
    recording: int
    file: str
    silence: float | None = None
    beep: bool = False
    within: float | None = None
    """How long it may take until somebody speaks."""


@frozen
class StopRecording:
    """End a recording."""

    leg: str
    recording: int


@frozen
class SendTones:
    """Send DTMF to the far end."""

    leg: str
    sending: int
    tones: str


@frozen
class Connect:
    """Let *leg* and *other* hear each other."""

    leg: str
    other: str
    connection: int


@frozen
class Disconnect:
    """End a connection."""

    leg: str
    connection: int


@frozen
class Mute:
    """Keep what *leg* says from other legs."""

    leg: str


@frozen
class Unmute:
    """Let others hear *leg* again."""

    leg: str


@frozen
class Transfer:
    """Send the far end of *leg* to *number*."""

    leg: str
    transfer: int
    number: str


@frozen
class SetTimer:
    """Put a `TimerFired` for *timer* into the inbox after *seconds*."""

    timer: int
    seconds: float


@frozen
class CancelTimer:
    """Forget *timer*; an event of it that is on its way is ignored."""

    timer: int


# Conferences.  Wherever a call names one, it is an ID (which has a dot in it) or a name: a name stands
# for the live conference that has it under the same key.  `interpreter.conference` says what a door does.


@frozen
class OpenConference:
    """Make a conference, which is a run of its own, with the ID *new_id*: *conference* is that, too.

    Where *plan* has a name, *conference* is that name: the one that lives and has it is held by
    this call too (`events.Held`), and where there is none, one is made.  What was opened for this
    call ahead of its statement, with that ID, is left as it is, also where it has ended since.
    """

    conference: str
    plan: Plan
    new_id: str = ""


@frozen
class ReleaseConference:
    """Tell a conference that the call which made it has ended."""

    conference: str
    why: str = ""


@frozen
class JoinConference:
    """Ask a conference to let *leg* in; *number* is who it is.  See `events.MemberCame`.

    Where *conference* is a name that no live conference has, one is made with the ID *new_id*
    (`conference.unheld`).
    """

    leg: str
    conference: str
    number: str
    moderator: bool = False
    muted: bool = False
    deaf: bool = False
    waiting: bool = False
    most: int | None = None
    alone: bool = False
    new_id: str = ""
    coaching: str = ""


@frozen
class LeaveConference:
    """Tell a conference that *leg* leaves it (``left``, ``limit``, ``nobody``) or is over (``hangup``)."""

    leg: str
    conference: str
    why: str


@frozen
class PassTone:
    """Tell a conference that *leg* pressed a key."""

    leg: str
    conference: str
    tone: str


@frozen
class QueueOn:
    """Append *statement* to the queue of a conference."""

    conference: str
    statement: nodes.Statement


@frozen
class EndConference:
    """End a conference: whoever is in it goes on."""

    conference: str


@frozen
class ChangeMembers:
    """Mute, deafen or put out who is in a conference: *who*, or all but the leg *by*; or have *by* coach.

    See `events.MembersChange`.
    """

    conference: str
    change: Change
    who: str | None = None
    by: str = ""


# Queues: lists of legs that wait for somebody who serves them, by a name under the same key.


@frozen
class EnterQueue:
    """Let *leg*, whose far end has *number*, wait in *queue*: see `events.Placed`, `events.Summoned`."""

    leg: str
    queue: str
    number: str


@frozen
class ServeQueue:
    """Let *leg* have the next who waits in *queue*: see `events.NextCame`."""

    leg: str
    queue: str


@frozen
class LeaveQueue:
    """Let *leg* wait in *queue* no more, or serve it no more."""

    leg: str
    queue: str


@frozen
class Summon:
    """Have *caller*, a leg of the run *call* who is next in *queue*, join *conference*."""

    queue: str
    call: str
    caller: str
    conference: str


@frozen
class PutBack:
    """Let *caller*, a leg of the run *call*, be the first in *queue* again: who had it cannot take it.

    It has waited since *since*, in Unix seconds.
    """

    queue: str
    call: str
    caller: str
    number: str
    since: float


# What a conference itself asks for.


@frozen
class OpenRoom:
    """Make the room of this conference; `Answered` says that it is there, and `Speaking` who speaks."""

    room: str
    speaking: bool = False


@frozen
class Admit:
    """Let *leg*, of the run *call*, hear and be heard in the room of this conference: it has `Joined`.

    *heard_by* is the leg that alone hears it, empty: nobody, since that one is not there; None: all.
    """

    call: str
    leg: str
    muted: bool = False
    deaf: bool = False
    heard_by: str | None = None


@frozen
class Adjust:
    """Let *leg*, which is in the room of this conference, be heard or not, and hear or not: no more.

    See `Admit`.
    """

    leg: str
    muted: bool = False
    deaf: bool = False
    heard_by: str | None = None


@frozen
class Dismiss:
    """Take *leg* out of the room of this conference, or do not let it in: it has `Left`.

    With *hang_up*, it is to end.
    """

    call: str
    leg: str
    why: str
    hang_up: bool = False
    detail: str = ""


@frozen
class NotReach:
    """Tell the run *call* that what it asked of this conference came to nothing: `events.NotReached`."""

    call: str
    why: str


@frozen
class Signal:
    """Send the event *name* to the run *call*, with *fields*: see `events.Signalled`."""

    call: str
    name: str
    fields: Mapping[str, Value]


@frozen
class Notify:
    """Post *fields* to *url*: durable, in order, at least once.

    *fields* are complete but for ``event``, which the outbox gives.  *secret* names the fields
    that a trace must not show.
    """

    url: str
    fields: Mapping[str, str]
    n: int
    """The position in the call's order, from 1 and without gaps."""
    secret: frozenset[str] = field(factory=frozenset)


@frozen
class Ask:
    """Post *fields* to *url* and put the answer into the inbox; *want* says what the answer must be."""

    asking: int
    url: str
    fields: Mapping[str, str]
    want: Literal["json", "script"] = "json"
    secret: frozenset[str] = field(factory=frozenset)


@frozen
class SendMessage:
    """Send *text* to *number*, as the message with this ID: `MessageTaken` or `MessageRefused` comes of it.

    *operator* is that of an e-mail gateway, or empty; *notify* is told how it fares, and what is replied.
    *sender* is the number of ours that it goes from; empty: the configured one.
    """

    message: str
    number: str
    text: str
    operator: str = ""
    notify: str | None = None
    sender: str = ""


ForConference: TypeAlias = (
    OpenConference
    | ReleaseConference
    | JoinConference
    | LeaveConference
    | PassTone
    | QueueOn
    | EndConference
    | ChangeMembers
)
"""What a call asks of a conference: it comes to that run as an event."""

ForQueue: TypeAlias = EnterQueue | ServeQueue | LeaveQueue | Summon | PutBack
"""What a call asks of a queue: it comes to the runs that are concerned as events."""

OfConference: TypeAlias = OpenRoom | Admit | Adjust | Dismiss | NotReach
"""What a conference asks for: of the phones, and of the calls whose legs are in it."""

ForCalls: TypeAlias = Answer | Progress | Reject | Hangup | Connect | Disconnect | Mute | Unmute
"""What concerns calls as such, and leaves a door nothing to decide."""

ForPhones: TypeAlias = (
    Play | Prepare | Cue | StopPlayback | StartRecording | StopRecording | SendTones | ForCalls
)
"""What the phones are simply told; see `order`."""

Effect: TypeAlias = (
    Ring
    | Transfer
    | ForPhones
    | SetTimer
    | CancelTimer
    | ForConference
    | ForQueue
    | OfConference
    | Signal
    | Notify
    | Ask
    | SendMessage
)
