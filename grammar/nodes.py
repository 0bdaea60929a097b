"""The syntax tree of a call script.

A node says what was written and where, and can do nothing.  Two nodes are equal when they *say*
the same thing, wherever they were written and whatever comments stand by them.  Children are
nodes or tuples of nodes.  Durations are whole milliseconds; tones stay expressions, because a
script may compute them.

Nobody changes a node: to whoever reads this the classes are frozen, and mypy holds that.  As the
program runs they are plain ones, which are made three times as fast.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import field

from ringful.grammar.span import NOWHERE, Span

if TYPE_CHECKING:
    from attrs import frozen
else:
    from functools import partial

    from attrs import define

    frozen = partial(define, unsafe_hash=True)


@frozen(kw_only=True)
class Node:
    """Anything in the tree; *span* is where it was written."""

    span: Span = field(default=NOWHERE, eq=False, repr=False)


@frozen
class Text(Node):
    """``"Order {order} is ready"``: literal pieces and expressions, in order.

    Adjacent literals are merged and empty ones left out, so a text has one form.
    """

    parts: "tuple[str | Expression, ...]" = ()


@frozen
class Number(Node):
    """``3`` or ``0.5``: never negative; ``-3`` is a Unary."""

    value: int | Decimal


@frozen
class Duration(Node):
    """``500ms``, ``8s``, ``2m``, ``1h``, ``0.5s``: kept in whole milliseconds."""

    milliseconds: int


@frozen
class Boolean(Node):
    """``true`` or ``false``."""

    value: bool


@frozen
class Nothing(Node):
    """``none``."""


@frozen
class List(Node):
    """``[a, b]``."""

    items: "tuple[Expression, ...]" = ()


@frozen
class Entry(Node):
    """``key: value`` of a map; *key* is a plain word or, where it is no name, a quoted one."""

    key: str
    value: "Expression"


@frozen
class Map(Node):
    """``{ key: value, … }``, after ``with``."""

    entries: tuple[Entry, ...] = ()


@frozen
class Name(Node):
    """``order``: a value that was bound before."""

    id: str


@frozen
class Field(Node):
    """``voicemail.url``."""

    subject: "Expression"
    name: str


@frozen
class Index(Node):
    """``numbers[0]``, counted from 0; ``answer["key"]``."""

    subject: "Expression"
    index: "Expression"


@frozen
class Unary(Node):
    """``not done`` or ``-n``."""

    operator: Literal["not", "-"]
    operand: "Expression"


BinaryOperator: TypeAlias = Literal[
    "or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "%"
]


@frozen
class Binary(Node):
    """``a + b``, ``a == b``, ``a and b``, ``a in b``."""

    operator: BinaryOperator
    left: "Expression"
    right: "Expression"


@frozen
class Apply(Node):
    """``length(x)``: one of the pure functions."""

    function: str
    arguments: "tuple[Expression, ...]" = ()


@frozen
class AnyTone(Node):
    """``any``: every tone there is, where tones are listed."""


Expression: TypeAlias = (
    Text
    | Number
    | Duration
    | Boolean
    | Nothing
    | List
    | Map
    | Name
    | Field
    | Index
    | Unary
    | Binary
    | Apply
    | AnyTone
)


@frozen(kw_only=True)
class Line(Node):
    """Anything that stands on a line of its own, with the author's comments by it."""

    comments: tuple[str | None, ...] = field(default=(), eq=False, repr=False)
    """Whole-line comments above, each without its ``#`` and the blank after it; None is a blank line
    after one of them."""
    trailing: str | None = field(default=None, eq=False, repr=False)
    """The comment at the end of the (first) line."""
    spaced: bool = field(default=False, eq=False, repr=False)
    """A blank line stood above (and above the comments)."""


@frozen
class Block(Node):
    """``{ … }``: statements in order."""

    statements: "tuple[Statement, ...]" = ()
    closing: tuple[str | None, ...] = field(default=(), eq=False, repr=False)
    """Comments after the last statement; None is a blank line before one of them."""


@frozen
class Param(Line):
    """``param order = "A-1"``, ``param pin secret``: a value given when the script is started."""

    name: str
    default: Expression | None = None
    secret: bool = False
    """What it holds must not reach a log or a callback."""


