"""The names of the API's methods; `requests` reads what is asked by each."""

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
    "Say",
    "StopPlay",
    "PausePlay",
    "ResumePlay",
    "SkipPlay",
    "SpeedPlay",
    "Record",
    "RecordStop",
    "WaitForTone",
    "StartToneDetector",
    "StopToneDetector",
    "Tone",
    "Answer",
    "Reject",
    "Signal",
    "Gather",
    "Connect",
    "Transfer",
    "Mute",
    "Unmute",
    "Enqueue",
    "Serve",
    "LeaveQueue",
    "QueryQueues",
    "StartConf",
    "JoinConf",
    "LeaveConf",
    "HangupConf",
    "QueryConf",
    "ConfCall",
    "MuteConf",
    "UnmuteConf",
    "DeafenConf",
    "UndeafenConf",
    "KickConf",
    "CoachConf",
    "QueryCall",
    "QueryCalls",
    "QueryLegs",
    "Trace",
    "Script",
    "Check",
    "Run",
    "Simulate",
    "Number",
    "NumberRemove",
    "SendReceiveSms",
    "SendSms",
    "QueryMessages",
    "QueryMessage",
    "QueryBill",
    "Keyword",
    "KeywordRemove",
    "QueryCallbacks",
    "CallbackResend",
    "RecordingRemove",
)

_KNOWN = {name.lower(): name.lower() for name in METHODS} | _ALIASES

TAKES_TEXT = frozenset({"script", "check", "run", "simulate"})
"""The methods whose body may be the text of a script."""

TAKE_LONG = frozenset({"trace", "check", "simulate"})
"""The methods that may take long, and change nothing."""


def find_method(name: str) -> str | None:
    """Give the method's name in lower case, or None where there is none such."""
    return _KNOWN.get(name.lower())
