"""Run a script in virtual time: the production interpreter, with simulated phones and web behind its door."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import assert_never

from attrs import define, field

from ringful.grammar import nodes
from ringful.grammar.parser import parse
from ringful.interpreter import cases, effects, events
from ringful.interpreter.run import Run
from ringful.interpreter.settings import Settings
from ringful.interpreter.trace import Tracer, render
from ringful.media import port, world
from ringful.media.agenda import Agenda
from ringful.media.simulated import SimulatedPhones
from ringful.store.port import Entry

START = 1_767_225_600.0
"""Virtual time begins at 2026-01-01T00:00:00Z."""
CALL_ID = "call-1"
LIMIT_SECONDS = 24 * 3600.0
LIMIT_STEPS = 1_000_000
RECORDINGS = "http://ringful.test/recordings/"


@define
class Simulation:
    """A run in virtual time, and everything that came of it."""

    script: nodes.Script
    case: cases.Case
    agenda: Agenda = field(factory=lambda: Agenda(START))
    entries: list[Entry] = field(factory=list)
    visited: list[nodes.Statement] = field(factory=list)
    run: Run = field(init=False)
    _phones: SimulatedPhones = field(init=False)
    _timers: dict[int, Callable[[], None]] = field(factory=dict)
    _web: list[cases.WebAnswer] = field(init=False)
    _draining: bool = False

    def __attrs_post_init__(self) -> None:
        case = self.case
        phones = tuple(_far_end(phone) for phone in case.phones)
        self._phones = SimulatedPhones(
            self.agenda, world.World(phones, case.lengths, case.missing), keep_files=False
        )
        self._web = list(case.web)
        self.run = Run(
            self.script,
            CALL_ID,
            self,
            Settings(recordings_url=RECORDINGS),
            journal=self.entries.append,
            params=case.params,
            watch=self.visited.append,
            wake=self._wake,
        )

    def go(self) -> None:
        """Run to the end."""
        self.run.start()
        for after, event in self.case.requests:
            self.agenda.at(after, partial(self.run.post, event))
        self.agenda.run(lambda: self.run.ended, limit_seconds=LIMIT_SECONDS, limit_steps=LIMIT_STEPS)

    def _wake(self) -> None:
        # What is posted is handled at this instant, behind all that is scheduled for it.
        if not self._draining:
            self._draining = True
            self.agenda.at(0, self._drain)

    def _drain(self) -> None:
        self._draining = False
        self.run.drain()

    @property
    def trace(self) -> str:
        """What happened, as text."""
        return render(Tracer().lines(self.entries))

    # The door

    def now(self) -> float:
        """Give virtual time."""
        return self.agenda.now

    def perform(self, effect: effects.Effect) -> None:
        """Do *effect* in the simulated world."""
        phones = self._phones
        match effect:
            case effects.Ring(leg, number, caller_id):
                phones.ring(leg, number, caller_id, self.run.post)
            case effects.Hangup(leg):
                phones.hang_up(leg)
            case effects.Prepare(sound):
                phones.prepare(sound)
            case effects.Cue(leg, playback, sound):
                phones.cue(leg, playback, sound)
            case effects.Play(leg, playback, sound, background):
                phones.play(leg, playback, sound, background=background)
            case effects.StopPlayback(leg, playback):
                phones.stop_playback(leg, playback)
            case effects.StartRecording(leg, recording, file, silence, beep):
                phones.record(leg, recording, _nowhere(file), silence=silence, beep=beep)
            case effects.StopRecording(leg, recording):
                phones.stop_recording(leg, recording)
            case effects.SendTones(leg, sending, tones):
                phones.send_tones(leg, sending, tones)
            case effects.SetTimer(timer, seconds):
                self._timers[timer] = self.agenda.at(
                    seconds, lambda: self.run.post(events.TimerFired(timer))
                ).cancel
            case effects.CancelTimer(timer):
                self._timers.pop(timer)()
            case effects.Notify():
                pass  # The journal has it.
            case effects.Ask(asking, url):
                self._answer(asking, url)
            case _:
                assert_never(effect)

    def _answer(self, asking: int, url: str) -> None:
        answer = next((one for one in self._web if one.url == url), None)
        if answer is None:
            failed = events.WebFailed(asking, f"the case has no answer for {url}")
            self.agenda.at(0, lambda: self.run.post(failed))
            return
        if sum(one.url == url for one in self._web) > 1:
            self._web.remove(answer)
        event: events.Event = events.WebAnswered(asking, answer.value)
        if answer.fails is not None:
            event = events.WebFailed(asking, answer.fails)
        self.agenda.at(answer.after, lambda: self.run.post(event))


def _nowhere(file: str) -> Path:
    """Give the path of a recording that is not kept."""
    return Path("/nonexistent") / file


_REFUSALS: dict[str, port.RefusalReason] = {
    "busy": "busy",
    "decline": "rejected",
    "unreachable": "unreachable",
}


def _far_end(phone: cases.PhoneBlock) -> world.FarEnd:
    return world.FarEnd(
        None if phone.number == "*" else phone.number, tuple(_step(step) for step in phone.steps)
    )


def _step(step: cases.StepLine) -> world.Step:
    when: world.When = world.After(step.after)
    if step.when:
        sound, edge = step.when
        when = world.Heard(sound, "starts" if edge == "starts" else "ends", step.after)
    match step.verb:
        case "answer":
            return world.Answer(when)
        case "press":
            return world.Press(step.arguments[0], when)
        case "speak":
            return world.Speak(float(step.arguments[0]), when)
        case "hang up":
            return world.HangUp(when)
        case "lose":
            return world.Lose(when)
        case verb:
            return world.Refuse(_REFUSALS[verb], when)


def run_case(case: cases.Case) -> Simulation:
    """Run *case* to its end.  Raises ScriptError where its script is none."""
    simulation = Simulation(parse(case.script, "script"), case)
    simulation.go()
    return simulation
