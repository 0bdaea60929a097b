"""A live call: its run, the task that drains its inbox, and its door to the real world.

A turn drains the inbox and submits everything that came of it (journal lines, callbacks, the call's
record) as one write.  Effects are performed as they come; a callback is handed over for delivery
only once it is on the disk.  A fault of ours ends that call and no other: a turn that fails abandons
the run and tells its end, and where even that fails the call is cut, without a word.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import structlog
import trio
from attrs import evolve, field, frozen

from ringful.grammar.errors import ScriptError
from ringful.ground.faults import Tasks, fault
from ringful.ground.lag import Lag
from ringful.interpreter import effects, events
from ringful.interpreter.calls import ends
from ringful.interpreter.calls.handing import hand_over
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.money.till import Purse, Till
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
    Message,
    Post,
    RecordingFile,
    Store,
    StoreError,
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


@frozen
class _Turned:
    """What a turn has to hand over once it is on the disk."""

    commit: Commit
    posts: Sequence[Post]
    messages: Sequence[Message]


class LiveCall:
    """A call from its placing to its end."""

    def __init__(
        self,
        house: House,
        nursery: Tasks,
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
        self.nursery = nursery
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
        self.tasks = 0
        self.done = trio.Event()
        self.turned = trio.Event()
        """Set when the present turn is over; the next one has another."""
        self.committed: Commit | None = None
        """What the last turn wrote."""
        self._woken = trio.Event()
        self._entries: list[Entry] = []
        self._posts: list[Post] = []
        self._recordings: list[RecordingFile] = []
        self._letters: list[Letter] = []
        """The messages that this turn has sent."""
        self._timers: dict[int, trio.CancelScope] = {}
        self._outgoing, self._incoming = trio.open_memory_channel[_Turned](float("inf"))

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
                if scope := self._timers.pop(timer, None):
                    scope.cancel()
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
            case effects.Notify(url, fields, n):
                post = Post(uuid4().hex, self.key.key, self.run.call_id, n, url, fields, self.run.now)
                self._posts.append(post)
            case effects.StartRecording():
                # The folder may be gone; where it cannot be made anew, the recording fails and says why.
                with suppress(OSError):
                    self.house.recordings.mkdir(parents=True, exist_ok=True)
                order(phones, effect, self.house.recordings)
            case effects.Ask():
                self.nursery.start_soon(self._ask, effect)
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
    def is_conference(self) -> bool:
        """Whether it is the run of a conference, which has no line of its own."""
        return self.run.started.plan is not None

    @property
    def legs(self) -> int:
        """How many lines this call holds, or is about to: one at least while it lives.

        What a message began holds those alone that it places itself: a message waits for no line.
        """
        if self.is_conference:
            return 0
        held = sum(leg.state in ("ringing", "up") and not leg.room for leg in self.run.legs.values())
        return held if self.run.started.message else max(1, held)

    def bring(self, letter: Letter) -> None:
        """Keep *letter*, which began this run, together with what the next turn writes."""
        self._letters.append(letter)

    def _refusal(self, leg: str, number: str) -> port.Refused | None:
        """Say why *number* may not be rung.  The first leg was counted when the call was placed."""
        if not self.house.may_call(self.key, number):
            return port.Refused(leg, "notallowed")
        first = self.run.subject is not None and self.run.subject.name == leg
        if not first and (full := self._full(counted=True)):
            return port.Refused(leg, "capacity", None, full)
        if unpaid := self.purse.ring(leg, number):
            return port.Refused(leg, "notallowed", None, unpaid)
        return None

    def _set_timer(self, timer: int, seconds: float) -> None:
        self._timers[timer] = scope = trio.CancelScope()

        async def run_out() -> None:
            with scope:
                await trio.sleep(seconds)
                self._timers.pop(timer, None)
                try:
                    self.run.post(events.TimerFired(timer))
                except Exception as error:
                    # What waits for it would wait for ever.
                    self.give_up(fault("a call's timer", error, call=self.run.call_id))

        self.nursery.start_soon(run_out)

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
        self._woken.set()

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

    def turn(self, seqs: Sequence[UsedSeq] = ()) -> Commit:
        """Handle everything in the inbox, and submit what came of it."""
        try:
            self.run.drain()
            return self._submit(seqs)
        except Exception as error:
            why = fault("a call's turn", error, call=self.run.call_id)
        self._wake()  # So that `serve` sees the end.
        try:
            self._abandon(why)
            return self._submit(seqs)
        except Exception as error:
            why = fault("ending a call after a fault", error, call=self.run.call_id)
        return self._cut(seqs)

    def give_up(self, why: str) -> None:
        """End the call where it stands, for a fault outside its turns, and let `serve` come to its end."""
        try:
            self._abandon(why)
        except Exception as error:
            fault("ending a call after a fault", error, call=self.run.call_id)
            self._cut(())
        self._wake()

    def _submit(self, seqs: Sequence[UsedSeq]) -> Commit:
        """Submit what came of a turn."""
        self.purse.settle()
        record = self._record()
        changed = (record,) if self.recorded and (record != self.record or not self.tasks) else ()
        letters, self._letters = self._letters, []
        entries = [*self._entries, *(entry for letter in letters for entry in letter.entries)]
        posts = [*self._posts, *(post for letter in letters for post in letter.posts)]
        messages = [letter.message for letter in letters]
        legs = ends.take(self.run, self.key.key)
        write = Write(entries, posts, changed, self._recordings, seqs, legs=legs, messages=messages)
        commit = self.house.store.submit(write)
        self._entries, self._posts, self._recordings = [], [], []
        self.record, self.tasks = record, self.tasks + 1
        self._submitted(commit)
        if posts or messages:
            self._outgoing.send_nowait(_Turned(commit, posts, messages))
        return commit

    def _submitted(self, commit: Commit) -> None:
        self.committed = commit
        self.turned.set()
        self.turned = trio.Event()

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
        run, leg, came = self.run, self.run.subject, self.run.started.came
        return evolve(
            self.record,
            callee=came[0] if came else leg.number if leg else "",
            caller=came[1] if came else None,
            label=run.started.label or None,
            trunk=(leg.trunk or None) if leg else None,
            state="ended" if run.ended else "live",
            answered=leg.answered_at if leg else None,
            ended=((leg.ended_at if leg else None) or run.now) if run.ended else None,
            outcome=run.outcome,
            bill=run.bill if run.ended else None,
        )

    def _abandon(self, why: str) -> None:
        self._hang_up()
        self.run.abandon(why)

    def _hang_up(self) -> None:
        for leg in list(self.run.legs):
            try:
                self.house.phones.hang_up(leg)
            except Exception as error:
                fault("hanging up after a fault", error, call=self.run.call_id)

    async def finish(self) -> None:
        """Hand over everything of a run that has ended in its first turn.

        Where that is not kept, nothing of it has happened: whoever asked for it is told so.
        """
        self._outgoing.close()
        await self._hand_over(tell_unkept=False)

    async def serve(self) -> None:
        """Take turns until the run has ended, and every callback of it is handed over."""
        async with trio.open_nursery() as inner:
            inner.start_soon(self._hand_over)
            try:
                await self._take_turns()
            except Exception as error:
                self.give_up(fault("serving a call", error, call=self.run.call_id))
                self.turn()
            for scope in self._timers.values():
                scope.cancel()
            self._outgoing.close()
        self.done.set()

    async def _take_turns(self) -> None:
        while not self.run.ended:
            await self._woken.wait()
            self._woken = trio.Event()
            self.turn()

    async def _hand_over(self, *, tell_unkept: bool = True) -> None:
        async for turned in self._incoming:
            kept = await self._is_kept(turned.commit)
            office = self.house.office
            if kept and office:
                for message in turned.messages:
                    office.dispatch(message)
            hand_over(self.house.deliver, turned.posts if kept or tell_unkept else ())
            if office and not kept:
                for message in turned.messages:
                    office.lose(message, tell=tell_unkept)

    async def _is_kept(self, commit: Commit) -> bool:
        try:
            await commit.wait()
        except StoreError as error:
            # Better told and not kept than neither.
            log.error("callbacks could not be stored", call=self.run.call_id, why=str(error))
        except Exception as error:
            fault("storing callbacks", error, call=self.run.call_id)
        else:
            return True
        return False
