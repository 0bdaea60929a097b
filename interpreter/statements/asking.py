"""How keys are asked for: a prompt that a key cuts short, the first key, and those that follow it.

What was typed ahead is taken first.  A prompt runs as a strand of its own, so that a key can cut it
short; a key during the prompt starts the timer between keys, so that no key can leave a call
waiting for ever.  What handlers wait for (``on tone``, ``until``) is theirs, unless it is asked for
here by name: `Asking.next` says which keys those are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define

from ringful.grammar import nodes
from ringful.interpreter.evaluate import count_of, seconds_of
from ringful.interpreter.leg import Leg
from ringful.interpreter.running import Scope
from ringful.interpreter.strand import Signal, StrandEnded, fired
from ringful.media import port


@define
class Asking:
    """How one statement asks for keys.  Durations are seconds."""

    run_on: Scope
    leg: Leg
    first: float
    between: float
    tries: int
    counting: str | None
    total: int | None = None
    """The timer of all tries together; None: there is none."""
    others: bool = True
    """Other keys than the wanted ones are answers too; if not, they are passed over."""

    def turns(self) -> Iterator[int]:
        """Give the number of each try, from 1, for as long as there is time; and let the script know it."""
        for turn in range(1, self.tries + 1):
            if turn > 1 and self.over:
                return
            if self.counting:
                self.run_on.names[self.counting] = turn
            yield turn

    @property
    def over(self) -> bool:
        """Whether the time for all tries has passed."""
        return self.total is not None and not self.run_on.run.is_set(self.total)

    async def prompted(self, prompt: nodes.Block, wanted: str) -> str | None:
        """Run *prompt* until it ends or a key is pressed; give the first key, or None if none came in time.

        See `next` for *wanted*.
        """
        run_on, leg = self.run_on, self.leg
        typed = self._typed(wanted)
        if typed or not prompt.statements:
            return typed or await self.next(wanted, self.first)
        strand = run_on.run.spawn(leg, run_on.on(leg, run_on.names).body(prompt))
        number = strand.number
        try:
            tone = await self._key(wanted, lambda s: isinstance(s, StrandEnded) and s.strand == number)
        finally:
            strand.cancel()
        return tone or await self.next(wanted, self.first)

    async def next(self, wanted: str, seconds: float) -> str | None:
        """Give the next key, or None after *seconds*.

        Those *wanted* are taken before any handler can have them, others after that.
        """
        if (typed := self._typed(wanted)) or self.over:
            return typed
        run = self.run_on.run
        timer = run.set_timer(seconds)
        try:
            return await self._key(wanted, lambda s: fired(s, timer))
        finally:
            run.cancel_timer(timer)

    def await_finish(self, finish: str) -> None:
        """Let a key that was to end an answer which is complete without it be its, and nobody else's."""
        if not self.leg.buffer:
            self.leg.late_finish = (finish, self.run_on.run.now + self.between)
        elif self.leg.buffer[0] in finish:
            self.leg.take_tone()

    def _typed(self, wanted: str) -> str | None:
        """Take the first answer that was typed ahead, if one was."""
        while self.leg.buffer:
            tone = self.leg.take_tone()
            if self.others or tone in wanted:
                return tone
        return None

    async def _key(self, wanted: str, ends: Callable[[Signal], bool]) -> str | None:
        """Wait for an answer until a signal *ends* that, or the time for all tries has passed."""
        wants = ends if self.total is None else lambda s: ends(s) or fired(s, self.total)
        while True:
            signal = await self.run_on.wait(wants, tones=wanted, misfires=True)
            if not isinstance(signal, port.TonePressed):
                return None
            if self.others or signal.tone in wanted:
                return signal.tone


@contextmanager
def asking(run_on: Scope, statement: nodes.Gather | nodes.Menu) -> Iterator[Asking]:
    """Say how *statement* asks for keys, while it does."""
    run, names, settings, leg = run_on.run, run_on.names, run_on.run.settings, run_on.need_leg()
    first = seconds_of(statement.limit, names) if statement.limit else settings.first_key
    between = min(first, settings.between_keys)
    if statement.between:
        between = seconds_of(statement.between, names)
    tries = count_of(statement.tries, names, 1) if statement.tries else settings.tries
    total = run.set_timer(seconds_of(statement.within, names)) if statement.within else None
    if statement.fresh:
        leg.forget_tones()
    try:
        others = isinstance(statement, nodes.Menu)
        yield Asking(run_on, leg, first, between, tries, statement.counting, total, others)
    finally:
        if total is not None:
            run.cancel_timer(total)
