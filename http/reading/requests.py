"""The requests of the API, one class a method, as the reference names them.

A request is made from parameters and is right when it is made.  What it means is in `compile`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from attrs import evolve, field, frozen

from ringful.grammar.nodes import Change, RejectReason
from ringful.http.reading import (
    callbacks,
    conferences,
    messages,
    numbers,
    queues,
    recordings,
    records,
    scripts,
)
from ringful.http.reading import parameters as p
from ringful.http.reading.parameters import BadParameter, Parameters

MOST_TIMES = 1000
"""How often a request may have something played."""
MOST_TRIES = 10
"""How often it may have a caller asked."""
MOST_CALLEES = 20
"""How many phones it may have rung at a time."""


@frozen
class Dialect:
    """What the configuration says about numbers, and about addresses."""

    country: str = "US"
    sip_uris: bool = False
    refusal: Callable[[str], str] = lambda _: ""
    """Says why a URL can never be posted to from here; nothing where it may be."""
    own: str = ""
    """What the URLs of our own recordings begin with: playing one needs no network."""

    def callback(self, given: Parameters) -> str | None:
        """Take the URL that is to be told."""
        return given.optional("callbackUrl", p.reachable(p.web_url, self.refusal))

    def number(self, name: str, value: str) -> str:
        """Read a number that can be called."""
        return p.number(self.country, sip=self.sip_uris)(name, value)

    def announcement(self, name: str, value: str) -> str:
        """Read what can be played."""
        return p.reachable(p.announcement, self.unplayable)(name, value)

    def unplayable(self, url: str) -> str:
        """Say why the sound at *url* can never be fetched from here; nothing where it may be."""
        return "" if self.own and url.startswith(self.own) else self.refusal(url)


@frozen
class Call:
    """Ring a phone; the answer is the call's ID."""

    callee: str
    caller_id: str | None = None
    callback_url: str | None = None
    ring_timeout: int | None = None
    """Seconds; None: the configuration's."""
    script: scripts.Named | None = None
    """What runs once it is answered; None: what is queued."""
    given: scripts.Given = field(factory=scripts.Given)
    label: str | None = None
    """What the key calls it."""
    caller_name: str | None = None
    """The name that the callee is shown."""
    withheld: bool = False
    """The callee is not shown who calls."""
    diverted_from: str | None = None
    """The number that sends the call on."""


@frozen
class Hangup:
    """End a call, now or in its turn."""

    call_id: str
    immediate: bool = True


@frozen
class Play:
    """Play an announcement."""

    call_id: str
    announcement: str
    wait_complete: bool = True
    callback_url: str | None = None
    until: str | None = None
    """The tones that cut it short (ours)."""
    times: int | None = None
    """How often it is heard (ours); None: once."""
    start: float | None = None
    """Where in it that begins, in seconds (ours)."""
    speed: Decimal | None = None
    """(ours)"""


@frozen
class Say:
    """Speak a text (ours)."""

    call_id: str
    text: str
    voice: str | None = None
    until: str | None = None
    callback_url: str | None = None
    speed: Decimal | None = None


@frozen
class StopPlay:
    """End what is played: all of it now, or in its turn what plays in the background (ours)."""

    call_id: str
    immediate: bool = True


@frozen
class PausePlay:
    """Let what is heard stand still, now or in its turn (ours)."""

    call_id: str
    immediate: bool = True


@frozen
class ResumePlay:
    """Let what stands still go on (ours)."""

    call_id: str
    immediate: bool = True


@frozen
class SkipPlay:
    """Go to another place in what is heard (ours)."""

    call_id: str
    seconds: float
    """From where it is, back where they are negative; or from the beginning, where it is *absolute*."""
    absolute: bool = False
    immediate: bool = True


@frozen
class SpeedPlay:
    """Let what is heard be faster or slower (ours)."""

    call_id: str
    speed: Decimal | Literal["up", "down"]
    immediate: bool = True


@frozen
class Record:
    """Start the recorder."""

    call_id: str
    callback_url: str | None = None


@frozen
class RecordStop:
    """Stop the recorder, now or in its turn."""

    call_id: str
    immediate: bool = True


@frozen
class WaitForTone:
    """Go on when one of the tones is pressed."""

    call_id: str
    tone: str
    callback_url: str | None = None
    limit: float | None = None
    """Seconds after which it is in vain (ours)."""


