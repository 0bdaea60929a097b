"""What a statement holds: its own expressions, and its blocks with what each is for."""

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

from ringful.grammar import nodes
from ringful.grammar.walk import LEAVES, children

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
    return [
        one.tones if one.__class__ is nodes.Choice else one  # type: ignore[misc]  # it is no line
        for one in children(line, _NO_EXPRESSIONS)
    ]


_NO_EXPRESSIONS = LEAVES | {nodes.Block}


def blocks_of(statement: nodes.Statement) -> tuple[tuple[Role, nodes.Block], ...]:
    """Give the blocks of *statement* in the order of the text."""
    kind = statement.__class__
    if kind not in _known:
        _known[kind] = _fields_of(statement)
    found: list[tuple[Role, nodes.Block]] = []
    # Every pass comes by here, so what is known of a kind is not asked of each statement again.
    for role, name in _known[kind]:
        value = getattr(statement, name)
        if value.__class__ is tuple:
            found += [(role, choice.block) for choice in value]
        elif value is not None:
            found.append((role, value))
    return tuple(found)


_Fields: TypeAlias = tuple[tuple[Role, str], ...]

_known: dict[type, _Fields] = {}


def _fields_of(statement: nodes.Statement) -> _Fields:
    """Name the fields of such a *statement* that hold blocks, or choices with theirs."""
    match statement:
        case nodes.If():
            return ("branch", "then"), ("branch", "otherwise")
        case (
            nodes.WaitTone()
            | nodes.WaitCall()
            | nodes.WaitEvent()
            | nodes.Ask()
            | nodes.Follow()
            | nodes.Connect()
            | nodes.ConnectTo()
            | nodes.Serve()
        ):
            return (("branch", "otherwise"),)
        case nodes.Menu():
            return ("prompt", "prompt"), *[("branch", one) for one in ("choices", "timeout", "otherwise")]
        case nodes.Gather():
            return (("prompt", "prompt"),)
        case nodes.Repeat() | nodes.For() | nodes.Queue():
            return (("loop", "block"),)
        case nodes.Call():
            return (("leg", "block"),)
        case nodes.Start():
            return (("background", "block"),)
        case nodes.Until() | nodes.UntilEvent():
            return (("until", "block"),)
        case nodes.OnTone() | nodes.OnEvent() | nodes.OnMember():
            return (("handler", "block"),)
        case nodes.OnHangup():
            return (("farewell", "block"),)
        case nodes.In():
            return (("conference", "block"),)
        case nodes.Flow():
            return (("flow", "block"),)
        case _:
            return _blockless(statement)


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


def _blockless(_: _Blockless) -> _Fields:
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
