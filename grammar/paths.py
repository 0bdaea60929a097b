"""Follow every way through a script, knowing at each statement what holds there.

A pass says what a statement changes (`step`) and what two ways have in common where they meet
(`meet`); which way leads where is decided here, once for all passes.  A way that ends (``hangup``,
``return``, ``break``, ``again``, a ``stay`` without a limit) has no state after it: None.
"""

from collections.abc import Collection, Iterable
from functools import reduce
from typing import Generic, TypeVar

from ringful.grammar import nodes
from ringful.grammar.blocks import BESIDE, NO_BLOCKS, Role, blocks_of

StateT = TypeVar("StateT")

_GOES_ON = NO_BLOCKS - {
    nodes.Break,
    nodes.Again,
    nodes.Back,
    nodes.Return,
    nodes.Reject,
    nodes.Hangup,
    nodes.Stay,
    nodes.Do,
}
"""Statements that are followed by the next one, always."""


class Paths(Generic[StateT]):
    """A pass over the ways through a script."""

    def __init__(self, never_back: Collection[str] = ()) -> None:
        self._never_back = never_back
        self._loops: list[list[StateT]] = []

    # What a pass says.

    def step(self, statement: nodes.Statement, state: StateT) -> StateT:
        """Give what holds after *statement* itself, before its blocks."""
        return state

    def enter(self, statement: nodes.Statement, role: Role, state: StateT) -> StateT:
        """Give what holds where a block of *statement* begins."""
        return state

    def meet(self, one: StateT, other: StateT) -> StateT:
        """Give what holds where two ways meet."""
        raise NotImplementedError

    def unreachable(self, statement: nodes.Statement, after: nodes.Statement) -> None:
        """Take note of the first statement of a block that no way leads to; *after* ends every way."""

    # Which way leads where.

    def block(self, block: nodes.Block, state: StateT) -> StateT | None:
        """Follow *block*; give what holds after it, or None if no way leads past it."""
        now: StateT | None = state
        last: nodes.Statement | None = None
        for statement in block.statements:
            if statement.__class__ is nodes.Flow:
                # It runs where it is named, wherever it stands.
                self.statement(statement, state)
            elif now is not None:
                goes_on = statement.__class__ in _GOES_ON
                now = self.step(statement, now) if goes_on else self.statement(statement, now)
                last = statement
            elif last is not None:
                self.unreachable(statement, last)
                last = None
        return now

    def statement(self, statement: nodes.Statement, before: StateT) -> StateT | None:
        """Follow one statement with its blocks."""
        state = self.step(statement, before)
        if statement.__class__ in _GOES_ON:
            return state
        match statement:
            case (
                nodes.If()
                | nodes.WaitTone()
                | nodes.WaitCall()
                | nodes.WaitEvent()
                | nodes.Ask()
                | nodes.Follow()
                | nodes.Connect()
                | nodes.ConnectTo()
                | nodes.Serve()
            ):
                ways = [self._inside(statement, "branch", one, state) for _, one in blocks_of(statement)]
                skipped = not isinstance(statement, nodes.If) or statement.otherwise is None
                return self._met([*ways, state] if skipped else ways)
            case nodes.Menu():
                return self._menu(statement, state)
            case nodes.Repeat() | nodes.For() | nodes.Queue():
                return self._loop(statement, state)
            case nodes.Until(block=block) | nodes.UntilEvent(block=block):
                return self._met([state, self._inside(statement, "until", block, state)])
            case nodes.Gather(prompt=prompt):
                return self._met([state, self._inside(statement, "prompt", prompt, state)])
            case nodes.Break():
                if self._loops:
                    self._loops[-1].append(state)
                return None
            case nodes.Again() | nodes.Back():
                return None
            case nodes.Return() | nodes.Reject() | nodes.Hangup(leg=None) | nodes.Stay(limit=None):
                return None
            case nodes.Do(flow) if flow in self._never_back:
                return None
            case _:
                for role, inner in blocks_of(statement):
                    assert role in BESIDE
                    self._beside(statement, role, inner, state)
                return state

    def _inside(
        self, statement: nodes.Statement, role: Role, block: nodes.Block, state: StateT
    ) -> StateT | None:
        return self.block(block, self.enter(statement, role, state))

    def _beside(self, statement: nodes.Statement, role: Role, block: nodes.Block, state: StateT) -> None:
        loops, self._loops = self._loops, []
        self._inside(statement, role, block, state)
        self._loops = loops

    def _menu(self, menu: nodes.Menu, state: StateT) -> StateT | None:
        # A key may cut the prompt anywhere, and the prompt of a later try follows `timeout` or
        # `otherwise`; so nothing of it is certain in the branches.
        state = self._met([state, self._inside(menu, "prompt", menu.prompt, state)]) or state
        ways = [self._inside(menu, "branch", choice.block, state) for choice in menu.choices]
        for last in (menu.timeout, menu.otherwise):
            ways.append(self._inside(menu, "branch", last, state) if last else state)
        return self._met(ways)

    def _loop(self, loop: nodes.Repeat | nodes.For | nodes.Queue, state: StateT) -> StateT | None:
        self._loops.append([])
        after = self._inside(loop, "loop", loop.block, state)
        broken = self._loops.pop()
        match loop:
            case nodes.Repeat(nodes.Number()) | nodes.For(_, nodes.List((_, *_))):
                return self._met([after, *broken])
            case _:
                return self._met([state, after, *broken])

    def _met(self, ways: Iterable[StateT | None]) -> StateT | None:
        open_ways = [way for way in ways if way is not None]
        return reduce(self.meet, open_ways) if open_ways else None
