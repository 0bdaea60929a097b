"""Handlers: each is registered where it stands, so what happens before is not for it."""

from collections.abc import Iterator, Sequence

from ringful.grammar import nodes
from ringful.grammar.blocks import blocks_of, in_place, within
from ringful.grammar.checking.names import ever_bound_by
from ringful.grammar.errors import Problem
from ringful.grammar.flows import Flows
from ringful.grammar.walk import walk

_TAKES_TIME = (
    nodes.Say
    | nodes.Record
    | nodes.Tone
    | nodes.Wait
    | nodes.WaitTone
    | nodes.Gather
    | nodes.Menu
    | nodes.Ask
    | nodes.Follow
    | nodes.Connect
    | nodes.ConnectTo
    | nodes.Stay
    | nodes.Transfer
)


def check_handlers(body: nodes.Block, flows: Flows) -> Iterator[Problem]:
    """Tell of the handlers in *body* that stand too late to be of use."""
    slow: set[str] = set()
    for name in flows.order:
        if _takes_time(flows.by_name[name].block.statements, slow):
            slow.add(name)
    yield from _hangups(body, slow)
    for block in (body, *(inner for one in within(body) for _, inner in blocks_of(one))):
        yield from _tones(block, slow)
    for one in within(body):
        yield from (
            problem for role, block in blocks_of(one) if role == "leg" for problem in _hangups(block, slow)
        )


def _hangups(block: nodes.Block, slow: set[str]) -> Iterator[Problem]:
    """Tell of each ``on hangup`` that could stand before what takes time, or that nothing follows."""
    own = [one for one in block.statements if not isinstance(one, nodes.Flow)]
    if not any(isinstance(one, nodes.OnHangup) for one in own):
        return
    times = [place for place, one in enumerate(own) if _takes_time([one], slow)]
    since: set[str] = set()
    for place, one in enumerate(own[times[0] :] if times else (), times[0] if times else 0):
        since |= {name for inner in within(nodes.Block((one,))) for name in ever_bound_by(inner)}
        if not isinstance(one, nodes.OnHangup):
            continue
        line = own[times[0]].span.line
        if since.isdisjoint(node.id for node in walk(one.block) if isinstance(node, nodes.Name)):
            hint = f"put it before line {line}: nothing that it uses gets its value later"
        elif place > times[-1]:
            hint = "put it further up, and give what it uses a value there, e.g. `let answer = none`"
        else:
            continue
        message = f"who hangs up before this line is reached is not noticed: line {line} takes time"
        yield Problem("late-handler", message, one.span, hint, "warning")


def _tones(block: nodes.Block, slow: set[str]) -> Iterator[Problem]:
    """Tell of each ``on tone`` behind which nothing of its block takes time."""
    waiting: list[nodes.OnTone] = []
    for one in block.statements:
        if isinstance(one, nodes.OnTone):
            waiting.append(one)
        elif waiting and _takes_time([one], slow):
            waiting.clear()
    for one in waiting:
        message = "no key finds this handler: it holds for the rest of its block, in which nothing takes time"
        yield Problem("late-handler", message, one.span, "put it before what is heard", "warning")


def _takes_time(statements: Sequence[nodes.Statement], slow: set[str]) -> bool:
    for statement in in_place(
        nodes.Block(tuple(one for one in statements if not isinstance(one, nodes.Flow)))
    ):
        match statement:
            case nodes.Play(background=False) | nodes.Join(background=False):
                return True
            case nodes.Do(flow) if flow in slow:
                return True
            case _ if isinstance(statement, _TAKES_TIME):
                return True
    return False
