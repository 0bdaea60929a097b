"""Execute statements: control flow, and which module knows the rest.

An executor runs statements one after another on one leg (or on none), with one environment.  It
awaits its run and nothing else.  That the far end hung up reaches it as `Cancelled`, so no
statement asks whether the call is still up; a statement that could not do its work raises `Failed`,
and the script goes on with the next one.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, assert_never

from ringful.grammar import nodes
from ringful.grammar.blocks import ANSWERING
from ringful.grammar.flows import MAX_NESTED
from ringful.grammar.span import NOWHERE
from ringful.interpreter import effects, events
from ringful.interpreter.evaluate import (
    EFFORT,
    Fault,
    count_of,
    evaluate,
    seconds_of,
    tones_of,
    truth,
)
from ringful.interpreter.leg import Leg, ToneHandler
from ringful.interpreter.statements import bridge as bridge_statements
from ringful.interpreter.statements import conference as conference_statements
from ringful.interpreter.statements import inbound
from ringful.interpreter.statements import keys as input_statements
from ringful.interpreter.statements import sound as media_statements
from ringful.interpreter.statements import web as web_statements
from ringful.interpreter.strand import Cancelled, Failed, Signal, Wait, suspend
from ringful.interpreter.values import Duration, Value
from ringful.media import port

if TYPE_CHECKING:
    from ringful.interpreter.run import Run, Task


_VALUES_A_STEP = 100
"""How many values of lists count as much as a statement."""


class Broke(Exception):
    """``break``: caught by the loop."""


class Returned(Exception):
    """``return``: caught by the flow."""


class Executor:
    """Run statements on *leg* with *names*, within *run*."""

    def __init__(
        self,
        run: "Run",
        leg: Leg | None,
        names: dict[str, Value],
        flows: dict[str, nodes.Flow] | None = None,
        depth: int = 0,
    ) -> None:
        self.run = run
        self.leg = leg
        self.names = names
        self.flows: dict[str, nodes.Flow] = flows if flows is not None else flows_of(run)
        self.depth = depth
        self.statement: nodes.Statement | None = None
        self._upcoming: list[Callable[[], tuple[nodes.Statement, ...]]] = []

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
        fired = events.TimerFired(timer)
        try:
            signal = await self.wait(
                lambda s: s == fired or wants(s), tones=tones, misfires=misfires, on_queued=on_queued
            )
        finally:
            self.run.cancel_timer(timer)
        return None if signal == fired else signal

    def need_leg(self) -> Leg:
        """Give the leg that a media statement needs.  Raises Fault where there is none."""
        if self.leg is None:
            span = self.statement.span if self.statement else NOWHERE
            raise Fault("this statement needs a call leg, and there is none here", span)
        return self.leg

    def beside(self) -> "Executor":
        """Give an executor for a strand beside this one, with the same names."""
        return Executor(self.run, self.leg, self.names, self.flows, self.depth)

    # Looking ahead

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
        return tuple(task.statement for task in self.run.tasks if task.state == "waiting")

    # Blocks

    async def body(self, block: nodes.Block) -> None:
        """Run a block that stands for itself: a strand's."""
        try:
            await self.block(block)
        except (Broke, Returned):
            return

    async def block(self, block: nodes.Block) -> None:
        """Run the statements of *block* in order; its tone handlers end with it."""
        handlers = len(self.leg.tone_handlers) if self.leg else 0
        place = 0
        self._upcoming.append(lambda: block.statements[place + 1 :])
        try:
            for place, statement in enumerate(block.statements):  # noqa: B007 (the lambda reads it)
                await self.perform(statement)
        finally:
            self._upcoming.pop()
            if self.leg:
                del self.leg.tone_handlers[handlers:]

    async def perform(self, statement: nodes.Statement) -> str:
        """Execute *statement*; return why it failed, or nothing where it did not."""
        outer = self.statement
        self._begin(statement)
        try:
            await self.execute(statement)
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
        self.names["duration"] = Duration((run.duration or 0) * 1000)
        if run.watch:
            run.watch(statement, "")

    async def execute(self, statement: nodes.Statement) -> None:
        """Do what *statement* says.  Raises Failed, Fault."""
        match statement:
            case nodes.If(condition, then, otherwise):
                if truth(evaluate(condition, self.names), condition.span):
                    self.run.take_way(statement, "then")
                    await self.block(then)
                else:
                    self.run.take_way(statement, "else")
                    await self.block(otherwise or nodes.Block())
            case nodes.Let(name, value):
                self.names[name] = evaluate(value, self.names)
            case nodes.Repeat() | nodes.For():
                await self.loop(statement)
            case nodes.Break():
                raise Broke
            case nodes.Return():
                raise Returned
            case nodes.Do():
                await self.do(statement)
            case nodes.Flow():
                pass  # Flows were gathered before the run began.
            case nodes.Stay(limit):
                await self.stay(seconds_of(limit, self.names) if limit else None)
            case nodes.Hangup():
                self.hang_up(statement)
            case nodes.OnHangup(block):
                if self.leg:
                    self.leg.hangup_handlers.append((block, self.names))
            case nodes.OnTone(tones, block):
                handler = ToneHandler(tones_of(tones, self.names), block, self.names)
                self.need_leg().tone_handlers.append(handler)
            case nodes.Start(block):
                inner = Executor(self.run, self.leg, dict(self.names), self.flows, self.depth)
                self.run.spawn(self.leg, inner.body(block))
            case nodes.Call():
                self.further_leg(statement)
            case nodes.Wait(duration):
                self.look_ahead()
                await self.within(
                    seconds_of(duration, self.names), lambda _: False, on_queued=self.look_ahead
                )
            case _:
                await self._execute_other(statement)

    async def _execute_other(self, statement: nodes.Statement) -> None:
        leg = self.leg
        if leg and leg.inbound and leg.state == "ringing" and isinstance(statement, ANSWERING):
            await inbound.answer(self)
        match statement:
            case nodes.Answer():
                pass  # It has just been answered.
            case nodes.Reject():
                inbound.reject(self, statement)
            case nodes.Play() | nodes.Say():
                await media_statements.play(self, statement)
            case nodes.StopPlay():
                await media_statements.stop_play(self)
            case nodes.Record():
                await media_statements.record(self, statement)
            case nodes.StartRecord():
                await media_statements.start_record(self, statement)
            case nodes.StopRecord():
                await media_statements.stop_record(self)
            case nodes.Tone():
                await media_statements.tone(self, statement)
            case nodes.WaitTone():
                await input_statements.wait_tone(self, statement)
            case nodes.StartTones() | nodes.StopTones():
                input_statements.detect(self, statement)
            case nodes.Gather():
                await input_statements.gather(self, statement)
            case nodes.Menu():
                await input_statements.menu(self, statement)
            case nodes.Connect():
                await bridge_statements.connect(self, statement)
            case nodes.Mute() | nodes.Unmute():
                bridge_statements.mute(self, statement)
            case nodes.Transfer():
                await bridge_statements.transfer(self, statement)
            case nodes.Conference():
                conference_statements.create(self, statement)
            case nodes.Join():
                await conference_statements.join(self, statement)
            case nodes.Leave():
                await conference_statements.leave(self, statement)
            case nodes.In():
                conference_statements.queue(self, statement)
            case nodes.Notify():
                web_statements.notify(self, statement)
            case nodes.Ask():
                await web_statements.ask(self, statement)
            case nodes.Follow():
                await web_statements.follow(self, statement)
            case _:
                # Messages and bridges: their issues build what performs them.
                word = type(statement).__name__.lower()
                raise Fault(f"`{word}` cannot be run yet", statement.span)

    async def loop(self, statement: nodes.Repeat | nodes.For) -> None:
        """Run the block of a ``repeat`` or ``for`` for each of its turns."""
        match statement:
            case nodes.Repeat(times):
                turns: Iterable[Value] = (None for _ in range(count_of(times, self.names)))
            case nodes.For(_, items):
                found = evaluate(items, self.names)
                if not isinstance(found, tuple):
                    raise Fault("`for` needs a list", items.span)
                turns = found
                self.run.take_way(statement, "items" if found else "nothing")
            case _:
                assert_never(statement)
        try:
            for turn in turns:
                if isinstance(statement, nodes.For):
                    self.names[statement.name] = turn
                await self.block(statement.block)
        except Broke:
            return

    async def do(self, statement: nodes.Do) -> None:
        """Run a flow, in a scope of its own."""
        flow = self.flows.get(statement.flow)
        if flow is None:
            raise Fault(f"there is no flow `{statement.flow}`", statement.span)
        if len(flow.parameters) != len(statement.arguments):
            raise Fault(f"`{flow.name}` takes {len(flow.parameters)} value(s)", statement.span)
        if self.depth >= MAX_NESTED:
            raise Fault(f"flows nest deeper than {MAX_NESTED}", statement.span)
        values = [evaluate(argument, self.names) for argument in statement.arguments]
        bound = {name: self.run.names.get(name) for name in ("call_id", "caller", "called", "answered_at")}
        scope = bound | dict(zip(flow.parameters, values, strict=True))
        inner = Executor(self.run, self.leg, scope, self.flows, self.depth + 1)
        await inner.body(flow.block)

    # Legs and the queue

    async def ring_and(self, call: nodes.Call, block: nodes.Block) -> None:
        """Ring this executor's leg, and when it is answered run *block* on it; then hang up.

        A further leg that has a name stays up after its block, for the script to do things with it.
        """
        leg = self.need_leg()
        limit = seconds_of(call.ring, self.names) if call.ring else self.run.settings.ring_timeout
        if leg is not self.run.subject and (pause := self.run.until_turn()):
            await self.within(pause, lambda _: False)
        leg.state = "ringing"
        self.run.position = call.span
        self.run.perform(effects.Ring(leg.name, leg.number, leg.caller_id))
        self._upcoming.append(lambda: block.statements)
        self.look_ahead()
        answered = await self.within(
            limit,
            lambda s: isinstance(s, port.Answered) and s.leg == leg.name,
            on_queued=self.look_ahead,
        )
        self._upcoming.pop()
        if answered is None:
            self.run.close(leg, "no answer")
            raise Cancelled
        await self.body(block)
        if call.name and leg is not self.run.subject:
            await bridge_statements.remain(self)
        self.run.close(leg, "script")

    async def body_and_hang_up(self, block: nodes.Block) -> None:
        """Run *block* on this executor's leg, and then hang up."""
        await self.body(block)
        self.run.close(self.need_leg(), "script")

    def further_leg(self, call: nodes.Call) -> None:
        """Place another leg and run its block on it, at the same time."""
        run = self.run
        name = f"{run.call_id}.{call.name or len(run.legs)}"
        if name in run.legs:
            name = f"{name}-{len(run.legs)}"
        names = dict(self.names)
        leg = run.new_leg(call, name, names)
        if call.name:
            self.names[call.name] = names[call.name] = name
        inner = Executor(run, leg, names, self.flows, self.depth)
        run.spawn(leg, inner.ring_and(call, call.block or nodes.Block()))

    def hang_up(self, statement: nodes.Hangup) -> None:
        """Hang up this leg, or the one that the statement names."""
        if statement.leg is None:
            self.run.close(self.need_leg(), "script")
            return
        leg = bridge_statements.named_leg(self, statement.leg, statement)
        self.run.close(leg, "script")

    async def stay(self, limit: float | None) -> None:
        """Keep the leg up and run what is queued, until it ends or *limit* has passed."""
        leg = self.need_leg()
        own = leg is self.run.subject  # What is queued is for the script's own leg.
        timer = self.run.set_timer(limit) if limit is not None else None
        self._upcoming.append(self.queued)
        bridge_statements.idle(self.run, leg, True)
        try:
            while True:
                if timer and not self.run.is_set(timer):
                    return
                if own and (task := self.run.next_task()):
                    await self.run_task(task)
                else:
                    await self.wait(
                        lambda s: (
                            (own and isinstance(s, events.Queued | events.MemberCame))
                            or s == events.TimerFired(timer or 0)
                        )
                    )
        finally:
            bridge_statements.idle(self.run, leg, False)
            self._upcoming.pop()
            if timer:
                self.run.cancel_timer(timer)

    async def run_task(self, task: "Task") -> None:
        """Run one queued statement, and give it its outcome."""
        run = self.run
        task.state = "running"
        try:
            failure = await self.perform(task.statement)
        except Cancelled:
            # A queued `hangup` or `transfer` did what it was asked to; anything else was cut off.
            done = isinstance(task.statement, nodes.Hangup) or self.need_leg().closing == "transferred"
            run.settle(task, "done" if done else "interrupted", "" if done else "the call was hung up")
            raise
        except Fault as fault:
            run.settle(task, "failed", fault.message)
            raise
        run.settle(task, "failed" if failure else "done", failure)

    def look_ahead(self) -> None:
        """Have the next sound of this leg fetched before its turn."""
        media_statements.look_ahead(self, follow=False)


def flows_of(run: "Run") -> dict[str, nodes.Flow]:
    """Give the flows that the script of *run* can name."""
    scripts = [*run.started.uses.values(), run.script]
    return {
        statement.name: statement
        for script in scripts
        for statement in script.body.statements
        if isinstance(statement, nodes.Flow)
    }
