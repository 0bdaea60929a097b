"""Places: every statement stands where it can do its work.

Media needs a leg (or a conference), and after the hang-up there is none; some statements belong to
legs that called us, to loops, or to flows.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias, assert_never, get_args

from ringful.grammar import nodes
from ringful.grammar.blocks import NO_BLOCKS, Role, blocks_of, is_early, within
from ringful.grammar.errors import Problem
from ringful.grammar.flows import Flows

Subject: TypeAlias = Literal["inbound", "leg", "conference", "nothing", "farewell", "any"]
"""What statements run on.  "any" is a flow, which is looked at where it is named."""

_MEDIA = (
    nodes.Play
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
    | nodes.WaitTone
    | nodes.StartTones
    | nodes.StopTones
)
_LEG = (
    nodes.Gather
    | nodes.Menu
    | nodes.Join
    | nodes.Leave
    | nodes.Coach
    | nodes.Connect
    | nodes.ConnectTo
    | nodes.Queue
    | nodes.Serve
    | nodes.Transfer
    | nodes.OnTone
    | nodes.Until
    | nodes.UntilEvent
    | nodes.OnHangup
    | nodes.Stay
    | nodes.Start
)
_INBOUND = nodes.Answer | nodes.Reject
_NAMES_A_LEG = nodes.Hangup | nodes.Mute | nodes.Unmute

_ANYWHERE = frozenset(get_args(nodes.Statement)).difference(
    *map(get_args, (_MEDIA, _LEG, _INBOUND, _NAMES_A_LEG)),
    (nodes.Call, nodes.OnMember, nodes.Flow, nodes.Break, nodes.Return, nodes.Again, nodes.Back),
    (nodes.Give, nodes.Do),
)
"""Statements that can stand in any place, as far as this goes."""
_ANYWHERE_ON_A_LEG = _ANYWHERE.union(*map(get_args, (_MEDIA, _LEG, _NAMES_A_LEG)))
"""Those that can stand in any place where there is a leg, unless they are done before it is answered."""
_LEGS: frozenset[Subject] = frozenset({"leg", "inbound", "any"})


_KnownFlows: TypeAlias = dict[Subject, dict[str, nodes.Statement]]
"""The flows that cannot run on a subject, once somebody asked."""


class _Place(NamedTuple):
    """Where a statement stands."""

    subject: Subject
    top: bool = False
    loop: bool = False
    flow: bool = False
    placed: bool = False
    """On a leg that the script placed, in its own block."""
    prompt: bool = False
    """A key may cut it short, so nothing leads from it to what is around it."""
    menus: tuple[bool, ...] = ()
    """The menus around it, the innermost last: whether a key led here."""


def subject_of(header: nodes.Header | None) -> Subject:
    """Give what the statements of a script with *header* run on."""
    match header:
        case nodes.Call():
            return "leg"
        case nodes.Inbound():
            return "inbound"
        case nodes.InboundSms() | None:
            return "nothing"
        case _:
            assert_never(header)


def check_places(body: nodes.Block, subject: Subject, flows: Flows) -> list[Problem]:
    """Check where the statements of a script's *body* stand."""
    problems: list[Problem] = []
    _block(body, _Place(subject, top=True), flows, {}, problems)
    return problems


def _block(
    block: nodes.Block, place: _Place, flows: Flows, known: _KnownFlows, problems: list[Problem]
) -> None:
    # What is heard or done on a leg is most of most scripts, and it stands on one.
    right = _ANYWHERE_ON_A_LEG if place.subject in _LEGS else _ANYWHERE
    for statement in block.statements:
        if statement.__class__ not in right or is_early(statement):
            problems += _statement(statement, place, flows, known)
        if statement.__class__ in NO_BLOCKS:
            continue
        if isinstance(statement, nodes.Menu):
            _menu(statement, place, flows, known, problems)
            continue
        for role, inner in blocks_of(statement):
            _block(inner, _inside(role, place), flows, known, problems)