@frozen
class StartToneDetector:
    """Post every tone from now on."""

    call_id: str
    callback_url: str


@frozen
class StopToneDetector:
    """Post tones no more."""

    call_id: str
    callback_url: str | None = None
    immediate: bool = True


@frozen
class Tone:
    """Send tones to the far end (ours)."""

    call_id: str
    tones: str


@frozen
class Answer:
    """Answer a call that came in, before there is anything to hear (ours)."""

    call_id: str


@frozen
class Reject:
    """Turn away a call that came in and still rings (ours)."""

    call_id: str
    reason: RejectReason | int | None = None
    """A word of the language's ``reject``, or a SIP status; None: it is declined."""


@frozen
class Signal:
    """Send an event to a call (ours): what its script's ``wait event`` and ``on event`` are for."""

    call_id: str
    event: str
    given: scripts.Given = field(factory=scripts.Given)
    """What comes with it."""


@frozen
class Gather:
    """Collect digits, and tell them (ours)."""

    call_id: str
    digits: tuple[int, int]
    """How many, at least and at most."""
    callback_url: str
    announcement: str | None = None
    """What is played before; or *text*, which is spoken."""
    text: str | None = None
    voice: str | None = None
    until: str | None = None
    """What ends them early; None: the language's own rule."""
    limit: float | None = None
    """Seconds for the first key, and *between* for each further one."""
    between: float | None = None
    tries: int | None = None


@frozen
class Connect:
    """Call somebody, or the first of several who answers, and connect them (ours)."""

    call_id: str
    callees: tuple[str, ...]
    caller_id: str | None = None
    ring_timeout: int | None = None
    limit: float | None = None
    """Seconds of the connection at most."""
    callback_url: str | None = None
    """Told of the legs that are called."""


@frozen
class Transfer:
    """Send the far end to another number (ours)."""

    call_id: str
    callee: str


@frozen
class Mute:
    """Let nobody hear what the far end says, or with *muted* false let them again (ours)."""

    call_id: str
    muted: bool = True
    immediate: bool = True


@frozen
class QueryCall:
    """Tell all about a call (ours)."""

    call_id: str


@frozen
class Script:
    """Give a call as a script (ours)."""

    call_id: str


Task: TypeAlias = (
    Hangup
    | Play
    | Say
    | StopPlay
    | PausePlay
    | ResumePlay
    | SkipPlay
    | SpeedPlay
    | Record
    | RecordStop
    | WaitForTone
    | StartToneDetector
    | StopToneDetector
    | Tone
    | Answer
    | Reject
    | Gather
    | Connect
    | Transfer
    | Mute
    | queues.Enqueue
    | queues.Serve
)


@frozen
class OnConference:
    """Do *task*, whose ``call_id`` is that of the conference, on a conference."""

    task: Task


Request: TypeAlias = (
    Call
    | Task
    | Signal
    | OnConference
    | conferences.ConferenceRequest
    | queues.LeaveQueue
    | queues.QueryQueues
    | QueryCall
    | Script
    | scripts.Trace
    | scripts.ScriptRequest
    | numbers.NumberRequest
    | callbacks.CallbackRequest
    | recordings.RemoveRecording
    | records.RecordRequest
    | messages.Sending
    | messages.KeywordRequest
)


def _call_id(given: Parameters) -> str:
    return given.required("callId", p.identifier, "r1-…")


def _immediate(given: Parameters) -> bool:
    said = given.optional("immediate immediately", p.boolean)
    return True if said is None else said


def _call(given: Parameters, dialect: Dialect) -> Call:
    call = Call(
        given.required("callee", dialect.number, "15125551234"),
        given.optional("callerId", p.number(dialect.country, sip=False)),
        dialect.callback(given),
        given.optional("ringTimeout", p.ring_seconds),
        label=given.optional("label", p.label),
        caller_name=given.optional("callerName", p.shown_name),
        withheld=bool(given.optional("withheld", p.boolean)),
        diverted_from=given.optional("divertedFrom", p.number(dialect.country, sip=False)),
    )
    name = given.optional("script", p.script_name)
    if name is None:
        return call
    version = given.optional("version", p.version)
    return evolve(call, script=scripts.Named(name, version), given=scripts.values(given))


def _signal(given: Parameters, _: Dialect) -> Signal:
    call_id, event = _call_id(given), given.required("event", p.label, "paid")
    return Signal(call_id, event, scripts.values(given))


