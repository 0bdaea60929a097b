"""A live call: its run, the turns that drain its inbox, and its door to the real world.

A turn drains the inbox and submits everything that came of it (journal lines, callbacks, the call's
record) as one write.  Effects are performed as they come; a callback is handed over for delivery
only once it is on the disk: the write itself says so, and no task waits for that.  A call is over when
the write of its last turn is settled.  A fault of ours ends that call and no other: a turn that fails
abandons the run and tells its end, and where even that fails the call is cut, without a word.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from os import urandom
from pathlib import Path
from typing import Any, Protocol

import structlog
import trio
from attrs import evolve, field, frozen

from ringful.grammar.errors import ScriptError
from ringful.ground.faults import fault
from ringful.ground.lag import Lag
from ringful.interpreter import effects, events
from ringful.interpreter.calls import ends
from ringful.interpreter.calls.handing import hand_over
from ringful.interpreter.calls.turning import Works
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.money.till import Cancel, Purse, Till
from ringful.interpreter.order import order
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.interpreter.sources import answered
from ringful.interpreter.values import Value
from ringful.media import port
from ringful.store.port import (
    CallRecord,
    Commit,
    Entry,
    Key,
    LegRecord,
    Message,
    Post,
    RecordingFile,
    Store,
    UsedSeq,
    Write,
)

log = structlog.get_logger()

_LONG_ANSWER = 2000
"""Characters of a script that take some milliseconds to parse."""


class Ask(Protocol):
    """Put a question to the web: ``json`` comes back as plain values, a ``script`` as its text."""

    async def __call__(self, url: str, fields: Mapping[str, str], want: str) -> Value:
        """Raises OSError or ValueError with a readable reason where there is no usable answer."""
        ...


class Full(Protocol):
    """Say why a key may have no further leg now; nothing if it may."""

    def __call__(self, *, counted: bool) -> str:
        """With *counted*, the leg in question is among those that are up already."""
        ...


class Media(port.Phones, port.Rooms, Protocol):
    """Phones, and rooms for their legs."""


class Meetings(Protocol):
    """The conferences of a node: a call reaches them by what it asks of them, and they its inbox."""

    def ask(self, call: "LiveCall", effect: effects.ForConference) -> None:
        """Put what *call* asks of a conference into that one's inbox."""

    def signal(self, call: "LiveCall", effect: effects.Signal) -> None:
        """Put an event that *call* sends into another's inbox, or its own."""

    def queue(self, call: "LiveCall", effect: effects.ForQueue) -> None:
        """Do what *call* asks of a queue."""

    def do(self, conference: "LiveCall", effect: effects.OfConference) -> None:
        """Do what *conference* asks of the room, and of the calls whose legs are in it."""


class Office(Protocol):
    """The messages of a node: a run's door hands them in, and they are sent once they are on the disk."""

    prices: Prices

    def take(
        self, key: Key, call_id: str, label: str, effect: effects.SendMessage
    ) -> Letter | events.MessageRefused:
        """Take a message, or say why not; nothing is sent before `dispatch`."""

    def dispatch(self, message: Message) -> None:
        """Send a message that is on the disk."""

    def lose(self, message: Message, *, tell: bool) -> None:
        """End a message that could not be stored; with *tell* its URL is told."""

    def judge(self, key: Key, number: str, text: str, operator: str, sender: str = "") -> Message:
        """Make the message that would be sent.  Raises NotSent."""


@frozen
class House:
    """What every live call of a node shares."""

    phones: Media
    store: Store
    deliver: Callable[[Post], None]
    """Takes a callback that is on the disk."""
    ask: Ask
    settings: Settings
    recordings: Path
    """The folder that recordings are written to."""
    may_call: Callable[[Key, str], bool]
    """Whether the key may call the number."""
    clock: Callable[[], float] = time.time
    follow: Callable[[], None] = lambda: None
    """Lets the clock follow the machine's: called only while no call is timed by it."""
    office: Office | None = None
    """None: no messages are sent here."""
    lag: Lag = field(factory=Lag)
    """How late the loop comes to what is due."""
    watchers: list[Callable[[Entry], None]] = field(factory=list)
    """Told every journal line as it is written."""


