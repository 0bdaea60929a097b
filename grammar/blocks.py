"""What a statement holds: its own expressions, and its blocks with what each is for."""

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

from ringful.grammar import nodes
from ringful.grammar.walk import LEAVES, held

Role: TypeAlias = Literal[
    "branch",  # one of several ways on: `if`, `else`, a choice of a menu
    "loop",  # runs again and again
    "until",  # runs in its place, and may be left by a key
    "prompt",  # runs, and may be cut short by a key
    "leg",  # runs on another leg, beside the script
    "background",  # runs beside the script
    "handler",  # runs when a tone comes (or a member of a conference), beside the script
    "farewell",  # runs after the leg has ended
    "conference",  # is queued on a conference
    "flow",  # runs where `do` names it
]

BESIDE: frozenset[Role] = frozenset({"leg", "background", "handler", "farewell", "conference", "flow"})
"""Blocks that do not run in their place, so that nothing they do is certain after them."""


ANSWERING = (
    nodes.Answer
    | nodes.Play
    | nodes.Say
    | nodes.Record
    | nodes.StartRecord
    | nodes.Tone
    | nodes.WaitTone
    | nodes.StartTones
    | nodes.Gather
    | nodes.Menu
    | nodes.Join
    | nodes.Connect
    | nodes.ConnectTo
    | nodes.Queue
    | nodes.Serve
    | nodes.Transfer
)
"""Statements that answer a leg which still rings before they do their own work: it needs no `answer`."""


def answers(statement: nodes.Statement) -> bool:
    """Say whether *statement* answers a leg that still rings, before it does its own work."""
    return isinstance(statement, ANSWERING) and not is_early(statement)


def is_early(statement: nodes.Statement) -> bool:
    """Say whether *statement* is done on a leg that still rings, and answers it later or never."""
    return statement.__class__ in _EARLY and statement.early  # type: ignore[union-attr]  # all of those have it


_EARLY = frozenset({nodes.Play, nodes.Say, nodes.Connect, nodes.ConnectTo})


def expressions_of(line: nodes.Line) -> list[nodes.Expression]:
    """Give the expressions that stand in *line* itself, not in its blocks."""
    found: list[nodes.Expression] = []
    for value in held(line):
        if value.__class__ in _NO_EXPRESSIONS:
            continue
        if value.__class__ is not tuple:
            found.append(value)
        elif value:
            found += [
                one.tones if one.__class__ is nodes.Choice else one
                for one in value
                if one.__class__ not in LEAVES
            ]
    return found


_NO_EXPRESSIONS = LEAVES | {nodes.Block}


def blocks_of(statement: nodes.Statement) -> tuple[tuple[Role, nodes.Block], ...]:
    """Give the blocks of *statement* in the order of the text."""
    if type(statement) in NO_BLOCKS:
        return ()  # Most statements, and every pass asks.
    match statement:
        case nodes.If(_, then, otherwise):
            return _given("branch", then, otherwise)
        case (
            nodes.WaitTone()
            | nodes.WaitCall()
            | nodes.WaitEvent()
            | nodes.Ask()
            | nodes.Follow()
            | nodes.Connect()
        ):
            return _given("branch", statement.otherwise)
        case nodes.ConnectTo():
            return _given("branch", statement.otherwise)
        case nodes.Menu(prompt, choices, timeout=timeout, otherwise=otherwise):
            branches = [choice.block for choice in choices]
            return (("prompt", prompt), *_given("branch", *branches, timeout, otherwise))
        case nodes.Gather():
            return _given("prompt", statement.prompt)
        case nodes.Serve():
            return _given("branch", statement.otherwise)
        case nodes.Repeat() | nodes.For() | nodes.Queue():
            return _given("loop", statement.block)
        case nodes.Call():
            return _given("leg", statement.block)
        case nodes.Start():
            return _given("background", statement.block)
        case nodes.Until() | nodes.UntilEvent():
            return _given("until", statement.block)
        case nodes.OnTone() | nodes.OnEvent() | nodes.OnMember():
            return _given("handler", statement.block)
        case nodes.OnHangup():
            return _given("farewell", statement.block)
        case nodes.In():
            return _given("conference", statement.block)
        case nodes.Flow():
            return _given("flow", statement.block)
        case _:  # pragma: no cover (it is for the types: these were found above)
            return _blockless(statement)


def _given(role: Role, *blocks: nodes.Block | None) -> tuple[tuple[Role, nodes.Block], ...]:
    return tuple([(role, block) for block in blocks if block is not None])


_Blockless: TypeAlias = (
    nodes.Answer
    | nodes.Reject
    | nodes.Play
    | nodes.StopPlay
    | nodes.PausePlay
    | nodes.ResumePlay
    | nodes.Skip
    | nodes.Speed
    | nodes.Say
    | nodes.Record
    | nodes.StartRecord
    | nodes.StopRecord
    | nodes.Tone
    | nodes.Wait
    | nodes.StartTones
    | nodes.StopTones
    | nodes.Conference
    | nodes.Join
    | nodes.Leave
    | nodes.End
    | nodes.Members
    | nodes.Coach
    | nodes.Transfer
    | nodes.Give
    | nodes.Mute
    | nodes.Unmute
    | nodes.Hangup
    | nodes.Signal
    | nodes.Sms
    | nodes.Notify
    | nodes.Let
    | nodes.Break
    | nodes.Clock
    | nodes.Pick
    | nodes.Again
    | nodes.Back
    | nodes.Do
    | nodes.Return
    | nodes.Stay
)


NO_BLOCKS: frozenset[type] = frozenset(get_args(_Blockless))
"""Statements that never have a block."""


def _blockless(_: _Blockless) -> tuple[tuple[Role, nodes.Block], ...]:  # pragma: no cover (as above)
    """Take the statements that have no block; a new one is a type error above."""
    return ()


def within(block: nodes.Block) -> Iterator[nodes.Statement]:
    """Give every statement in *block* and in its blocks, in the order of the text."""
    waiting = [iter(block.statements)]
    while waiting:
        for statement in waiting[-1]:
            yield statement
            # Most have none, and every pass comes by here.
            if type(statement) not in NO_BLOCKS and (blocks := blocks_of(statement)):
                waiting.extend([iter(inner.statements) for _, inner in reversed(blocks)])
                break
        else:
            waiting.pop()


def in_place(block: nodes.Block) -> Iterator[nodes.Statement]:
    """Give the statements of *block* that run in its own course, nothing that runs beside it."""
    waiting = [iter(block.statements)]
    while waiting:
        statement = next(waiting[-1], None)
        if statement is None:
            waiting.pop()
            continue
        yield statement
        inner = [one for role, one in blocks_of(statement) if role not in BESIDE]
        waiting.extend(iter(one.statements) for one in reversed(inner))
