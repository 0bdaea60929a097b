"""The phones of a call that was, as its journal tells: what each far end did, and what that answered.

See `retelling` for what a far end's times count from.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import define, evolve, field, frozen

from ringful.interpreter import events
from ringful.interpreter.trace import sound_name
from ringful.simulation.cases.case import Heard, PhoneBlock, StepLine
from ringful.simulation.cases.texting import Texting, TextLine
from ringful.simulation.phones.world import plain_number
from ringful.store.port import Entry

Keys = Literal["answering", "after", "absolute"]
"""What a far end's times count from: the last sound, its own last step, or the beginning."""

_REFUSALS = {"busy": "busy", "rejected": "decline"}
_TRANSFERRED = ("Transferred", "TransferFailed")
AT_ONCE = 0.05
"""Seconds within which a far end itself refuses to be sent elsewhere; whom it is sent to takes longer."""


@frozen
class _Done:
    """Something that the far end did; *n* is its place in the journal."""

    n: float
    at: float
    step: StepLine


@frozen
class _Edge:
    """A sound that the far end heard begin or end."""

    n: float
    at: float
    edge: Literal["starts", "ends"]
    name: str


@define
class _Line:
    """What one leg's far end did and heard."""

    number: str
    rung: float
    called: str | None = None
    name: str = ""
    diverted_from: str = ""
    done: list[_Done] = field(factory=list)
    heard: list[_Edge] = field(factory=list)
    is_ours_to_end: bool = False
    """We were the ones to hang up."""
    transferable: bool = True
    sent: float = 0.0
    """When it was last sent to another number."""


def phones_of(entries: Sequence[Entry], started: events.Started, keys: Keys) -> list[PhoneBlock]:
    """Give the phones of the call whose journal is *entries*."""
    lines = _lines_of(entries, started)
    phones = [_phone(line, entries[0].at, keys) for line in lines.values() if not _is_nobody(line)]
    if came := started.message:
        phones = _with_text(phones, came)
    # Whoever was sent a message is taken to have got it: what became of it, another journal tells.
    rung = {plain_number(one.number) for one in phones} | {plain_number(one.number) for one in lines.values()}
    sent = (str(entry.data["number"]) for entry in entries if entry.name == "SendMessage")
    others = {plain_number(number): number for number in sent if plain_number(number) not in rung}
    return [*phones, *map(PhoneBlock, others.values())]


def _with_text(phones: list[PhoneBlock], came: events.Arrival) -> list[PhoneBlock]:
    """Let the phone that sent a text send it; a block of its own would take a call that it was rung for."""
    texting = Texting(texts=(TextLine(came.number, came.text),))
    for place, phone in enumerate(phones):
        if plain_number(phone.number) == plain_number(came.sender):
            return [*phones[:place], evolve(phone, texting=texting), *phones[place + 1 :]]
    return [PhoneBlock(came.sender, texting=texting), *phones]


def playback_of(entry: Entry) -> tuple[str, int]:
    """Give the leg and the number of the playback that *entry* is of."""
    return str(entry.data["leg"]), int(entry.data["playback"])


def _lines_of(entries: Sequence[Entry], started: events.Started) -> dict[str, _Line]:
    lines: dict[str, _Line] = {}
    if started.offer:
        first, offer = entries[0], started.offer
        lines[first.call_id] = _Line(
            offer.caller, first.at, offer.called, name=offer.name, diverted_from=offer.diverted_from
        )
    names: dict[tuple[str, int], str] = {}
    for entry in entries:
        data = entry.data
        leg = str(data.get("leg"))
        if entry.name == "Ring":
            lines[leg] = _Line(str(data["number"]), entry.at)
        elif entry.name in ("Play", "Cue"):
            names[leg, data["playback"]] = sound_name(data["sound"])
        elif line := lines.get(leg):
            if entry.name == "Transfer":
                line.sent = entry.at
                lines[_target(entry)] = _Line(str(data["number"]), entry.at)
            elif entry.name in _TRANSFERRED:
                _note_target(lines[_target(entry)], entry)
            _note(line, entry, names)
    for line in lines.values():
        _insert_speech(line, [one for one in entries if lines.get(str(one.data.get("leg"))) is line])
    return lines


