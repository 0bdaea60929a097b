"""Going round again: jumps back to where a flow began, as a loop that other ways leave.

A jump is put into a block as a statement that `jump` makes.  Where nothing would come after it in its round,
the round just ends there; every other way through it gets a `break`.
"""

from collections.abc import Iterator

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.checking.checker import check
from ringful.importing.draft import Body
from ringful.importing.verbs import ENDLESS

_WHY = "nothing goes back from the middle of a flow; write that as a `repeat` of its own"
_WORD = "go_round_again"
"""What a jump is until `go_round` has put a loop around it: no flow of an import has this name."""


def jump(where: str, most: int = ENDLESS) -> nodes.Do:
    """Make the jump back to *where*, which is made *most* times at most."""
    return nodes.Do(_WORD, (nodes.text(where), nodes.Number(most)))


def go_round(body: Body, where: str) -> nodes.Block:
    """Give the block of *body*, which is *where*: in a loop, if there is a jump to it."""
    block = body.block()
    jumps = list(_jumps(block, where))
    if not jumps:
        return block
    most = max(one.value for jump in jumps for one in jump.arguments if isinstance(one, nodes.Number))
    places = [place for place, one in enumerate(block.statements) if list(_jumps(nodes.Block((one,)), where))]
    end = places[-1] + 1
    rest = block.statements[end:]
    looped = _tail(nodes.Block(block.statements[:end], () if rest else block.closing), where)
    loop = nodes.Repeat(nodes.Number(most), looped)
    if any(problem.code == "spin" for problem in check(nodes.Script(nodes.Block((loop,))))):
        why = "it never waited, so a second is put into each round: play, say or gather something in it"
        said = body.inner()
        said.lose(where, "a loop", why, "to do")
        said.add(nodes.Wait(nodes.Duration(1000)), *looped.statements)
        loop = nodes.Repeat(nodes.Number(most), evolve(said.block(), closing=looped.closing))
    return nodes.Block((loop, *rest), block.closing if rest else ())


def without_jumps(body: Body, block: nodes.Block) -> nodes.Block:
    """Give *block* with what could not jump said instead."""
    kept: list[nodes.Statement] = []
    for statement in block.statements:
        if isinstance(statement, nodes.Do) and statement.flow == _WORD:
            lost = body.inner()
            lost.lose(_where(statement), "a jump back", _WHY)
            return nodes.Block(tuple(kept), (*statement.comments, *lost.comments))
        match statement:
            case nodes.If(then=then, otherwise=otherwise):
                inner = without_jumps(body, otherwise) if otherwise else None
                kept.append(evolve(statement, then=without_jumps(body, then), otherwise=inner))
            case nodes.Repeat(block=round_):
                kept.append(evolve(statement, block=without_jumps(body, round_)))
            case (
                nodes.Connect(otherwise=nodes.Block() as inner) | nodes.Ask(otherwise=nodes.Block() as inner)
            ):
                kept.append(evolve(statement, otherwise=without_jumps(body, inner)))
            case nodes.ConnectTo(otherwise=nodes.Block() as inner):
                kept.append(evolve(statement, otherwise=without_jumps(body, inner)))
            case _:
                kept.append(statement)
    return evolve(block, statements=tuple(kept))


def _where(jump: nodes.Do) -> str:
    match jump.arguments[0]:
        case nodes.Text((str(said),)):
            return said
        case _:
            return "the flow"


def _is_jump(statement: nodes.Statement, where: str) -> bool:
    return isinstance(statement, nodes.Do) and statement.arguments[:1] == (nodes.text(where),)


def _jumps(block: nodes.Block, where: str) -> Iterator[nodes.Do]:
    for statement in block.statements:
        if isinstance(statement, nodes.Do) and _is_jump(statement, where):
            yield statement
        for inner in blocks_of(statement):
            yield from _jumps(inner, where)


def blocks_of(statement: nodes.Statement) -> list[nodes.Block]:
    """Give the blocks of *statement* that run in its own round."""
    match statement:
        case nodes.If(then=then, otherwise=otherwise):
            return [then, otherwise] if otherwise else [then]
        case nodes.Connect(otherwise=nodes.Block() as block) | nodes.Ask(otherwise=nodes.Block() as block):
            return [block]
        case nodes.ConnectTo(otherwise=nodes.Block() as block):
            return [block]
        case _:
            return []


def _says(block: nodes.Block) -> bool:
    return bool(block.statements or block.closing)


def opposite(condition: nodes.Expression) -> nodes.Expression:
    """Give what holds where *condition* does not."""
    match condition:
        case nodes.Binary("==", left, right):
            return nodes.Binary("!=", left, right)
        case nodes.Binary("!=", left, right):
            return nodes.Binary("==", left, right)
        case nodes.Unary("not", inner):
            return inner
        case _:
            return nodes.Unary("not", condition)


def _tail(block: nodes.Block, where: str) -> nodes.Block:
    """Give *block*, the last of a round: it goes round where it jumps, and leaves the loop where not."""
    *before, last = block.statements or (nodes.Break(),)
    kept: list[nodes.Statement] = [*before]
    if _is_jump(last, where):
        return evolve(block, statements=tuple(kept), closing=(*last.comments, *block.closing))
    match last:
        case nodes.If() if list(_jumps(nodes.Block((last,)), where)):
            otherwise = _tail(last.otherwise or nodes.Block(), where)
            then = _tail(last.then, where)
            if not _says(then) and _says(otherwise):
                turned = evolve(last, condition=opposite(last.condition), then=otherwise, otherwise=None)
                kept.append(turned)
            else:
                kept.append(evolve(last, then=then, otherwise=otherwise if _says(otherwise) else None))
        case nodes.Hangup(leg=None) | nodes.Break() | nodes.Reject() | nodes.Do():
            kept.append(last)
        case _:
            kept += [last, nodes.Break()]
    return evolve(block, statements=tuple(kept))
