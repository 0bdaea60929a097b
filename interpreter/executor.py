"""Execute statements, one after another, on one leg (or on none), with one environment.

An executor awaits its run and nothing else; what each statement means, `statements.table` knows.
That the far end hung up reaches it as `Cancelled`, so no statement asks whether the call is still
up; a statement that could not do its work raises `Failed`, and the script goes on with the next one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ringful.grammar import nodes
from ringful.grammar.blocks import answers
from ringful.grammar.span import NOWHERE
from ringful.interpreter.evaluate import EFFORT, Fault
from ringful.interpreter.leg import EventHandler, Handling, Leg, ToneHandler
from ringful.interpreter.running import Running
from ringful.interpreter.statements import inbound, sound
from ringful.interpreter.statements.control import Broke, Returned, flows_of
from ringful.interpreter.statements.keys import WentBack
from ringful.interpreter.statements.table import MEANINGS
from ringful.interpreter.strand import Cancelled, Failed, Signal, Wait, fired, suspend
from ringful.interpreter.values import Duration, Value

_VALUES_A_STEP = 100
"""How many values of lists count as much as a statement."""


class Executor:
    """Run statements on *leg* with *names*, within *run*."""

    def __init__(
        self,
        run: Running,
        leg: Leg | None,
        names: dict[str, Value],
        flows: dict[str, nodes.Flow] | None = None,
        depth: int = 0,
        handling: Handling | None = None,
    ) -> None:
        self.run: Running = run
        self.leg = leg
        self.names = names
        self.flows: dict[str, nodes.Flow] = flows if flows is not None else flows_of(run)
        self.depth = depth
        self.handling = handling
        self.statement: nodes.Statement | None = None
        self.listening: list[EventHandler | ToneHandler] = []
        self._upcoming: list[Callable[[], tuple[nodes.Statement, ...]]] = []
        self._counted: float | None = None
        """When it last counted how long the call is up: much may be done at one time."""
        self._duration = Duration(0)

    # Waiting

    async def wait(
        self,
        wants: Callable[[Signal], bool],
        *,
        tones: str | None = None,
        misfires: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Signal:
        """Wait for the first signal that is wanted; see `Wait`."""
        signal = await suspend(Wait(wants, tones, misfires, on_queued))
        self.run.position = self.statement.span if self.statement else NOWHERE
        return signal

    async def within(
        self,
        seconds: float | None,
        wants: Callable[[Signal], bool],
        *,
        tones: str | None = None,
        misfires: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Signal | None:
        """Wait as `wait` does, but for *seconds* at most; None when they have passed."""
        if seconds is None:
            return await self.wait(wants, tones=tones, misfires=misfires, on_queued=on_queued)
        timer = self.run.set_timer(seconds)
        try:
            signal = await self.wait(
                lambda s: fired(s, timer) or wants(s), tones=tones, misfires=misfires, on_queued=on_queued
            )
        finally:
            self.run.cancel_timer(timer)
        return None if fired(signal, timer) else signal

    def need_leg(self) -> Leg:
        """Give the leg that a media statement needs.  Raises Fault where there is none."""
        if self.leg is None:
            span = self.statement.span if self.statement else NOWHERE
            raise Fault("this statement needs a call leg, and there is none here", span)
        return self.leg

    def on(self, leg: Leg | None, names: dict[str, Value], *, deeper: int = 0) -> "Executor":
        """Give an executor within the same flows, on *leg* and with *names*."""
        handling = self.handling if leg is self.leg else None
        return Executor(self.run, leg, names, self.flows, self.depth + deeper, handling)

    # Looking ahead

    @contextmanager
    def ahead(self, following: Callable[[], tuple[nodes.Statement, ...]]) -> Iterator[None]:
        """Say what follows while the context lasts."""
        self._upcoming.append(following)
        try:
            yield
        finally:
            self._upcoming.pop()

    def look_ahead(self) -> None:
        """Have the next sound of this leg fetched before its turn."""
        sound.look_ahead(self, follow=False)

    def upcoming(self) -> tuple[nodes.Statement, ...]:
        """Give the statements that follow the present one, as far as that is certain."""
        following = self._upcoming[-1]() if self._upcoming else ()
        if following and isinstance(following[0], nodes.Stay):
            return self.queued()
        return following

    def queued(self) -> tuple[nodes.Statement, ...]:
        """Give the statements that wait in the queue."""
        if self.leg is not self.run.subject:
            return ()
        return tuple([task.statement for task in self.run.waiting])

    # Blocks

    async def body(self, block: nodes.Block) -> None:
        """Run a block that stands for itself: a strand's."""
        try:
            await self.block(block)
        except (Broke, Returned, WentBack):
            return

    async def block(self, block: nodes.Block) -> None:
        """Run the statements of *block* in order; its handlers end with it."""
        listening = len(self.listening)
        place = 0
        self._upcoming.append(lambda: block.statements[place + 1 :])
        try:
            for place, statement in enumerate(block.statements):  # noqa: B007 (the lambda reads it)
                await self.perform(statement)
        finally:
            self._upcoming.pop()
            # Its own ones only: a block beside it may have brought others meanwhile.
            for one in self.listening[listening:]:
                if isinstance(one, EventHandler):
                    self.run.event_handlers.remove(one)
                elif self.leg and one in self.leg.tone_handlers:
                    self.leg.tone_handlers.remove(one)
            del self.listening[listening:]

    async def perform(self, statement: nodes.Statement) -> str:
        """Execute *statement*; return why it failed, or nothing where it did not."""
        outer, leg = self.statement, self.leg
        self._begin(statement)
        try:
            if leg and leg.inbound and leg.state == "ringing":
                await self._take_call(statement)
            doing = MEANINGS[type(statement)](self, statement)
            if doing is not None:
                await doing
        except Failed as failed:
            return str(failed)
        finally:
            self.statement = outer
        if self.leg and self.leg.closing:
            raise Cancelled
        return ""

    def _begin(self, statement: nodes.Statement) -> None:
        run = self.run
        run.steps += 1 + EFFORT.take() // _VALUES_A_STEP
        if run.steps > run.settings.step_budget:
            most = f"{run.settings.step_budget} statements, or long lists in fewer"
            raise Fault(f"too much was done without a wait: {most}; a loop?", statement.span)
        self.statement = statement
        run.position = statement.span
        self.names["answered_at"] = run.names["answered_at"]
        if run.now != self._counted:
            self._counted, self._duration = run.now, Duration((run.duration or 0) * 1000)
        self.names["duration"] = self._duration
        if run.watch:
            run.watch(statement, "")

    async def _take_call(self, statement: nodes.Statement) -> None:
        """Answer a call that rings, or let sound pass before that, where *statement* needs it."""
        if answers(statement):
            await inbound.answer(self)
        elif isinstance(statement, nodes.Play | nodes.Say) and statement.early:
            await inbound.open_early(self)
