"""Run a script in virtual time: the production interpreter, with simulated phones and web behind its door.

A simulation may hold several runs: each call that comes in has its own, and so has a conference.
They share one agenda, so their order is one.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import assert_never

from attrs import Factory, define, field

from ringful.grammar import nodes
from ringful.grammar.errors import Problem, ScriptError
from ringful.interpreter import conference, effects, events, room
from ringful.interpreter.calls.queues import Queues
from ringful.interpreter.evaluate import Fault, text_of
from ringful.interpreter.messages import replies
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.messages.words import ANY
from ringful.interpreter.money.rates import RateTable
from ringful.interpreter.money.till import Purse, Till
from ringful.interpreter.order import order
from ringful.interpreter.params import bind
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.interpreter.trace import Tracer, render
from ringful.interpreter.values import Value
from ringful.media import port
from ringful.simulation.cases import case as cases
from ringful.simulation.cases.reader import check_case
from ringful.simulation.injection import Asked, inject
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda, Stop
from ringful.simulation.phones.phones import SimulatedPhones
from ringful.simulation.texts import KEY, Texts, kept_number
from ringful.store.port import Entry

CALL_ID = "call-1"
LIMIT_SECONDS = 24 * 3600.0
LIMIT_STEPS = 1_000_000
_NOWHERE = Path("/nonexistent")
"""Recordings of simulated phones are not kept."""
RECORDINGS = "http://ringful.test/recordings/"


@define
class Simulation:
    """Runs in virtual time, and everything that came of them."""

    case: cases.Case
    changed: nodes.Script | None = None
    """What runs instead of the case's script."""
    agenda: Agenda = field(default=Factory(lambda self: Agenda(self.case.clock), takes_self=True))
    entries: list[Entry] = field(factory=list)
    visited: list[tuple[nodes.Statement, str]] = field(factory=list)
    """The statements that began (with no way), and the ways that were taken; see `run.Watch`."""
    runs: dict[str, Run] = field(factory=dict)
    """By call ID, in the order in which they began."""
    purses: dict[str, Purse] = field(factory=dict)
    """What pays for the legs of each run."""
    asked: dict[tuple[str, int], Asked] = field(factory=dict)
    """The questions that the web has not answered, by call and number."""
    till: Till = field(init=False)
    """What pays for the legs, if the case says what they cost."""
    phones: SimulatedPhones = field(init=False)
    """The phones of this world."""
    queues: Queues = field(factory=Queues)
    texts: Texts = field(init=False)
    """The messages of this world."""
    _outside: world.World = field(init=False)
    _web: list[cases.WebAnswer] = field(init=False)
    _expected: int = field(init=False)
    """Calls that have not come in yet."""
    _calls: int = 0
    """Calls that have begun."""

    def __attrs_post_init__(self) -> None:
        case = self.case
        self.till = Till(
            RateTable(tuple(case.rates)),
            self.agenda.clock,
            lambda seconds, action: self.agenda.at(seconds, action).cancel,
        )
        self.till.set_cap(KEY, case.cap)
        outside = self._outside = world_of(case)
        self.phones = SimulatedPhones(self.agenda, outside, keep_files=False)
        self._web = list(case.web)
        answers, prices = list(case.sms), Prices(self.till)
        self.texts = Texts(self.agenda, case.phones, answers, self.entries.append, self._take_text, prices)
        self._expected = len(outside.callers)
        self._agree()

    def _agree(self) -> None:
        """See that somebody calls (or texts) a script that waits for that, and nobody calls another one."""
        if isinstance(self.script.header, nodes.Inbound):
            message, hint = "nobody calls this script", 'let a phone call it: `calls "NUMBER" after 1s`'
            wrong = not self._expected
        elif isinstance(self.script.header, nodes.InboundSms) and not self._expected:
            self._taken_texts()
            message, hint = "nobody texts this script", 'let a phone do it: `texts "NUMBER" "WORD" after 1s`'
            wrong = not any(phone.texting.texts for phone in self.case.phones)
        else:
            message, hint = "a phone calls, and this script takes no calls", "give it an `inbound` header"
            wrong = bool(self._expected)
        if wrong:
            span = self.script.header.span if self.script.header else self.script.span
            raise ScriptError(Problem("case", message, span, hint), source=self.case.source.text)

    @property
    def script(self) -> nodes.Script:
        """What runs."""
        return self.changed or self.case.source.script

    @property
    def run(self) -> Run:
        """The first run."""
        return next(iter(self.runs.values()))

    def go(self) -> None:
        """Run to the end, with what the case injects."""
        self.begin()
        done = 0
        for injection in self.case.injections:
            if injection.at is not None:
                self.agenda.at(injection.at, partial(inject, self, injection))
        stepped = [one for one in self.case.injections if one.at is None]
        for injection in sorted(stepped, key=lambda one: one.step):
            self.advance(injection.step - done)
            done = max(done, injection.step)
            inject(self, injection)
        self.advance(LIMIT_STEPS)

    def begin(self) -> None:
        """Let the first things happen when `advance` is called."""
        self.phones.open(self._take)
        self.texts.open()
        if not isinstance(self.script.header, nodes.Inbound | nodes.InboundSms):
            self._begin()

    def advance(self, steps: int) -> Stop:
        """Let so many things happen, fewer if all runs end."""
        return self.agenda.run(self.over, limit_seconds=LIMIT_SECONDS, limit_steps=max(0, steps))

    def over(self) -> bool:
        """Say whether every call that is to come has come and has ended, and every message has settled."""
        if self._expected or self.texts.pending:
            return False
        # A loop, since this is asked after every step.
        for run in self.runs.values():  # noqa: SIM110
            if not run.ended:
                return False
        return True

    def _post(self, call_id: str, event: events.Event) -> None:
        run = self.runs.get(call_id)
        if run and not run.ended:
            run.post(event)

    def _take(self, offer: port.Offer) -> port.Taken | port.RefusalReason:
        self._expected -= 1
        if not world.same_number(self._number(), offer.called):
            return "unreachable"
        if self.till.reserve(KEY, f"call-{self._calls + 1}", offer.called, "inbound"):
            return "rejected"
        run = self._begin(offer=offer)
        return port.Taken(run.call_id, self.purses[run.call_id].hear)

    def _take_text(self, arrival: events.Arrival) -> bool:
        """Begin the script with a text, if it is for it."""
        if not isinstance(self.script.header, nodes.InboundSms):
            return False
        number, keyword = self._taken_texts()
        if number != arrival.number or keyword not in (ANY, arrival.keyword):
            return False
        self._begin(message=arrival)
        return True

    def _taken_texts(self) -> tuple[str, str]:
        """Give the number and the keyword whose texts begin the script."""
        with self._case_problems():
            number, keyword = replies.takes(self.script, self.case.params)
        return kept_number(number), keyword

    def _number(self) -> str:
        """Give the number that the script answers."""
        assert isinstance(self.script.header, nodes.Inbound)
        with self._case_problems():
            return text_of(self.script.header.number, self._params())

    @contextmanager
    def _case_problems(self) -> Iterator[None]:
        """Make a problem of the case of what is wrong with its params."""
        try:
            yield
        except Fault as fault:
            hint = "give it with `param`" if "param" in fault.message else ""
            problem = Problem("case", fault.message, fault.span, hint)
            raise ScriptError(problem, source=self.case.source.text) from fault

    def _params(self) -> Mapping[str, Value]:
        names: dict[str, Value] = {}
        bind(self.script, self.case.params, names)
        return names

    def _begin(self, *, offer: port.Offer | None = None, message: events.Arrival | None = None) -> Run:
        uses = self.case.source.used_scripts
        started = events.Started(self.script, self.case.params, offer, uses, message=message)
        run = self.place(f"call-{self._calls + 1}", started)
        self._calls += 1
        if self._calls == 1:
            # What a client asks for while the first call is up.
            for after, event in self.case.requests:
                self.agenda.at(after, partial(run.post, event))
            for after, other, event in self.case.elsewhere:
                self.agenda.at(after, partial(self._post, other, event))
        return run

    def named(self, name: str) -> Run | None:
        """Give the live conference that has *name*."""
        for run in self.runs.values():
            plan = run.started.plan
            if plan and plan.name == name and not run.ended and not (run.subject and run.subject.closing):
                return run
        return None

    def place(self, call_id: str, started: events.Started) -> Run:
        """Start a run as *call_id*."""
        door = _Door(self)
        door.run = run = Run(
            started,
            call_id,
            door,
            Settings(recordings_url=RECORDINGS, rates=self.till.rates, chance=self.case.chance),
            journal=self.entries.append,
            watch=lambda statement, way: self.visited.append((statement, way)),
            wake=door.wake,
        )
        door.purse = self.purses[call_id] = Purse(self.till, KEY, run)
        self.runs[call_id] = run
        run.start()
        return run

    @property
    def trace(self) -> str:
        """What happened, as text."""
        return render(Tracer().lines(self.entries))

    def answer(self, url: str) -> cases.WebAnswer:
        """Give what the web answers at *url* now."""
        answer = next((one for one in self._web if one.url == url), None)
        if answer is None:
            return cases.WebAnswer(url, fails=f"the case has no answer for {url}")
        if sum(one.url == url for one in self._web) > 1:
            self._web.remove(answer)
        return answer

    def steps_of(self, phone: cases.PhoneBlock) -> tuple[world.Step, ...]:
        """Give what the simulated *phone* of the case does: its far ends have these very steps."""
        ours = [one for one in self.case.phones if bool(one.calls) == bool(phone.calls)]
        place = next(place for place, one in enumerate(ours) if one is phone)
        return (self._outside.callers if phone.calls else self._outside.phones)[place].steps


