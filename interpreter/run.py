"""One run: a script, its legs, its queue, and one inbox.

Believe three things before reading on.  *Everything that happens enters the inbox* and is handled
one at a time, to its end; `drain` never waits.  *Everything that the run does leaves through
`perform`*, which journals it and hands it to the door.  *Nothing else decides order*: strands are
resumed by this module alone, so a run fed with a journal's events does again what it did.

This module decides what an event means for legs, tasks and strands; what a statement means is in
`statements`.
"""

from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol, assert_never, get_args

from attrs import define, evolve, field, frozen

from ringful.grammar import nodes
from ringful.grammar.span import NOWHERE, Span
from ringful.interpreter import effects, events, journal, room
from ringful.interpreter.conference import LONGEST_NAME, Conference
from ringful.interpreter.evaluate import Fault, text_of, url_of
from ringful.interpreter.executor import Executor
from ringful.interpreter.hearing import (
    billed_seconds,
    hear,
    hear_spent,
    is_secret,
    over,
    rate_of,
    started_seconds,
)
from ringful.interpreter.leg import EventHandler, Leg
from ringful.interpreter.params import bind
from ringful.interpreter.running import Sending, Watch
from ringful.interpreter.secrets import MARK, Secrets
from ringful.interpreter.settings import Settings
from ringful.interpreter.statements import bridge, inbound, legs, messages, queues, signals
from ringful.interpreter.statements.conference import hear_conference, leave_now, unreached_moderator
from ringful.interpreter.statements.seeking import steer_now
from ringful.interpreter.statements.sound import stop_sounds
from ringful.interpreter.strand import Signal, Strand, StrandEnded, Wait
from ringful.interpreter.task import Task, TaskState
from ringful.interpreter.tell import stamp
from ringful.interpreter.values import Value
from ringful.media import port
from ringful.store.port import Entry


class Door(Protocol):
    """Where effects leave a run."""

    def perform(self, effect: effects.Effect) -> None:
        """Do *effect* without blocking; what comes of it is posted to the run's inbox."""
        ...

    def now(self) -> float:
        """Give the time in Unix seconds."""
        ...


@frozen
class Failure:
    """That something could not be played, said, recorded or sent, so many *times* for the same reason."""

    what: Literal["play", "record", "sms"]
    why: str
    times: int = 1


_OF_LEGS = frozenset(get_args(port.Event))
_ANSWERED_AT_ONCE = frozenset({events.MessageTaken, events.MessageRefused})
MOST_FAILURES = 20
"""How many kinds of failure a run remembers."""


