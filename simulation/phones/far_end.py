"""A far end that follows its list of steps.

It waits for one step at a time.  What it has heard is kept, so that a step which waits for a sound
finds it although it was over before the step's turn came; `world.Heard` says which sounds count.
"""

from collections.abc import Callable
from typing import Protocol, assert_never

from ringful.media.port import RefusalReason
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda


class OwnLine(Protocol):
    """What a far end can do with the leg that rings it."""

    def answer(self) -> None: ...
    def refuse(self, reason: RefusalReason) -> None: ...
    def press(self, tone: str) -> None: ...
    def speech(self, begins: bool) -> None: ...
    def put_down(self) -> None: ...
    def lose(self) -> None: ...


class FarEndPlayer:
    """Do what *far_end* does, on *line*."""

    def __init__(self, agenda: Agenda, far_end: world.FarEnd, line: OwnLine) -> None:
        self.far_end = far_end
        self._agenda = agenda
        self._line = line
        self._steps = iter(far_end.steps)
        self._waiting: tuple[world.Step, world.Heard] | None = None
        self._heard: list[tuple[float, str, str]] = []
        self._seen = 0
        self._over = False
        self.done = 0
        """How many of its steps it has done, or begun to."""

    @property
    def awaited(self) -> int | None:
        """The place of the step that waits for a sound, if one does."""
        if self._waiting is None:
            return None
        step, _ = self._waiting
        return next(place for place, one in enumerate(self.far_end.steps) if one is step)

    @property
    def sounds(self) -> set[str]:
        """What was heard."""
        return {sound for _, sound, _ in self._heard}

    def begin(self) -> None:
        """Begin with the first step."""
        self._next()

    def end(self) -> None:
        """Do nothing more: the leg is over."""
        self._over = True

    def hear(self, sound: str, edge: str) -> None:
        """Note that *sound* starts or ends."""
        self._heard.append((self._agenda.elapsed, sound, edge))
        self._look()

    def _next(self) -> None:
        step = None if self._over else next(self._steps, None)
        if step is None:
            return
        match step.when:
            case world.After(seconds):
                self._at(seconds, lambda: self._do(step))
            case world.At(seconds):
                self._at(seconds - self._agenda.elapsed, lambda: self._do(step))
            case world.Heard() as awaited:
                self._waiting = (step, awaited)
                self._look()
            case _:
                assert_never(step.when)

    def _at(self, seconds: float, action: Callable[[], None]) -> None:
        self._agenda.at(seconds, lambda: None if self._over else action())

    def _look(self) -> None:
        if self._waiting is None:
            return
        step, awaited = self._waiting
        turn = 0
        for place in range(self._seen, len(self._heard)):
            moment, sound, edge = self._heard[place]
            turn += edge == awaited.edge and awaited.sound in sound
            if turn == awaited.turn:
                self._waiting, self._seen = None, place + 1
                self._at(moment + awaited.seconds - self._agenda.elapsed, lambda: self._do(step))
                return

    def _do(self, step: world.Step) -> None:
        self.done += 1
        match step:
            case world.Answer():
                self._line.answer()
            case world.Refuse(reason):
                self._line.refuse(reason)
            case world.HangUp():
                self._line.put_down()
            case world.Lose():
                self._line.lose()
            case world.Press(tones, gap=gap):
                self._press(step, tones, gap)
                return
            case world.Speak(seconds):
                self._line.speech(True)
                self._at(seconds, lambda: self._hush(step))
                return
            case _:
                assert_never(step)
        self._done(step)

    def _press(self, step: world.Step, tones: str, gap: float) -> None:
        if tones:
            self._line.press(tones[0])
        if len(tones) > 1:
            self._at(gap, lambda: self._press(step, tones[1:], gap))
        else:
            self._done(step)

    def _hush(self, step: world.Step) -> None:
        self._line.speech(False)
        self._done(step)

    def _done(self, step: world.Step) -> None:
        if not isinstance(step.when, world.Heard):
            self._seen = len(self._heard)
        self._next()
