"""What the media room offers: phones that are told what to do, and say what happened.

Three rules hold for every implementation, and the contract tests hold both of ours to them.

*Nothing here blocks.*  A method of `Phones` gives its order and returns; what comes of it comes as
events, in order, to the sink that the leg was rung with.  A sink is called in the owner's thread
and must not block either.

*Every order has one end.*  A playback that was ordered ends in exactly one `PlaybackEnded` or
`PlaybackFailed`; a recording in one `RecordingEnded` or `RecordingFailed`; tones in one `TonesSent`;
a connection in one `Disconnected` or `ConnectFailed`, a transfer in one `Transferred` or
`TransferFailed`; a leg in one `Refused` (it was never answered) or one `HungUp`.

*The leg's end comes last.*  When a leg ends, for whatever reason, the ends of all that was ordered
on it are told before it, and nothing is told after it; a connection's end is told before the end of
either of its legs.  When `RecordingEnded` is told, the file is
a valid WAV and is on the disk.  An order for a leg that has ended is ignored, since its end has
been told or is on the way.

The caller chooses all names: *leg* is unique for the node's lifetime; *playback*, *recording*,
*sending*, *connection* and *transfer* are numbers that are unique within their leg.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from attrs import frozen


@frozen
class Announcement:
    """An audio file: an ``http(s):`` or ``file:`` URL, or a name in the media library."""

    url: str
    speed: float = 1.0
    """How many of its seconds are heard in one; its pitch stays."""


@frozen
class Speech:
    """*text* spoken by the synthesizer; *voice* is one of its voices, or None for the default."""

    text: str
    voice: str | None = None
    speed: float = 1.0
    """As of an `Announcement`."""


@frozen
class Ringback:
    """What a caller hears while another phone rings: a minute of the ringing tone."""


Sound: TypeAlias = Announcement | Speech | Ringback


@frozen
class Offer:
    """A call that comes in: it rings until it is answered, rejected, or given up."""

    caller: str
    """The number that calls; empty where it is withheld."""
    called: str
    """The number of ours that was dialled."""
    name: str = ""
    """What the caller is called, for people to read; empty where nobody says so, or it is withheld."""
    diverted_from: str = ""
    """The number that sent the call on to ours; empty where none did, or it is withheld."""
    trunk: str = ""
    """The name of the trunk that it came by; empty where that cannot be said."""


@frozen
class Shown:
    """What a phone that is called is shown of who calls, besides the number."""

    name: str = ""
    """For people to read."""
    withheld: bool = False
    """Neither the name nor the number is shown; who carries the call may be told the number all the same."""
    diverted_from: str = ""
    """The number that sends the call on."""


PLAINLY = Shown()
"""Nothing but the number is shown."""

RefusalReason: TypeAlias = Literal[
    "busy", "noanswer", "rejected", "unreachable", "capacity", "cancelled", "notallowed"
]
"""``capacity``: this server had no leg free; ``cancelled``: `Phones.hang_up` before the answer;
``notallowed``: the number was refused before it was rung (never said by phones themselves).
Of a call that came in, ``cancelled`` says that it was given up, and the others why it was not taken."""

BUSY, DECLINED = 486, 603
"""Statuses that a call that comes in is refused with (RFC 3261, 21)."""


def rejection(status: int) -> RefusalReason:
    """Say what is told of a call that came in, and that we refused with *status*."""
    return "busy" if status in (BUSY, 600) else "rejected"


Party: TypeAlias = Literal["callee", "server", "lost"]
"""Who ended an answered leg: the far end, or `Phones.hang_up`.

