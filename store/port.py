"""What the store offers: everything that must outlive the process.

All writes go through one writer in the order they are given, and many are committed together.
`submit` never blocks: it takes its place in that order at once and returns a `Commit` that can be
awaited; once it is awaited, the write is on the disk.  One `Write` is all or nothing.  Lines of a
journal, and how callbacks stand, may come to the disk a moment later where nobody waits for them.
Reads see every committed write.  Times are Unix seconds (UTC); JSON values are plain.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypedDict

from attrs import field, frozen

CallState: TypeAlias = Literal["live", "ended"]
Standing: TypeAlias = Literal["pending", "delivered", "parked", "resend"]
"""How a callback stands; ``resend``: it was parked, and the server is asked to take it up again."""


class Entry(NamedTuple):
    """One line of a call's journal: something that entered the inbox, or an effect that came out.

    *kind* is ``event``, ``effect`` or ``outcome`` and *name* the class's name; *data* is its fields as JSON.
    """

    call_id: str
    n: int
    """From 1, without gaps, within the call."""
    at: float
    kind: str
    name: str
    data: Mapping[str, Any]


@frozen
class Post:
    """A callback to deliver: form-encoded *fields* to *url*, in order within (call_id, url)."""

    event_id: str
    """Unique: the ``webhook-id``."""
    key: str
    """The API key whose secret signs it."""
    call_id: str
    n: int
    url: str
    fields: Mapping[str, str]
    created: float


@frozen
class PostState:
    """A post, and how its delivery stands."""

    post: Post
    state: Standing
    attempts: int
    """How often it was tried since it was made, or was last sent again."""
    next_at: float
    """When the next attempt is due, while pending."""
    last_error: str = ""
    resent: float | None = None
    """When it was last taken up again after it had been parked."""
    gone: float | None = None
    """When its receiver said (410) that it wants nothing more of this call at this URL."""


@frozen
class CallRecord:
    """A call as lists show it: the index to its journal."""

    call_id: str
    key: str
    callee: str
    """Whom it called: for a call that came in, the number of ours."""
    state: CallState
    created: float
    answered: float | None = None
    ended: float | None = None
    outcome: str = ""
    """``completed``, or the reason that it failed: ``busy``, ``noanswer`` …"""
    bill: Decimal | None = None
    caller: str | None = None
    """Who called us, empty where that is withheld; None: the call is our own."""
    pruned: float | None = None
    """When its journal was removed, for its age; None: it is kept."""
    label: str | None = None
    """What its key calls it."""
    trunk: str | None = None
    """The name of the trunk that carried it; None: none did, or nobody knows."""

    @property
    def is_conference(self) -> bool:
        """Whether it is a conference, which has a journal as a call has: its ID has a dot."""
        return "." in self.call_id


@frozen
class CallFilter:
    """Which calls are looked for: those of which everything holds that is named."""

    key: str | None = None
    state: CallState | None = None
    outcome: str | None = None
    numbers: tuple[str, ...] = ()
    """Ways to write the number that was called, or that called."""
    label: str | None = None
    since: float | None = None
    """Placed then or later."""
    until: float | None = None
    """Placed before."""


@frozen
class LegRecord:
    """A leg that is over, whatever ended it: what a bill is made of.  It never changes.

    Calls that came in and that nothing was begun for have one too, and no record of a call.
    """

    leg_id: str
    call_id: str
    """The run that it was of: a leg that a call began with has that call's ID."""
    key: str
    inbound: bool
    number: str
    """The far end's; empty: it was withheld."""
    own: str
    """What it was shown: the number of ours that it rang, or the caller ID that we gave; empty: none."""
    created: float
    ended: float
    outcome: str
    """``completed``, ``lost``, or the reason that it was never answered: ``busy``, ``noanswer`` …"""
    ended_by: str
    """``far end``, ``script``, ``request``, ``server`` …: see `interpreter.calls.ends.who`."""
    bill: Decimal
    rung: float | None = None
    answered: float | None = None
    seconds: int | None = None
    """Those that are billed: each that has begun; None: it was never answered."""
    sip_status: int | None = None
    label: str | None = None
    """What its key calls the call."""
    script: str | None = None
    """The stored script that it ran under."""
    version: int | None = None
    conferences: tuple[str, ...] = ()
    """Those that it was in, in the order in which it left them."""
    packets: int | None = None
    """RTP packets that came from the far end; None: nothing was measured."""
    lost: int | None = None
    """Those of them that did not come."""
    jitter_ms: float | None = None
    trunk: str | None = None
    """The name of the trunk that carried it; None: none did, or nobody knows."""