@frozen
class Use(Line):
    """``use "other.call"``: flows of another script."""

    path: str


@frozen
class Call(Line):
    """``call NUMBER from ID named TEXT withheld diverted from NUMBER ring 30s notify URL as NAME { … }``.

    ``call all NUMBERS …`` places several.

    As the header, it has no block: the script goes on when the phone is answered.  Inside a
    script, with a block, it places another leg and runs the block on it at the same time; with
    ``all``, one for each number of a list.  One without a block is written ``start call``.
    """

    number: Expression
    caller_id: Expression | None = None
    ring: Expression | None = None
    notify: Expression | None = None
    name: str | None = None
    block: Block | None = None
    named: Expression | None = None
    """What the caller is called, for people to read."""
    withheld: bool = False
    """The callee is not shown who calls."""
    diverted: Expression | None = None
    """The number that sends the call on."""
    every: bool = False
    """``all``: *number* is a list of numbers."""
    started: bool = field(default=False, eq=False, repr=False)
    """It was written ``start call``: what has no block, and is not the header, must be."""


@frozen
class Inbound(Line):
    """``inbound "+1800…" notify URL``: a leg that called one of our numbers."""

    number: Expression
    notify: Expression | None = None


@frozen
class InboundSms(Line):
    """``inbound sms "+1800…" keyword "JOIN"``: a message that came in."""

    number: Expression
    keyword: Expression | None = None
    notify: Expression | None = None


@frozen
class Answer(Line):
    """``answer``."""


RejectReason: TypeAlias = Literal["busy", "declined", "unavailable", "unknown"]


@frozen
class Reject(Line):
    """``reject``, ``reject busy``, ``reject 404``."""

    reason: RejectReason | int | None = None
    """A number is a SIP status (RFC 3261, 21)."""


@frozen
class Play(Line):
    """``play AUDIO early from D speed N until TONES times N as NAME notify URL``.

    In the background it is ``start play``, which may be ``forever``.
    """

    audio: Expression
    until: Expression | None = None
    times: Expression | None = None
    notify: Expression | None = None
    background: bool = False
    early: bool = False
    """It is heard before the answer, and answers no call."""
    forever: bool = False
    """It is repeated until something ends it; only in the background."""
    start: Expression | None = None
    """Where in the sound it begins; a further turn begins at the sound's beginning."""
    speed: Expression | None = None
    name: str | None = None
    """The name of what came of it."""


@frozen
class StopPlay(Line):
    """``stop play``: ends the background playback."""


@frozen
class PausePlay(Line):
    """``pause play as NAME``: what is heard stands still; the name is of where."""

    name: str | None = None


@frozen
class ResumePlay(Line):
    """``resume play``."""


@frozen
class Skip(Line):
    """``skip 10s``, ``skip back 10s``, ``skip to 1m``: in what is heard."""

    time: Expression
    way: Literal["on", "back", "to"] = "on"


@frozen
class Speed(Line):
    """``speed 1.5``, ``speed up``, ``speed down``: of what is heard."""

    speed: "Expression | Literal['up', 'down']"


Steering: TypeAlias = PausePlay | ResumePlay | Skip | Speed
"""What is done with a sound while it is heard."""


@frozen
class Say(Line):
    """``say TEXT early voice NAME from D speed N until TONES as NAME notify URL``."""

    text: Expression
    voice: Expression | None = None
    until: Expression | None = None
    notify: Expression | None = None
    early: bool = False
    start: Expression | None = None
    speed: Expression | None = None
    name: str | None = None


@frozen
class Record(Line):
    """``record as NAME within D for D until TONES silence D beep notify URL``: waits for its end."""

    name: str | None = None
    limit: Expression | None = None
    until: Expression | None = None
    silence: Expression | None = None
    beep: bool = False
    notify: Expression | None = None
    within: Expression | None = None
    """How long it may take until somebody speaks; *silence* is that after it then."""


@frozen
class StartRecord(Line):
    """``start record as NAME notify URL``: the recorder runs in the background."""

    name: str | None = None
    notify: Expression | None = None


@frozen
class StopRecord(Line):
    """``stop record``."""


@frozen
class Tone(Line):
    """``tone "1234#"``: send DTMF to the far end."""

    tones: Expression


