"""A call as the log tells it: a line for its beginning, one for its end, and one for what went wrong.

Made of the journal's lines as they are written, and of the run that writes them, which stands where
it stood before that line.  Whom a call is for, how it came out and who ended it are told; what was
said, played, keyed, asked and answered is the journal's, and no line of the log holds any of it.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

import structlog
from attrs import field, frozen

from ringful.ground.faults import fault
from ringful.interpreter.calls.ends import who
from ringful.interpreter.calls.trunk_failures import Trunk, failure, host_of
from ringful.interpreter.hearing import begun
from ringful.interpreter.leg import Leg
from ringful.interpreter.money.amounts import plain
from ringful.interpreter.room import end_of
from ringful.interpreter.run import Run
from ringful.media import port
from ringful.store.port import CallRecord, Entry, Key

log = structlog.get_logger()

Weight: TypeAlias = Literal["info", "warning"]


class Known(Protocol):
    """A call of this node."""

    @property
    def key(self) -> Key:
        """Whose it is."""

    @property
    def record(self) -> CallRecord:
        """How it stood after its last turn."""

    @property
    def run(self) -> Run:
        """What it does."""


@frozen
class LogLine:
    """One line: what happened, and *about* what."""

    weight: Weight
    event: str
    about: dict[str, Any]


@frozen
class CallsLog:
    """Makes lines of journal entries; *find* gives the call that an entry is of."""

    find: Callable[[str], Known | None]
    trunk: Callable[[str], Trunk]
    """Gives what a leg went by last."""
    _sounds: dict[str, dict[tuple[str, int], str]] = field(factory=dict)
    """What is played at present on the legs of each call: ``speech``, or an announcement's URL."""

    def watch(self, entry: Entry) -> None:
        """Log what there is to say of *entry*; a fault here is no fault of the call."""
        if entry.n != 2 and entry.name not in _SAID:
            return
        try:
            for line in self.lines(entry):
                getattr(log, line.weight)(line.event, call=entry.call_id, **line.about)
        except Exception as error:
            fault("telling the log of a call", error, call=entry.call_id)

    def lines(self, entry: Entry) -> list[LogLine]:
        """Give the lines that *entry* is worth, in order."""
        known = self.find(entry.call_id)
        if known is None:
            return []
        lines = [_begins(known)] if entry.n == 2 else []
        match entry.kind, entry.name:
            case "effect", "Play":
                self._note_sound(entry)
            case "effect", "Ring" if entry.data["leg"] != entry.call_id:
                about = {"leg": _short(entry), "number": entry.data["number"]}
                lines.append(LogLine("info", "a leg begins", about))
            case "event", name if name in _OF_LEGS:
                lines += self._of_leg(known.run, entry)
            case "outcome", "Ended":
                ended = _ended(known)
                lines.append(LogLine(ended.weight, ended.event, ended.about | self._by(entry.call_id)))
                self._sounds.pop(entry.call_id, None)
        return lines

    def _note_sound(self, entry: Entry) -> None:
        data, sound = entry.data, entry.data["sound"]
        playing = self._sounds.setdefault(entry.call_id, {})
        playing[data["leg"], data["playback"]] = str(sound.get("url") or sound["sound"].lower())

    def _of_leg(self, run: Run, entry: Entry) -> list[LogLine]:
        data = entry.data
        leg = run.legs.get(data["leg"])
        if leg is None or leg.state == "over" or (leg.room and entry.name in ("Refused", "HungUp")):
            return []  # The end of a room is the conference's.
        on = {"leg": _short(entry)} if leg.name != entry.call_id else {}
        match entry.name:
            case "PlaybackEnded":
                self._played(entry)
            case "PlaybackFailed":
                about = _sound(self._played(entry), str(data["detail"]))
                return [LogLine("warning", "a sound could not be made", on | about)]
            case "RecordingFailed" if data["detail"] != port.NOT_BEGUN:
                return [LogLine("warning", "a recording could not be made", on | {"why": data["detail"]})]
            case "Spent":
                about = {"seconds": data["seconds"], "spent": data["spent"], "cap": data["cap"]}
                return [LogLine("info", "a key can pay no more for a leg", on | about)]
            case "Refused":
                wrong = [] if leg.inbound else _not_taken(self.trunk(leg.name), leg, data, on)
                about = {"outcome": data["reason"]} | _status(data["sip_status"])
                return wrong + _leg_ended(entry, leg, on, about | self._by(leg.name))
            case "HungUp":
                about = {"by": who(leg, str(data["by"]))}
                if leg.answered_at is not None:
                    about["seconds"] = begun(leg.answered_at, entry.at)
                return _leg_ended(entry, leg, on, about | self._by(leg.name))
        return []

    def _by(self, leg: str) -> dict[str, str]:
        name = self.trunk(leg).name
        return {"trunk": name} if name else {}

    def _played(self, entry: Entry) -> str:
        playing = self._sounds.get(entry.call_id, {})
        return playing.pop((entry.data["leg"], entry.data["playback"]), "")