@frozen
class LegFilter:
    """Which legs are looked for: those of which everything holds that is named."""

    key: str | None = None
    call_id: str | None = None
    conference: str | None = None
    """It was in that one."""
    inbound: bool | None = None
    outcome: str | None = None
    numbers: tuple[str, ...] = ()
    """Ways to write the number of the far end, or ours."""
    label: str | None = None
    since: float | None = None
    """Ended then or later."""
    until: float | None = None
    """Ended before."""


@frozen
class Cost:
    """What many things cost together."""

    count: int = 0
    bill: Decimal = Decimal(0)

    def __add__(self, other: "Cost") -> "Cost":
        """Take both together."""
        return Cost(self.count + other.count, self.bill + other.bill)


@frozen
class DayBill:
    """What a key has to pay for a day, which begins at 0:00 UTC."""

    day: int
    """Days since 1970-01-01."""
    legs: Cost = field(factory=Cost)
    """Legs that ended on it."""
    messages: Cost = field(factory=Cost)
    """Messages that were made on it."""
    earlier: Cost = field(factory=Cost)
    """Whole calls that ended on it before there were records of legs."""


MessageState: TypeAlias = Literal["queued", "sending", "sent", "delivered", "failed", "received"]
"""``sending``: a transport has it, so it may have arrived; ``received``: it came in."""


@frozen
class Message:
    """A text message, which we sent or which came in; its journal stands under its ID, as a call's does."""

    message_id: str
    key: str
    inbound: bool
    number: str
    """Whose phone it is: it went there, or came from there.  ``+E.164`` where it is a phone number."""
    own: str
    """The number of ours (or what else we send as) that it went from, or came to."""
    text: str
    created: float
    state: MessageState
    changed: float
    """When it came to stand as it does."""
    reason: str = ""
    """Why it failed, or why it is late."""
    segments: int = 1
    parts: tuple[str, ...] = ()
    """How each part stands that the other side has taken: ``sent`` or ``delivered``; empty: not taken."""
    carrier: str = ""
    """``smpp``, ``sip`` or ``mail``."""
    operator: str = ""
    notify: str | None = None
    """Where its status is told, and replies to it."""
    call_id: str = ""
    """The run that sent it, or that took it."""
    reply_to: str | None = None
    """Of one that came in: the message that it answers."""
    attempts: int = 0
    next_at: float = 0.0
    """When it is to be sent, while ``queued``."""
    expires: float = 0.0
    """After that it is sent no more."""
    twice: int = 0
    """How many parts were sent again although they may have arrived."""
    bill: Decimal | None = None
    label: str | None = None
    lines: int = 0
    """How many lines its journal has."""
    told: int = 0
    """How many callbacks it has."""
    pruned: float | None = None
    """When its text, its journal and its callbacks were removed, for their age; None: they are kept."""

    @property
    def over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ("delivered", "failed", "received")


@frozen
class RemotePart:
    """What the other side of a *connection* calls a part of a message: receipts name it."""

    connection: str
    remote_id: str
    message_id: str
    part: int
    at: float


@frozen
class FragmentRow:
    """A part of a longer text that came in, until the others have come too."""

    connection: str
    sender: str
    number: str
    reference: str
    part: int
    parts: int
    text: str
    at: float


@frozen
class OptOut:
    """That *number* wants no messages from *own* since *at*; with *at* None it wants them again."""

    own: str
    number: str
    at: float | None


@frozen
class Keyword:
    """What takes the messages that come in for *number* and begin with *keyword* (``*``: all others)."""

    number: str
    keyword: str
    key: str
    created: float
    script: str | None = None
    version: int | None = None
    params: Mapping[str, Any] = field(factory=dict)
    callback_url: str | None = None


