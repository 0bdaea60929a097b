"""What a script begins that costs: the legs that it places, the messages that it sends; and how many of each.

And what it has others say: what an application answers to `follow` may begin anything.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.blocks import Role, blocks_of, within
from ringful.grammar.bounds.costs import MOST
from ringful.grammar.bounds.durations import Limits
from ringful.grammar.flows import Flows

Many: TypeAlias = int | None
"""How often; None where the text does not say."""

Begun: TypeAlias = nodes.Call | nodes.Sms | nodes.Follow


def begun(body: nodes.Block, flows: Flows, limits: Limits) -> list[tuple[Begun, Many]]:
    """Give what a script begins, itself and by its flows, and how many of each at most."""
    found, dos = _begun(body, 1, limits)
    for name in reversed(flows.order):
        # Those who name a flow come before it here; one that leads back to itself has no bound.
        counts = dos.get(name, [])
        many = None if counts and name in flows.recursive else _sum(counts)
        if many == 0:
            continue
        more, further = _begun(flows.by_name[name].block, many, limits)
        found += more
        for flow, named in further.items():
            dos.setdefault(flow, []).extend(named)
    return sorted(found, key=lambda one: one[0].span)


def _begun(
    block: nodes.Block, count: Many, limits: Limits
) -> tuple[list[tuple[Begun, Many]], dict[str, list[Many]]]:
    """Give what *block* begins and the flows that it names, each with how often at most."""
    found: list[tuple[Begun, Many]] = []
    dos: dict[str, list[Many]] = {}
    waiting: list[tuple[nodes.Block, Many]] = [(block, count)]
    while waiting:
        one, many = waiting.pop()
        for statement in one.statements:
            match statement:
                case nodes.Flow():
                    continue
                case nodes.Call():
                    found.append((statement, _times(many, legs_of(statement))))
                case nodes.ConnectTo():
                    placed = _kept(statement)
                    found.append((placed, _times(many, legs_of(placed))))
                case nodes.Sms() | nodes.Follow():
                    found.append((statement, many))
                case nodes.Do(flow):
                    dos.setdefault(flow, []).append(many)
            waiting += _inside(statement, many, limits)
    return found, dos


def _kept(statement: nodes.ConnectTo) -> nodes.Call:
    """Give the call that *statement* places, kept up for as long as the connection may last."""
    if statement.limit is None:
        return evolve(statement.call, name="line")
    return evolve(statement.call, block=nodes.Block((nodes.Wait(statement.limit, span=statement.span),)))


def _inside(statement: nodes.Statement, many: Many, limits: Limits) -> Iterator[tuple[nodes.Block, Many]]:
    """Give the blocks of *statement*, each with how often it can run where *statement* runs *many* times."""
    returns = isinstance(statement, nodes.Menu) and _returns(statement)
    for role, block in blocks_of(statement):
        yield block, _times(many, _turns(statement, role, block, limits, returns=returns))


def _turns(
    statement: nodes.Statement, role: Role, block: nodes.Block, limits: Limits, *, returns: bool
) -> Many:
    """Give how often *block* can run each time; *returns*: something in a menu leads back to it."""
    match statement:
        case nodes.Call():
            return legs_of(statement)
        case nodes.Repeat(nodes.Number(count)):
            return int(count)
        case nodes.For(_, nodes.List(items)):
            return len(items)
        case (
            nodes.Queue() | nodes.Repeat() | nodes.For() | nodes.OnTone() | nodes.OnEvent() | nodes.OnMember()
        ):
            return None
        case nodes.Menu() if not (
            role == "prompt" or block is statement.timeout or block is statement.otherwise
        ):
            # Its choice is the end of a menu, unless something leads back to it.
            return None if returns else 1
        case nodes.Menu() if returns:
            return None
        case nodes.Menu(tries=None) | nodes.Gather(tries=None):
            return limits.tries
        case nodes.Menu(tries=tries) | nodes.Gather(tries=tries):
            return int(tries.value) if isinstance(tries, nodes.Number) else None
        case _:
            return 1


def _returns(menu: nodes.Menu) -> bool:
    return any(isinstance(one, nodes.Again | nodes.Back) for one in within(nodes.Block((menu,))))


def legs_of(call: nodes.Call) -> Many:
    """Give how many legs *call* places each time."""
    if not call.every:
        return 1
    return len(call.number.items) if isinstance(call.number, nodes.List) else None


def _times(one: Many, other: Many) -> Many:
    return None if one is None or other is None or one * other > MOST else one * other


def _sum(counts: Iterable[Many]) -> Many:
    total = 0
    for count in counts:
        if count is None or total > MOST:
            return None
        total += count
    return total