@define(eq=False)
class Run:
    """Run what *started* says as *call_id*; see the module's docstring.

    A server holds thousands of runs, and most of them wait.  So a queue is a list, whose first item
    is popped: an empty deque takes ten times the memory, and few queues ever get long.
    """

    started: events.Started
    call_id: str
    _door: Door
    settings: Settings
    _journal: Callable[[Entry], None] = field(kw_only=True)
    watch: Watch | None = field(default=None, kw_only=True)
    wake: Callable[[], None] | None = field(default=None, kw_only=True)

    script: nodes.Script = field(init=False)
    secrets: Secrets = field(init=False)
    names: dict[str, Value] = field(init=False)
    conference: Conference | None = field(default=None, init=False)
    conferences: dict[str, str | None] = field(factory=dict, init=False)
    """The conferences that this run has made, each with the number of its moderator."""
    sendings: dict[str, Sending] = field(factory=dict, init=False)
    """The messages that nobody has said of whether they are taken, by their IDs."""
    legs: dict[str, Leg] = field(factory=dict, init=False)
    subject: Leg | None = field(default=None, init=False)
    event_handlers: list[EventHandler] = field(factory=list, init=False)
    """The ``on event`` that are in force."""
    unheard: list[events.Signalled] = field(factory=list, init=False)
    """Events that came before anybody waited for them."""
    signals: int = field(default=0, init=False)
    """How many events it has sent."""
    over: list[Leg] = field(factory=list, init=False)
    """The legs that are over, and of which nobody has taken note yet; never a room."""
    tasks: list[Task] = field(factory=list, init=False)
    strands: list[Strand] = field(factory=list, init=False)
    ended: bool = field(default=False, init=False)
    fault: Fault | None = field(default=None, init=False)
    failures: tuple[Failure, ...] = field(default=(), init=False)
    """What could not be played, recorded or sent; the script went on."""
    interrupted: str = field(default="", init=False)
    """Why a run without a call was ended from outside; empty: it was not."""
    now: float = field(default=0.0, init=False)
    position: Span = field(default=NOWHERE, init=False)
    steps: int = field(default=0, init=False)
    chances: int = field(default=0, init=False)
    told: int = field(default=0, init=False)
    _entries: int = field(default=0, init=False)
    _inbox: list[tuple[float, events.Event]] = field(factory=list, init=False)
    _spawned: int = field(default=0, init=False)
    _ready: list[tuple[Strand, Signal | None]] = field(factory=list, init=False)
    _timers: dict[int, Callable[[], None] | None] = field(factory=dict, init=False)
    _timer: int = field(default=0, init=False)
    _asking: int = field(default=0, init=False)
    _closing: bool = field(default=False, init=False)
    """It is a conference whose room is over, and it has told itself so."""
    _closed: bool = field(default=False, init=False)
    """It has heard that, and all that was asked of it before."""
    _refused: int = field(default=0, init=False)
    """Statements that were not queued, since too many waited."""
    _ids: dict[str, int] = field(factory=dict, init=False)
    """The IDs that were given, each with how often it was wanted."""
    _next_ring: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self.script = self.started.script
        self.secrets = Secrets(self.started.script, self.started.uses)
        if self.started.message:
            self._ids[self.started.message.message_id] = 1
        self.names = {"call_id": self.call_id, "caller": None, "called": None, "answered_at": None}

    def start(self) -> None:
        """Begin: the first thing in the inbox."""
        self.post(self.started)

    def post(self, event: events.Event, at: float | None = None) -> None:
        """Put *event*, which happened *at* (None: now), into the inbox; it is handled at the next `drain`."""
        self._inbox.append((self._door.now() if at is None else at, event))
        if self.wake:
            self.wake()

    def drain(self) -> None:
        """Handle everything that is in the inbox."""
        while self._inbox:
            at, event = self._inbox.pop(0)
            self.handle(event, at)

    def handle(self, event: events.Event, at: float) -> None:
        """Handle one event that happened *at*, and all that follows from it at once."""
        # A clock that steps back must not make the journal's times do so.
        self.now = max(self.now, at)
        kind = type(event)
        if kind not in _ANSWERED_AT_ONCE:
            # A loop that only sends has not waited.
            self.steps = 0
        self.position = NOWHERE
        data = journal.encode(event)
        if is_secret(self, event):
            data[MARK] = True
        self._enter("event", kind.__name__, data)
        if not self.ended:
            self._take(event)
            self._run_ready()
            self._finish()

    def _take(self, event: events.Event) -> None:
        if type(event) in _OF_LEGS:
            # The most frequent ones: no arm below is theirs but the last.
            of_leg: Any = event
            self.hear(of_leg)
            return
        match event:
            case events.Started():
                self._begin()
            case events.Queued(number, statement):
                self._queue(Task(number or len(self.tasks) + self._refused + 1, statement))
            case events.Interrupted():
                self._interrupt(event)
            case events.Steered(statement):
                if (leg := self.subject) and not leg.closing:
                    steer_now(self, leg, statement)
            case events.TimerFired(timer):
                self._fire(timer)
            case events.WebAnswered() | events.WebFailed():
                self.signal(event)
            case events.MessageTaken() | events.MessageRefused():
                messages.hear(self, event)
            case (
                events.MemberCame()
                | events.MemberWent()
                | events.MemberPressed()
                | events.MembersChange()
                | events.EndWanted()
                | events.Held()
                | events.Released()
            ):
                room.hear_member(self, event)
            case events.Joined() | events.Left():
                if leg := self.legs.get(event.leg):
                    hear_conference(self, leg, event)
            case events.Placed() | events.Summoned() | events.NextCame():
                queues.hear(self, event)
            case events.Signalled():
                signals.hear(self, event)
            case events.Priced():
                if leg := self.legs.get(event.leg):
                    leg.rate = rate_of(event)
            case events.Spent():
                if leg := self.legs.get(event.leg):
                    hear_spent(self, leg, event)
            case events.Closed():
                self._closed = True
            case events.NotReached():
                pass  # The journal tells it: the statement has gone on.
            case _:
                self.hear(event)

    def hear(self, event: port.Event) -> None:
        """Take an event of a leg, unless that leg is over."""
        leg = self.legs.get(event.leg)
        if leg and leg.state != "over":
            hear(self, leg, event)

    # The beginning and the end

    def resume_journal(self, journal: Callable[[Entry], None], entries: int) -> None:
        """Write to *journal* from now on, after the *entries* that are there already."""
        self._journal, self._entries = journal, entries

    def _begin(self) -> None:
        main = Executor(self, None, self.names)
        self._next_ring = self.now + self.started.pace
        try:
            bind(self.script, self.started.params, self.names)
            for param in self.script.params:
                if param.secret:
                    self.secrets.add(self.names[param.name])
            match self.script.header:
                case nodes.Inbound() as header if self.started.offer:
                    main.leg = self.subject = inbound.begin(self, header, self.started.offer)
                    self.spawn(main.leg, legs.body_and_hang_up(main, self.script.body))
                case nodes.Call() as call:
                    main.leg = self.subject = self.new_leg(call, self.call_id, self.names)
                    self.names["called"] = self.subject.number
                    self.names["caller"] = self.subject.caller_id
                    if call.name:
                        self.names[call.name] = self.call_id
                    self.spawn(main.leg, legs.ring_and(main, call, self.script.body))
                case None if self.started.plan:
                    main.leg = self.subject = room.begin(self, self.started.plan)
                    self.spawn(main.leg, main.body(self.script.body))
                case nodes.InboundSms() as header if self.started.message:
                    messages.begin(self, header, self.started.message)
                    self._begin_headless(main)
                case None:
                    self._begin_headless(main)
                case header:
                    raise Fault(
                        "this header cannot be started by hand: a call or a message starts it", header.span
                    )
        except Fault as fault:
            self.fail(fault)

    def _begin_headless(self, main: Executor) -> None:
        self.set_timer(self.settings.max_duration, self._too_long)
        self.spawn(None, main.body(self.script.body))

    def new_leg(self, call: nodes.Call, name: str, names: dict[str, Value], number: str | None = None) -> Leg:
        """Make the leg that *call* asks for, to *number* (None: to its own one).  Raises Fault."""
        number = text_of(call.number, names) if number is None else number
        caller_id, shown = legs.shown_of(call, names)
        leg = Leg(name, number, caller_id, url_of(call.notify, names), created_at=self.now, shown=shown)
        self.legs[name] = leg
        return leg

    def new_id(self, word: str) -> str:
        """Give an ID that ends with *word* to a leg or a conference: nothing else of this run has it.

        Recordings are named for it, and REST takes no longer ones, so a long word is cut.  It has
        no two hyphens together: see `Leg.next_file`.
        """
        wanted = made = f"{self.call_id}.{word[:LONGEST_NAME].rstrip('-')}"
        while made in self._ids:
            self._ids[wanted] += 1
            made = f"{wanted}-{self._ids[wanted]}"
        self._ids[made] = 1
        return made

    def until_turn(self) -> float:
        """Take the next turn to place a further leg; give how many seconds it is off."""
        due = max(self.now, self._next_ring)
        self._next_ring = due + self.started.pace
        return due - self.now

    def fail(self, fault: Fault) -> None:
        """End the run for its script's fault: tell it, and hang up."""
        if self.fault:
            return
        self.fault = fault = Fault(self.secrets.conceal(fault.message), fault.span)
        self._enter("outcome", "ScriptFailed", {"reason": fault.message, "place": str(fault.span)})
        place = {"line": str(fault.span.line), "column": str(fault.span.column)} if fault.span.line else {}
        of_call = self.subject.notify if self.subject else self._header_notify()
        for url in dict.fromkeys((of_call, self.started.notify)):
            self.tell(url, "ScriptFailed", self.call_id, reason=fault.message, **place)
        for leg in list(self.legs.values()):
            self.close(leg, "script failed")
        for strand in self.strands:
            if strand.leg is None:
                strand.cancel()
        self._reap()

    def note_failure(self, what: Literal["play", "record", "sms"], why: str) -> None:
        """Remember that something could not be played, recorded or sent."""
        why = self.secrets.conceal(why)
        alike = [one for one in self.failures if (one.what, one.why) == (what, why)]
        if alike:
            self.failures = tuple(
                evolve(one, times=one.times + 1) if one is alike[0] else one for one in self.failures
            )
        elif len(self.failures) < MOST_FAILURES:
            self.failures += (Failure(what, why),)

    @property
    def unhandled(self) -> int:
        """How many events are in the inbox."""
        return len(self._inbox)

    def _too_long(self) -> None:
        limit = self.settings.max_duration
        self.fail(Fault(f"the script ran for {limit:g} s, which is as long as it may", NOWHERE))

    def _header_notify(self) -> str | None:
        try:
            header = self.script.header
            return url_of(header.notify, self.names) if header else None
        except Fault:
            return None

    def abandon(self, why: str) -> None:
        """End the run where it stands, since a fault of ours makes its strands unfit to go on."""
        self._ready.clear()
        self.strands.clear()
        self.sendings.clear()
        for leg in self.legs.values():
            if leg.state != "over":
                leg.closing, leg.ended_by, leg.hangup_handlers = why, "lost", []
                over(self, leg)
        if self.subject is None and not self.ended:
            self.fail(Fault(why, NOWHERE))
        self._finish()

    def _finish(self) -> None:
        if (
            (not self.subject or self.subject.state == "over")
            and self.strands
            and all(strand.waiting and strand.waiting.idle for strand in self.strands)
        ):
            for leg in [strand.leg for strand in self.strands if strand.leg]:
                self.close(leg, "script")
        if self.ended or self.strands or self.sendings:
            return
        if any(leg.state != "over" for leg in self.legs.values()):
            return
        if self.conference and not self._closed:
            if not self._closing:
                self._closing = True
                self.post(events.Closed())
            return
        self.ended = True
        for made, moderator in self.conferences.items():
            self.perform(effects.ReleaseConference(made, unreached_moderator(self, moderator)))
        for timer in list(self._timers):
            self.cancel_timer(timer)
        for task in self.waiting:
            self.settle(task, "discarded", "the script has ended")
        self._enter("outcome", "Ended", {"outcome": self.outcome})
        if not self.fault:
            self.position = NOWHERE
            reason = {"reason": self.interrupted} if self.interrupted else {}
            self.tell(self.started.notify, "ScriptEnded", self.call_id, outcome=self.outcome, **reason)

    @property
    def outcome(self) -> str:
        """``completed``, or why it was not (``interrupted``: a run without a call); empty while live."""
        if not self.ended:
            return ""
        if self.fault:
            return "scriptfailed"
        if self.subject and self.subject.refused:
            return self.subject.refused
        if "lost" in (self.interrupted, self.subject and self.subject.ended_by):
            return "lost"
        return "interrupted" if self.interrupted else "completed"

    @property
    def duration(self) -> int | None:
        """The started seconds that the subject was up, or None while it never was."""
        return started_seconds(self.subject, self.now) if self.subject else None

    @property
    def bill(self) -> Decimal:
        """What all legs that have ended cost."""
        return sum((self.price(leg) for leg in self.legs.values() if leg.state == "over"), Decimal(0))

    def price(self, leg: Leg) -> Decimal:
        """What *leg* costs: nothing unless it was answered, and nothing of which no price is known."""
        seconds = billed_seconds(leg, self.now)
        return Decimal(0) if seconds is None or leg.rate is None else leg.rate.price(seconds)

    # Strands

    def spawn(self, leg: Leg | None, coroutine: Coroutine[Wait, Signal, None]) -> Strand:
        """Make a strand of *coroutine*; it starts when the present one waits."""
        self._spawned += 1
        strand = Strand(self._spawned, leg, coroutine)
        self.strands.append(strand)
        self._ready.append((strand, None))
        return strand

    def begin_block(self, leg: Leg | None, block: nodes.Block, names: dict[str, Value]) -> None:
        """Run *block* on *leg*, or on none, as a strand of its own."""
        self.spawn(leg, Executor(self, leg, names).body(block))

    def signal(self, signal: Signal) -> bool:
        """Give *signal* to the first strand that waits for it; say whether there was one."""
        for strand in self.strands:
            if strand.waiting and strand.waiting.wants(signal):
                self.advance(strand, signal)
                return True
        return False

    def announce(self, signal: Signal) -> None:
        """Give *signal* to every strand that waits for it."""
        for strand in self.strands:
            if strand.waiting and strand.waiting.wants(signal):
                self._ready.append((strand, signal))

    def _run_ready(self) -> None:
        while self._ready:
            strand, signal = self._ready.pop(0)
            if strand.ended or (signal and not (strand.waiting and strand.waiting.wants(signal))):
                continue
            self.advance(strand, signal)

    def advance(self, strand: Strand, signal: Signal | None) -> None:
        try:
            strand.resume(signal)
        except Fault as fault:
            self.fail(fault)
        self._reap()

    def _reap(self) -> None:
        ended = [strand for strand in self.strands if strand.ended]
        if not ended:
            return
        self.strands = [strand for strand in self.strands if not strand.ended]
        for strand in ended:
            signal = StrandEnded(strand.number)
            for other in self.strands:
                if other.waiting and other.waiting.wants(signal):
                    self._ready.append((other, signal))

    def take_way(self, statement: nodes.Statement, way: str) -> None:
        """Tell whoever watches that the run goes on from *statement* by *way* (see `grammar.branches`)."""
        if self.watch:
            self.watch(statement, way)

    # Effects, the journal, callbacks, timers

    def perform(self, effect: effects.Effect) -> None:
        """Journal *effect* and let it out."""
        data = journal.encode(effect)
        if self.position.line:
            data["at_line"] = f"{self.position.path}:{self.position.line}"
        self._enter("effect", type(effect).__name__, data)
        self._door.perform(effect)

    def _place(self) -> dict[str, str]:
        return {"at_line": f"{self.position.path}:{self.position.line}"} if self.position.line else {}

    def _enter(self, kind: str, name: str, data: Mapping[str, object]) -> None:
        self._entries += 1
        self._journal(Entry(self.call_id, self._entries, self.now, kind, name, data))

    def note(self, name: str, leg: Leg | None, data: Mapping[str, object]) -> None:
        """Journal what came of a statement on *leg*, or on none."""
        on_leg = {"leg": leg.name} if leg else {}
        self._enter("outcome", name, {**on_leg, **data} | self._place())

    def tell(
        self,
        url: str | None,
        action: str | None,
        call_id: str,
        secret: frozenset[str] = frozenset(),
        /,
        **fields: str,
    ) -> None:
        """Post a callback to *url* (None: nobody wants to know); traces mask its fields *secret*."""
        if url is None:
            return
        self.told += 1
        first = {"action": action} if action else {}
        if self.started.label:
            first["label"] = self.started.label
        last = {"callId": call_id, "at": stamp(self.now), "n": str(self.told)}
        self.perform(effects.Notify(url, first | fields | last, self.told, secret))

    def set_timer(self, seconds: float, action: Callable[[], None] | None = None) -> int:
        """Set a timer; when it fires, *action* is done, or the strand that waits for it goes on."""
        self._timer += 1
        self._timers[self._timer] = action
        self.perform(effects.SetTimer(self._timer, seconds))
        return self._timer

    def cancel_timer(self, timer: int) -> None:
        """Forget *timer*, unless it has fired."""
        if timer in self._timers:
            del self._timers[timer]
            self.perform(effects.CancelTimer(timer))

    def is_set(self, timer: int) -> bool:
        """Say whether *timer* has neither fired nor been cancelled."""
        return timer in self._timers

    def _fire(self, timer: int) -> None:
        if timer not in self._timers:
            return  # It was cancelled while its event was on the way.
        action = self._timers.pop(timer)
        if action:
            action()
        else:
            self.signal(events.TimerFired(timer))

    def next_asking(self) -> int:
        """Number a question to the web."""
        self._asking += 1
        return self._asking

    # The queue

    def _queue(self, task: Task) -> None:
        if self.conference and (full := self._full_queue()):
            # A script can ask faster than anything is heard, so what is refused is told and not kept.
            self._refused += 1
            self.settle(task, "discarded", full)
            return
        self.tasks.append(task)
        if self.subject is None or self.subject.closing:
            self.settle(task, "discarded", "the call has ended")
        elif not self.signal(events.Queued(task.number, task.statement)):
            for strand in self.strands:
                if strand.leg is self.subject and strand.waiting and strand.waiting.on_queued:
                    strand.waiting.on_queued()

    def _full_queue(self) -> str:
        """Say that no further statement can wait; nothing if one can."""
        most = self.settings.queue_size
        if len(self.tasks) < most or len(self.waiting) < most:
            return ""
        return f"{most} statements wait in this queue already"

    @property
    def waiting(self) -> list[Task]:
        """The tasks that wait for their turn, in their order."""
        return [task for task in self.tasks if task.state == "waiting"]

    def next_task(self) -> Task | None:
        """Give the first task that waits for its turn; a conference that is empty does nothing."""
        waiting = self.waiting
        if self.conference and not self.conference.members:
            # Who is to be told of the first member must not come after it.
            waiting = [task for task in waiting if isinstance(task.statement, nodes.OnMember)]
        return waiting[0] if waiting else None

    def settle(self, task: Task, state: TaskState, detail: str = "") -> None:
        """Give *task* its one outcome, and tell it."""
        detail = self.secrets.conceal(detail)
        task.state, task.detail = state, detail
        told = {"task": task.number} | ({"detail": detail} if detail else {})
        self._enter("outcome", state, told)
        if state == "discarded":
            url = getattr(task.statement, "notify", None)
            try:
                where = url_of(url, self.names)
            except Fault:
                return
            name = type(task.statement).__name__
            self.tell(where, "TaskDiscarded", self.call_id, task=name, reason=detail)

    def _interrupt(self, event: events.Interrupted) -> None:
        leg = self.subject
        match event.operation:
            case "hangup":
                if leg is None:
                    self.interrupted = event.why
                    for other in list(self.legs.values()):
                        self.close(other, event.why)
                    for strand in self.strands:
                        strand.cancel()
                    self._reap()
                elif leg.state == "over":
                    # Calls that came after its end.
                    for other in list(self.legs.values()):
                        self.close(other, event.why)
                else:
                    self.close(leg, event.why)
            case "stop record":
                if leg and not leg.closing and (recording := leg.background_recording):
                    self.perform(effects.StopRecording(leg.name, recording))
            case "stop play":
                if leg and not leg.closing:
                    stop_sounds(self, leg)
            case "mute" | "unmute":
                if leg and not leg.closing:
                    bridge.set_muted(self, leg, event.operation == "mute")
            case "stop tones":
                if leg and not leg.closing:
                    leg.detector = None
                    self.tell(event.notify, "ToneDetectorStop", leg.name)
            case "leave queue":
                queues.put_out(self)
            case "leave":
                if leg and not leg.closing:
                    leave_now(self, leg, event.conference)
            case _:
                assert_never(event.operation)

    # Legs

    def close(self, leg: Leg, why: str, *, order: bool = True, by: effects.Reject | None = None) -> None:
        """Make the end of *leg* certain: end its strands and, with *order*, hang it up (or do *by*)."""
        if leg.closing or leg.state == "over":
            return
        leg.closing = why
        leg.tone_handlers.clear()
        leg.detector = None
        for strand in list(self.strands):
            if strand.leg is leg:
                strand.cancel()
        self._reap()
        if leg is self.subject:
            for task in self.waiting:
                self.settle(task, "discarded", "the call was hung up")
        if not order:
            return
        if leg.state == "new":
            over(self, leg)
        else:
            self.perform(by or effects.Hangup(leg.name, why))
            self.set_timer(self.settings.closing_limit, lambda: self._lose(leg))

    def _lose(self, leg: Leg) -> None:
        """Count *leg* as lost: it was told to end, and never said that it had."""
        if leg.state != "over":
            leg.ended_by = "lost"
            leg.refused = None if leg.answered_at is not None else "cancelled"
            over(self, leg)

    def cut_farewell(self) -> None:
        """End what ``on hangup`` still does."""
        for strand in list(self.strands):
            if strand.leg is None:
                strand.cancel()
        self._reap()
