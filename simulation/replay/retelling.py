"""Make a case of a call's journal: what the far ends, the web and the clients did, and nothing of ours.

A far end's keys answer what it heard, so each step's time counts from the last sound that began or
ended before it: where a changed script speaks longer, the key comes later.  *absolute* counts from
the beginning of the call instead.  How long sounds were is what was measured; one that never came to
its end was longer by an unknown time, and is given `UNHEARD` more.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import floor
from pathlib import Path
from typing import Any

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.grammar.checking.checker import check
from ringful.grammar.showing.printer import show
from ringful.interpreter import events
from ringful.interpreter.calls.view import rebuild
from ringful.interpreter.hearing import rate_of
from ringful.interpreter.journal import decode_event
from ringful.interpreter.money.rates import INBOUND, OUTBOUND, Direction, Rate
from ringful.interpreter.settings import Settings
from ringful.interpreter.sources import Source, parsed
from ringful.interpreter.trace import sound_name
from ringful.simulation.cases.case import BadRecording, Case, SmsAnswer, WebAnswer
from ringful.simulation.replay.retold_phones import Keys, phones_of, playback_of
from ringful.store.port import Entry

_UNPAYABLE = Decimal(9999)
"""What a call costs that nobody may place; not so long that it is masked as a number."""

UNHEARD = 30.0
"""Seconds by which a sound that was cut short is taken to be longer than what was heard of it."""

_STRANGERS = frozenset({"OpenConference", "JoinConference", "OpenRoom", "QueueOn", "ChangeMembers"})


def retell(entries: Sequence[Entry], path: Path, *, keys: Keys = "answering") -> Case:
    """Make a case of the journal *entries*.

    Raises ValueError where the journal has no beginning, or the call was in a conference: then
    it is not what this journal alone tells.
    """
    first = entries[0] if entries else None
    if first is None or first.name != "Started":
        raise ValueError("its journal has no beginning")
    if any(entry.name in _STRANGERS for entry in entries):
        raise ValueError("it was in a conference, whose other calls have journals of their own")
    started = decode_event(first)
    assert isinstance(started, events.Started)
    case = Case(path, "", "", _whole(started), f"The call {first.call_id}", dict(started.params))
    # It ran when it was real, so it may run again, whatever the checker of today says.
    case.unchecked = any(problem.is_error for problem in check(case.source.script))
    began = first.at
    case.phones = phones_of(entries, started, keys)
    case.lengths, case.missing = _sounds(entries)
    case.bad_recording = _bad_recording(entries)
    case.web = list(_web(entries))
    case.sms = list(_sms(entries))
    case.requests = [(entry.at - began, event) for entry, event in _requests(entries)]
    if _has(case.source.script, nodes.Pick):
        case.chance = first.call_id
    if _has(case.source.script, nodes.Clock):
        case.clock = began
    case.rates = list(_rates(entries, started))
    case.cap = _cap(entries)
    return case


def _requests(entries: Sequence[Entry]) -> Iterator[tuple[Entry, events.Event]]:
    """Give what clients asked for, and the events that came from outside: its own come again."""
    own = Counter[str]()
    for entry in entries:
        match entry.name:
            case "Queued" | "Interrupted" | "Steered":
                yield entry, decode_event(entry)
            case "Signal" if entry.data["call"] == entry.call_id:
                own[str(entry.data["name"])] += 1
            case "Signalled":
                event = decode_event(entry)
                assert isinstance(event, events.Signalled)
                if not event.by and own[event.name]:
                    own[event.name] -= 1
                else:
                    yield entry, evolve(event, by="")


def _has(script: nodes.Script, kind: type[nodes.Statement]) -> bool:
    """Say whether a statement of *kind* stands in *script*."""
    return any(isinstance(one, kind) for one in within(script.body))


def _sms(entries: Sequence[Entry]) -> Iterator[SmsAnswer]:
    """Give what was said to the messages to each number that was refused one, in turn."""
    numbers = {
        entry.data["message"]: str(entry.data["number"]) for entry in entries if entry.name == "SendMessage"
    }
    said: dict[str, list[SmsAnswer]] = {}
    for entry in entries:
        if entry.name in ("MessageTaken", "MessageRefused"):
            number = numbers[entry.data["message"]]
            said.setdefault(number, []).append(_sms_answer(number, decode_event(entry)))
    for answers in said.values():
        if any(answer.reason for answer in answers):
            # The last one stands for those that follow.
            while answers[-2:-1] == answers[-1:]:
                answers.pop()
            yield from answers


def _sms_answer(number: str, event: events.Event) -> SmsAnswer:
    if isinstance(event, events.MessageRefused):
        return SmsAnswer(number, event.reason, event.detail)
    return SmsAnswer(number)


def _rates(entries: Sequence[Entry], started: events.Started) -> Iterator[Rate]:
    """Give what the legs cost, by their numbers; all others, which were never answered, cost nothing.

    A number that was not allowed costs more than anybody may spend.
    """
    numbers = {entry.data["leg"]: str(entry.data["number"]) for entry in entries if entry.name == "Ring"}
    known: set[tuple[str, Direction]] = set()
    for entry in entries:
        rate = _rate(entry)
        if rate is None:
            continue
        inbound = started.offer is not None and entry.data["leg"] == entry.call_id
        number = started.offer.called if inbound and started.offer else numbers.get(entry.data["leg"], "")
        direction = INBOUND if inbound else OUTBOUND
        prefix = "".join(filter(str.isdigit, number))[:15]
        if (rate.per_minute or rate.connection) and (prefix, direction) not in known:
            if not any(one == direction for _, one in known):
                yield Rate("", Decimal(0), direction=direction)
            known.add((prefix, direction))
            yield evolve(rate, prefix=prefix, direction=direction)


def _rate(entry: Entry) -> Rate | None:
    """Give the rate that *entry* tells of its leg, if it does."""
    if entry.name == "Refused" and entry.data["reason"] == "notallowed":
        return Rate("", Decimal(0), connection=_UNPAYABLE)
    if entry.name != "Priced":
        return None
    event = decode_event(entry)
    assert isinstance(event, events.Priced)
    return rate_of(event)


def _cap(entries: Sequence[Entry]) -> Decimal | None:
    """Give what the call's key could spend on it, where its money ran out; None: as much as it liked."""
    place = max((n for n, entry in enumerate(entries) if entry.name == "Spent"), default=None)
    if place is None:
        refused = any(_rate(entry) for entry in entries if entry.name == "Refused")
        return _UNPAYABLE - 1 if refused else None
    run, last = rebuild(entries[0].call_id, entries[:place], Settings()), entries[place]
    cap = run.bill
    for leg in run.legs.values():
        if leg.state == "up" and leg.rate and leg.answered_at is not None:
            # Legs pay ahead: at a border the next increment is paid.
            ahead = floor(round(last.at - leg.answered_at, 3)) + 1
            cap += leg.rate.price(last.data["seconds"] if leg.name == last.data["leg"] else ahead)
    return cap