def _note(line: _Line, entry: Entry, names: Mapping[tuple[str, int], str]) -> None:
    data = entry.data
    match entry.name:
        case "PlaybackStarted":
            line.heard.append(_Edge(entry.n, entry.at, "starts", names.get(playback_of(entry), "")))
        # That a sound ends with the call is not to be heard.
        case "PlaybackEnded" if data["reason"] != "hangup":
            line.heard.append(_Edge(entry.n, entry.at, "ends", names.get(playback_of(entry), "")))
        case "Hangup" | "Reject":
            line.is_ours_to_end = True
        case "TransferFailed" if data["sip_status"] == 603 and entry.at - line.sent < AT_ONCE:
            line.transferable = False
        case _:
            if step := _step(line, entry.name, data):
                line.done.append(_Done(entry.n, entry.at, step))


def _step(line: _Line, name: str, data: Mapping[str, Any]) -> StepLine | None:
    match name:
        case "Answered" if line.called is None:
            return StepLine("answer")
        case "TonePressed":
            return StepLine("press", (str(data["tone"]),))
        case "Refused" if line.is_ours_to_end:
            return None
        case "Refused" if line.called is None and data["reason"] != "cancelled":
            return StepLine(_REFUSALS.get(str(data["reason"]), "unreachable"))
        case "Refused":
            return StepLine("hang up")
        case "HungUp" if data["by"] in ("callee", "lost"):
            return StepLine("hang up" if data["by"] == "callee" else "lose")
        case _:
            return None


def _target(entry: Entry) -> str:
    """Name the line of the number that a leg was sent to."""
    return f"{entry.data['leg']} sent {entry.data['transfer']}"


def _note_target(line: _Line, entry: Entry) -> None:
    """Note what the number that a leg was sent to did with it."""
    reason = "answered" if entry.name == "Transferred" else str(entry.data["reason"])
    verbs = {"answered": "answer", "busy": "busy", "rejected": "decline", "unreachable": "unreachable"}
    if reason in verbs:
        line.done.append(_Done(entry.n, entry.at, StepLine(verbs[reason])))


def _is_nobody(line: _Line) -> bool:
    """Say whether no phone is there: rung, and not a thing was done, not even a refusal of its own."""
    return bool(line.done) and line.done[0].step.verb == "unreachable" and line.called is None


def _insert_speech(line: _Line, own: Sequence[Entry]) -> None:
    """Let the far end speak as long as a recording that silence would have ended went on."""
    silences: dict[int, float | None] = {}
    within: dict[int, float | None] = {}
    began: dict[int, Entry] = {}
    for entry in own:
        if entry.name == "StartRecording":
            silences[entry.data["recording"]] = entry.data["silence"]
            within[entry.data["recording"]] = entry.data.get("within")
        elif entry.name == "RecordingStarted":
            began[entry.data["recording"]] = entry
        elif entry.name == "RecordingEnded":
            silence, start = (one.get(entry.data["recording"]) for one in (silences, began))
            if within.get(entry.data["recording"]) and entry.data.get("level_db") is None:
                continue  # Nobody has spoken.
            if isinstance(silence, float | int) and isinstance(start, Entry):
                until = entry.at - silence if entry.data["reason"] == "silence" else entry.at
                _speak(line, start, until)


def _speak(line: _Line, start: Entry, until: float) -> None:
    """Put speech from *start* to *until* between the other steps: keys interrupt it."""
    breaks = [(one.n, one.at) for one in line.done if start.at < one.at < until]
    begins = [(float(start.n), start.at), *breaks]
    ends = [*(at for _, at in breaks), until]
    for (n, begin), end in zip(begins, ends, strict=True):
        if end - begin >= 0.001:
            line.done.append(_Done(n + 0.5, begin, StepLine("speak", (str(end - begin),))))
    line.done.sort(key=lambda one: one.n)


def _phone(line: _Line, began: float, keys: Keys) -> PhoneBlock:
    steps = []
    before, seen = line.rung, 0
    for done in line.done:
        step, at = done.step, done.at
        edges = [one for one in line.heard[seen:] if one.n < done.n]
        if keys == "absolute":
            steps.append(evolve(step, at=at - began))
        elif keys == "answering" and edges and step.verb not in ("answer", "speak"):
            last = edges[-1]
            turn = sum(one.edge == last.edge and last.name in one.name for one in edges)
            steps.append(evolve(step, when=Heard(last.name, last.edge, turn), after=max(0.0, at - last.at)))
        else:
            steps.append(evolve(step, after=max(0.0, at - before)))
        seen += len(edges)
        # A step that speaks ends with its last word, and the next one counts from there.
        before = at + (float(step.arguments[0]) if step.verb == "speak" else 0.0)
    return PhoneBlock(
        line.number,
        tuple(steps),
        line.called,
        transferable=line.transferable,
        name=line.name,
        diverted_from=line.diverted_from,
    )