@frozen
class Wait(Line):
    """``wait 2s``."""

    duration: Expression


@frozen
class WaitCall(Line):
    """``wait call operator as NAME for 10m else { … }``: go on when another leg is over."""

    leg: str
    name: str | None = None
    limit: Expression | None = None
    otherwise: Block | None = None


@frozen
class WaitEvent(Line):
    """``wait event "paid" as NAME for 1m else { … }``: go on when such an event comes."""

    event: Expression
    name: str | None = None
    limit: Expression | None = None
    otherwise: Block | None = None


@frozen
class WaitTone(Line):
    """``wait tone TONES fresh as NAME for DURATION notify URL else { … }``."""

    tones: Expression
    fresh: bool = False
    name: str | None = None
    limit: Expression | None = None
    notify: Expression | None = None
    otherwise: Block | None = None


@frozen
class StartTones(Line):
    """``start tones notify URL``: every tone is posted there from now on."""

    notify: Expression


@frozen
class StopTones(Line):
    """``stop tones notify URL``."""

    notify: Expression | None = None


@frozen
class Gather(Line):
    """``gather pin secret digits 1..4 until "#" for 9s between 5s within 1m tries 3 … notify U``."""

    name: str
    least: Expression
    most: Expression | None = None
    """None: exactly *least*."""
    until: Expression | None = None
    limit: Expression | None = None
    tries: Expression | None = None
    secret: bool = False
    fresh: bool = False
    prompt: Block = Block()
    keys: bool = False
    """It collects any keys (``keys 1..4``), not only digits."""
    between: Expression | None = None
    """The longest time between two keys."""
    within: Expression | None = None
    """How long it may take in all its tries."""
    counting: str | None = None
    """What holds the number of the try."""
    notify: Expression | None = None


@frozen
class Choice(Line):
    """``"1" { … }``, ``"2,3" { … }``, ``"10,1xx" { … }``, ``any { … }`` in a menu."""

    tones: Expression
    block: Block


@frozen
class Menu(Line):
    """``menu as key tries 3 counting n for 8s between 3s within 1m fresh { prompt { … } "1" { … } … }``."""

    prompt: Block
    choices: tuple[Choice, ...]
    tries: Expression | None = None
    limit: Expression | None = None
    fresh: bool = False
    timeout: Block | None = None
    otherwise: Block | None = None
    name: str | None = None
    """What holds the keys that were pressed."""
    between: Expression | None = None
    within: Expression | None = None
    counting: str | None = None


@frozen
class Again(Line):
    """``again``: the menu of this branch begins anew."""


@frozen
class Back(Line):
    """``back``: the menu around that of this branch begins anew."""


@frozen
class Until(Line):
    """``until "*" as key { … }``: run the block, and leave it when one of the tones is pressed."""

    tones: Expression
    block: Block
    name: str | None = None


@frozen
class UntilEvent(Line):
    """``until event "ready" as came { … }``: run the block, and leave it when such an event comes."""

    event: Expression
    block: Block
    name: str | None = None


@frozen
class Conference(Line):
    """``conference room named TEXT moderator NUMBER waiting most 20 speaking notify URL``.

    Create one and bind its ID; with *named*, find or create the one that has that name.
    """

    name: str
    moderator: Expression | None = None
    waiting: bool = False
    notify: Expression | None = None
    named: Expression | None = None
    size: Expression | None = None
    """How many legs it holds (``most``)."""
    speaking: bool = False


@frozen
class Join(Line):
    """``join room as moderator waiting alone muted deaf coaching agent most 9 within 30s for 1h as why``.

    ``start join room …`` goes on at once.
    """

    conference: Expression
    moderator: bool = False
    muted: bool = False
    notify: Expression | None = None
    background: bool = False
    waiting: bool = False
    deaf: bool = False
    size: Expression | None = None
    """It joins as one of so many at most (``most``)."""
    within: Expression | None = None
    """How long it waits to be let in."""
    limit: Expression | None = None
    name: str | None = None
    """What holds why it is in it no more."""
    alone: bool = False
    """It does not bring in a moderator who waits for the first member."""
    coaching: Expression | None = None
    """Who alone hears it: a leg, or a number."""