@define(eq=False)
class _Door:
    """The door of one run to the simulated world."""

    simulation: Simulation
    run: Run = field(init=False)
    purse: Purse = field(init=False)
    _timers: dict[int, Callable[[], None]] = field(factory=dict)
    _draining: bool = False

    def wake(self) -> None:
        # What is posted is handled at this instant, behind all that is scheduled for it.
        if not self._draining:
            self._draining = True
            self.simulation.agenda.at(0, self._drain)

    def _drain(self) -> None:
        self._draining = False
        self.run.drain()
        self.purse.settle()

    def now(self) -> float:
        """Give virtual time; what is due for want of money is in the inbox then."""
        self.simulation.till.look(self.simulation.agenda.now)
        return self.simulation.agenda.now

    def perform(self, effect: effects.Effect) -> None:
        """Do *effect* in the simulated world."""
        phones = self.simulation.phones
        match effect:
            # The most frequent ones first: the arms are tried in their order.
            case effects.Notify():
                pass  # The journal has it.
            case effects.Play() | effects.Prepare() | effects.Cue():
                order(phones, effect, _NOWHERE)
            case effects.SetTimer(timer, seconds):
                fired = events.TimerFired(timer)
                self._timers[timer] = self._later(seconds, fired)
            case effects.CancelTimer(timer):
                self._timers.pop(timer)()
            case effects.Signal(call, name, fields):
                run = self.simulation.runs.get(call)
                if run and not run.ended:
                    run.post(events.Signalled(name, fields, "" if run is self.run else self.run.call_id))
                else:
                    self.run.post(events.NotReached(call, f"there is no call {call}, or no more"))
            case effects.Ring(leg, number, caller_id, shown):
                if unpaid := self.purse.ring(leg, number):
                    self.run.post(port.Refused(leg, "notallowed", None, unpaid))
                else:
                    phones.ring(leg, number, caller_id, self.purse.hear, shown=shown)
            case effects.Transfer(leg, transfer, number):
                phones.transfer(leg, transfer, number)
            case effects.SendMessage():
                self.run.post(self.simulation.texts.take(self.run.call_id, effect))
            case effects.Ask(asking, url, want=want):
                answer = self.simulation.answer(url)
                self._ask(Asked(self.run, asking, want, answer.value), answer)
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
                self._perform_for_conference(effect)
            case (
                effects.EnterQueue()
                | effects.ServeQueue()
                | effects.LeaveQueue()
                | effects.Summon()
                | effects.PutBack()
            ):
                self._perform_for_queue(effect)
            case (
                effects.OpenRoom()
                | effects.Admit()
                | effects.Adjust()
                | effects.Dismiss()
                | effects.NotReach()
            ):
                self._perform_of_conference(effect)
            case _:
                order(phones, effect, _NOWHERE)

    def _perform_for_conference(self, effect: effects.ForConference) -> None:
        """Put what a call asks of a conference into the conference's inbox."""
        simulation, called = self.simulation, effect.conference
        found = simulation.named(called) if conference.is_name(called) else simulation.runs.get(called)
        match effect:
            case effects.OpenConference(_, plan, new_id) if found is None:
                simulation.place(new_id, room.started_by(self.run, plan))
                return
            case effects.JoinConference(new_id=new_id) if found is None and conference.is_name(called):
                found = simulation.place(new_id, room.started_by(self.run, conference.unheld(called)))
        if found and not found.ended:
            found.post(conference.message(self.run.call_id, effect))
        elif told := conference.unreached(effect, ended=found is not None):
            self.run.post(told)

    def _perform_for_queue(self, effect: effects.ForQueue) -> None:
        """Do what this run asks of a queue, and tell the runs that are concerned."""
        simulation = self.simulation
        waiting = simulation.queues.do(self.run.call_id, effect, self.now())
        while waiting:
            call, event = waiting.pop(0)
            run = simulation.runs.get(call)
            if run and not run.ended:
                run.post(event)
            elif isinstance(event, events.NextCame):
                waiting += simulation.queues.put_back(event, self.now())
            elif isinstance(event, events.Summoned) and (meeting := simulation.runs.get(event.conference)):
                meeting.post(events.EndWanted(call))

    def _perform_of_conference(self, effect: effects.OfConference) -> None:
        """Do what this run, which is a conference, asks of the phones and of its members' calls."""
        phones, here = self.simulation.phones, self.run.call_id
        name = self.run.started.plan.name if self.run.started.plan else ""
        match effect:
            case effects.OpenRoom(opened, speaking):
                phones.open_room(opened, self.run.post, speaking=speaking)
            case effects.Admit(call, leg, muted, deaf, heard_by):
                phones.join(here, leg, muted=muted, deaf=deaf, heard_by=heard_by)
                self._post(call, events.Joined(leg, here, name))
            case effects.Adjust(leg, muted, deaf, heard_by):
                phones.join(here, leg, muted=muted, deaf=deaf, heard_by=heard_by)
            case effects.Dismiss(call, leg, why, hang_up, detail):
                phones.leave(here, leg)
                self._post(call, events.Left(leg, here, why, hang_up, detail, name))
            case effects.NotReach(call, why):
                self._post(call, events.NotReached(here, why))
            case _:
                assert_never(effect)

    def _post(self, call: str, event: events.Event) -> None:
        """Put *event* into the inbox of another run, if it lives."""
        run = self.simulation.runs.get(call)
        if run and not run.ended:
            run.post(event)

    def _later(self, seconds: float, event: events.Event) -> Callable[[], None]:
        return self.simulation.agenda.at(seconds, lambda: self.run.post(event)).cancel

    def _ask(self, pending: Asked, answer: cases.WebAnswer) -> None:
        asking = pending.asking
        event: events.Event = events.WebAnswered(asking, answer.value)
        if answer.fails is not None:
            event = events.WebFailed(asking, answer.fails)
        self.simulation.asked[self.run.call_id, asking] = pending
        if answer.after is not None:
            self.simulation.agenda.at(answer.after, lambda: self._hear(pending, event))

    def _hear(self, pending: Asked, event: events.Event) -> None:
        if self.simulation.asked.pop((pending.run.call_id, pending.asking), None):
            pending.run.post(event)