``lost``: nobody, but a fault of the media process, or nothing was heard from the far end any more.
"""


@frozen
class Quality:
    """Figures of the RTP stream that came from the far end."""

    packets: int = 0
    lost: int = 0
    jitter_ms: float = 0.0


@frozen
class Routed:
    """The call is placed by *trunk*; told again where that does not take it, and the next one is tried."""

    leg: str
    trunk: str


@frozen
class Ringing:
    """The far end says that it rings (180 or 183); told at most once."""

    leg: str


@frozen
class Answered:
    """The far end answered, and sound can pass both ways."""

    leg: str


@frozen
class EarlyMedia:
    """Sound can pass to *leg*, which came in, before its answer."""

    leg: str


@frozen
class Refused:
    """The call was never answered, and is over.

    *sip_status* is the final response's code, or None where none came.
    """

    leg: str
    reason: RefusalReason
    sip_status: int | None = None
    detail: str = ""


@frozen
class HungUp:
    """An answered leg is over."""

    leg: str
    by: Party
    detail: str = ""
    quality: Quality | None = None


KeyMethod: TypeAlias = Literal["rfc4733", "info", "inband"]
"""How a key came: as an event in RTP (RFC 4733), by SIP INFO, or as tones in the sound."""


@frozen
class TonePressed:
    """The far end pressed a key; told at the key's beginning, once for each press."""

    leg: str
    tone: str
    """One of ``0-9 * # A-D``."""
    method: KeyMethod = "rfc4733"


@frozen
class PlaybackStarted:
    """The first sample of *playback* went out."""

    leg: str
    playback: int


@frozen
class PlaybackEnded:
    """The last sample of *playback* went out, or it was cut short."""

    leg: str
    playback: int
    reason: Literal["end", "stopped", "hangup"]


@frozen
class PlaybackFailed:
    """*playback* could not be played; *detail* says why, for a person to read."""

    leg: str
    playback: int
    detail: str


@frozen
class RecordingStarted:
    """Samples are being written."""

    leg: str
    recording: int


@frozen
class RecordingEnded:
    """The recording's file is complete, valid, and on the disk.

    *duration_ms* is the sound's length; *level_db* its RMS level in dB below full scale (None when
    it is empty or digital silence).
    """

    leg: str
    recording: int
    reason: Literal["stopped", "silence", "hangup", "lost"]
    duration_ms: int
    size: int
    level_db: float | None = None


NOT_BEGUN = "it was ended before it began"
"""Why there is no recording where somebody hung up during its beep: no fault of anybody."""


@frozen
class RecordingFailed:
    """The recording could not be begun, or not gone on with; *detail* says why, and what is kept of it."""

    leg: str
    recording: int
    detail: str


@frozen
class TonesSent:
    """All tones of *sending* went out (*sent* is true), or the leg ended before."""

    leg: str
    sending: int
    sent: bool = True


@frozen
class Connected:
    """The far ends of *leg* and of the leg that it was connected with hear each other."""

    leg: str
    connection: int


@frozen
class Disconnected:
    """*connection* is over.

    ``stopped``: by `Phones.disconnect`; ``hangup``: *leg* ends; ``other``: the other leg ends.
    """

    leg: str
    connection: int
    reason: Literal["stopped", "hangup", "other"]


@frozen
class ConnectFailed:
    """*connection* did not come to be; *detail* says why."""

    leg: str
    connection: int
    detail: str


@frozen
class Transferred:
    """The far end has reached the number that it was sent to, and needs *leg* no longer.

    The leg is still up: whoever ordered the transfer hangs it up.
    """

    leg: str
    transfer: int


@frozen
class TransferFailed:
    """The far end is still ours, unless *reason* is ``hangup``: then *leg* ends.

    *sip_status* is what the far end, or the number that it tried, answered.
    """

    leg: str
    transfer: int
    reason: "TransferFailure"
    sip_status: int | None = None
    detail: str = ""


TransferFailure: TypeAlias = Literal["busy", "noanswer", "rejected", "unreachable", "notallowed", "hangup"]
"""As of `RefusalReason`; ``rejected`` is also a far end that lets nobody transfer it."""


@frozen
class Speaking:
    """Somebody in a room begins or ends to speak; told to the room's sink where that was asked for."""

    leg: str
    """The room."""
    member: str
    """The leg that speaks."""
    speaks: bool


@frozen
class JoinFailed:
    """Somebody could not be let into a room, and is in none; told to the room's sink."""

    leg: str
    """The room."""
    member: str
    detail: str
    """Why, for a person to read."""


