"""Waits: none without a bound that the author chose, and no loop without any."""

from collections.abc import Iterator
from typing import TypeAlias, get_args

from ringful.grammar import nodes
from ringful.grammar.blocks import in_place
from ringful.grammar.checking.index import Index
from ringful.grammar.checking.places import word_of
from ringful.grammar.errors import Problem
from ringful.grammar.flows import Flows

_Wait: TypeAlias = nodes.WaitTone | nodes.WaitEvent | nodes.Ask | nodes.Follow | nodes.Repeat | nodes.Queue


def check_waits(flows: Flows, index: Index) -> Iterator[Problem]:
    """Check the waits and the loops that there are."""
    waiting: set[str] = set()
    for name in flows.order:
        if _waits(flows.by_name[name].block, waiting):
            waiting.add(name)
    if index.has(*_WAITING):
        for kind in _WAITING:
            yield from _each(index.of(kind), waiting)


_WAITING: tuple[type[_Wait], ...] = get_args(_Wait)


def _each(statements: Iterator[_Wait], waiting: set[str]) -> Iterator[Problem]:
    for statement in statements:
        match statement:
            case (
                nodes.WaitTone(limit=None, otherwise=nodes.Block())
                | nodes.WaitEvent(limit=None, otherwise=nodes.Block())
            ):
                message = "this `else` never runs: the wait has no bound"
                hint = "give it one, e.g. `for 10s`"
                yield Problem("unbounded-wait", message, statement.span, hint)
            case nodes.WaitTone(limit=None) | nodes.WaitEvent(limit=None):
                message = "this wait has no bound: only the call's longest duration ends it"
                hint = "give it one, e.g. `for 10s`"
                yield Problem("unbounded-wait", message, statement.span, hint, "warning")
            case nodes.Ask(limit=None) | nodes.Follow(limit=None):
                word = word_of(statement)
                message = f"this `{word}` says no limit: the configured one ends it (10 s by default)"
                hint = "say how long a caller may wait for an answer, e.g. `for 5s`"
                yield Problem("no-limit", message, statement.span, hint, "warning")
            case nodes.Repeat(_, block) | nodes.Queue(block=block) if _spins(statement, block, waiting):
                message = "this loop never waits: it would spin"
                hint = "play, say, gather or wait in it, e.g. `wait 1s`"
                yield Problem("spin", message, statement.span, hint)


def _spins(statement: nodes.Statement, block: nodes.Block, flows: set[str]) -> bool:
    """Say whether *block*, which runs again and again, never waits; a queue needs none."""
    return not (isinstance(statement, nodes.Queue) and not block.statements) and not _waits(block, flows)


def _waits(block: nodes.Block, flows: set[str]) -> bool:
    """Say whether something in *block* takes time; placing a call counts, since calls are paced."""
    for statement in in_place(block):
        match statement:
            case nodes.Play(background=False) | nodes.Join(background=False) | nodes.Call():
                return True
            case nodes.Say() | nodes.Record() | nodes.Tone() | nodes.Wait() | nodes.WaitTone():
                return True
            case nodes.Gather() | nodes.Menu() | nodes.Ask() | nodes.Follow():
                return True
            case nodes.Connect() | nodes.ConnectTo() | nodes.Stay() | nodes.Transfer() | nodes.WaitCall():
                return True
            case nodes.Queue() | nodes.Serve() | nodes.WaitEvent():
                return True
            case nodes.Do(flow) if flow in flows:
                return True
    return False
