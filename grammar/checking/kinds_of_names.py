"""What kind of value a name holds, wherever that is the same at every place that gives it one."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.grammar.checking.kinds import Kind, kind_of
from ringful.grammar.checking.names import ever_bound_by

RECORDING: tuple[str, ...] = ("url", "duration", "reason", "silent")
"""The parts of what a recording binds."""

OUTCOME: tuple[str, ...] = ("reason", "seconds", "status")
"""The parts of what came of a connection, a transfer, a leg, a conference."""
PLAYBACK: tuple[str, ...] = ("reason", "position", "speed")
"""The parts of what came of a sound."""
_OF_LEGS: tuple[str, ...] = (*OUTCOME, "leg", "given")

_ROUNDS = 4
"""Names that are made of names are followed so far."""


@frozen
class Names:
    """What is known of the names of one scope."""

    kinds: Mapping[str, Kind] = field(factory=dict)
    """Keys that were collected count as text, although there may be none: neither is anything else."""
    parts: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """The names whose value has certain parts, and those."""
    recordings: frozenset[str] = frozenset()
    """Which of those are recordings; all others are outcomes."""


NO_NAMES: Final = Names()


def names_in(statements: Iterable[nodes.Statement], unknown: Collection[str]) -> Names:
    """Find out what the names hold that *statements* bind; nothing is known of those in *unknown*."""
    binders: dict[str, list[nodes.Statement]] = {}
    for statement in statements:
        if isinstance(statement, nodes.Follow):
            # What is followed may give any name another value.
            return NO_NAMES
        for name in ever_bound_by(statement):
            if name not in unknown:
                binders.setdefault(name, []).append(statement)
    if not binders:
        return NO_NAMES
    kinds: dict[str, Kind] = {}
    for _ in range(_ROUNDS):
        found = {name: kind for name, several in binders.items() if (kind := _common(several, name, kinds))}
        if found == kinds:
            break
        kinds = found
    parts: dict[str, tuple[str, ...]] = {}
    recordings: set[str] = set()
    for name, several in binders.items():
        if all(isinstance(one, nodes.Record | nodes.StartRecord) for one in several):
            parts[name] = RECORDING
            recordings.add(name)
        elif found_parts := _outcome(several):
            parts[name] = found_parts
    return Names(kinds, parts, frozenset(recordings))


def _outcome(binders: list[nodes.Statement]) -> tuple[str, ...]:
    """Give the parts that every outcome of *binders* has; nothing if one of them binds something else."""
    if all(isinstance(one, nodes.Connect | nodes.ConnectTo | nodes.WaitCall) for one in binders):
        return _OF_LEGS
    if all(isinstance(one, nodes.Play | nodes.Say) for one in binders):
        return PLAYBACK
    if all(isinstance(one, nodes.Queue) for one in binders):
        return *OUTCOME, "place", "waited", "expected"
    if all(isinstance(one, nodes.Serve) for one in binders):
        return *OUTCOME, "leg", "number", "waited"
    of_all = (
        nodes.Connect
        | nodes.ConnectTo
        | nodes.WaitCall
        | nodes.Transfer
        | nodes.Join
        | nodes.Queue
        | nodes.Serve
    )
    return OUTCOME if all(isinstance(one, of_all) for one in binders) else ()


def _common(binders: list[nodes.Statement], name: str, kinds: Mapping[str, Kind]) -> Kind | None:
    several = {_bound(statement, name, kinds) for statement in binders}
    return several.pop() if len(several) == 1 else None


def _bound(statement: nodes.Statement, name: str, kinds: Mapping[str, Kind]) -> Kind | None:
    """Give the kind of what *statement* gives to *name*."""
    match statement:
        case nodes.Gather(counting=counting) | nodes.Menu(counting=counting) if counting == name:
            return "a number"
        case nodes.Let(_, value):
            return kind_of(value, kinds)
        case nodes.Gather() | nodes.WaitTone() | nodes.Menu() | nodes.Until() | nodes.OnTone():
            return "text"
        case _:
            return None