@frozen
class MessageFilter:
    """Which messages are looked for: those of which everything holds that is named."""

    key: str | None = None
    inbound: bool | None = None
    state: MessageState | None = None
    numbers: tuple[str, ...] = ()
    """Ways to write the number of the phone."""
    label: str | None = None
    since: float | None = None
    until: float | None = None


@frozen
class RecordingFile:
    """A finished recording; *file* is its bare name in the recordings folder."""

    file: str
    call_id: str
    key: str
    created: float
    duration_ms: int
    size: int
    removed: float | None = None
    """When the file was removed; None: it is there."""


@frozen
class Slice:
    """The first lines of the journal of a call that has ended, up to line *n*, to be removed.

    With *last* that is all of it: its callbacks go too, and its record says *at* when that was.
    """

    call_id: str
    n: int
    at: float
    last: bool = False


@frozen
class Key:
    """An API key, and what its holder may do.  None for a limit means the configuration's."""

    key: str
    secret: str
    name: str
    created: float
    revoked: float | None = None
    signing: bool = True
    """False: unsigned requests are taken, for a trial only."""
    calls_per_second: float | None = None
    concurrent: int | None = None
    prefixes: tuple[str, ...] = ()
    """``+1512``…: what may be called; empty means the trunk's own country."""
    spending_cap: Decimal | None = None
    old_secret: str | None = None
    """The secret before this one, which holds until *old_until*."""
    old_until: float | None = None
    generation: int = 0
    """How often the secret was changed: each has its own seqs."""
    most_cost: Decimal | None = None
    """What a script of it may cost at most: one that can cost more is not run.  None: anything."""


@frozen
class Number:
    """A number of ours, and what takes its calls: a script, or (None) whatever *callback_url* queues."""

    number: str
    key: str
    created: float
    script: str | None = None
    version: int | None = None
    """None: the newest one, whenever a call comes in."""
    params: Mapping[str, Any] = field(factory=dict)
    """The script's values, as JSON."""
    callback_url: str | None = None
    """What is told of its calls."""


@frozen
class Upload:
    """A script to be stored; *digest* is the SHA-256 of its UTF-8 text, in lower-case hex."""

    key: str
    name: str
    text: str
    digest: str
    created: float


@frozen
class ScriptVersion:
    """A version of a stored script, as lists show it."""

    key: str
    name: str
    version: int
    """From 1, without gaps, within the key and the name."""
    digest: str
    created: float
    size: int
    """Bytes of UTF-8."""


@frozen
class StoredScript:
    """A version of a stored script, and its text."""

    about: ScriptVersion
    text: str


class UsedSeq(NamedTuple):
    """A seq that was used, and the answer that the same request is given when it comes again."""

    key: str
    """Whose: a key, or a generation of it (`ringful.store.window.seqs_of`)."""
    seq: int
    digest: str | None = None
    """The SHA-256 of what was signed, in lower-case hex; None: nothing is the same request."""
    answer: Mapping[str, Any] | None = None
    """As JSON; None: the request only asks, and is asked anew."""