class LiveCall:
    """A call from its placing to its end."""

    def __init__(
        self,
        house: House,
        works: Works,
        key: Key,
        call_id: str,
        started: events.Started,
        full: Full,
        meetings: Meetings,
        till: Till,
    ) -> None:
        self.house = house
        self._full = full
        self._meetings = meetings
        self.key = key
        self.on_lines: Callable[[LiveCall], None] = lambda _: None
        """Told when it may hold more lines than before, or fewer."""
        self.on_over: Callable[[LiveCall], None] = lambda _: None
        """Told when nothing is left to do of it."""
        self.tells_unkept = True
        """Whether callbacks that could not be stored are delivered all the same: better told than neither."""
        self.is_conference = started.plan is not None
        """Whether it is the run of a conference, which has no line of its own."""
        self._works = works
        self._till = till
        self.run = Run(started, call_id, self, house.settings, journal=self._note, wake=self._wake)
        self.made: set[str] = set()
        """The conferences that were made for it, those that have ended among them."""
        self.was_cut = False
        """It was ended without a word, since nothing could be made of its run any more."""
        self.recorded = True
        """Whether it is listed among the calls."""
        self.purse = Purse(till, key.key, self.run)
        self.record = CallRecord(call_id, key.key, "", "live", house.clock())
        self.turns = 0
        self.done = trio.Event()
        self.committed: Commit | None = None
        """What the last turn wrote."""
        self._made: tuple[Any, CallRecord] = (None, self.record)
        """The record that was made last, and what of."""
        self._lines = -1
        """How many lines it held when that was told last."""
        self._woken = False
        self._is_ending = False
        """The run has ended, and the write that says so has been submitted."""
        self._turned: trio.Event | None = None
        self._entries: list[Entry] = []
        self._posts: list[Post] = []
        self._recordings: list[RecordingFile] = []
        self._letters: list[Letter] = []
        """The messages that this turn has sent."""
        self._timers: dict[int, Cancel] = {}

    # The door

    def now(self) -> float:
        """Give the time in Unix seconds, of what enters the inbox: what is due for want of money is in it."""
        at = self.house.clock()
        self._till.look(at)
        return at

    def perform(self, effect: effects.Effect) -> None:
        """Do *effect* for real."""
        phones = self.house.phones
        match effect:
            # The most frequent ones first: the arms are tried in their order.
            case effects.Notify(url, fields, n):
                post = Post(urandom(16).hex(), self.key.key, self.run.call_id, n, url, fields, self.run.now)
                self._posts.append(post)
            case effects.Play() | effects.Cue() | effects.Prepare() | effects.StopPlayback():
                order(phones, effect, self.house.recordings)
            case effects.Ring(leg, number, caller_id, shown):
                if refused := self._refusal(leg, number):
                    self.run.post(refused)
                else:
                    phones.ring(leg, number, caller_id, self.purse.hear, shown=shown)
            case effects.Transfer(leg, transfer, number):
                if self.house.may_call(self.key, number):
                    phones.transfer(leg, transfer, number)
                else:
                    self.run.post(port.TransferFailed(leg, transfer, "notallowed"))
            case effects.Signal():
                self._meetings.signal(self, effect)
            case effects.SetTimer(timer, seconds):
                self._set_timer(timer, seconds)
            case effects.CancelTimer(timer):
                if cancel := self._timers.pop(timer, None):
                    cancel()
            case (
                effects.OpenConference()
                | effects.ReleaseConference()
                | effects.JoinConference()
                | effects.LeaveConference()
                | effects.PassTone()
                | effects.QueueOn()
                | effects.EndConference()
                | effects.ChangeMembers()
            ):
                self._meetings.ask(self, effect)
            case (
                effects.EnterQueue()
                | effects.ServeQueue()
                | effects.LeaveQueue()
                | effects.Summon()
                | effects.PutBack()
            ):
                self._meetings.queue(self, effect)
            case (
                effects.OpenRoom()
                | effects.Admit()
                | effects.Adjust()
                | effects.Dismiss()
                | effects.NotReach()
            ):
                self._meetings.do(self, effect)
            case effects.StartRecording():
                # The folder may be gone; where it cannot be made anew, the recording fails and says why.
                with suppress(OSError):
                    self.house.recordings.mkdir(parents=True, exist_ok=True)
                order(phones, effect, self.house.recordings)
            case effects.Ask():
                self._works.tasks.start_soon(self._ask, effect)
            case effects.SendMessage():
                self._send(effect)
            case _:
                order(phones, effect, self.house.recordings)

    def _send(self, effect: effects.SendMessage) -> None:
        office = self.house.office
        if office is None:
            self.run.post(events.MessageRefused(effect.message, "unavailable", "no messages are sent here"))
            return
        taken = office.take(self.key, self.run.call_id, self.run.started.label, effect)
        if isinstance(taken, Letter):
            self._letters.append(taken)
            self.run.post(events.MessageTaken(effect.message, taken.message.segments))
        else:
            self.run.post(taken)

    @property
    def legs(self) -> int:
        """How many lines this call holds, or is about to: one at least while it lives.

        What a message began holds those alone that it places itself: a message waits for no line.
        """
        if self.is_conference:
            return 0
        legs = self.run.legs.values()
        held = len([leg for leg in legs if leg.state in ("ringing", "up") and not leg.room])
        return held if self.run.started.message else max(1, held)

    def _count_lines(self) -> None:
        if (lines := self.legs) != self._lines:
            self._lines = lines
            self.on_lines(self)

    def bring(self, letter: Letter) -> None:
        """Keep *letter*, which began this run, together with what the next turn writes."""
        self._letters.append(letter)

    def _refusal(self, leg: str, number: str) -> port.Refused | None:
        """Say why *number* may not be rung.  The first leg was counted when the call was placed."""
        if not self.house.may_call(self.key, number):
            return port.Refused(leg, "notallowed")
        first = self.run.subject is not None and self.run.subject.name == leg
        if not first:
            self._count_lines()
            if full := self._full(counted=True):
                return port.Refused(leg, "capacity", None, full)
        if unpaid := self.purse.ring(leg, number):
            return port.Refused(leg, "notallowed", None, unpaid)
        return None

    def _set_timer(self, timer: int, seconds: float) -> None:
        def run_out() -> None:
            self._timers.pop(timer, None)
            try:
                self.run.post(events.TimerFired(timer))
            except Exception as error:
                # What waits for it would wait for ever.
                self.give_up(fault("a call's timer", error, call=self.run.call_id))

        self._timers[timer] = self._works.agenda.after(seconds, run_out)

    async def _ask(self, effect: effects.Ask) -> None:
        try:
            answer = await self.house.ask(effect.url, effect.fields, effect.want)
            if effect.want == "script" and len(str(answer)) > _LONG_ANSWER:
                # The run will find it parsed, and nobody else's call has waited for that.
                with suppress(ScriptError):
                    await trio.to_thread.run_sync(answered, str(answer))
            told: events.Event = events.WebAnswered(effect.asking, answer)
        except OSError as error:
            told = events.WebFailed(effect.asking, str(error))
        except Exception as error:
            why = fault("asking the web", error, call=self.run.call_id)
            told = events.WebFailed(effect.asking, why)
        self.run.post(told)

    # Turns

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._works.turns.wake(self)

    def _note(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.kind == "event" and entry.name == "RecordingEnded":
            self._note_recording(entry.data)
        for watcher in self.house.watchers:
            try:
                watcher(entry)
            except Exception as error:
                fault("telling what happened on a call", error, call=self.run.call_id)

    def _note_recording(self, data: Mapping[str, Any]) -> None:
        leg = self.run.legs.get(data["leg"])
        recording = leg.recordings.get(data["recording"]) if leg else None
        if recording:
            self._recordings.append(
                RecordingFile(
                    recording.file,
                    self.run.call_id,
                    self.key.key,
                    self.run.now,
                    data["duration_ms"],
                    data["size"],
                )
            )

    def take_turn(self) -> None:
        """Take the turn that it was woken for, unless a request's turn has come before it."""
        if not self._woken or self._is_ending:
            return
        try:
            self.turn()
        except Exception as error:
            fault("serving a call", error, call=self.run.call_id)
            self._end()

    def turn(self, seqs: Sequence[UsedSeq] = ()) -> Commit:
        """Handle everything in the inbox, and submit what came of it.

        Whoever is woken by that takes a turn behind it, and not within.
        """
        with self._works.turns:
            return self._turn(seqs)

    def _turn(self, seqs: Sequence[UsedSeq]) -> Commit:
        try:
            self._drain()
            return self._submit(seqs)
        except Exception as error:
            why = fault("a call's turn", error, call=self.run.call_id)
        try:
            self._abandon(why)
            return self._submit(seqs)
        except Exception as error:
            why = fault("ending a call after a fault", error, call=self.run.call_id)
        return self._cut(seqs)

    def _drain(self) -> None:
        try:
            self.run.drain()
        finally:
            # What came of it meanwhile has been handled with it; what comes from now on has not.
            self._woken = False

    def give_up(self, why: str) -> None:
        """End the call where it stands, for a fault outside its turns; its next turn keeps that."""
        try:
            self._abandon(why)
        except Exception as error:
            fault("ending a call after a fault", error, call=self.run.call_id)
            self._cut(())
        self._wake()

    def _submit(self, seqs: Sequence[UsedSeq]) -> Commit:
        """Submit what came of a turn."""
        legs: Sequence[LegRecord] = ()
        if self.run.over or not self.turns:
            self.purse.settle()
            legs = ends.take(self.run, self.key.key)
        record = self._record()
        is_new = record is not self.record and record != self.record
        changed = (record,) if self.recorded and (is_new or not self.turns) else ()
        letters, self._letters = self._letters, []
        entries, posts, messages = self._entries, self._posts, [letter.message for letter in letters]
        if letters:
            entries = [*entries, *(entry for letter in letters for entry in letter.entries)]
            posts = [*posts, *(post for letter in letters for post in letter.posts)]
        write = Write(
            entries=entries,
            posts=posts,
            calls=changed,
            recordings=self._recordings,
            seqs=seqs,
            legs=legs,
            messages=messages,
        )
        commit = self.house.store.submit(write)
        self._entries, self._posts, self._recordings = [], [], []
        self.record, self.turns = record, self.turns + 1
        if posts or messages:
            commit.then(lambda why: self._hand_over(why, posts, messages))
        self._submitted(commit)
        return commit

    def _submitted(self, commit: Commit) -> None:
        self.committed = commit
        self._count_lines()
        if self._turned is not None:
            self._turned.set()
            self._turned = None
        if self.run.ended and not self._is_ending:
            self._is_ending = True
            # Behind all that is handed over: the writes of a call are settled in their order.
            commit.then(lambda _: self._end())

    def next_turn(self) -> trio.Event:
        """Give what is set when the present turn, or else the next one, is over."""
        if self._turned is None:
            self._turned = trio.Event()
        return self._turned

    def _cut(self, seqs: Sequence[UsedSeq]) -> Commit:
        """End the call where nothing can be made of its run any more: kept is that it ended, and no more."""
        self._hang_up()
        self.purse.give_up()
        self.was_cut = self.run.ended = True
        ended = self.record.ended or self.house.clock()
        self.record = evolve(self.record, state="ended", ended=ended, outcome="lost")
        legs = ends.cut(self.run, self.key.key, ended)
        commit = self.house.store.submit(Write(calls=[self.record], legs=legs, seqs=seqs))
        self._submitted(commit)
        return commit

    def _record(self) -> CallRecord:
        """Give the call's record as it is to be now: the same one, where nothing of it has changed."""
        run, leg, came = self.run, self.run.subject, self.run.started.came
        stands: dict[str, Any] = {
            "callee": came[0] if came else leg.number if leg else "",
            "caller": came[1] if came else None,
            "label": run.started.label or None,
            "trunk": (leg.trunk or None) if leg else None,
            "state": "ended" if run.ended else "live",
            "answered": leg.answered_at if leg else None,
            "ended": ((leg.ended_at if leg else None) or run.now) if run.ended else None,
            "outcome": run.outcome if run.ended else "",
            "bill": run.bill if run.ended else None,
        }
        if stands != self._made[0]:
            self._made = stands, evolve(self.record, **stands)
        return self._made[1]

    def _abandon(self, why: str) -> None:
        self._hang_up()
        self.run.abandon(why)

    def _hang_up(self) -> None:
        for leg in list(self.run.legs):
            try:
                self.house.phones.hang_up(leg)
            except Exception as error:
                fault("hanging up after a fault", error, call=self.run.call_id)

    def _end(self) -> None:
        for cancel in self._timers.values():
            cancel()
        self.done.set()
        self.on_over(self)

    def _hand_over(self, why: str, posts: Sequence[Post], messages: Sequence[Message]) -> None:
        """Hand over what a turn wrote, which is on the disk now; or, *why* says, cannot be."""
        if why:
            log.error("callbacks could not be stored", call=self.run.call_id, why=why)
        office = self.house.office
        if office and not why:
            for message in messages:
                office.dispatch(message)
        hand_over(self.house.deliver, posts if self.tells_unkept or not why else ())
        if office and why:
            for message in messages:
                office.lose(message, tell=self.tells_unkept)
