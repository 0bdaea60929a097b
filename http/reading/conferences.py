"""The requests about conferences.

A conference is meant by its ID, or by its name.  `MuteConf` and its kin are ours.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from ringful.grammar.nodes import Change
from ringful.http.reading import parameters as p
from ringful.http.reading.parameters import BadParameter, Parameters
from ringful.interpreter.conference import bad_name, is_name

MOST = 250
"""Attendees that one request may call, and legs that it may say a conference holds."""
_DAY = 24 * 3600

Callback: TypeAlias = Callable[[Parameters], str | None]
"""Takes the URL that is to be told."""
Announcement: TypeAlias = Callable[[str, str], str]
"""Reads an announcement."""
Number: TypeAlias = Callable[[str, str], str]
"""Reads a phone number."""


@frozen
class StartConf:
    """Open a conference; the answer is its ID."""

    moderator: str
    wait_for_participant: bool = True
    callback_url: str | None = None
    call_id: str | None = None
    """The moderator's call; None: the newest one with that number, or a new one."""
    name: str | None = None
    most: int | None = None
    """How many legs it holds."""
    speaking: bool = False
    """Tell who speaks."""


@frozen
class JoinConf:
    """Let a call join in its turn."""

    conference: str
    call_id: str
    join_moderator: bool = True
    callback_url: str | None = None
    moderator: bool = False
    muted: bool = False
    deaf: bool = False
    waiting: bool = False
    """It stays outside until somebody is in who does not wait."""
    most: int | None = None
    within: int | None = None
    """Seconds that it waits outside."""
    limit: int | None = None
    """Seconds that it stays."""
    coach: str | None = None
    """The leg that alone hears it."""


@frozen
class LeaveConf:
    """Let a leg leave, now or in its turn."""

    conference: str
    call_id: str
    immediate: bool = True


@frozen
class HangupConf:
    """End a conference and every leg in it."""

    conference: str


@frozen
class QueryConf:
    """Tell who is in a conference."""

    conference: str


@frozen
class ConfCall:
    """Call a moderator, and then everybody else into a conference; the answer is its ID."""

    moderator: str
    attendees: tuple[str, ...]
    wait_tone_audio: str | None = None
    expected_tone: str | None = None
    wait_connect_audio: str | None = None
    callback_url: str | None = None
    label: str | None = None


@frozen
class ChangeConf:
    """Do *change* to a member by its call's ID or its *phone*; without either to all but *but* (ours)."""

    conference: str
    change: Change
    leg: str | None = None
    phone: str | None = None
    but: str | None = None


@frozen
class CoachConf:
    """Have the member *leg* be heard by the member *coach* alone; None: by all again (ours)."""

    conference: str
    leg: str
    coach: str | None = None


ConferenceTask: TypeAlias = StartConf | JoinConf | LeaveConf | HangupConf | ConfCall | ChangeConf | CoachConf
ConferenceRequest: TypeAlias = ConferenceTask | QueryConf


def conference(name: str, value: str) -> str:
    """Read what a conference is meant by: its ID or its name."""
    if not is_name(value) and re.fullmatch(r"[A-Za-z0-9._-]{1,120}", value):
        return value
    if is_name(value) and not bad_name(value):
        return value
    why = bad_name(value) if is_name(value) else f"{value!r} is no ID of one"
    raise BadParameter(name, "invalid", f"{name} must be the ID or the name of a conference: {why}")


def conference_name(name: str, value: str) -> str:
    """Read the name that a conference is to have."""
    if why := bad_name(value):
        raise BadParameter(name, "invalid", f"{name} cannot be {value!r}: {why}")
    return value


def _conference(given: Parameters) -> str:
    return given.required("confCallId", conference, "r1-….conf")


def _flag(given: Parameters, names: str, default: bool) -> bool:
    said = given.optional(names, p.boolean)
    return default if said is None else said