class Write(TypedDict, total=False):
    """Things that become durable together, or not at all: of each kind in the order in which it stands there.

    It is given from turn to turn, and so it holds no more than what there is.
    """

    entries: Sequence[Entry]
    posts: Sequence[Post]
    calls: Sequence[CallRecord]
    """Inserted, or replaced by call_id."""
    recordings: Sequence[RecordingFile]
    seqs: Sequence[UsedSeq | tuple[str, int]]
    """What was used; a pair is one of which nothing is kept."""
    post_states: Sequence[PostState]
    """Replaces how the delivery of these posts stands."""
    resend: Sequence[Post]
    """Those of them that are parked are to be sent again, and their URLs are not gone any more."""
    scripts: Sequence[Upload]
    """Each becomes the next version of its name, unless the newest version has the same text."""
    numbers: Sequence[Number]
    """Inserted, or replaced by number."""
    freed: Sequence[str]
    """Numbers that are bound to nothing any more."""
    beats: Sequence[tuple[str, float]]
    """(node, time): that the node was alive then; replaces its last one."""
    removed: Sequence[tuple[str, float]]
    """(file, time): recordings whose files are removed."""
    pruned: Sequence[Slice]
    """Parts of journals to be removed."""
    secrets: Sequence[tuple[str, str]]
    """(name, secret): the store's own."""
    legs: Sequence[LegRecord]
    """Inserted, or replaced by leg_id."""
    messages: Sequence[Message]
    """Inserted, or replaced by message_id."""
    remote_parts: Sequence[RemotePart]
    """Inserted, or replaced by connection and remote_id."""
    fragments: Sequence[FragmentRow]
    """Inserted, or replaced by all but their text."""
    joined: Sequence[FragmentRow]
    """All fragments of these ones' sender, number and reference have become a message: they are removed."""
    opt_outs: Sequence[OptOut]
    """Inserted, replaced, or removed."""
    keywords: Sequence[Keyword]
    """Inserted, or replaced by number and keyword."""
    keywords_removed: Sequence[tuple[str, str]]
    """(number, keyword)."""
    pruned_messages: Sequence[tuple[Message, float]]
    """(message, time): the text, the journal and the callbacks of each are to be removed."""
    forgotten: Sequence[float]
    """What others called parts, and fragments, of before those times are removed."""
    keys: Sequence[Key]
    """Inserted, or replaced by key: by `Store.put_key`, which knows that it holds at once."""
    signs: Sequence[None]
    """Nothing changes, and it shows that the disk takes a write."""


class Commit(Protocol):
    """A write on its way to the disk."""

    async def wait(self) -> None:
        """Return when the write is durable.  Raises StoreError if it could not be made so."""

    def hurry(self) -> None:
        """Let it not wait for others to be committed with, as `wait` does."""

    async def settled(self) -> None:
        """Wait as `wait` does, but hurry nothing: for whoever has nothing else to do until then."""

    def then(self, told: Callable[[str], None]) -> None:
        """Call *told* once it is known what became of the write, or at once where it is, and hurry nothing.

        *told* gets why the write could not be made durable; nothing where it is.  It is called in trio's
        thread, before anybody goes on who waits, and for one write after the other in the order in which
        they were submitted.
        """


class StoreError(Exception):
    """The database refused a write or a read: a full disk, a lost connection."""


