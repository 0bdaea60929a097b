"""One party's side of a call, as a run knows it: state only.

The run changes it as events come in; statements read it.  A leg is *closing* from the moment that
its end is certain: nothing more is asked of it then, and its strands are cancelled.
"""

from decimal import Decimal
from typing import Literal

from attrs import define, field, frozen

from ringful.grammar import nodes
from ringful.interpreter.money.rates import Rate
from ringful.interpreter.values import Duration, Value
from ringful.media.port import ConnectFailed, Disconnected, Quality, RefusalReason, Shown, Sound


@define(eq=False)
class Handling:
    """That a handler runs its *block*; *by_key*: for a key, and not for a member of a conference."""

    block: nodes.Block
    by_key: bool = False
    over: bool = False


@define(eq=False)
class Playback:
    """A playback that has not ended, and who is told of it."""

    name: str
    """What the callbacks call it: the announcement's URL, or the spoken text."""
    notify: str | None = None
    tell_start: bool = True
    tell_end: bool = True
    background: bool = False
    sound: Sound | None = None
    """Of one in the background: what is played *again* so many times (-1: for ever), unless a tone of
    *until* ends it."""
    again: int = 0
    since: float = 0.0
    """When it was ordered last."""
    until: str = ""
    cut: Literal["tone"] | None = None
    """Why it was stopped, where the media cannot know."""
    number: int = 0
    """Its present order, or its last one."""
    handling: Handling | None = None
    """The handler that plays it."""
    held_by: Handling | None = None
    """The handler that it waits for, to go on."""
    paused: bool = False
    """It goes on when somebody says so."""
    heard: float = 0.0
    """Where in the sound, in seconds of its own, it was ordered to begin, or was stopped."""
    begun_at: float | None = None
    """Since when it is heard; None while it is not."""
    speed: Decimal = Decimal(1)
    stopping: bool = False
    """It was told to end, and has not said yet that it has: nothing new counts on it."""
    result: str | None = None
    """The name to bind what came of it to, in *names*."""
    names: dict[str, Value] = field(factory=dict, repr=False)

    def position(self, now: float) -> float:
        """Give where in the sound it is, in seconds of its own."""
        since = 0.0 if self.begun_at is None else now - self.begun_at
        return self.heard + since * float(self.speed)

    def place(self, now: float) -> Duration:
        """Give the same as a value of the language."""
        return Duration(round(self.position(now) * 1000))

    def bind(self, reason: str | None, now: float) -> None:
        """Give its name what came of it: nothing yet where there is no *reason*."""
        if self.result is not None:
            speed = int(self.speed) if self.speed == int(self.speed) else self.speed.normalize()
            self.names[self.result] = {"reason": reason, "position": self.place(now), "speed": speed}


@define
class Recording:
    """A recording that has not ended."""

    file: str
    notify: str | None = None
    name: str | None = None
    """The name to bind its result to, in *names*: whatever ends it, so that `on hangup` has it too."""
    names: dict[str, Value] = field(factory=dict, repr=False)
    cut: Literal["tone", "limit"] | None = None
    background: bool = False
    left: bool = False
    """Its statement was left before it had ended."""

    def bind(self, result: Value) -> None:
        """Give its name *result*: none until the recording has ended, and where nothing was recorded."""
        if self.name is not None:
            self.names[self.name] = result


_SILENCE_DB = -50.0
MOST_CONFERENCES = 100
"""How many conferences a leg remembers that it was in."""


@frozen
class Recorded:
    """A recording that has ended."""

    file: str
    duration_ms: int
    size: int
    reason: str
    level_db: float | None = None

    @property
    def silent(self) -> bool:
        """Whether nobody is to be heard in it: it is quieter, on the whole, than a quiet room."""
        return self.level_db is None or self.level_db < _SILENCE_DB


@define(eq=False)
class ToneHandler:
    """An ``on tone`` or ``until`` that is in force, for the keys of its *patterns*."""

    patterns: tuple[str, ...]
    """See `grammar.tones`."""
    block: nodes.Block | None
    """What runs then; None: the block that it stands for is left."""
    names: dict[str, Value]
    name: str | None = None
    """The name that the keys are bound to."""


