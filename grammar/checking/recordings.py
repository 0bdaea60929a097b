"""Recordings: each that is started is stopped on some way, or else lasts until the call ends."""

from collections.abc import Collection

from ringful.grammar import nodes
from ringful.grammar.blocks import BESIDE, Role, blocks_of, within
from ringful.grammar.errors import Problem
from ringful.grammar.flows import Flows
from ringful.grammar.paths import Paths

_Running = frozenset[int]
"""The recordings that may be running, as the identities of the statements that started them."""

_MOST = 8
"""Of more recordings at a time nothing is told: it bounds the work."""


def check_recordings(body: nodes.Block, flows: Flows) -> list[Problem]:
    """Give the recordings that no way through *body*, or through one of *flows*, stops."""
    recordings = _Recordings(flows.never_back, body, _harmless(flows))
    recordings.block(body, frozenset())
    message = "this recording is never stopped: it lasts until the call ends"
    hint = "write `stop record` where it should end"
    return [
        Problem("never-stopped", message, one.span, hint, "warning")
        for key, one in recordings.started.items()
        if key not in recordings.stopped
    ]


class _Recordings(Paths[_Running]):
    def __init__(self, never_back: frozenset[str], body: nodes.Block, harmless: frozenset[str]) -> None:
        super().__init__(never_back)
        self.started: dict[int, nodes.StartRecord] = {}
        self._harmless = harmless
        self.stopped = _stopped_elsewhere(body, harmless)

    def meet(self, one: _Running, other: _Running) -> _Running:
        both = one | other
        if len(both) > _MOST:
            self.stopped |= both
            return frozenset()
        return both

    def enter(self, statement: nodes.Statement, role: Role, state: _Running) -> _Running:
        return frozenset() if role in BESIDE else state

    def step(self, statement: nodes.Statement, state: _Running) -> _Running:
        match statement:
            case nodes.StartRecord():
                self.started[id(statement)] = statement
                return self.meet(state, frozenset({id(statement)}))
            case nodes.StopRecord():
                self.stopped |= state
                return frozenset()
            case _ if _may_stop(statement, self._harmless):
                self.stopped |= state
        return state


def _harmless(flows: Flows) -> frozenset[str]:
    """Give the flows that stop no recording, by themselves or by flows that they name."""
    found: set[str] = set()
    for name in flows.order:
        if name not in flows.recursive and not _stops(flows.by_name[name].block, found):
            found.add(name)
    return frozenset(found)


def _may_stop(statement: nodes.Statement, harmless: Collection[str]) -> bool:
    match statement:
        case nodes.Do(flow):
            return flow not in harmless
        case _:
            return isinstance(statement, nodes.StopRecord | nodes.Stay | nodes.Follow)


def _stopped_elsewhere(body: nodes.Block, harmless: frozenset[str]) -> set[int]:
    """Give the recordings that something may stop which no way leads to from where they are started.

    The next turn of a loop, what runs beside the script on its leg, who names the flow; and what a
    conference records ends with the conference.
    """
    blocks = [(role, block) for one in within(body) for role, block in blocks_of(one)]
    if any(role in ("background", "handler") and _stops(block, harmless) for role, block in blocks):
        return _started(body)
    anywhere = _stops(body, harmless)
    stopped: set[int] = set()
    for role, block in blocks:
        match role:
            case "loop" if _stops(block, harmless):
                stopped |= _started(block)
            case "background" | "handler" | "flow" if anywhere:
                stopped |= _started(block)
            case "conference":
                stopped |= _started(block)
    return stopped


def _stops(block: nodes.Block, harmless: Collection[str]) -> bool:
    return any(_may_stop(one, harmless) for one in within(block))


def _started(block: nodes.Block) -> set[int]:
    return {id(one) for one in within(block) if isinstance(one, nodes.StartRecord)}
