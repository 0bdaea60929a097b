"""What must hold of every run, whatever happens to it: laws over its journal.

A journal that ends is read; what it says is enough, so the laws hold of simulated and of real calls
alike.  Each thing that is broken is told with the law's name, which is stable.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from attrs import frozen

from ringful.grammar import nodes
from ringful.store.port import Entry

_FINAL = frozenset({"CallFailed", "CalleeHangUp", "ServerHangup", "ConfCallCompleted"})
_AFTERWARDS = frozenset({"TaskDiscarded", "ScriptFailed", "ToneDetectorStop", "MessageStatus"})
"""What may be told of a leg that is over, since it is not the leg's own news."""
_ON_LEGS = frozenset(
    {
        "Ring",
        "Answer",
        "Hangup",
        "Cue",
        "Play",
        "StopPlayback",
        "StartRecording",
        "StopRecording",
        "SendTones",
        "Connect",
        "Disconnect",
        "Mute",
        "Unmute",
        "Transfer",
    }
)
_ENDS: Mapping[str, tuple[str, str, str, frozenset[str]]] = {
    "Play": ("playback", "a playback", "PlaybackStarted", frozenset({"PlaybackEnded", "PlaybackFailed"})),
    "StartRecording": (
        "recording",
        "a recording",
        "RecordingStarted",
        frozenset({"RecordingEnded", "RecordingFailed"}),
    ),
    "SendTones": ("sending", "a sending of tones", "", frozenset({"TonesSent"})),
    "Connect": ("connection", "a connection", "Connected", frozenset({"Disconnected", "ConnectFailed"})),
    "Transfer": ("transfer", "a transfer", "", frozenset({"Transferred", "TransferFailed"})),
}
"""What an order is numbered by and called, and the events of its beginning and its end."""
_TOLD: Mapping[str, tuple[str, frozenset[str]]] = {
    "RecordStart": ("recordFile", frozenset({"RecordComplete", "RecordFailed"})),
    "PlayStart": ("announcement", frozenset({"PlayComplete", "PlayFailed"})),
}


_OF_MESSAGES = frozenset({"MessageQueued", "MessageArrived"})
"""What a message's journal begins with."""
_OUTCOMES = frozenset({"MessageDelivered", "MessageFailed"})
_STATUSES = ("queued", "sent", "delivered")


@frozen
class Broken:
    """A law that does not hold, and what shows it."""

    law: str
    said: str


def broken(entries: Iterable[Entry]) -> Iterator[Broken]:
    """Give what is broken in a journal of one or several runs that ought to have ended."""
    calls: dict[str, list[Entry]] = {}
    for entry in entries:
        calls.setdefault(entry.call_id, []).append(entry)
    for call_id, own in calls.items():
        posts = [entry.data for entry in own if entry.name == "Notify"]
        yield from _numbered(call_id, own, posts)
        if own[0].name in _OF_MESSAGES:
            yield from _message(call_id, own, posts)
            continue
        yield from _answers(own)
        yield from _refusals(own, posts)
        yield from _ended(call_id, own)
        yield from _final(posts)
        yield from _nothing_after(own)
        yield from _orders(own)
        yield from _told_ends(posts)
        yield from _tasks(own)
        yield from _timers(own)
        yield from _joins(own)
        yield from _members(own)
        yield from _billed(own, posts)


def _billed(own: Sequence[Entry], posts: Sequence[Mapping[str, Any]]) -> Iterator[Broken]:
    """Hold that each leg is billed by what its journal says, reckoned here once more."""
    at = {(entry.name, str(entry.data.get("leg"))): entry for entry in own}
    told = {int(entry.data["n"]): entry.at for entry in own if entry.name == "Notify"}
    for post in posts:
        fields = post["fields"]
        leg, bill = str(fields["callId"]), fields.get("billAmount")
        priced, answered = at.get(("Priced", leg)), at.get(("Answered", leg))
        if bill is None or priced is None:
            continue
        due = Fraction(0)
        if answered:
            seconds = ceil(round(told[int(post["n"])] - answered.at, 3))
            spent = at.get(("Spent", leg))
            due = _due(priced.data, min(seconds, spent.data["seconds"]) if spent else seconds)
        if abs(Fraction(bill) - due) > Fraction(1, 20_000):
            yield Broken("a leg is billed what it costs", f"{leg}: {bill} is not {float(due):.6f}")


def _due(price: Mapping[str, Any], seconds: int) -> Fraction:
    billed = int(price["first"])
    while billed < seconds:
        billed += int(price["following"])
    return Fraction(price["connection"]) + Fraction(price["per_minute"]) * billed / 60