def _script(given: Parameters, _: Dialect) -> Request:
    call_id = given.optional("callId", p.identifier)
    return scripts.script(given) if call_id is None else Script(call_id)


def _play(target: str, given: Parameters, dialect: Dialect) -> Play:
    waits = given.optional("waitComplete", p.boolean)
    return Play(
        target,
        given.required("announcement", dialect.announcement, "http://host/welcome.wav"),
        True if waits is None else waits,
        dialect.callback(given),
        given.optional("until", p.tones),
        given.optional("times", p.to_most(MOST_TIMES)),
        given.optional("from", p.seconds_to(p.DAY)),
        given.optional("speed", p.speed),
    )


def _say(target: str, given: Parameters, dialect: Dialect) -> Say:
    return Say(
        target,
        given.required("text", p.text, "Hello"),
        given.optional("voice", p.voice),
        given.optional("until", p.tones),
        dialect.callback(given),
        given.optional("speed", p.speed),
    )


def _skip(target: str, given: Parameters, _: Dialect) -> SkipPlay:
    by, to = given.optional("by", p.step_to(p.DAY)), given.optional("to", p.seconds_to(p.DAY))
    if by is not None and to is not None:
        raise BadParameter("to", "invalid", "give by or to, not both")
    if by is None and to is None:
        message = "by is missing: by=10 goes on ten seconds, by=-10 back, and to=0 begins anew"
        raise BadParameter("by", "missing", message)
    seconds = by if to is None else to
    assert seconds is not None
    return SkipPlay(target, seconds, to is not None, _immediate(given))


def _speed(target: str, given: Parameters, _: Dialect) -> SpeedPlay:
    return SpeedPlay(target, given.required("speed", p.speed_or_step, "1.5"), _immediate(given))


def _wait_for_tone(target: str, given: Parameters, dialect: Dialect) -> WaitForTone:
    return WaitForTone(
        target,
        given.required("tone", p.tones, "1"),
        dialect.callback(given),
        given.optional("for timeout", p.time_to(p.DAY)),
    )


def _gather(given: Parameters, dialect: Dialect) -> Gather:
    made = Gather(
        _call_id(given),
        given.required("digits", p.count_of_digits, "4"),
        given.required("callbackUrl", p.reachable(p.web_url, dialect.refusal), "http://host/digits"),
        given.optional("announcement", dialect.announcement),
        given.optional("text", p.text),
        given.optional("voice", p.voice),
        given.optional("until", p.tones),
        given.optional("for timeout", p.time_to(p.DAY)),
        given.optional("between", p.time_to(p.DAY)),
        given.optional("tries", p.to_most(MOST_TRIES)),
    )
    if made.announcement is not None and made.text is not None:
        raise BadParameter("text", "invalid", "give announcement or text, not both")
    if made.voice is not None and made.text is None:
        raise BadParameter("voice", "invalid", "voice is for text, and there is none")
    return made


def _connect(given: Parameters, dialect: Dialect) -> Connect:
    return Connect(
        _call_id(given),
        given.required("callee callees", p.several(dialect.number, MOST_CALLEES), "15125551234"),
        given.optional("callerId", p.number(dialect.country, sip=False)),
        given.optional("ringTimeout", p.ring_seconds),
        given.optional("for", p.time_to(p.DAY)),
        dialect.callback(given),
    )


_ON_EITHER: dict[str, Callable[[str, Parameters, Dialect], Task]] = {
    "play": _play,
    "record": lambda target, given, dialect: Record(target, dialect.callback(given)),
    "recordstop": lambda target, given, _: RecordStop(target, _immediate(given)),
    "say": _say,
    "stopplay": lambda target, given, _: StopPlay(target, _immediate(given)),
    "pauseplay": lambda target, given, _: PausePlay(target, _immediate(given)),
    "resumeplay": lambda target, given, _: ResumePlay(target, _immediate(given)),
    "skipplay": _skip,
    "speedplay": _speed,
    "waitfortone": _wait_for_tone,
    "starttonedetector": lambda target, given, dialect: StartToneDetector(
        target,
        given.required("callbackUrl", p.reachable(p.web_url, dialect.refusal), "http://host/tones"),
    ),
    "stoptonedetector": lambda target, given, dialect: StopToneDetector(
        target, dialect.callback(given), _immediate(given)
    ),
    "tone": lambda target, given, _: Tone(target, given.required("tones tone", p.digits, "1234%23")),
}
"""What can be done on a call, and on a conference with ``confCallId`` instead of ``callId``."""