def start_conf(given: Parameters, number: Number, callback: Callback) -> StartConf:
    """Read `StartConf`."""
    return StartConf(
        given.required("moderator", number, "15125551234"),
        _flag(given, "waitForParticipant", True),
        callback(given),
        given.optional("callId", p.identifier),
        given.optional("name", conference_name),
        given.optional("most", p.to_most(MOST)),
        _flag(given, "speaking", False),
    )


def join_conf(given: Parameters, callback: Callback) -> JoinConf:
    """Read `JoinConf`."""
    # Whoever is to be heard by one alone would be heard by everybody.
    given.not_empty("coach", "give the call that alone hears this one, or leave it out")
    return JoinConf(
        _conference(given),
        given.required("participantCallId", p.identifier, "r1-…"),
        _flag(given, "joinModerator", True),
        callback(given),
        _flag(given, "asModerator", False),
        _flag(given, "muted", False),
        _flag(given, "deaf", False),
        _flag(given, "waiting", False),
        given.optional("most", p.to_most(MOST)),
        given.optional("within", p.to_most(_DAY)),
        given.optional("for", p.to_most(_DAY)),
        given.optional("coach", p.identifier),
    )


def leave_conf(given: Parameters) -> LeaveConf:
    """Read `LeaveConf`."""
    return LeaveConf(
        _conference(given),
        given.required("participantCallId", p.identifier, "r1-…"),
        _flag(given, "immediately immediate", True),
    )


def hangup_conf(given: Parameters) -> HangupConf:
    """Read `HangupConf`."""
    return HangupConf(_conference(given))


def query_conf(given: Parameters) -> QueryConf:
    """Read `QueryConf`."""
    return QueryConf(_conference(given))


def conf_call(given: Parameters, number: Number, sound: Announcement, callback: Callback) -> ConfCall:
    """Read `ConfCall`."""
    moderator = given.required("moderator", number, "15125551234")
    attendees = given.required("attendees", p.several(number, MOST - 1), "18185551234,17135551234")
    if moderator in attendees:
        raise BadParameter("attendees", "invalid", f"attendees holds the moderator, {moderator}")
    return ConfCall(
        moderator,
        attendees,
        given.optional("waitToneAudio", sound),
        given.optional("expectedTone", p.tones),
        given.optional("waitConnectAudio", sound),
        callback(given),
        given.optional("label", p.label),
    )


def coach_conf(given: Parameters) -> CoachConf:
    """Read `CoachConf`."""
    made = CoachConf(
        _conference(given),
        given.required("participantCallId", p.identifier, "r1-…"),
        given.optional("coach", p.identifier),
    )
    everybody = given.optional("all", p.boolean)
    if made.coach is None and not everybody:
        raise BadParameter("coach", "missing", "coach is missing; give the call that hears it, or all=true")
    if made.coach is not None and everybody:
        raise BadParameter("coach", "invalid", "give coach or all, not both")
    if made.coach == made.leg:
        raise BadParameter("coach", "invalid", "coach is participantCallId itself; give another member")
    return made


def changer(change: Change) -> Callable[[Parameters, Number], ChangeConf]:
    """Make the reader of `MuteConf`, `UnmuteConf`, `DeafenConf`, `UndeafenConf`, `KickConf`."""

    def read(given: Parameters, number: Number) -> ChangeConf:
        made = ChangeConf(
            _conference(given),
            change,
            given.optional("participantCallId", p.identifier),
            given.optional("phone", number),
            given.optional("exceptCallId", p.identifier),
        )
        everybody = given.optional("all", p.boolean)
        named = [one for one in (made.leg, made.phone, made.but) if one is not None]
        if len(named) + bool(everybody) > 1:
            message = "give one of participantCallId, phone, exceptCallId and all, not several"
            raise BadParameter("participantCallId", "invalid", message)
        if not named and not everybody:
            message = "participantCallId is missing; give it, or phone, or exceptCallId, or all=true"
            raise BadParameter("participantCallId", "missing", message)
        return made

    return read