_OF_LEGS = frozenset({"PlaybackEnded", "PlaybackFailed", "RecordingFailed", "Refused", "HungUp", "Spent"})
_SAID = _OF_LEGS | {"Play", "Ring", "Ended"}
"""Entries of any other name are worth no line, but for a call's second one: that is where it begins."""


def _short(entry: Entry) -> str:
    """Give the name of the entry's leg within its call."""
    return str(entry.data["leg"]).removeprefix(f"{entry.call_id}.")


def _begins(known: Known) -> LogLine:
    if known.run.started.plan:
        return LogLine("info", "a conference begins", _about(known))
    what = "a call" if known.run.subject or known.run.started.offer else "a script"
    return LogLine("info", f"{what} begins", _about(known))


def _about(known: Known) -> dict[str, Any]:
    run, key = known.run, known.key
    about: dict[str, Any] = {"key": key.key, "name": key.name}
    leg, offer, plan = run.subject, run.started.offer, run.started.plan
    if plan:
        about |= {"conference": plan.name} if plan.name else {}
    elif offer:
        about |= {"direction": "inbound", "number": offer.called, "caller": offer.caller}
    elif leg:
        about |= {"direction": "outbound", "number": leg.number}
    if run.started.origin:
        about["script"] = f"{run.started.origin.name} v{run.started.origin.version}"
    if run.started.label:
        about["label"] = run.started.label
    return about


def _ended(known: Known) -> LogLine:
    run, leg = known.run, known.run.subject
    if leg and leg.room:
        about = _about(known) | {"reason": end_of(leg), "seconds": run.duration or 0}
        heavy: Weight = "warning" if end_of(leg) == "lost" or leg.refused else "info"
        return LogLine(heavy, "a conference has ended", about)
    about = _about(known) | {"outcome": run.outcome}
    if leg:
        about |= _status(leg.sip_status) | {"by": who(leg, leg.ended_by)}
        about["seconds"] = run.duration or 0
    about["bill"] = plain(run.bill)
    if run.fault and run.fault.span.line:
        about["place"] = str(run.fault.span)  # What was wrong there may hold what somebody said.
    if run.failures:
        about["failures"] = sum(one.times for one in run.failures)
    lost = leg is not None and leg.ended_by == "lost"
    what = "a call" if leg or run.started.offer else "a script"
    weight: Weight = "warning" if lost else "info"
    return LogLine(weight, f"{what} has ended", about)


def _leg_ended(entry: Entry, leg: Leg, on: dict[str, str], about: dict[str, Any]) -> list[LogLine]:
    if leg.name == entry.call_id:
        return []  # Its end is the call's, which comes when the script has said its farewell.
    return [LogLine("info", "a leg has ended", on | {"number": leg.number} | about)]


def _status(status: int | None) -> dict[str, Any]:
    return {} if status is None else {"sip": status}


def _not_taken(trunk: Trunk, leg: Leg, data: Any, on: dict[str, str]) -> list[LogLine]:
    rang = leg.ringing_at is not None
    meaning = failure(trunk, leg.number, data["reason"], data["sip_status"], str(data["detail"]), rang=rang)
    if meaning is None:
        return []
    about = _status(data["sip_status"]) | {"why": meaning}
    if data["detail"]:
        about["said"] = str(data["detail"])[:200]
    if data["reason"] == "capacity":
        return [LogLine("warning", "a call could not be placed", on | about)]
    name = {"trunk": trunk.name} if trunk.name else {}
    about = {"host": host_of(trunk, leg.number)} | name | about
    return [LogLine("warning", "the trunk did not take a call", on | about)]


def _sound(sound: str, why: str) -> dict[str, Any]:
    """Say which kind of sound it was, and not which: its name may be made of what somebody keyed."""
    if sound.lower().startswith(("http://", "https://")):
        return {"sound": sound, "why": why}  # The log leaves only its host.
    return {"sound": "speech" if sound == "speech" else "announcement", "why": _without(why, sound)}


def _without(why: str, sound: str) -> str:
    for name in (sound, sound.rpartition("/")[2], sound.removeprefix("file:")):
        if name and name not in ("speech", "ringback"):
            why = why.replace(name, "…")
    return why