def _whole(started: events.Started) -> Source:
    """Give the call's script with the flows that it uses in itself, so that it needs no other file."""
    flows = [
        one for used in started.uses.values() for one in used.body.statements if isinstance(one, nodes.Flow)
    ]
    own = started.script
    body = evolve(own.body, statements=(*own.body.statements, *flows))
    text = show(evolve(own, body=body, uses=()))
    return Source("script", text, parsed(text, "script"))


def _sounds(entries: Sequence[Entry]) -> tuple[dict[str, float], dict[str, str]]:
    names: dict[tuple[str, int], str] = {}
    began: dict[tuple[str, int], float] = {}
    offsets: dict[tuple[str, int], float] = {}
    speeds: dict[tuple[str, int], float] = {}
    lengths: dict[str, float] = {}
    cut: dict[str, float] = {}
    missing: dict[str, str] = {}
    for entry in entries:
        if entry.name in ("Play", "Cue"):
            names[playback_of(entry)] = sound_name(entry.data["sound"])
            offsets[playback_of(entry)] = entry.data.get("offset", 0.0)
            speeds[playback_of(entry)] = entry.data["sound"].get("speed", 1.0)
        elif entry.name == "PlaybackStarted":
            # It may go on where a handler interrupted it.
            began[playback_of(entry)] = entry.at - offsets[playback_of(entry)]
        elif entry.name == "PlaybackEnded" and playback_of(entry) in began:
            name, heard = names[playback_of(entry)], entry.at - began[playback_of(entry)]
            heard *= speeds[playback_of(entry)]
            if entry.data["reason"] == "end":
                lengths.setdefault(name, heard)
            else:
                cut[name] = max(heard, cut.get(name, 0.0))
        elif entry.name == "PlaybackFailed":
            missing.setdefault(names[playback_of(entry)], str(entry.data["detail"]))
    for name, heard in cut.items():
        lengths.setdefault(name, heard + UNHEARD)
    return lengths, {name: why for name, why in missing.items() if name not in lengths}


def _bad_recording(entries: Sequence[Entry]) -> BadRecording | None:
    began: dict[Any, float] = {}
    for entry in entries:
        if entry.name == "RecordingStarted":
            began[entry.data["leg"], entry.data["recording"]] = entry.at
        elif entry.name == "RecordingFailed":
            start = began.get((entry.data["leg"], entry.data["recording"]), entry.at)
            return BadRecording(str(entry.data["detail"]), entry.at - start)
    return None


def _web(entries: Sequence[Entry]) -> Iterator[WebAnswer]:
    answers = {entry.data["asking"]: entry for entry in entries if entry.name in ("WebAnswered", "WebFailed")}
    for entry in entries:
        if entry.name != "Ask":
            continue
        url, answer = str(entry.data["url"]), answers.get(entry.data["asking"])
        if answer is None:
            yield WebAnswer(url, after=None)
            continue
        event, after = decode_event(answer), answer.at - entry.at
        match event:
            case events.WebAnswered(_, value):
                yield WebAnswer(url, value, after=after)
            case events.WebFailed(_, reason):
                yield WebAnswer(url, fails=reason, after=after)