@frozen
class Leave(Line):
    """``leave room``."""

    conference: Expression


@frozen
class End(Line):
    """``end room``: end a conference; whoever is in it goes on with its own script."""

    conference: Expression


@frozen
class In(Line):
    """``in room { … }``: queue statements on the conference itself."""

    conference: Expression
    block: Block


Change: TypeAlias = Literal["mute", "unmute", "deafen", "undeafen", "kick", "hangup"]
"""What can be done to members of a conference."""


@frozen
class Members(Line):
    """``mute WHO in room``, ``kick others from room``: do *change* to who is in a conference."""

    change: Change
    who: Expression | None
    """None: all others."""
    conference: Expression


@frozen
class Coach(Line):
    """``coach WHO in room``: only WHO hears this leg there; ``coach others in room``: all others do again."""

    who: Expression | None
    """None: all others."""
    conference: Expression


@frozen
class Connect(Line):
    """``connect operator, deputy early for 10m as NAME else { … }``: bridge this leg and another.

    Of several legs it is the first that can be connected; the others are hung up.
    """

    leg: str
    limit: Expression | None = None
    otherwise: Block | None = None
    """What runs where the two cannot be connected."""
    name: str | None = None
    more: tuple[str, ...] = ()
    """Further legs."""
    early: bool = False
    """A call that came in is answered only when the other leg can be connected."""

    @property
    def legs(self) -> tuple[str, ...]:
        """All that are named."""
        return self.leg, *self.more


@frozen
class ConnectTo(Line):
    """``connect to NUMBER from ID ring 30s notify URL early for 1h as NAME else { … }``: call, and connect.

    With ``all`` *number* is a list: whoever answers first is connected.
    """

    number: Expression
    caller_id: Expression | None = None
    ring: Expression | None = None
    notify: Expression | None = None
    limit: Expression | None = None
    otherwise: Block | None = None
    name: str | None = None
    early: bool = False
    every: bool = False

    @property
    def call(self) -> Call:
        """The call that it places, without a block."""
        ring, notify = self.ring, self.notify
        return Call(self.number, self.caller_id, ring, notify, every=self.every, span=self.span)


@frozen
class Queue(Line):
    """``queue "support" for 10m as NAME notify URL { … }``: wait for somebody who serves that queue.

    The block runs again and again until then.
    """

    queue: Expression
    limit: Expression | None = None
    name: str | None = None
    notify: Expression | None = None
    block: Block = Block()


@frozen
class Serve(Line):
    """``serve "support" within 5m for 1h as NAME notify URL else { … }``: talk to who waits there."""

    queue: Expression
    within: Expression | None = None
    limit: Expression | None = None
    name: str | None = None
    notify: Expression | None = None
    otherwise: Block | None = None


@frozen
class Transfer(Line):
    """``transfer NUMBER as NAME``: blind transfer (SIP REFER)."""

    number: Expression
    name: str | None = None


@frozen
class Give(Line):
    """``give VALUE``: what this leg's own block tells the script that placed it."""

    value: Expression


@frozen
class Mute(Line):
    """``mute``, or ``mute operator`` for another leg of this script."""

    leg: str | None = None


@frozen
class Unmute(Line):
    """``unmute``, or ``unmute operator`` for another leg of this script."""

    leg: str | None = None


@frozen
class Hangup(Line):
    """``hangup``, or ``hangup operator`` for another leg of this script."""

    leg: str | None = None


@frozen
class Signal(Line):
    """``signal "paid" with { … } to CALL``: send an event to this call, or to another one."""

    event: Expression
    fields: Map | None = None
    call: Expression | None = None


@frozen
class Sms(Line):
    """``sms NUMBER TEXT via OPERATOR notify URL``."""

    number: Expression
    text: Expression
    operator: Expression | None = None
    notify: Expression | None = None


@frozen
class Notify(Line):
    """``notify URL with { … }``: durable, in order, and nobody waits for it."""

    url: Expression
    fields: Map | None = None


@frozen
class Ask(Line):
    """``ask URL with { … } as NAME for 5s else { … }``: wait for the JSON answer."""

    url: Expression
    name: str
    fields: Map | None = None
    limit: Expression | None = None
    otherwise: Block | None = None


