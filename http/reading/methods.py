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

_KNOWN = frozenset(name.lower() for name in METHODS)

TAKES_TEXT = frozenset({"script", "check", "run", "simulate"})
"""The methods whose body may be the text of a script."""


def find_method(name: str) -> str | None:
    """Give the method's name in lower case, or None where there is none such."""
    lowered = name.lower()
    lowered = _ALIASES.get(lowered, lowered)
    return lowered if lowered in _KNOWN else None