_REFUSALS: dict[str, port.RefusalReason] = {
    "busy": "busy",
    "decline": "rejected",
    "unreachable": "unreachable",
}


def world_of(case: cases.Case) -> world.World:
    """Give what simulated phones find outside in *case*."""
    bad = case.bad_recording
    return world.World(
        tuple(_far_end(phone) for phone in case.phones if not phone.calls),
        lengths=case.lengths,
        missing=case.missing,
        recording_fault=world.RecordingFault(bad.reason, bad.after) if bad else None,
        callers=tuple(_caller(phone) for phone in case.phones if phone.calls),
    )


def _far_end(phone: cases.PhoneBlock) -> world.FarEnd:
    steps = tuple(_step(step) for step in phone.steps)
    return world.FarEnd(None if phone.number == "*" else phone.number, steps, phone.transferable)


def _caller(phone: cases.PhoneBlock) -> world.Caller:
    steps = tuple(_step(step) for step in phone.steps)
    called, shown = phone.calls or "", (phone.name, phone.diverted_from)
    return world.Caller(phone.number, called, phone.after, steps, phone.transferable, *shown)


def _step(step: cases.StepLine) -> world.Step:
    when: world.When = world.After(step.after)
    if step.when:
        when = world.Heard(step.when.sound, step.when.edge, step.after, step.when.turn)
    elif step.at is not None:
        when = world.At(step.at)
    match step.verb:
        case "answer":
            return world.Answer(when)
        case "press":
            return world.Press(step.arguments[0], when, world.KEY_GAP if step.gap is None else step.gap)
        case "speak":
            return world.Speak(float(step.arguments[0]), when)
        case "hang up":
            return world.HangUp(when)
        case "lose":
            return world.Lose(when)
        case verb:
            return world.Refuse(_REFUSALS[verb], when)


def run_case(case: cases.Case) -> Simulation:
    """Run *case* to its end.  Raises ScriptError where its script must not run."""
    check_case(case)
    simulation = Simulation(case)
    simulation.go()
    if not simulation.runs and isinstance(simulation.script.header, nodes.Inbound):
        called = ", ".join(sorted({phone.calls for phone in case.phones if phone.calls}))
        message = f"the script never began: phones call {called}, and it answers another number"
        span = simulation.script.header.span
        raise ScriptError(Problem("case", message, span, "let one call its number"), source=case.source.text)
    return simulation