Event: TypeAlias = (
    Routed
    | Ringing
    | Answered
    | EarlyMedia
    | Refused
    | HungUp
    | TonePressed
    | PlaybackStarted
    | PlaybackEnded
    | PlaybackFailed
    | RecordingStarted
    | RecordingEnded
    | RecordingFailed
    | TonesSent
    | Connected
    | Disconnected
    | ConnectFailed
    | Transferred
    | TransferFailed
    | Speaking
    | JoinFailed
)

Sink: TypeAlias = Callable[[Event], None]


@frozen
class Taken:
    """Who takes an offered call: the leg that it becomes, and where that leg's events go."""

    leg: str
    sink: Sink


Desk: TypeAlias = Callable[[Offer], "Taken | RefusalReason"]
"""Asked at once for every call that comes in: who takes it, or why nobody does."""


class Rooms(Protocol):
    """Let legs hear one another.

    A room is a leg that nobody rings: what is played on it is heard by all its members, what is
    recorded on it is what they all say and what is played, tones that are sent on it go to each of
    them, and its life is told to its sink as a leg's is, from `Answered` (it is there) or `Refused`
    (there can be none) to `HungUp`.  `Phones.hang_up` ends it: whoever is still in it then leaves it.

    A leg is in one room or one connection at a time.  It leaves its room by itself when it ends.
    Where a process dies that was at work for the room, its announcements and recordings end as
    those of a leg do, and the room goes on.
    """

    def open_room(self, room: str, sink: Sink, *, speaking: bool = False) -> None:
        """Make *room*; with *speaking*, its sink hears who begins and ends to speak (`Speaking`)."""

    def join(
        self, room: str, leg: str, *, muted: bool = False, deaf: bool = False, heard_by: str | None = None
    ) -> None:
        """Let *leg* hear, unless *deaf*, and be heard, unless *muted*, in *room*.

        *heard_by* is the leg that alone hears it, None: all do.  While that leg is not in the room nobody
        does; no recording of the room holds it, and it is not told as speaking.

        It leaves where it was before.  Joining again changes all three.  What is played on
        the leg itself is heard by it all the same.  `Phones.mute` keeps it from being heard as well.
        Nothing tells that it is in; a room that is full, or cannot be had where the leg lives, tells
        `JoinFailed`.
        """

    def leave(self, room: str, leg: str) -> None:
        """Take *leg* out of *room*; ignored when it is not there."""

    def speaking(self, room: str) -> frozenset[str]:
        """Give the legs in *room* that speak now."""