def _numbered(call_id: str, own: Sequence[Entry], posts: Sequence[Mapping[str, Any]]) -> Iterator[Broken]:
    if [entry.n for entry in own] != list(range(1, len(own) + 1)):
        yield Broken("the journal has no gaps", f"{call_id}: its lines are not numbered from 1 without gaps")
    told = [post["n"] for post in posts]
    if told != list(range(1, len(told) + 1)):
        yield Broken("n has no gaps", f"{call_id}: its posts are numbered {told}")


def _ended(call_id: str, own: Sequence[Entry]) -> Iterator[Broken]:
    ends = [place for place, entry in enumerate(own) if entry.name == "Ended"]
    if len(ends) != 1:
        yield Broken("a run ends once", f"{call_id} ended {len(ends)} times")
    elif late := [entry.name for entry in own[ends[0] :] if entry.kind == "effect"]:
        yield Broken("nothing is done after the end", f"{call_id}: {late[0]} after its end")


def _final(posts: Sequence[Mapping[str, Any]]) -> Iterator[Broken]:
    told: dict[str, list[str]] = {}
    for post in posts:
        if action := post["fields"].get("action"):
            told.setdefault(post["fields"]["callId"], []).append(action)
    for leg, actions in told.items():
        finals = [action for action in actions if action in _FINAL]
        began = "CallEstablished" in actions
        if len(finals) > 1 or (began and not finals):
            said = ", ".join(finals) or "none"
            yield Broken("one final event for each leg", f"{leg} has {len(finals)} final events: {said}")
        elif finals:
            late = [one for one in actions[actions.index(finals[0]) + 1 :] if one not in _AFTERWARDS]
            if late:
                yield Broken("the final event is the last", f"{leg}: {late[0]} comes after {finals[0]}")


def _nothing_after(own: Sequence[Entry]) -> Iterator[Broken]:
    over: set[str] = set()
    for entry in own:
        leg = entry.data.get("leg")
        if entry.kind == "event" and entry.name in ("Refused", "HungUp"):
            over.add(str(leg))
        elif entry.kind == "effect" and entry.name in _ON_LEGS and leg in over:
            yield Broken("nothing is done on a leg after its end", f"{leg}: {entry.name} after its end")


def _orders(own: Sequence[Entry]) -> Iterator[Broken]:
    """Hold that each order on a leg has one end; one that came too late for its leg may have none."""
    over = {str(entry.data["leg"]) for entry in own if entry.name in ("Refused", "HungUp")}
    for order, (number, what, start, ends) in _ENDS.items():
        ordered = {_key(entry, number) for entry in own if entry.name == order}
        started = {_key(entry, number) for entry in own if entry.name == start}
        ended = Counter(_key(entry, number) for entry in own if entry.name in ends)
        for leg, one in sorted(ordered):
            least = 1 if (leg, one) in started or leg not in over else 0
            if not least <= ended[leg, one] <= 1:
                yield Broken(f"{what} ends once", f"{leg}: {what} ({one}) ended {ended[leg, one]} times")


def _key(entry: Entry, number: str) -> tuple[str, int]:
    return str(entry.data["leg"]), int(entry.data[number])


def _told_ends(posts: Sequence[Mapping[str, Any]]) -> Iterator[Broken]:
    """Hold that whoever was told of a beginning is told of one end."""
    for begin, (name, ends) in _TOLD.items():
        count: Counter[tuple[str, str]] = Counter()
        for post in posts:
            fields = post["fields"]
            # A recording's link may differ between the two in when it expires.
            what = str(fields.get(name)).partition("?" if name == "recordFile" else "\n")[0]
            action, key = fields.get("action"), (fields["callId"], what)
            count[key] += (action == begin) - (action in ends and count[key] > 0)
        for (leg, what), left in count.items():
            if left:
                yield Broken(f"{begin} has its end", f"{leg}: {begin} of {what}, and no end of it was told")


def _tasks(own: Sequence[Entry]) -> Iterator[Broken]:
    ended = next((place for place, entry in enumerate(own) if entry.name == "Ended"), len(own))
    queued = sum(entry.name == "Queued" for entry in own[:ended])
    outcomes = Counter(
        entry.data["task"] for entry in own if entry.kind == "outcome" and "task" in entry.data
    )
    for task in range(1, queued + 1):
        if outcomes[task] != 1:
            yield Broken("one outcome for each task", f"task {task} has {outcomes[task]} outcomes")


def _timers(own: Sequence[Entry]) -> Iterator[Broken]:
    left = [entry.data["timer"] for entry in own if entry.name == "SetTimer"]
    gone = {entry.data["timer"] for entry in own if entry.name in ("CancelTimer", "TimerFired")}
    if running := [timer for timer in left if timer not in gone]:
        yield Broken("no timer outlives its run", f"{len(running)} timers still run")