class Reads(Protocol):
    """What can be read; whoever only asks needs nothing else."""

    # journal and calls
    async def journal(self, call_id: str) -> Sequence[Entry]: ...
    async def call(self, call_id: str) -> CallRecord | None: ...
    async def calls(
        self, *, key: str | None = None, state: CallState | None = None, limit: int = 100
    ) -> Sequence[CallRecord]:
        """Newest first."""
        ...

    async def find_calls(
        self, wanted: CallFilter, *, after: CallRecord | None = None, limit: int = 100
    ) -> Sequence[CallRecord]:
        """Newest first; behind *after*, where that is given, so that new calls move no page."""
        ...

    async def recordings(self, call_id: str) -> Sequence[RecordingFile]: ...
    async def recording(self, file: str) -> RecordingFile | None: ...
    async def kept_recordings(
        self, *, before: float | None = None, limit: int = 100
    ) -> Sequence[RecordingFile]:
        """Those whose files are there: the newest first; with *before* only older ones, the oldest first."""
        ...

    async def beats(self) -> Mapping[str, float]:
        """When each node was last known to be alive with a call up."""
        ...

    # retention
    async def old_journals(self, before: float, *, limit: int = 100) -> Sequence[tuple[str, int]]:
        """(call, its last line's number) of calls that ended before and keep a journal, the oldest first.

        One with a callback still to be delivered is not among them.
        """
        ...

    # legs
    async def leg(self, leg_id: str) -> LegRecord | None: ...
    async def find_legs(
        self,
        wanted: LegFilter,
        *,
        after: LegRecord | None = None,
        limit: int = 100,
        oldest: bool = False,
    ) -> Sequence[LegRecord]:
        """The newest end first, or the *oldest*; behind *after*, where that is given."""
        ...

    async def cost(self, wanted: LegFilter) -> Cost:
        """What all those legs cost together."""
        ...

    async def bills(
        self, key: str, *, since: float | None = None, until: float | None = None
    ) -> Sequence[DayBill]:
        """What a key has to pay for each day on which there was anything, in their order."""
        ...

    async def old_messages(self, before: float, *, limit: int = 100) -> Sequence[Message]:
        """Those that came to stand as they do before then and keep their text, the oldest first.

        None that is still to be sent, nor one with a callback still to be delivered, is among them.
        """
        ...

    async def oldest_part(self) -> float | None:
        """When the oldest fragment, or name of a part, was kept; None: there is none."""
        ...

    # callback outbox
    async def pending_posts(
        self, *, after: Post | None = None, limit: int | None = None
    ) -> Sequence[PostState]:
        """Everything undelivered and not parked, in order of call and n: read at start."""
        ...

    async def asked_posts(self, *, limit: int = 100) -> Sequence[PostState]:
        """Those that are to be sent again, in order of call and n."""
        ...

    async def parked_posts(self, *, limit: int = 100) -> Sequence[PostState]: ...
    async def posts(self, call_id: str) -> Sequence[PostState]: ...
    async def post(self, event_id: str) -> PostState | None: ...
    async def find_posts(
        self,
        states: Sequence[Standing],
        *,
        key: str | None = None,
        call_id: str | None = None,
        url: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Sequence[PostState]:
        """Those of *states* that fit, the oldest first, from behind the event *after*."""
        ...

    async def count_posts(self, call_id: str) -> Mapping[Standing, int]:
        """How many callbacks of a call stand how."""
        ...

    async def count_parked(self) -> int: ...
    async def is_gone(self, call_id: str, url: str) -> bool:
        """Whether a receiver said that it wants nothing more of this call at this URL."""
        ...

    # scripts
    async def script(
        self, key: str, name: str, *, version: int | None = None, digest: str | None = None
    ) -> StoredScript | None:
        """The newest version, or the newest one that has this number or this digest."""
        ...

    async def script_versions(
        self, key: str, *, name: str | None = None, limit: int = 1000
    ) -> Sequence[ScriptVersion]:
        """All versions of *name*, the newest first; or without it each script's newest one, by name."""
        ...

    # numbers
    async def numbers(self) -> Sequence[Number]:
        """All that are bound, in their order."""
        ...

    # messages
    async def message(self, message_id: str) -> Message | None: ...
    async def find_messages(
        self,
        wanted: MessageFilter,
        *,
        after: Message | None = None,
        limit: int = 100,
        oldest: bool = False,
    ) -> Sequence[Message]:
        """The newest first, or the *oldest*; behind *after*, where that is given."""
        ...

    async def unsent_messages(self, *, after: Message | None = None, limit: int = 1000) -> Sequence[Message]:
        """Those that are queued or being sent, in the order in which they were made: read at start."""
        ...

    async def answerable(self, own: str, number: str, since: float) -> Message | None:
        """The newest message from *own* to *number* that has a URL for replies, made since then."""
        ...

    async def remote_part(self, connection: str, remote_id: str) -> RemotePart | None: ...
    async def fragments(self, like: FragmentRow) -> Sequence[FragmentRow]:
        """All that have the connection, sender, number, reference and number of parts of *like*, in order."""
        ...

    async def opt_outs(self) -> Sequence[OptOut]: ...
    async def keywords(self) -> Sequence[Keyword]: ...

    # keys
    async def keys(self) -> Sequence[Key]: ...
    async def used_seqs(self, key: str) -> frozenset[int]:
        """Those less than 1024 below the newest (the rest is arithmetic)."""
        ...

    async def used_seq(self, key: str, seq: int) -> UsedSeq | None:
        """What is kept of a seq: the newest 1024 of each key are."""
        ...

    async def spent(self, key: str) -> Decimal:
        """The sum of the bills of this key's calls."""
        ...


class Store(Reads, Protocol):
    """The whole of it; a user should ask for the narrowest part that it needs."""

    def submit(self, write: Write) -> Commit: ...

    async def secret(self, name: str) -> str:
        """Give the store's own secret of that *name*, made when it is first asked for."""
        ...

    async def key(self, key: str) -> Key | None:
        """Give *key* as it is, or was less than a second ago."""
        ...

    async def put_key(self, key: Key) -> None: ...