def _menu(menu: nodes.Menu, place: _Place, flows: Flows, known: _KnownFlows, problems: list[Problem]) -> None:
    _block(menu.prompt, _inside("prompt", place), flows, known, problems)
    around = _inside("branch", place)
    by_key = around if around.prompt else around._replace(menus=(*around.menus, True))
    for choice in menu.choices:
        _block(choice.block, by_key, flows, known, problems)
    for last in (menu.timeout, menu.otherwise):
        if last is not None:
            by_none = around if around.prompt else around._replace(menus=(*around.menus, False))
            _block(last, by_none, flows, known, problems)


def _inside(role: Role, place: _Place) -> _Place:
    match role:
        case "branch" | "until":
            return place._replace(top=False) if place.top else place
        case "prompt":
            return _Place(place.subject, placed=place.placed, prompt=True)
        case "loop":
            return place._replace(top=False, loop=True)
        case "leg":
            return _Place("leg", placed=True)
        case "conference":
            return _Place("conference")
        case "farewell":
            return _Place("farewell")
        case "flow":
            return _Place("any", flow=True)
        case "background" | "handler":
            return _Place(place.subject, placed=place.placed)
        case _:
            assert_never(role)


def _statement(
    statement: nodes.Statement, place: _Place, flows: Flows, known: _KnownFlows
) -> Iterator[Problem]:
    match statement:
        case nodes.Flow() if not place.top:
            yield _misplaced("a `flow` stands at the top of a script, in no block", statement)
        case nodes.Break() | nodes.Return() if place.prompt and not place.loop:
            message = f"`{word_of(statement)}` cannot lead out of a prompt, which any key cuts short"
            yield _misplaced(message, statement, "put it after the prompt, e.g. into a branch")
        case nodes.Break() if not place.loop:
            yield _misplaced("there is no `repeat` or `for` here to `break` out of", statement)
        case nodes.Return() if not place.flow:
            yield _misplaced(
                "there is no flow here to `return` from", statement, "to end the call, write `hangup`"
            )
        case nodes.Again() | nodes.Back():
            yield from _back(statement, place)
        case nodes.Give() if not (place.placed or place.subject == "any"):
            hint = "to another script, or to an application, write `notify URL with { … }`"
            yield _misplaced("`give` stands in the block of a further `call`", statement, hint)
        case nodes.Do(name) if name in flows.by_name and place.subject not in ("any", "inbound"):
            yield from _flow(statement, flows, place.subject, known)
        case _:
            message = wrong_at(statement, place.subject)
            if message:
                hint = _hint(place.subject, statement)
                yield Problem(_code(place.subject), message, statement.span, hint)


def _back(statement: nodes.Again | nodes.Back, place: _Place) -> Iterator[Problem]:
    """Say why *statement* cannot lead back to a menu from its *place*, if it cannot."""
    word = word_of(statement)
    levels = 1 if isinstance(statement, nodes.Again) else 2
    if place.prompt:
        message = f"`{word}` cannot lead out of a prompt, which any key cuts short"
        yield _misplaced(message, statement, "put it into a branch of the menu")
    elif len(place.menus) < levels:
        what = "no menu" if levels == 1 else "no menu around another one"
        hint = "it stands in a branch of a menu; to leave any block by a key, write `until KEY { … }`"
        yield _misplaced(f"there is {what} here to go back to", statement, hint)
    elif not place.menus[-levels]:
        message = "no key leads here, so the menu would begin anew for ever"
        yield _misplaced(
            message, statement, "leave it out: after `timeout` and `otherwise` the prompt comes again"
        )


def _flow(do: nodes.Do, flows: Flows, subject: Subject, known: _KnownFlows) -> Iterator[Problem]:
    """Say what of a flow cannot run where it is named."""
    if subject not in known:
        known[subject] = _wrong_flows(flows, subject)
    statement = known[subject].get(do.flow)
    if statement is not None:
        why = wrong_at(statement, subject)
        message = f"`{do.flow}` cannot run here: at line {statement.span.line} {why}"
        yield Problem(_code(subject), message, do.span, _hint(subject, statement))


