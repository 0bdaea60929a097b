"""Legs and conferences: a name stands for the one or the other, and is used as what it is."""

from collections.abc import Iterator

from attrs import frozen

from ringful.grammar import nodes
from ringful.grammar.blocks import blocks_of, within
from ringful.grammar.checking.index import Index
from ringful.grammar.errors import Problem
from ringful.grammar.spell import suggest
from ringful.grammar.tones import literal
from ringful.grammar.walk import walk

_ABOUT_LEGS = (
    nodes.Call,
    nodes.Connect,
    nodes.WaitCall,
    nodes.Mute,
    nodes.Unmute,
    nodes.Conference,
    nodes.Join,
    nodes.Leave,
    nodes.End,
    nodes.In,
    nodes.Members,
    nodes.Coach,
)


@frozen
class _Names:
    """What the names of a scope stand for."""

    legs: frozenset[str]
    conferences: frozenset[str]
    others: frozenset[str]
    """Names that are known to stand for neither."""


def check_legs(script: nodes.Script, index: Index) -> Iterator[Problem]:
    """Check the names of legs and conferences in *script*."""
    if not index.has(*_ABOUT_LEGS) and not any(one.leg for one in index.of(nodes.Hangup)):
        return
    own = script.header.name if isinstance(script.header, nodes.Call) else None
    names = _names(script.body, {own} if own else set())
    yield from _block(script.body, names, own)
    yield from _unused(script.body)


def _unused(body: nodes.Block) -> Iterator[Problem]:
    """Give the legs that are kept up by their name, although nothing does anything with them."""
    calls: list[nodes.Call] = []
    used: set[str] = set()
    awaited: set[str] = set()
    for node in walk(body):
        match node:
            case nodes.Call(name=str()):
                calls.append(node)
            case nodes.Connect():
                used.update(node.legs)
            case nodes.Mute(str(name)) | nodes.Unmute(str(name)) | nodes.Hangup(str(name)):
                used.add(name)
            case nodes.WaitCall(name):
                awaited.add(name)
            case nodes.Name(name):
                used.add(name)
            case nodes.Follow():
                return  # The application knows the names too.
    for call in calls:
        if call.name in awaited - used and _runs_out(call.block):
            message = (
                f"`{call.name}` stays up after this block, and the `wait call` waits until it is hung up"
            )
            yield Problem("unused-leg", message, call.span, "end the block with `hangup`", "warning")
        elif call.name not in used | awaited:
            message = f"nothing uses `{call.name}`: that leg stays up until the script ends"
            hint = f"leave out `as {call.name}`, and it is hung up when its block ends"
            yield Problem("unused-leg", message, call.span, hint, "warning")


def _runs_out(block: nodes.Block | None) -> bool:
    """Say whether *block* ends with a statement after which its leg is still there for certain."""
    plain = nodes.Say | nodes.Play | nodes.Give | nodes.Signal | nodes.Notify | nodes.Let | nodes.Tone
    return block is not None and bool(block.statements) and isinstance(block.statements[-1], plain)


def _names(body: nodes.Block, legs: set[str]) -> _Names:
    conferences: set[str] = set()
    others: set[str] = set()
    for statement in within(body):
        match statement:
            case nodes.Call(name=str(name)):
                legs.add(name)
            case nodes.Conference(name):
                conferences.add(name)
            case nodes.Gather(name) | nodes.Record(str(name)) | nodes.StartRecord(str(name)):
                others.add(name)
            case nodes.WaitTone(name=str(name)) | nodes.Join(name=str(name)):
                others.add(name)
            case nodes.OnEvent(name=str(name)) | nodes.WaitEvent(name=str(name)):
                others.add(name)
            case nodes.OnMember(name=str(name)) | nodes.OnTone(name=str(name)):
                others.add(name)
            case nodes.UntilEvent(name=str(name)):
                others.add(name)
            case nodes.Clock(name):
                others.add(name)
            case nodes.Menu(name=str(name)) | nodes.Until(name=str(name)) | nodes.WaitCall(name=str(name)):
                others.add(name)
            case (
                nodes.Connect(name=str(name))
                | nodes.ConnectTo(name=str(name))
                | nodes.Transfer(name=str(name))
            ):
                others.add(name)
            case nodes.Queue(name=str(name)) | nodes.Serve(name=str(name)):
                others.add(name)
    return _Names(frozenset(legs), frozenset(conferences), frozenset(others))


def _block(block: nodes.Block, names: _Names, own: str | None) -> Iterator[Problem]:
    """Check *block*, which runs on the leg *own*."""
    for statement in block.statements:
        yield from _statement(statement, names, own)
        if isinstance(statement, nodes.Flow):
            # What a flow is given may be a leg or a conference; nothing is known of it.
            continue
        inside = statement.name if isinstance(statement, nodes.Call) else own
        for _, inner in blocks_of(statement):
            yield from _block(inner, names, inside)


def _statement(statement: nodes.Statement, names: _Names, own: str | None) -> Iterator[Problem]:
    match statement:
        case nodes.Connect() if own in statement.legs:
            yield Problem("own-leg", f"`{own}` is this leg itself", statement.span, "name another leg")
        case nodes.WaitCall(leg) if leg == own:
            yield Problem("own-leg", f"`{leg}` is this leg itself", statement.span, "name another leg")
        case nodes.Connect():
            for leg in statement.legs:
                yield from _leg(leg, statement, names)
        case nodes.Mute(str(leg)) | nodes.Unmute(str(leg)) | nodes.Hangup(str(leg)) | nodes.WaitCall(leg):
            yield from _leg(leg, statement, names)
        case nodes.Conference(named=nodes.Text() as named) if "." in (literal(named) or ""):
            message = f"`{literal(named)}` is no name of a conference: it has a dot"
            yield Problem("conference-name", message, named.span, "a dot is what IDs have")
        case (
            nodes.Join(room)
            | nodes.Leave(room)
            | nodes.End(room)
            | nodes.In(room)
            | nodes.Members(_, _, room)
            | nodes.Coach(_, room)
        ):
            yield from _coached(statement, names, own)
            if isinstance(room, nodes.Name) and room.id in (names.legs | names.others) - names.conferences:
                what = "a leg" if room.id in names.legs else "no conference"
                hint = suggest(room.id, names.conferences) or "write `conference NAME` to make one"
                yield Problem("no-conference", f"`{room.id}` is {what}", room.span, hint)


def _coached(statement: nodes.Statement, names: _Names, own: str | None) -> Iterator[Problem]:
    """Check whom *statement* has this leg coach, if it does."""
    match statement:
        case nodes.Coach(nodes.Name(leg) as who) | nodes.Join(coaching=nodes.Name(leg) as who) if leg == own:
            yield Problem("own-leg", f"`{leg}` is this leg itself", who.span, "name whom it coaches")
        case nodes.Coach(nodes.Name(leg) as who) | nodes.Join(coaching=nodes.Name(leg) as who):
            if leg in names.conferences:
                message = f"`{leg}` is a conference, and a leg or a number is needed here"
                yield Problem("not-a-leg", message, who.span)


def _leg(leg: str, statement: nodes.Statement, names: _Names) -> Iterator[Problem]:
    if leg in names.legs:
        return
    if leg in names.conferences:
        yield Problem("not-a-leg", f"`{leg}` is a conference, and a leg is needed here", statement.span)
    elif leg in names.others:
        hint = suggest(leg, names.legs) or "name a leg with `call NUMBER as NAME { … }`"
        yield Problem("not-a-leg", f"`{leg}` is no leg", statement.span, hint)
