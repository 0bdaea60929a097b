"""The engine's loop: ticks of the mixer, what is due, and the chores; a fault in one ends none of the others.

Everything here happens in the engine's thread, but for `Loop.soon`.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from traceback import format_exception
from typing import Protocol

from ringful.media.engine.admission import Admission
from ringful.media.engine.leg import Leg
from ringful.media.engine.mixer import Mixer
from ringful.media.engine.sounding import Sound

_RETIRE_SECONDS = 0.2
"""How long a call is kept after its end: the bridge lets go of it some ticks later."""
_CHORES_SECONDS = 0.25
"""How often calls are looked after."""
_WRITE_SECONDS = 0.2
"""How often that is where something is recorded: what was not written is lost with this process."""


class Owner(Protocol):
    """The engine, as its loop knows it."""

    legs: dict[str, Leg]
    voices: dict[str, Sound]
    mixer: Mixer
    admission: Admission
    log: Callable[[str], None]

    def hear_events(self) -> None:
        """Take the packets of telephone-events that have come since the last time."""

    def give_up_silent(self, leg: Leg) -> None:
        """End *leg* where nothing has been heard of its far end for too long."""

    def hang_up(self, name: str) -> None:
        """End a call."""


class Loop:
    """What happens when; `step` is called again and again."""

    def __init__(self, engine: Owner) -> None:
        self._engine = engine
        self._soon: list[Callable[[], None]] = []
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._retired: list[tuple[float, Leg]] = []
        self._measured = self._chores_at = 0.0

    @property
    def retired(self) -> list[Leg]:
        """The calls that are over and kept for a moment."""
        return [leg for _, leg in self._retired]

    def later(self, at: float, job: Callable[[], None]) -> None:
        """Have *job* done when the monotonic clock says *at*."""
        self._later.append((at, job))

    def step(self, milliseconds: int = 1000) -> None:
        """Handle what has happened, and what is due, for *milliseconds* at most."""
        busy = self._is_busy
        self._engine.mixer.run(self._wait(milliseconds) if busy else milliseconds, ticking=busy)
        self._engine.hear_events()
        soon, self._soon = self._soon, []
        for job in soon:
            self._try(job)
        now = time.monotonic()
        if any(at <= now for at, _ in self._later):
            due = [job for at, job in self._later if at <= now]
            self._later = [(at, job) for at, job in self._later if at > now]
            for job in due:
                self._try(job)
        is_time = now >= self._chores_at
        for leg in list(self._engine.legs.values()):
            if leg.is_due(now, chores=is_time) and not leg.lost and not self._try(partial(leg.tick, now)):
                leg.lost = "a fault of the server, of which its log has more"
                self._engine.hang_up(leg.name)
        if is_time:
            self._chores_at = now + self._pause
            self._do_chores(now)

    def catch_up(self) -> None:
        """Run the tick that is due: what is ordered next comes after it, also where we stood still."""
        if self._is_busy:
            self._engine.mixer.run(0, ticking=True)

    @property
    def _is_busy(self) -> bool:
        return bool(self._engine.legs or self._engine.voices or self._retired or self._later)

    def _wait(self, most: int) -> int:
        """For how long nothing is due, in milliseconds."""
        if any(leg.sound.is_heard_here or leg.digits for leg in self._engine.legs.values()):
            return min(most, 10)
        pause = self._pause
        if self._later:
            pause = min(pause, max(0.001, min(at for at, _ in self._later) - time.monotonic()))
        return min(most, math.ceil(1000 * pause))

    @property
    def _pause(self) -> float:
        """For how many seconds chores may wait."""
        voices = (*self._engine.voices.values(), *(leg.sound for leg in self._engine.legs.values()))
        return _WRITE_SECONDS if any(one.is_recorded for one in voices) else _CHORES_SECONDS

    def _do_chores(self, now: float) -> None:
        for voice in list(self._engine.voices.values()):
            self._try(voice.write)
        for leg in list(self._engine.legs.values()):
            if leg.unknown_sender is not None:
                self._try(partial(self._engine.admission.learn, leg))
        if (passed := now - self._measured) > 1:
            self._measured = now
            for leg in list(self._engine.legs.values()):
                # A machine that slept has not listened.
                leg.measure(min(passed, 2.0))
                self._engine.give_up_silent(leg)
        self._let_go(now)

    def _try(self, job: Callable[[], None]) -> bool:
        """Do *job*; a fault in it is logged, ends nothing else, and gives False."""
        try:
            job()
        except Exception as error:
            self._engine.log("".join(format_exception(error)))
            return False
        return True

    def _let_go(self, now: float) -> None:
        """Drop what has been retired for long enough.

        A call object that is dropped hangs up the call of its slot, and takes its callbacks: one that
        has ended is kept for as long as another call has its slot.
        """
        if not any(due <= now for due, _ in self._retired):
            return
        taken = {leg.place for leg in self._engine.legs.values()}
        self._retired = [(due, one) for due, one in self._retired if due > now or one.place in taken]

    def soon(self, job: Callable[[], None]) -> None:
        """Have *job* done at the next step; from any thread."""
        self._soon.append(job)

    def retire(self, leg: Leg) -> None:
        """Drop a call later, when the bridge has let go of it."""
        self._retired.append((time.monotonic() + _RETIRE_SECONDS, leg))