@define(eq=False)
class EventHandler:
    """An ``on event`` that is in force: its block runs, on *leg* or on none, whenever *event* comes.

    Without a block it is an ``until event``, whose block is left.
    """

    event: str
    name: str | None
    block: nodes.Block | None
    leg: "Leg | None"
    names: dict[str, Value] = field(repr=False)


@frozen
class MemberHandler:
    """An ``on join``, ``on leave`` or ``on speech`` of a room."""

    event: str
    name: str | None
    block: nodes.Block
    names: dict[str, Value]


@frozen
class Cued:
    """A playback that was announced to the media ahead of its statement."""

    playback: int
    sound: Sound
    statement: nodes.Statement


@define(eq=False)
class Membership:
    """That a leg is in a conference, or asked to be; and who is told."""

    conference: str
    """What the leg called it: an ID, or a name."""
    notify: str | None = None
    joined: bool = False
    since: float | None = None
    """When it got in."""
    id: str = ""
    """Its ID, once the leg is in."""
    called: str = ""
    """The conference's own name, once the leg is in, if it has one."""
    name: str | None = None
    """The name to bind to why it ended, in *names*."""
    names: dict[str, Value] = field(factory=dict, repr=False)
    timers: list[int] = field(factory=list)
    """What ends it by time."""

    def bind(self, why: Value) -> None:
        """Give its name *why* it ended: none until it has."""
        if self.name is not None:
            self.names[self.name] = why

    @property
    def reference(self) -> str:
        """What it is called best."""
        return self.id or self.conference

    def goes_by(self, called: str) -> bool:
        """Say whether *called* is its ID, its name, or what the leg called it."""
        return called in (self.conference, self.id, self.called)

    def is_of(self, conference: str, name: str) -> bool:
        """Say whether what the conference with this ID and *name* says is about this membership."""
        return self.conference in (conference, name)


@define(eq=False)
class Turn:
    """That a leg waits in a queue, and since when; its *place* is from 1."""

    queue: str
    since: float
    place: int = 0
    expected: int | None = None
    put_out: bool = False
    """A client has put it out."""


@define(eq=False)
class Connection:
    """Two legs that hear each other; its events are those of *leg*, which ordered it."""

    number: int
    leg: str
    other: str

    @property
    def legs(self) -> tuple[str, str]:
        """Both names."""
        return self.leg, self.other

    def beside(self, leg: str) -> str:
        """Give the leg that *leg* is connected with."""
        return self.other if leg == self.leg else self.leg

    def ends(self, event: object) -> bool:
        """Say whether *event* is the end of this connection."""
        match event:
            case Disconnected(leg, number) | ConnectFailed(leg, number):
                return (leg, number) == (self.leg, self.number)
        return False