def _on_either(method: str) -> Callable[[Parameters, Dialect], Request]:
    def read(given: Parameters, dialect: Dialect) -> Request:
        conference = given.optional("confCallId", conferences.conference)
        if conference is None:
            return _ON_EITHER[method](_call_id(given), given, dialect)
        if given.optional("callId", p.identifier) is not None:
            raise BadParameter("confCallId", "invalid", "give callId or confCallId, not both")
        return OnConference(_ON_EITHER[method](conference, given, dialect))

    return read


def _changer(change: Change) -> Callable[[Parameters, Dialect], Request]:
    reader = conferences.changer(change)
    return lambda given, dialect: reader(given, dialect.number)


_READERS: dict[str, Callable[[Parameters, Dialect], Request]] = {
    "call": _call,
    "hangup": lambda given, _: Hangup(_call_id(given), _immediate(given)),
    **{method: _on_either(method) for method in _ON_EITHER},
    "startconf": lambda given, dialect: conferences.start_conf(given, dialect.number, dialect.callback),
    "joinconf": lambda given, dialect: conferences.join_conf(given, dialect.callback),
    "leaveconf": lambda given, _: conferences.leave_conf(given),
    "hangupconf": lambda given, _: conferences.hangup_conf(given),
    "queryconf": lambda given, _: conferences.query_conf(given),
    "confcall": lambda given, dialect: conferences.conf_call(
        given, dialect.number, dialect.announcement, dialect.callback
    ),
    **{f"{change}conf": _changer(change) for change in get_args(Change) if change != "hangup"},
    "coachconf": lambda given, _: conferences.coach_conf(given),
    "answer": lambda given, _: Answer(_call_id(given)),
    "reject": lambda given, _: Reject(_call_id(given), given.optional("reason", p.rejection)),
    "signal": _signal,
    "gather": _gather,
    "connect": _connect,
    "transfer": lambda given, dialect: Transfer(
        _call_id(given), given.required("callee", dialect.number, "15125551234")
    ),
    "mute": lambda given, _: Mute(_call_id(given), True, _immediate(given)),
    "unmute": lambda given, _: Mute(_call_id(given), False, _immediate(given)),
    "enqueue": lambda given, dialect: queues.enqueue(given, dialect.announcement, dialect.callback),
    "serve": lambda given, dialect: queues.serve(given, dialect.callback),
    "leavequeue": lambda given, _: queues.LeaveQueue(_call_id(given)),
    "queryqueues": lambda given, _: queues.query_queues(given),
    "querycall": lambda given, _: QueryCall(_call_id(given)),
    "querycalls": lambda given, dialect: records.calls(given, p.any_number(dialect.country)),
    "querylegs": lambda given, dialect: records.legs(given, p.any_number(dialect.country)),
    "querymessages": lambda given, dialect: records.messages(given, p.any_number(dialect.country)),
    "querybill": lambda given, _: records.bill(given),
    "querymessage": lambda given, _: records.message(given),
    "script": _script,
    "trace": lambda given, _: scripts.trace(given),
    "check": lambda given, _: scripts.check(given),
    "run": lambda given, dialect: scripts.run(given, dialect.callback),
    "simulate": lambda given, _: scripts.simulate(given),
    "number": lambda given, dialect: numbers.number(given, dialect.country, dialect.callback),
    "numberremove": lambda given, dialect: numbers.remove(given, dialect.country),
    "sendreceivesms": lambda given, dialect: messages.send_receive(given, dialect.country, dialect.callback),
    "sendsms": lambda given, dialect: messages.send_one(given, dialect.country),
    "keyword": lambda given, dialect: messages.keyword(given, dialect.country, dialect.callback),
    "keywordremove": lambda given, dialect: messages.remove(given, dialect.country),
    "querycallbacks": lambda given, _: callbacks.query(given),
    "callbackresend": lambda given, _: callbacks.resend(given),
    "recordingremove": lambda given, _: recordings.remove(given),
}


def read(method: str, given: Parameters, dialect: Dialect) -> Request:
    """Make the request of *method* (as `find_method` gives it).  Raises BadParameter."""
    request = _READERS[method](given, dialect)
    given.finish()
    return request
