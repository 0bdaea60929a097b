"""Recordings: each that is started is stopped on some way, or else lasts until the call ends."""

from ringful.grammar import nodes
from ringful.grammar.blocks import BESIDE, Role, blocks_of, within
from ringful.grammar.errors import Problem
from ringful.grammar.paths import Paths

_Running = frozenset[int]
"""The recordings that may be running, as the identities of the statements that started them."""

_MOST = 8
"""Of more recordings at a time nothing is told: it bounds the work."""

_MAY_STOP = nodes.StopRecord | nodes.Stay | nodes.Do | nodes.Follow
"""Statements that stop a recording, or run what may."""


def check_recordings(body: nodes.Block, never_back: frozenset[str]) -> list[Problem]:
    """Give the recordings that no way through *body* stops."""
    recordings = _Recordings(never_back, body)
    recordings.block(body, frozenset())
    message = "this recording is never stopped: it lasts until the call ends"
    hint = "write `stop record` where it should end"
    return [
        Problem("never-stopped", message, one.span, hint, "warning")
        for key, one in recordings.started.items()
        if key not in recordings.stopped
    ]


class _Recordings(Paths[_Running]):
    def __init__(self, never_back: frozenset[str], body: nodes.Block) -> None:
        super().__init__(never_back)
        self.started: dict[int, nodes.StartRecord] = {}
        self.stopped = _stopped_elsewhere(body)

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
            case nodes.Stay() | nodes.Do() | nodes.Follow():
                self.stopped |= state
        return state


def _stopped_elsewhere(body: nodes.Block) -> set[int]:
    """Give the recordings that something may stop which no way leads to from where they are started.

    The next turn of a loop, what runs beside the script on its leg, who names the flow; and what a
    conference records ends with the conference.
    """
    blocks = [(role, block) for one in within(body) for role, block in blocks_of(one)]
    if any(role in ("background", "handler") and _stops(block) for role, block in blocks):
        return _started(body)
    anywhere = _stops(body)
    stopped: set[int] = set()
    for role, block in blocks:
        match role:
            case "loop" if _stops(block):
                stopped |= _started(block)
            case "background" | "handler" | "flow" if anywhere:
                stopped |= _started(block)
            case "conference":
                stopped |= _started(block)
    return stopped


def _stops(block: nodes.Block) -> bool:
    return any(isinstance(one, _MAY_STOP) for one in within(block))


def _started(block: nodes.Block) -> set[int]:
    return {id(one) for one in within(block) if isinstance(one, nodes.StartRecord)}