def _wrong_flows(flows: Flows, subject: Subject) -> dict[str, nodes.Statement]:
    """Give the flows that cannot run on *subject*, each with a statement that cannot."""
    wrong: dict[str, nodes.Statement] = {}
    for name in flows.order:
        for statement in _in_place(flows.by_name[name].block):
            if wrong_at(statement, subject):
                wrong[name] = statement
            elif isinstance(statement, nodes.Do) and statement.flow in wrong:
                wrong[name] = wrong[statement.flow]
            if name in wrong:
                break
    return wrong


def _in_place(block: nodes.Block) -> Iterator[nodes.Statement]:
    """Give the statements of *block* that run on what the block runs on."""
    apart: set[int] = set()
    for statement in within(block):
        if id(statement) in apart:
            continue
        yield statement
        for role, inner in blocks_of(statement):
            if role in ("leg", "conference", "farewell"):
                apart.update(id(one) for one in within(inner))


def wrong_at(statement: nodes.Statement, subject: Subject) -> str:
    """Say why *statement* cannot run on *subject*, or nothing if it can."""
    if isinstance(statement, _INBOUND):
        right = subject in ("inbound", "any")
        return "" if right else f"`{word_of(statement)}` needs a call that came in"
    if is_early(statement) and subject not in ("inbound", "any"):
        word = word_of(statement)
        return f"`early` is for a call that came in and still rings, and `{word}` has none here"
    if isinstance(statement, nodes.OnMember) and subject not in ("conference", "any"):
        return f"`{word_of(statement)}` is for a conference, and there is none here"
    if subject in _LEGS:
        return ""
    media = isinstance(statement, _MEDIA)
    own = isinstance(statement, _LEG) or (isinstance(statement, _NAMES_A_LEG) and statement.leg is None)
    if not media and not own and not isinstance(statement, nodes.Hangup | nodes.Call):
        return ""
    match subject:
        case "nothing" if media or own:
            return f"`{word_of(statement)}` needs a call leg, and there is none here"
        case "farewell" if own or media:
            return f"`{word_of(statement)}` needs a call, and this runs after it has ended"
        case "conference" if not media and not isinstance(statement, nodes.OnMember):
            return f"`{word_of(statement)}` cannot be done by a conference"
        case _:
            return ""


def _code(subject: Subject) -> str:
    return {"farewell": "after-hangup", "conference": "in-conference"}.get(subject, "no-leg")


def _hint(subject: Subject, wrong: nodes.Statement) -> str:
    match subject:
        case "conference" if isinstance(wrong, nodes.Coach):
            return (
                "the leg that coaches says it itself: `join … coaching WHO`, or in its `on tone`, `on event`"
            )
        case "farewell":
            return "after the hang-up a script can still `notify`, `ask`, `sms`, `let`, and `call … { … }`"
        case "conference":
            return "a conference can play, say, record, send and hear tones"
        case "nothing":
            return (
                "begin the script with `call NUMBER` or `inbound NUMBER`, or place a leg: `call NUMBER { … }`"
            )
        case _:
            return ""


def _misplaced(message: str, statement: nodes.Statement, hint: str = "") -> Problem:
    return Problem("misplaced", message, statement.span, hint)


def word_of(statement: nodes.Statement) -> str:
    """Name *statement* by the words that it begins with."""
    match statement:
        case nodes.Members(change):
            return change
        case nodes.OnMember(event):
            return f"on {event}"
        case nodes.Play(background=True):
            return "start play"
        case nodes.Join(background=True):
            return "start join"
        case _:
            name = type(statement).__name__
            spaced = "".join(f" {mark.lower()}" if mark.isupper() else mark for mark in name)
            return spaced.strip()
