"""The live calls of one node.

Every method of the façade ends up here: it checks, puts one thing into one call's inbox, takes a
turn, and returns when what came of it is on the disk.  Nothing is awaited between the check and
the turn, so no other request can come between them.
"""

from base64 import b32encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from secrets import token_bytes

import structlog
import trio
from attrs import evolve, frozen

from ringful.grammar import nodes
from ringful.ground.faults import Tasks
from ringful.interpreter import events
from ringful.interpreter.calls.conferences import Conferences
from ringful.interpreter.calls.hall import Hall
from ringful.interpreter.calls.limits import Bucket, Lines
from ringful.interpreter.calls.live import House, LiveCall
from ringful.interpreter.calls.meetings import Meetings
from ringful.interpreter.calls.switchboard import (
    Busy,
    CallOver,
    CallView,
    CannotStart,
    NoSuchCall,
    NotAllowed,
    Operation,
    Pruned,
    QueueView,
    TooMany,
    TraceView,
    Unavailable,
)
from ringful.interpreter.calls.turning import works
from ringful.interpreter.calls.view import as_script, pruned, rebuild, view, view_of_record
from ringful.interpreter.evaluate import Fault, text_of, url_of
from ringful.interpreter.messages.board import Draft, NotSent
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.money.till import Till
from ringful.interpreter.params import bind
from ringful.interpreter.statements.sound import sounding
from ringful.interpreter.tell import stamp
from ringful.interpreter.trace import Tracer
from ringful.interpreter.values import Value
from ringful.store.port import CallRecord, Commit, Key, StoreError, UsedSeq, Write

log = structlog.get_logger()

MOST_MESSAGE_RUNS = 1000
"""Runs of one key that messages began, at a time: whoever brings another one is asked to try again."""
_DRAINING = "the server is shutting down; call another one, or try again in a minute"
MOST_BACKLOG = 1.0
"""Seconds that a call may wait for a line of ours; where one has waited for longer, no more are taken."""
MOST_LAG = 0.25
"""Seconds that the loop may be late, look after look; where it is later, no more calls are taken."""
BEAT = 5.0
"""Seconds between two signs of life while a call is up: where a server is killed, they are not billed."""


@frozen
class NodeLimits:
    """What holds for every key that says nothing else, and for the node as a whole."""

    max_calls: int = 60
    calls_per_second: float = 1.0
    concurrent: int = 20


