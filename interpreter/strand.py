"""Strands: what runs side by side within one run, and is scheduled by it.

A strand is a coroutine that awaits nothing but `suspend`: it tells the run what it waits for, and
the run resumes it with the event.  No other scheduler takes part, so that two runs with the same
inbox do the same.  Cancelling a strand throws `Cancelled` at the place where it waits; ``finally``
clauses may perform effects there, but must not wait.
"""

import types
from collections.abc import Callable, Coroutine, Generator
from inspect import CORO_CLOSED, getcoroutinestate
from typing import Any, TypeAlias

from attrs import define, field, frozen

from ringful.interpreter.events import Event, TimerFired
from ringful.interpreter.leg import EventHandler, Leg, ToneHandler


class Cancelled(BaseException):
    """The strand must end: its leg is over, or its block was cut short."""


class Failed(Exception):
    """A statement could not do its work; the message says why, for a person to read."""


@frozen
class StrandEnded:
    """Another strand of this run has ended: an event between strands, never in the inbox."""

    strand: int


@frozen
class LegOver:
    """Another leg of this run is over: an event between strands, never in the inbox."""

    leg: str


@frozen
class BlockLeft:
    """The block that a leg hears while it waits has led out of it: between strands, never in the inbox."""

    leg: str


@frozen
class LegChanged:
    """A leg was answered, or can be connected where it could not, or the other way round."""

    leg: str


@frozen
class BlockCut:
    """A key, or an event, has come that ends the block which *by* stands for: an event between strands."""

    by: ToneHandler | EventHandler


@frozen
class Quiet:
    """Nothing plays in the background of a leg any more, whatever ended it."""

    leg: str


Signal: TypeAlias = Event | StrandEnded | LegOver | LegChanged | BlockCut | BlockLeft | Quiet


def fired(signal: Signal, timer: int | None) -> bool:
    """Say whether *signal* is that *timer* has fired; None: there is no timer."""
    return isinstance(signal, TimerFired) and signal.timer == timer


@define(eq=False)
class Wait:
    """What a strand waits for; nobody changes it."""

    wants: Callable[[Signal], bool]
    tones: str | None = None
    """The tones that it takes from its leg; None: it is not waiting for tones."""
    misfires: bool = False
    """It also wants to be told of tones that nobody takes."""
    on_queued: Callable[[], None] | None = None
    """What to do when a statement is queued meanwhile: look ahead."""
    idle: bool = False
    """It only keeps its leg up for others: when all strands do that, the script has ended."""


@types.coroutine
def suspend(wait: Wait) -> Generator[Wait, Signal, Signal]:
    """Wait until the run has an event that *wait* is for, and return it."""
    return (yield wait)


@define(eq=False)
class Strand:
    """A coroutine, the leg that it runs on (None: no leg), and what it waits for."""

    number: int
    leg: Leg | None
    coroutine: Coroutine[Wait, Signal, None] = field(repr=False)
    waiting: Wait | None = None
    doomed: bool = False
    """It was cancelled while it was running, and must end at its next step."""
    running: bool = False
    ended: bool = False

    def resume(self, signal: Signal | None) -> None:
        """Let the coroutine go on until it waits again, or ends."""
        self._advance(self.coroutine.send, signal)

    def cancel(self) -> None:
        """End the strand: now where it waits, or at its next step where it is running."""
        if self.ended or self.doomed:
            return
        self.doomed = True
        # What is dropped with its whole run, as when a test ends, is closed in any order.
        if not self.running and getcoroutinestate(self.coroutine) != CORO_CLOSED:
            self._advance(self.coroutine.throw, Cancelled())

    def _advance(self, step: Callable[[Any], Wait], what: Signal | Cancelled | None) -> None:
        self.waiting = None
        self.running = True
        try:
            self.waiting = step(what)
        except (StopIteration, Cancelled):
            self.ended = True
        except BaseException:
            self.ended = True
            raise
        finally:
            self.running = False
        if self.doomed and not self.ended:
            self._advance(self.coroutine.throw, Cancelled())