@define(eq=False)
class Leg:
    """A leg, from its ringing to its end."""

    name: str
    number: str
    caller_id: str | None = None
    notify: str | None = None
    shown: Shown | None = None
    """What its far end is shown of who calls, besides the caller ID."""
    placed_by: str | None = None
    """The leg whose block placed it: it ends with that."""
    inbound: bool = False
    """It rang us, and *number* is the caller's."""
    trunk: str = ""
    """The name of the trunk that carries it; empty: none, or none that is known yet."""
    state: Literal["new", "ringing", "up", "over"] = "new"
    room: bool = False
    """It is the room of a conference: nobody rings it, and it has no far end."""
    presser: str | None = None
    """Of a room: the leg whose key was pressed, or taken, last."""
    member_handlers: list[MemberHandler] = field(factory=list)
    """Of a room: what runs when members come, go, or speak."""
    membership: Membership | None = None
    conferences: tuple[str, ...] = ()
    """Those that it was in and has left, the newest last: `MOST_CONFERENCES` at most."""
    answering: bool = False
    """It came in, and was told to be answered."""
    closing: str | None = None
    """Why its end is certain; None while it is not."""
    created_at: float = 0.0
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    refused: RefusalReason | None = None
    sip_status: int | None = None
    ended_by: str | None = None
    lost: str = ""
    """What was said of how it was lost."""
    rate: Rate | None = None
    """What it costs: known from its answer on.  None: nothing was said of that."""
    paid: int | None = None
    """The seconds that are billed at most, since its key could pay no more; None: all that there were."""
    quality: Quality | None = None
    buffer: list[str] = field(factory=list)
    """Tones that were pressed and not yet taken: type-ahead."""
    pressers: list[str | None] = field(factory=list)
    """Of a room: whose they are."""
    secrets: int = 0
    """How many statements collect a secret here at present."""
    detector: str | None = None
    """Where every tone is posted, while a tone detector runs."""
    playbacks: dict[int, Playback] = field(factory=dict)
    recordings: dict[int, Recording] = field(factory=dict)
    sendings: set[int] = field(factory=set)
    connection: Connection | None = None
    muted: bool = False
    """Others do not hear its far end."""
    idle: bool = False
    """It stands at a `stay`, or is kept up after its block: it can be connected."""
    awaiting: tuple[str, ...] = ()
    """The legs that its `connect` waits for."""
    queued: "Turn | None" = None
    """Its place in the queue that it waits in."""
    early: bool = False
    """It came in, and sound passes before its answer."""
    given: Value = None
    """What its own block gave the script that placed it."""
    resting: list[Playback] = field(factory=list)
    """What was stopped only to go on: when the handler that holds it has ended, or when it is told to."""
    late_finish: tuple[str, float] | None = None
    """The keys that would have ended a `gather` that became full, and until when one of them is still its."""
    transfers: dict[int, str] = field(factory=dict)
    """Transfers that nothing has come of yet, and the numbers they are to."""
    cued: Cued | None = None
    prepared: set[Sound] = field(factory=set)
    tone_handlers: list[ToneHandler] = field(factory=list)
    held: str = ""
    """Keys that may begin what a handler wants: they are nobody's yet."""
    holding: int = 0
    """The timer after which they are no longer held."""
    hangup_handlers: list[tuple[nodes.Block, dict[str, Value]]] = field(factory=list)
    orders: int = 0
    """How many playbacks, recordings and sendings were ordered: the next one's number less one."""
    files: int = 0
    recorded: list[Recorded] = field(factory=list)

    @property
    def last_conference(self) -> str | None:
        """The newest conference that it was in."""
        return self.conferences[-1] if self.conferences else None

    def note_conference(self, conference: str) -> None:
        """Remember that it was in *conference*."""
        others = [one for one in self.conferences if one != conference]
        self.conferences = (*others[1 - MOST_CONFERENCES :], conference)

    def type_ahead(self, tone: str) -> None:
        """Keep *tone* for whoever waits for it later."""
        self.buffer.append(tone)
        if self.room:
            self.pressers.append(self.presser)

    def take_tone(self) -> str:
        """Take the first tone that was typed ahead, and in a room remember whose it is."""
        if self.room:
            self.presser = self.pressers.pop(0)
        return self.buffer.pop(0)

    def takes_late_finish(self, tone: str, now: float) -> bool:
        """Say whether *tone* belongs to a `gather` that is full; either way none that follows does."""
        late, self.late_finish = self.late_finish, None
        return late is not None and tone in late[0] and now < late[1]

    def forget_tones(self) -> None:
        """Forget what was typed ahead."""
        self.buffer.clear()
        self.pressers.clear()

    def order(self) -> int:
        """Give the number of a new order."""
        self.orders += 1
        return self.orders

    def next_file(self) -> str:
        """Name the next recording: ``{leg}.wav``, then ``{leg}--2.wav`` and so on.

        No ID has two hyphens together, so no other leg's, or conference's, first recording is that.
        """
        self.files += 1
        return f"{self.name}.wav" if self.files == 1 else f"{self.name}--{self.files}.wav"

    @property
    def background_recording(self) -> int | None:
        """The number of the running background recording."""
        return next((n for n, one in self.recordings.items() if one.background), None)

    @property
    def background_playback(self) -> Playback | None:
        """What plays in the background, or stands still there: not what was told to end."""
        running = (one for one in reversed(self.playbacks.values()) if one.background and not one.stopping)
        return next(running, None) or next((one for one in self.resting if one.background), None)


def presser(leg: Leg) -> dict[str, str]:
    """Say whose key it was, as a field of a callback, where *leg* is the room of a conference."""
    return {"participantCallId": leg.presser} if leg.presser else {}