@frozen
class Follow(Line):
    """``follow URL with { … } for 5s else { … }``: run the script that the answer holds."""

    url: Expression
    fields: Map | None = None
    limit: Expression | None = None
    otherwise: Block | None = None


@frozen
class Let(Line):
    """``let total = price * 2``."""

    name: str
    value: Expression


@frozen
class If(Line):
    """``if a == b { … } else { … }``; ``else if`` is an *otherwise* that holds one If alone."""

    condition: Expression
    then: Block
    otherwise: Block | None = None


@frozen
class Repeat(Line):
    """``repeat 3 times { … }``."""

    times: Expression
    block: Block


@frozen
class For(Line):
    """``for number in numbers { … }``."""

    name: str
    items: Expression
    block: Block


@frozen
class Break(Line):
    """``break``: leave the innermost ``repeat`` or ``for``."""


@frozen
class Flow(Line):
    """``flow greet(name, language) { … }``: a named piece of script."""

    name: str
    parameters: tuple[str, ...]
    block: Block


@frozen
class Do(Line):
    """``do greet("Ann", "en") as answer``."""

    flow: str
    arguments: tuple[Expression, ...] = ()
    name: str | None = None
    """What holds the value that the flow returns."""


@frozen
class Return(Line):
    """``return``, ``return a + b``: leave the flow, which has this value."""

    value: Expression | None = None


@frozen
class Clock(Line):
    """``clock "Europe/Vienna" as now``: what a clock shows there; without a zone, in UTC."""

    name: str
    zone: Expression | None = None


@frozen
class Pick(Line):
    """``pick agents as agent``, ``pick 1..6 as number``: by chance."""

    items: Expression
    name: str
    last: Expression | None = None
    """The largest number, where *items* is the smallest one; None: it is a list."""


@frozen
class OnHangup(Line):
    """``on hangup { … }``: runs once after the leg has ended, so it holds no media."""

    block: Block


@frozen
class OnTone(Line):
    """``on tone "0,*2" as keys { … }``: runs beside the script whenever one of them is pressed."""

    tones: Expression
    block: Block
    name: str | None = None


@frozen
class OnEvent(Line):
    """``on event "paid" as NAME { … }``: runs beside the script whenever such an event comes."""

    event: Expression
    block: Block
    name: str | None = None


@frozen
class OnMember(Line):
    """``on join as member { … }``, ``on leave …``, ``on speech …``: within ``in room { … }``."""

    event: Literal["join", "leave", "speech"]
    block: Block
    name: str | None = None


@frozen
class Start(Line):
    """``start { … }``: a block in the background of this leg, ended with it."""

    block: Block


@frozen
class Stay(Line):
    """``stay``, ``stay for 10m``: keep the leg up, running what is queued through REST."""

    limit: Expression | None = None


Header: TypeAlias = Call | Inbound | InboundSms

Statement: TypeAlias = (
    Call
    | Answer
    | Reject
    | Play
    | StopPlay
    | PausePlay
    | ResumePlay
    | Skip
    | Speed
    | Say
    | Record
    | StartRecord
    | StopRecord
    | Tone
    | Wait
    | WaitCall
    | WaitEvent
    | UntilEvent
    | WaitTone
    | StartTones
    | StopTones
    | Gather
    | Menu
    | Clock
    | Pick
    | Again
    | Back
    | Until
    | Conference
    | Join
    | Leave
    | End
    | In
    | Members
    | Coach
    | Connect
    | ConnectTo
    | Queue
    | Serve
    | Transfer
    | Give
    | Mute
    | Unmute
    | Hangup
    | Signal
    | Sms
    | Notify
    | Ask
    | Follow
    | Let
    | If
    | Repeat
    | For
    | Break
    | Flow
    | Do
    | Return
    | OnHangup
    | OnTone
    | OnEvent
    | OnMember
    | Start
    | Stay
)


@frozen
class Script(Node):
    """A whole text: parameters and uses first, then at most one header, then statements."""

    body: Block = Block()
    header: Header | None = None
    params: tuple[Param, ...] = ()
    uses: tuple[Use, ...] = ()


def text(value: str) -> Text:
    """Make the Text that says just *value*."""
    return Text((value,) if value else ())
