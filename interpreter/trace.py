"""A call as lines of text: what was done, what happened, what was told, and when.

Made from journal entries alone, so a call that was simulated, one that is going on, and one of last
year look alike.  What has no consequence on the call is left out: timers, sounds that were fetched
ahead of their turn, tasks that were simply done.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field, frozen

from ringful.interpreter.journal import kept
from ringful.interpreter.secrets import HIDDEN, hidden
from ringful.interpreter.values import to_json
from ringful.store.port import Entry


@frozen
class Line:
    """One line: *at* in seconds since the beginning."""

    at: float
    leg: str
    verb: str
    text: str
    place: str = ""
    """Where in the script, as ``file:line``."""


def _quoted(text: object) -> str:
    return f'"{text}"'


def sound_name(sound: Mapping[str, Any]) -> str:
    """Give what *sound* (as the journal has it) is called: its URL, or the spoken text."""
    return str(sound.get("url") or sound.get("text") or sound["sound"].lower())


def _how(offset: float, speed: float) -> str:
    """Say from where in a sound, and how fast, it is played."""
    place = f" from {round(offset * speed, 2):g}s" if offset else ""
    return place if speed == 1.0 else f"{place} speed {speed:g}"


_SILENT = frozenset(
    {"SetTimer", "CancelTimer", "TimerFired", "Prepare", "Cue", "PlaybackStarted", "MessageTaken", "Routed"}
    | {"done"}
)
"""What is most frequent among all that has no line."""


@define
class Tracer:
    """Make lines of entries, one call's in order."""

    began: float | None = None
    _sounds: dict[tuple[str, int], str] = field(factory=dict)
    _files: dict[tuple[str, int], str] = field(factory=dict)
    _rooms: set[str] = field(factory=set)

    def lines(self, entries: Iterable[Entry]) -> list[Line]:
        """Give the lines of *entries*."""
        return [line for entry in entries if (line := self.line(entry))]

    def line(self, entry: Entry) -> Line | None:
        """Give the line of *entry*, or None where it has none."""
        if self.began is None:
            self.began = entry.at
        if entry.name in _SILENT:
            return None
        data = entry.data
        if entry.name == "MemberPressed":
            data = {**data, "leg": entry.call_id, "by": data["leg"]}
        if entry.kind == "effect":
            said = self._effect(entry.name, data)
        elif entry.kind == "event":
            said = self._event(entry.name, data)
        else:
            said = _outcome(entry.name, data)
        if said is None:
            return None
        fields = data.get("fields", {})
        # What is told of a message has a journal of its own, and names the call that sent it.
        of_message = fields.get("messageId") == entry.call_id
        leg = str(data.get("leg") or (not of_message and fields.get("callId")) or entry.call_id)
        place = str(data.get("at_line", "")).rpartition("/")[2]
        return Line(entry.at - self.began, leg, *said, place if not place.startswith(":") else "")

    def _effect(self, name: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
        match name:
            # The most frequent one first: the arms are tried in their order.
            case "Notify":
                return "post", " ".join([str(data["url"]), *_fields(data["fields"])])
            case "Ring":
                return "ring", f"{data['number']}{_shown(data.get('shown'))}"
            case "Answer":
                return "answer", ""
            case "Progress":
                return "early", ""
            case "Reject":
                return "reject", _rejected(data)
            case "Hangup":
                return "hangup", "" if data["why"] == "script" else f"({data['why']})"
            case "Play":
                sound = sound_name(data["sound"])
                self._sounds[data["leg"], data["playback"]] = sound
                verb = "say" if data["sound"]["sound"] == "Speech" else "play"
                how = _how(data.get("offset", 0.0), data["sound"].get("speed", 1.0))
                return (f"start {verb}" if data["background"] else verb), _quoted(sound) + how
            case "StopPlayback":
                stopped = self._sounds.get((data["leg"], data["playback"]))
                return None if stopped is None else ("stop play", _quoted(stopped))
            case "StartRecording":
                self._files[data["leg"], data["recording"]] = data["file"]
                return "record", str(data["file"])
            case "StopRecording":
                return "stop record", self._files.get((data["leg"], data["recording"]), "")
            case "OpenRoom":
                self._rooms.add(str(data["room"]))
                return None
            case "OpenConference":
                return "conference", str(data["conference"])
            case "JoinConference":
                coaching = f" coaching {data['coaching']}" if data.get("coaching") else ""
                return "join", f"{data['conference']}{coaching}"
            case "LeaveConference":
                why = "" if data["why"] == "left" else f" ({data['why']})"
                return None if data["why"] == "hangup" else ("leave", f"{data['conference']}{why}")
            case "Signal":
                return "signal", " ".join([f"{data['name']} to {data['call']}", _json(data["fields"])])
            case "EndConference":
                return "end", str(data["conference"])
            case "ChangeMembers":
                where = "from" if data["change"] == "kick" else "in"
                return str(data["change"]), f"{data['who'] or 'others'} {where} {data['conference']}"
            case "QueueOn":
                return "in", f"{data['conference']}: {' '.join(str(data['statement']).split())}"
            case "EnterQueue" | "ServeQueue":
                return name.removesuffix("Queue").lower(), f"queue {data['queue']}"
            case "LeaveQueue":
                return "leave", f"queue {data['queue']}"
            case "SendTones":
                return "tone", str(data["tones"])
            case "Connect":
                return "connect", str(data["other"])
            case "Disconnect" | "Mute" | "Unmute":
                return name.lower(), ""
            case "Transfer":
                return "transfer", str(data["number"])
            case "SendMessage":
                by = f" via {data['operator']}" if data["operator"] else ""
                return "sms", f"{data['number']}{by} {_quoted(data['text'])}"
            case "Ask":
                return "ask", " ".join([str(data["url"]), *_fields(data["fields"])])
            case _:
                return None

    def _event(self, name: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
        match name:
            case "Started" if "offer" in data:
                return "called", _called(data["offer"])
            case "Started" if "message" in data:
                came = data["message"]
                return "texted", f"{came['number']} by {came['sender']} {_quoted(came['text'])}"
            case "Answered" if data["leg"] in self._rooms:
                return "opened", ""
            case "Ringing" | "Answered":
                return name.lower(), ""
            case "Priced":
                return _price(data)
            case "Spent":
                return "spent", f"{data['seconds']} s were paid"
            case "Refused":
                return "refused", " ".join(str(one) for one in (data["reason"], data["sip_status"]) if one)
            case "HungUp" if data["leg"] in self._rooms:
                return "closed", "" if data["by"] != "lost" else "lost"
            case "HungUp":
                return "ended", f"by {data['by']}" if data["by"] != "lost" else "lost"
            case "TonePressed":
                return "pressed", HIDDEN if hidden(data) else str(data["tone"])
            case "PlaybackEnded":
                sound = self._sounds.get((data["leg"], data["playback"]), "")
                return "played", _quoted(sound) + ("" if data["reason"] == "end" else f" ({data['reason']})")
            case "PlaybackFailed":
                sound = self._sounds.get((data["leg"], data["playback"]), "")
                return "not played", f"{_quoted(sound)} {data['detail']}"
            case "RecordingEnded":
                file = self._files.get((data["leg"], data["recording"]), "")
                return "recorded", f"{file} {data['duration_ms'] / 1000:g}s ({data['reason']})"
            case "RecordingFailed":
                return "not recorded", str(data["detail"])
            case "TonesSent":
                return ("sent", "") if data["sent"] else ("not sent", "")
            case "Joined":
                return "joined", str(data["conference"])
            case "Left":
                return "left", f"{data['conference']} ({data['why']})"
            case "Signalled":
                by = f" by {data['by']}" if data["by"] else ""
                return "event", f"{data['name']}{by} {_json(data['fields'])}"
            case "Placed":
                return "placed", f"{data['place'] or 'nowhere'} in queue {data['queue']}"
            case "NextCame":
                return "next", f"{data['caller']} of queue {data['queue']}"
            case "Summoned":
                return "summoned", f"from queue {data['queue']}"
            case "NotReached":
                return "not reached", str(data["why"])
            case "Speaking":
                return ("speaks" if data["speaks"] else "is silent"), str(data["member"])
            case "JoinFailed":
                return "not joined", f"{data['member']}: {data['detail']}"
            case "MemberPressed":
                return "pressed", f"{data['tone']} by {data['by']}"
            case "Connected" | "Transferred":
                return name.lower(), ""
            case "Disconnected":
                return "disconnected", {"hangup": "", "other": "(the other leg ended)"}.get(
                    data["reason"], ""
                )
            case "TransferFailed":
                return "not transferred", " ".join(
                    str(one) for one in (data["reason"], data["sip_status"]) if one
                )
            case "Queued":
                return "queued", " ".join(str(data["statement"]).split())
            case "Interrupted":
                return "now", str(data["operation"])
            case "Steered":
                return "now", str(data["statement"])
            case "WebAnswered":
                return "web", HIDDEN if hidden(data) else _json(data["value"])
            case "WebFailed":
                return "web", f"failed: {data['reason']}"
            case _:
                return _message(name, data)


def _shown(shown: Mapping[str, Any] | None) -> str:
    """Say what a phone is shown of who calls, besides the number."""
    if not shown:
        return ""
    named = f" named {_quoted(shown['name'])}" if shown["name"] else ""
    sent = f" diverted from {shown['diverted_from']}" if shown["diverted_from"] else ""
    return f"{named}{' withheld' if shown['withheld'] else ''}{sent}"


def _rejected(data: Mapping[str, Any]) -> str:
    # Journals of old have a word.
    status = data.get("status", 486 if data.get("reason") == "busy" else 603)
    return {486: "(busy)", 603: ""}.get(status, f"({status})")


def _called(offer: Mapping[str, str]) -> str:
    """Say who called whom."""
    named = f" {_quoted(offer['name'])}" if offer.get("name") else ""
    sent = f", sent on by {offer['diverted_from']}" if offer.get("diverted_from") else ""
    return f"{offer['called']} by {offer['caller'] or 'nobody known'}{named}{sent}"


def _message(name: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Say what happened to a message."""
    match name:
        case "MessageRefused":
            detail = f" ({data['detail']})" if data["detail"] else ""
            return "not sent", f"{data['message']}: {data['reason']}{detail}"
        case "MessageQueued":
            sender = f" from {data['sender']}" if data["sender"] else ""
            parts = f" in {data['segments']} parts" if data["segments"] != 1 else ""
            return "queued", f"{data['number']}{sender}{parts}"
        case "MessageSent" | "MessageDelivered":
            return name.removeprefix("Message").lower(), ""
        case "MessageDelayed" | "MessageFailed":
            return name.removeprefix("Message").lower(), str(data["reason"])
        case "MessageUnsure":
            return "unsure", f"part {data['part']}: {data['reason']}"
        case "MessageAnswered":
            return "answered", f"by {data['from']}"
        case "MessageArrived":
            # Only a simulation says it here: a server's log does.
            what = f" ({data['what']})" if "what" in data else ""
            return "received", f"{data['to']} by {data['from']} {_quoted(data['text'])}{what}"
        case _:
            return None


def _price(data: Mapping[str, Any]) -> tuple[str, str] | None:
    fee = "" if data["connection"] == "0" else f", {data['connection']} to connect"
    steps = f"{data['first']} s, then {data['following']} s"
    free = not Decimal(data["per_minute"]) and not Decimal(data["connection"])
    return None if free else ("priced", f"{data['per_minute']} a minute{fee}; {steps}")


def _json(value: Any) -> str:
    return json.dumps(to_json(kept(value)), ensure_ascii=False)


def _outcome(name: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
    match name:
        case "failed" | "interrupted" | "discarded":
            return name, f"task {data['task']}: {data.get('detail', '')}"
        case "NotConnected":
            return "not connected", f"{data['other']}: {data['reason']}"
        case "Picked":
            return "picked", str(data["value"])
        case "NotFollowed":
            return "not followed", str(data["reason"])
        case "ScriptFailed":
            return "script failed", f"{data['place']}: {data['reason']}"
        case _:
            return None


def _fields(fields: Mapping[str, str]) -> list[str]:
    return [f"{name}={_plain(value)}" for name, value in fields.items()]


def _plain(value: str) -> str:
    # Split at blanks, a text without any is the one part of itself.
    return value if value.split() == [value] else _quoted(value)


def clock(seconds: float) -> str:
    """Show seconds as ``MM:SS.mmm``, with hours where there are any."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    shown = f"{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
    return f"{hours}:{shown}" if hours else shown


def render(lines: Iterable[Line]) -> str:
    """Show *lines* in columns, each with its place in the script at the end."""
    kept = list(lines)
    legs = max([len(line.leg) for line in kept], default=0)
    shown, at, time = [], 0.0, clock(0.0)
    for line in kept:
        if line.at != at:  # Several things happen at one time.
            at, time = line.at, clock(line.at)
        text = f"{time}  {line.leg:{legs}}  {line.verb:<12}  {line.text}".rstrip()
        shown.append(f"{text}  @{line.place}\n" if line.place else f"{text}\n")
    return "".join(shown)