class Switchboard:
    """The live calls of one node; implements `switchboard.Calls`."""

    def __init__(
        self, house: House, nursery: Tasks, limits: NodeLimits, name: str = "r1", till: Till | None = None
    ) -> None:
        self.house = house
        self.live: dict[str, LiveCall] = {}
        self._lines = Lines()
        self.draining = False
        self._works = works(nursery)
        self.turns = self._works.turns
        self._limits = limits
        self._name = name
        self._buckets: dict[str, Bucket] = {}
        self._emptied = trio.Event()
        self.till = till or Till(house.settings.rates, house.clock, self._works.agenda.after)
        if house.office:
            house.office.prices = Prices(self.till)
        self.hall = Hall(self, nursery)
        self.conferences: Conferences = Meetings(self, self.hall)

    async def place(
        self, key: Key, call_id: str, started: events.Started, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Start what *started* says, as *call_id*.

        Raises CannotStart, NotAllowed, TooMany, Busy, Unavailable.
        """
        await self.admit(key, _number(started))
        call, commit = self.begin(key, call_id, started, seqs)
        await self.durable(commit, call)

    async def admit(self, key: Key, number: str | None) -> None:
        """Refuse what this key, or this server, cannot take now; *number* is what it would call.

        Raises NotAllowed, TooMany, Busy, Unavailable.
        """
        await self.know(key)
        if unpaid := self.till.cannot_call(key.key, number):
            raise NotAllowed(unpaid)
        self._admit(key, number)

    async def know(self, key: Key) -> None:
        """See that the till knows what *key* has spent, and what it may: before anything of it begins here.

        From then on the till counts itself; so it is read once, while nothing of the key is up.
        """
        if not self.till.knows(key.key):
            self.till.open(key.key, await self.house.store.spent(key.key), key.spending_cap)
        self.till.set_cap(key.key, key.spending_cap)

    async def know_named(self, key: str) -> None:
        """See the same for the key of that name, if there is one."""
        if known := await self.house.store.key(key) if key else None:
            await self.know(known)

    def new_id(self) -> str:
        """Make the ID of a call."""
        return f"{self._name}-{b32encode(token_bytes(10)).decode().lower()}"

    def begin(
        self,
        key: Key,
        call_id: str,
        started: events.Started,
        seqs: Sequence[UsedSeq] = (),
        *,
        letter: Letter | None = None,
    ) -> tuple[LiveCall, Commit]:
        """Begin the run of a call; `durable` says when that is kept.

        *letter* is the message that came in, where that is how it begins: it is kept together with
        the beginning.
        """
        call = self._made(key, call_id, started)
        if letter:
            call.bring(letter)
        self.live[call_id] = call
        call.on_lines, call.on_over = self._count, self._forget
        self._count(call)
        with self.turns:
            try:
                call.run.start()
                commit = call.turn(seqs)
            except Exception:
                self._forget(call)
                raise
        return call, commit

    def _made(self, key: Key, call_id: str, started: events.Started) -> LiveCall:
        started = evolve(started, pace=self._pace(key))
        busy = partial(self.busy, key)
        return LiveCall(self.house, self._works, key, call_id, started, busy, self.hall, self.till)

    async def judge(self, key: Key, draft: Draft) -> int:
        """Give the segments that *draft* would go in.  Raises NotSent, Unavailable."""
        if self.draining:
            raise Unavailable(_DRAINING)
        if self.house.office is None:
            raise NotSent("unavailable", "no text messages are sent here: see sms.transport")
        await self.know(key)
        return self.house.office.judge(key, *draft).segments

    async def send(
        self, key: Key, run_id: str, started: events.Started, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Run *started*, a script that sends a message that was judged just now; return once it is kept.

        It is no call, and has no line in the list of them.  Raises Unavailable.
        """
        call = self._made(key, run_id, started)
        # Where that is not kept, nothing of it has happened: whoever asked for it is told so.
        call.recorded = call.tells_unkept = False
        call.run.start()
        commit = call.turn(seqs)
        try:
            await commit.wait()
        except StoreError as error:
            raise Unavailable(f"the message could not be stored: {error}") from error

    async def take_message(self, key: Key, call_id: str, started: events.Started, letter: Letter) -> Commit:
        """Begin the run that *letter* is for; return once both are kept.  Raises TooMany, Unavailable."""
        if self.draining:
            raise Unavailable(_DRAINING)
        runs = sum(call.key.key == key.key and bool(call.run.started.message) for call in self.live.values())
        if runs >= MOST_MESSAGE_RUNS:
            raise TooMany(f"{runs} messages of this key are being handled already", 5.0)
        await self.know(key)
        call, commit = self.begin(key, call_id, started, letter=letter)
        # A run that goes on although its message is not kept would begin twice: it is brought again.
        await self.durable(commit, call)
        return commit

    def queues(self, key: Key) -> tuple[QueueView, ...]:
        """Give the queues of *key* in which something goes on."""
        known = self.hall.queues.get(key.key)
        return tuple(known.look(self.house.clock())) if known else ()

    @property
    def full(self) -> bool:
        """Whether this server has no room for another call."""
        return self._lines.calls >= self._limits.max_calls

    def _admit(self, key: Key, number: str | None) -> None:
        if self.draining:
            raise Unavailable(_DRAINING)
        if number is not None:
            self._hold_allowed(key, number)
        if self.full:
            raise Unavailable(f"all {self._limits.max_calls} legs of this server are in use")
        self._hold_pace()
        if busy := self.busy(key):
            raise TooMany(busy, 5.0)
        rate = self._rate(key)
        bucket = self._buckets.setdefault(key.key, Bucket(rate))
        bucket.rate = rate
        if wait := bucket.take(trio.current_time()):
            raise TooMany(f"this key may place {rate:g} call(s) a second", wait)

    def _hold_pace(self) -> None:
        """Hold that the server can set up one call more, and the calls that it has are none the worse for it.

        Raises Busy.
        """
        if (backlog := self.house.phones.backlog) > MOST_BACKLOG:
            why = f"one has waited {backlog:.1f} s for a line"
        elif (lag := self.house.lag.lasting) > MOST_LAG:
            why = f"what is due is done {1000 * lag:.0f} ms late"
        else:
            return
        raise Busy(f"more calls are placed than this server sets up: {why}; place this one again in a moment")

    def _hold_allowed(self, key: Key, number: str) -> None:
        """Hold that *key* may call *number*.  Raises NotAllowed."""
        if not self.house.may_call(key, number):
            wanted = "a number with its country's code, such as +15125551234, within the key's prefixes"
            raise NotAllowed(f"this key may not call {number}: it must be {wanted}")

    def _pace(self, key: Key) -> float:
        """Give the seconds between the legs that a script of *key* places itself."""
        rate = self._rate(key)
        return 1 / rate if rate else 0.0

    def _rate(self, key: Key) -> float:
        return self._limits.calls_per_second if key.calls_per_second is None else key.calls_per_second

    def concurrent(self, key: Key) -> int:
        """Give how many calls, and how many conferences, *key* may have at a time."""
        return self._limits.concurrent if key.concurrent is None else key.concurrent

    @property
    def most_conferences(self) -> int:
        """How many conferences this server has at a time: as many as the media has rooms."""
        return self._limits.max_calls + 8

    def busy(self, key: Key, *, counted: bool = False) -> str:
        """Say why this key may have no further leg now; nothing if it may."""
        up = self._lines.of(key.key) - counted
        free = up < self.concurrent(key)
        return "" if free else f"this key has {up} calls up, which is as many as it may have"

    async def queue(
        self, key: Key, call_id: str, statement: nodes.Statement, *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Append *statement* to the call's queue.  Raises NoSuchCall, CallOver, NotAllowed, TooMany."""
        call = await self.find_live(key, call_id)
        for number in _called(statement):
            self._hold_allowed(key, number)
        await self.append(call, (statement,), seqs)

    async def append(
        self, call: LiveCall, statements: Sequence[nodes.Statement], seqs: Sequence[UsedSeq]
    ) -> None:
        """Append *statements* to the queue of *call*.  Raises CallOver, TooMany."""
        self.hold_queue(call)
        await self.take_in(call, [events.Queued(0, statement) for statement in statements], seqs)

    def hold_queue(self, call: LiveCall) -> None:
        """Hold that something can be queued on *call*.  Raises CallOver, TooMany."""
        if call.run.subject is None:
            called = call.run.call_id
            raise CallOver(f"{called} is a run without a call of its own: nothing can be queued on it")
        waiting = len(call.run.waiting)
        if waiting >= self.house.settings.queue_size:
            raise TooMany(f"{waiting} statements wait in this call's queue already", 1.0)

    async def interrupt(
        self,
        key: Key,
        call_id: str,
        operation: Operation,
        *,
        notify: str | None = None,
        seqs: Sequence[UsedSeq] = (),
    ) -> None:
        """Do *operation* at once.  Raises NoSuchCall, CallOver where there is nothing to do it to."""
        await self.do_now(await self.find_live(key, call_id), operation, notify, seqs)

    async def do_now(
        self, call: LiveCall, operation: Operation, notify: str | None, seqs: Sequence[UsedSeq]
    ) -> None:
        """Do *operation* to *call* at once.  Raises CallOver where there is nothing to do it to."""
        leg = call.run.subject
        where = "in this conference" if call.is_conference else "on this call"
        steering = None if isinstance(operation, str) else operation
        if (steering or operation == "stop play") and not (leg and sounding(leg)):
            raise CallOver(f"nothing is being played {where}")
        if isinstance(steering, nodes.ResumePlay) and not (leg and any(one.paused for one in leg.resting)):
            raise CallOver(f"nothing was paused {where}")
        if operation in ("mute", "unmute") and not (leg and leg.state in ("ringing", "up")):
            raise CallOver(f"nobody has been rung yet {where}")
        if operation == "stop record" and not (leg and leg.background_recording):
            raise CallOver(f"nothing is being recorded {where}")
        waits = any(one.queued for one in call.run.legs.values())
        if operation == "leave queue" and not waits:
            raise CallOver("this call waits in no queue")
        if operation == "stop tones" and not (leg and leg.detector):
            raise CallOver(f"no tone detector runs {where}")
        asked = (
            events.Interrupted(operation, notify) if isinstance(operation, str) else events.Steered(operation)
        )
        await self.take_in(call, [asked], seqs)

    async def signal(
        self, key: Key, call_id: str, event: str, fields: Mapping[str, Value], *, seqs: Sequence[UsedSeq] = ()
    ) -> None:
        """Send *event* with *fields* to the call's script.  Raises NoSuchCall, CallOver."""
        call = await self.find_live(key, call_id)
        await self.take_in(call, [events.Signalled(event, fields)], seqs)

    async def query(self, key: Key, call_id: str) -> CallView:
        """Tell all about a call, live or ended.  Raises NoSuchCall."""
        house = self.house
        recordings = await house.store.recordings(call_id)
        removed = {one.file: one.removed for one in recordings if one.removed is not None}
        if call := self._own(key, call_id):
            return view(call.run, call.record.created, house.clock(), removed)
        record = await house.store.call(call_id)
        if record is None or record.key != key.key:
            raise _no_such(call_id)
        entries = await house.store.journal(call_id)
        if pruned(record, entries):
            return view_of_record(record, recordings, house.settings, house.clock())
        told = view(rebuild(call_id, entries, house.settings), record.created, house.clock(), removed)
        # Journals of old do not say what their legs cost; the record has always said it.
        return evolve(told, bill=record.bill) if record.state == "ended" else told

    async def trace(self, key: Key, call_id: str, *, after: int, patience: float) -> TraceView:
        """Give the call's lines behind the first *after*; where there are none yet, wait for some.

        Raises NoSuchCall.
        """
        deadline = trio.current_time() + patience
        while True:
            call = self._own(key, call_id)
            turned = call.next_turn() if call else None
            if call and call.committed:
                await call.committed.wait()
            record = await self.house.store.call(call_id)
            if record is None or record.key != key.key:
                raise _no_such(call_id)
            entries = await self.house.store.journal(call_id)
            if pruned(record, entries):
                raise _pruned(record)
            lines = Tracer().lines(entries)[after:]
            ended = record.state == "ended"
            if lines or ended or turned is None or trio.current_time() >= deadline:
                return TraceView(tuple(lines), ended, record.outcome)
            with trio.move_on_at(deadline):
                await turned.wait()

    async def script(self, key: Key, call_id: str) -> str:
        """Show the call as a script.  Raises NoSuchCall."""
        record = await self.house.store.call(call_id)
        if record is None or record.key != key.key:
            raise _no_such(call_id)
        entries = await self.house.store.journal(call_id)
        if pruned(record, entries):
            raise _pruned(record)
        call = self._own(key, call_id)
        return as_script(call.run if call else rebuild(call_id, entries, self.house.settings), entries)

    def _own(self, key: Key, call_id: str) -> LiveCall | None:
        call = self.live.get(call_id)
        return call if call and call.key.key == key.key else None

    async def find_live(self, key: Key, call_id: str) -> LiveCall:
        """Give a call that something can be done to.  Raises NoSuchCall, CallOver."""
        call = self._own(key, call_id)
        if call and call.is_conference:
            raise NoSuchCall(f"{call_id} is a conference and no call: give it as confCallId")
        if call is None:
            record = await self.house.store.call(call_id)
            if record is None or record.key != key.key:
                raise _no_such(call_id)
            raise CallOver(f"the call {call_id} has ended")
        leg = call.run.subject
        if call.run.ended or (leg and leg.closing):
            raise CallOver(f"the call {call_id} is ending: {leg.closing if leg else 'its script is done'}")
        return call

    async def take_in(
        self, call: LiveCall, happened: Sequence[events.Event], seqs: Sequence[UsedSeq]
    ) -> None:
        """Let *happened* happen to *call*, in a turn of its own; return once that is kept.

        Raises Unavailable.
        """
        with self.turns:
            for event in happened:
                call.run.post(event)
            commit = call.turn(seqs)
        await self.durable(commit, call)

    async def durable(self, commit: Commit, call: LiveCall) -> None:
        """Wait until what was asked for is kept; what cannot be kept is not done.  Raises Unavailable."""
        try:
            await commit.wait()
        except StoreError as error:
            log.error(
                "a call is ended, since its journal cannot be written", call=call.run.call_id, why=str(error)
            )
            call.run.post(events.Interrupted("hangup", why="the journal cannot be written"))
            raise Unavailable(f"the request could not be stored: {error}") from error

    def _count(self, call: LiveCall) -> None:
        self._lines.note(call.key.key, call.run.call_id, call.legs)

    def _forget(self, call: LiveCall) -> None:
        if self.live.pop(call.run.call_id, None) is None:
            return
        self._lines.note(call.key.key, call.run.call_id, 0)
        self.hall.forget(call)
        if not self.live:
            self._emptied.set()

    async def beat(self, every: float = BEAT) -> None:
        """Write down that this node lives, as long as any call is up: one row, for all of them."""
        while True:
            await trio.sleep(every)
            if not self.live:
                self.house.follow()
            with suppress(StoreError):
                await self.hall.end_revoked()
                await self._follow_caps()
            if any(leg.state == "up" for call in self.live.values() for leg in call.run.legs.values()):
                # The writer tells in the log what it cannot keep; the next beat may do better.
                with suppress(StoreError):
                    await self.house.store.submit(Write(beats=[(self._name, self.house.clock())])).wait()

    async def _follow_caps(self) -> None:
        """Hold the keys whose calls are up to the caps that they have now.  Raises StoreError."""
        for key in {call.key.key for call in self.live.values()}:
            if known := await self.house.store.key(key):
                self.till.set_cap(key, known.spending_cap)

    async def drain(self, limit: float) -> None:
        """Take no new calls, let the live ones go on for *limit* seconds, then hang them up properly."""
        self.draining = True
        with trio.move_on_after(limit):
            await self._until_empty()
        self.hang_up_all("shutdown")
        with trio.move_on_after(self.house.settings.closing_limit + 2):
            await self._until_empty()

    def hang_up_all(self, why: str) -> None:
        """Hang up every live call."""
        for call in list(self.live.values()):
            call.run.post(events.Interrupted("hangup", why=why))

    async def _until_empty(self) -> None:
        while self.live:
            self._emptied = trio.Event()
            await self._emptied.wait()


def _no_such(call_id: str) -> NoSuchCall:
    return NoSuchCall(f"this key has no call {call_id}")


def _pruned(record: CallRecord) -> Pruned:
    ended = "" if record.ended is None else f", which ended at {stamp(record.ended)},"
    return Pruned(f"the journal of {record.call_id}{ended} is not kept any more; QueryCall has what is left")


def _called(statement: nodes.Statement) -> Iterator[str]:
    """Give the numbers that a request's *statement* calls, or has called: they are written out in it."""
    match statement:
        case nodes.ConnectTo(nodes.List(items)):
            yield from (text_of(item, {}) for item in items)
        case nodes.ConnectTo(nodes.Text() as number) | nodes.Transfer(nodes.Text() as number):
            yield text_of(number, {})


def _number(started: events.Started) -> str | None:
    """Give the number that the script's header rings with these values; None where it rings none.

    Raises CannotStart where the script would fail before it does anything.
    """
    names: dict[str, Value] = {"call_id": "", "caller": None, "called": None}
    try:
        bind(started.script, started.params, names)
        match started.script.header:
            case nodes.Call() as call:
                url_of(call.notify, names)
                return text_of(call.number, names)
            case None:
                return None
            case header:
                raise Fault("this script waits for a call or a message to come in", header.span)
    except Fault as fault:
        raise CannotStart(fault.message, fault.span) from fault