def _joins(own: Sequence[Entry]) -> Iterator[Broken]:
    """Hold that a leg that asked to be in a conference is told of one end of that, or ends itself."""
    asked: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    over: set[str] = set()
    for entry in own:
        match entry.name:
            case "JoinConference":
                asked[_leg(entry)] += 1
            case "LeaveConference" if entry.data["why"] in ("hangup", "lost"):
                ended[_leg(entry)] += 1
                over.add(_leg(entry))
            case "Left" if _leg(entry) not in over:
                # What a conference says to a leg that is over was on the way.
                ended[_leg(entry)] += 1
            case "Refused" | "HungUp":
                over.add(_leg(entry))
    for leg in asked.keys() | ended.keys():
        if ended[leg] != asked[leg]:
            said = f"{leg} asked {asked[leg]} times, and {ended[leg]} ends were told"
            yield Broken("a join ends once", said)


def _members(own: Sequence[Entry]) -> Iterator[Broken]:
    """Hold that a conference lets nobody in who did not ask, and lets everybody go once."""
    came = Counter(_leg(entry) for entry in own if entry.name == "MemberCame")
    over = {_leg(entry) for entry in own if entry.name == "MemberWent" and entry.data["why"] == "hangup"}
    admitted = Counter(_leg(entry) for entry in own if entry.name == "Admit")
    dismissed = Counter(_leg(entry) for entry in own if entry.name == "Dismiss")
    for leg in came.keys() | admitted.keys() | dismissed.keys():
        least = came[leg] - (leg in over)
        if admitted[leg] > came[leg] or not least <= dismissed[leg] <= came[leg]:
            said = (
                f"{leg} came {came[leg]} times, was let in {admitted[leg]} and let go {dismissed[leg]} times"
            )
            yield Broken("who comes to a conference is let go", said)


def _answers(own: Sequence[Entry]) -> Iterator[Broken]:
    """Hold that each message that a run sends is either taken or refused."""
    answered = Counter(
        entry.data["message"] for entry in own if entry.name in ("MessageTaken", "MessageRefused")
    )
    sent = Counter(entry.data["message"] for entry in own if entry.name == "SendMessage")
    for message in sent.keys() | answered.keys():
        if (sent[message], answered[message]) != (1, 1):
            said = f"{message} was sent {sent[message]} times and answered {answered[message]} times"
            yield Broken("a message is taken or refused", said)


def _refusals(own: Sequence[Entry], posts: Sequence[Mapping[str, Any]]) -> Iterator[Broken]:
    """Hold that whoever wants to know of a message is told once that it was refused."""
    wanted = {entry.data["message"]: entry.data["notify"] for entry in own if entry.name == "SendMessage"}
    told = Counter(
        post["fields"].get("messageId") for post in posts if post["fields"].get("action") == "MessageStatus"
    )
    refused = [str(entry.data["message"]) for entry in own if entry.name == "MessageRefused"]
    for message in refused:
        if told[message] != (wanted.get(message) is not None):
            said = f"{message} was refused, and that was told {told[message]} times"
            yield Broken("a refusal is told once", said)


def _message(message: str, own: Sequence[Entry], posts: Sequence[Mapping[str, Any]]) -> Iterator[Broken]:
    """Hold that a message has one outcome at most, that it was sent or failed, and what is told of it."""
    outcomes = [entry.name for entry in own if entry.name in _OUTCOMES]
    if len(outcomes) > 1:
        yield Broken("a message has one outcome", f"{message}: {', '.join(outcomes)}")
    if own[0].name == "MessageQueued" and not outcomes and all(one.name != "MessageSent" for one in own):
        yield Broken("a message does not stay queued", f"{message} was neither sent nor failed")
    told = [post["fields"]["status"] for post in posts if "status" in post["fields"]]
    steps = [*_STATUSES[: len(told) - 1], "failed"] if "failed" in told else list(_STATUSES[: len(told)])
    if told != steps:
        yield Broken("statuses come in order", f"{message}: {', '.join(told)}")
    if told and (told[-1] in ("delivered", "failed")) != bool(outcomes):
        yield Broken("the outcome is told", f"{message}: {outcomes or 'none'}, and told was {told[-1]}")


def _leg(entry: Entry) -> str:
    return str(entry.data["leg"])


def broken_farewells(visited: Iterable[tuple[nodes.Statement, str]]) -> Iterator[Broken]:
    """Hold that each ``on hangup`` that was registered ran once for each time that it was."""
    registered: dict[int, tuple[nodes.OnHangup, int]] = {}
    begun: Counter[int] = Counter()
    for statement, way in visited:
        if way:
            continue
        begun[id(statement)] += 1
        if isinstance(statement, nodes.OnHangup):
            registered[id(statement)] = statement, begun[id(statement)]
    for statement, times in registered.values():
        first = next(iter(statement.block.statements), None)
        if first and begun[id(first)] != times:
            ran = begun[id(first)]
            said = f"`on hangup` ({statement.span}) was registered {times} times and ran {ran} times"
            yield Broken("on hangup runs once", said)
