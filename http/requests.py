"""The requests of the API, one class a method, as the reference names them.

A request is made from parameters and is right when it is made.  What it means is in `compile`.
"""

from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve, field, frozen

from ringful.http import number_requests as numbers
from ringful.http import parameters as p
from ringful.http import recordings
from ringful.http import script_requests as scripts
from ringful.http.parameters import Parameters


@frozen
class Dialect:
    """What the configuration says about numbers."""

    country: str = "US"
    sip_uris: bool = False


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
    busy: bool = False
    """The caller hears that the line is busy, and not that the call is declined."""


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
    | Record
    | RecordStop
    | WaitForTone
    | StartToneDetector
    | StopToneDetector
    | Tone
    | Answer
    | Reject
)
Request: TypeAlias = (
    Call
    | Task
    | QueryCall
    | Script
    | scripts.Trace
    | scripts.ScriptRequest
    | numbers.NumberRequest
    | recordings.RemoveRecording
)


def _call_id(given: Parameters) -> str:
    return given.required("callId", p.identifier, "r1-…")


def _callback(given: Parameters) -> str | None:
    return given.optional("callbackUrl", p.web_url)


def _immediate(given: Parameters) -> bool:
    said = given.optional("immediate immediately", p.boolean)
    return True if said is None else said


def _call(given: Parameters, dialect: Dialect) -> Call:
    number = p.number(dialect.country, sip=dialect.sip_uris)
    call = Call(
        given.required("callee", number, "15125551234"),
        given.optional("callerId", p.number(dialect.country, sip=False)),
        _callback(given),
        given.optional("ringTimeout", p.ring_seconds),
    )
    name = given.optional("script", p.script_name)
    if name is None:
        return call
    version = given.optional("version", p.version)
    return evolve(call, script=scripts.Named(name, version), given=scripts.values(given))


def _script(given: Parameters, _: Dialect) -> Request:
    call_id = given.optional("callId", p.identifier)
    return scripts.script(given) if call_id is None else Script(call_id)


def _play(given: Parameters, _: Dialect) -> Play:
    waits = given.optional("waitComplete", p.boolean)
    return Play(
        _call_id(given),
        given.required("announcement", p.announcement, "http://host/welcome.wav"),
        True if waits is None else waits,
        _callback(given),
    )


_READERS: dict[str, Callable[[Parameters, Dialect], Request]] = {
    "call": _call,
    "hangup": lambda given, _: Hangup(_call_id(given), _immediate(given)),
    "play": _play,
    "record": lambda given, _: Record(_call_id(given), _callback(given)),
    "recordstop": lambda given, _: RecordStop(_call_id(given), _immediate(given)),
    "waitfortone": lambda given, _: WaitForTone(
        _call_id(given), given.required("tone", p.tones, "1"), _callback(given)
    ),
    "starttonedetector": lambda given, _: StartToneDetector(
        _call_id(given), given.required("callbackUrl", p.web_url, "http://host/tones")
    ),
    "stoptonedetector": lambda given, _: StopToneDetector(
        _call_id(given), _callback(given), _immediate(given)
    ),
    "tone": lambda given, _: Tone(_call_id(given), given.required("tones tone", p.digits, "1234%23")),
    "answer": lambda given, _: Answer(_call_id(given)),
    "reject": lambda given, _: Reject(
        _call_id(given), given.optional("reason", p.one_of("busy", "declined")) == "busy"
    ),
    "querycall": lambda given, _: QueryCall(_call_id(given)),
    "script": _script,
    "trace": lambda given, _: scripts.trace(given),
    "check": lambda given, _: scripts.check(given),
    "run": lambda given, _: scripts.run(given),
    "simulate": lambda given, _: scripts.simulate(given),
    "number": lambda given, dialect: numbers.number(given, dialect.country),
    "numberremove": lambda given, dialect: numbers.remove(given, dialect.country),
    "recordingremove": lambda given, _: recordings.remove(given),
}

_ALIASES = {
    "stoprecord": "recordstop",
    "starttonedector": "starttonedetector",
    "stoptonedector": "stoptonedetector",
}
"""The reference's own slips."""

METHODS = (
    "Call",
    "Hangup",
    "Play",
    "Record",
    "RecordStop",
    "WaitForTone",
    "StartToneDetector",
    "StopToneDetector",
    "Tone",
    "Answer",
    "Reject",
    "QueryCall",
    "Trace",
    "Script",
    "Check",
    "Run",
    "Simulate",
    "Number",
    "NumberRemove",
    "RecordingRemove",
)

TAKES_TEXT = frozenset({"script", "check", "run", "simulate"})
"""The methods whose body may be the text of a script."""


def find_method(name: str) -> str | None:
    """Give the method's name in lower case, or None where there is none such."""
    lowered = name.lower()
    lowered = _ALIASES.get(lowered, lowered)
    return lowered if lowered in _READERS else None


def read(method: str, given: Parameters, dialect: Dialect) -> Request:
    """Make the request of *method* (as `find_method` gives it).  Raises BadParameter."""
    request = _READERS[method](given, dialect)
    given.finish()
    return request