class Phones(Protocol):
    """Place calls, take those that come in, and do things on their legs."""

    @property
    def backlog(self) -> float:
        """For how many seconds the call waits that waits longest for a line of ours; 0 where none does."""
        ...

    def open(self, desk: Desk) -> None:
        """Let calls come in; *desk* says who takes each.

        Until then every one is refused.  A call that is taken rings; what happens on it goes to
        the sink that its taker gave, and ends with `Refused` where nobody answered it.
        """

    def ring(
        self, leg: str, number: str, caller_id: str | None, sink: Sink, *, shown: Shown | None = None
    ) -> None:
        """Call *number* (``+E.164``, or a ``sip:`` URI); all that happens on *leg* goes to *sink*.

        The callee is shown *caller_id*, and what *shown* says besides.

        There is no ring timeout here: whoever rings decides how long is too long, and hangs up.
        """

    def answer(self, leg: str) -> None:
        """Answer *leg*, which came in; `Answered` says that sound can pass.  Ignored for any other leg."""

    def progress(self, leg: str) -> None:
        """Let sound pass to *leg*, which came in, before its answer (183); `EarlyMedia` says that it can.

        Then it can be played to as if it were answered.  Ignored for any other leg; where the caller's
        phone agreed on no sound, nothing is told.
        """

    def reject(self, leg: str, status: int) -> None:
        """Refuse *leg*, which came in and still rings, with a SIP *status*; `Refused` is its end.

        Its reason is ``busy`` or ``rejected`` (`rejection`).
        """

    def hang_up(self, leg: str) -> None:
        """End *leg*: cancel it while it rings, hang it up when it is answered.

        A leg that came in and still rings is told that nobody is there (480).
        """

    def prepare(self, sound: Sound) -> None:
        """Fetch and convert *sound* now, since it is likely to be played soon; a failure is not told."""

    def play(
        self, leg: str, playback: int, sound: Sound, *, background: bool = False, offset: float = 0.0
    ) -> None:
        """Play *sound* on *leg*, from *offset* seconds after its beginning, as it is heard at its speed.

        Where the offset lies behind the end, it is over at once.

        A leg has a foreground, where playbacks follow one another in the order they were given,
        and a background, which is heard at the same time and holds one playback: a new one there
        stops the one before.  If *playback* was announced by `cue`, this confirms it.
        """

    def cue(self, leg: str, playback: int, sound: Sound) -> None:
        """Get *sound* ready to follow the present foreground playback without a hole.

        When the present one ends by itself, *playback* starts with the very next sample, and waits
        for nobody's `play`; when the present one is stopped or fails, the cue is dropped in silence
        (a later `play` of it is then an ordinary one).  `stop_playback` takes a cue back.
        """

    def stop_playback(self, leg: str, playback: int) -> None:
        """Cut *playback* short, or take it back if it has not begun; ignored when it has ended."""

    def record(
        self,
        leg: str,
        recording: int,
        path: Path,
        *,
        silence: float | None = None,
        beep: bool = False,
        within: float | None = None,
    ) -> None:
        """Record what the far end says to a WAV (16-bit, 8 kHz, mono) at *path*, whose folder exists.

        While the leg is connected, what it hears of the other leg is in it as well; and while it is
        in a room, what it hears there.

        With *silence*, the recording ends by itself when nobody has spoken for so many seconds.
        With *within*, it ends so as well when nobody has begun to speak after so many seconds; *silence*
        counts from then on only.
        With *beep*, the far end hears a beep first, and the recording begins after it.
        """

    def stop_recording(self, leg: str, recording: int) -> None:
        """End *recording* now; ignored when it has ended."""

    def send_tones(self, leg: str, sending: int, tones: str) -> None:
        """Send *tones* (over ``0-9 * # A-D``) to the far end by RFC 4733, one after another."""

    def connect(self, leg: str, other: str, connection: int) -> None:
        """Let the far ends of *leg* and *other* hear each other until `disconnect`, or until either ends.

        Both must be answered, and a leg is in one connection at a time.  What is played on a leg is
        heard by that leg alone.
        """

    def disconnect(self, leg: str, connection: int) -> None:
        """End *connection*, which *leg* was connected by; ignored when it has ended."""

    def mute(self, leg: str) -> None:
        """Keep what the far end of *leg* says from other legs, now and in connections to come.

        Its own recordings hold it all the same.
        """

    def unmute(self, leg: str) -> None:
        """Let others hear *leg* again."""

    def transfer(self, leg: str, transfer: int, number: str) -> None:
        """Ask the far end of *leg* to call *number* instead of us (SIP REFER)."""


@frozen
class TextOutcome:
    """What came of a text message.

    ``answered``: the far end gave its final *status*; ``unsent``: it certainly never left; ``unknown``:
    nothing was heard of it, and it may have arrived.
    """

    kind: Literal["answered", "unsent", "unknown"]
    status: int = 0
    """The SIP status, for ``answered``."""
    reason: str = ""


@frozen
class TextOffer:
    """A text message that comes in."""

    sender: str
    """The user of the sender's URI as the trunk says it; empty where it is withheld."""
    number: str
    """The user of the URI that it was sent to."""
    text: str


TextDesk: TypeAlias = Callable[[TextOffer], Awaitable[int]]
"""Asked for every text that comes in: the SIP status to answer it with.

Until it says so the sender has no answer, and sends it again: so 200 is said when the text is kept.
"""


class Texts(Protocol):
    """Send text messages to the trunk, and take those that come in (SIP MESSAGE, RFC 3428)."""

    async def send_text(self, number: str, sender: str, text: str) -> TextOutcome:
        """Send *text* from *sender* to *number*; return when its one outcome is known.

        Few are under way at a time, so that calls do not suffer: the others wait.  An empty *sender* is
        the one that calls have.
        """
        ...

    def take_texts(self, desk: TextDesk | None) -> None:
        """Let texts come in, and ask *desk* about each; None: nobody takes any, and senders are told 480."""
