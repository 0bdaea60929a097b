"""Mistakes in one statement: a key, a branch, a condition, an address, a word that is left out."""

from collections.abc import Iterator

from attrs import evolve

from ringful.grammar import nodes

_KEYS = "1234567890*#"
_NOBODY = "+15550000000"
"""A number that no case has."""
_FLAGS = ("fresh", "beep", "background", "muted", "deaf", "waiting", "alone", "moderator", "speaking")
_BLOCKS = ("timeout", "otherwise")
_OTHER_CHANGE: dict[nodes.Change, nodes.Change] = {
    "mute": "unmute",
    "unmute": "mute",
    "deafen": "undeafen",
    "undeafen": "deafen",
    "kick": "mute",
    "hangup": "kick",
}
_OPPOSITE: dict[str, nodes.BinaryOperator] = {
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
}


def changed_statement(line: nodes.Line) -> Iterator[nodes.Line]:
    """Give *line* with one thing in it changed."""
    for name in _FLAGS:
        if getattr(line, name, False) is True:
            yield _with(line, name, False)
    for name in _BLOCKS:
        if getattr(line, name, None) is not None:
            yield _with(line, name, None)
    yield from _other_address(line)
    yield from _other_keys(line)
    match line:
        case nodes.If(condition, then, otherwise):
            yield evolve(line, condition=_negated(condition))
            if otherwise is not None:
                yield evolve(line, then=otherwise, otherwise=then)
        case nodes.Menu():
            yield from _menu(line)
        case nodes.Say():
            yield evolve(line, text=nodes.text("Something else."))
        case nodes.Play():
            yield evolve(line, audio=nodes.text("something_else"))
        case nodes.Sms():
            yield evolve(line, text=nodes.text("Something else."))
            yield evolve(line, number=nodes.text(_NOBODY))
            if line.operator is not None:
                yield evolve(line, operator=None)
        case nodes.InboundSms(keyword=keyword):
            yield evolve(line, keyword=nodes.text("else") if keyword is None else None)
        case nodes.Members(change):
            yield evolve(line, change=_OTHER_CHANGE[change])
        case nodes.Coach(who) if who is not None:
            yield evolve(line, who=None)
        case nodes.OnMember(event):
            yield evolve(line, event="leave" if event == "join" else "join")
        case nodes.Do(arguments=(first, second, *rest)):
            yield evolve(line, arguments=(second, first, *rest))


def _with(line: nodes.Line, name: str, value: object) -> nodes.Line:
    fields: dict[str, object] = {name: value}
    return evolve(line, **fields)  # type: ignore[arg-type]  # the name is one of its fields


def _negated(condition: nodes.Expression) -> nodes.Expression:
    match condition:
        case nodes.Unary("not", operand):
            return operand
        case nodes.Binary(operator) if operator in _OPPOSITE:
            return evolve(condition, operator=_OPPOSITE[operator])
        case _:
            return nodes.Unary("not", condition)


def _other_address(line: nodes.Line) -> Iterator[nodes.Line]:
    """Post to another address, or, where that may be left out, to none."""
    for name in ("notify", "url"):
        address = getattr(line, name, None)
        if isinstance(address, nodes.Text):
            parts = (*address.parts, "/else")
            if address.parts and isinstance(address.parts[-1], str):
                parts = (*address.parts[:-1], address.parts[-1] + "/else")
            yield _with(line, name, nodes.Text(parts))
        if name == "notify" and address is not None and not isinstance(line, nodes.StartTones):
            yield _with(line, name, None)


def _other_keys(line: nodes.Line) -> Iterator[nodes.Line]:
    for name in ("tones", "until"):
        keys = getattr(line, name, None)
        if isinstance(line, nodes.Choice) or not isinstance(keys, nodes.Text):
            continue
        match keys.parts:
            case (str() as said,):
                # Of all the keys there are, one is left out.
                other = _other_key(said)
                yield _with(line, name, nodes.text(other + said[1:] if other else said[2:]))
        if name == "until" and not isinstance(line, nodes.Gather | nodes.Record):
            yield _with(line, name, None)


def _other_key(taken: str) -> str:
    return next((key for key in _KEYS if key not in taken), "")


def _menu(menu: nodes.Menu) -> Iterator[nodes.Menu]:
    """Give a choice another key, and swap what neighbours do."""
    said = [choice.tones.parts for choice in menu.choices if isinstance(choice.tones, nodes.Text)]
    taken = "".join(str(part) for parts in said for part in parts)
    for place, choice in enumerate(menu.choices):
        match choice.tones:
            case nodes.Text((str() as key,)) if other := _other_key(taken):
                changed = nodes.text(other + key[1:])
                yield _with_choices(menu, place, evolve(choice, tones=changed))
    for place, (one, other_choice) in enumerate(zip(menu.choices, menu.choices[1:], strict=False)):
        swapped = (evolve(one, block=other_choice.block), evolve(other_choice, block=one.block))
        yield _with_choices(menu, place, *swapped)


def _with_choices(menu: nodes.Menu, place: int, *choices: nodes.Choice) -> nodes.Menu:
    rest = menu.choices[place + len(choices) :]
    return evolve(menu, choices=(*menu.choices[:place], *choices, *rest))


_REGISTERED = (
    nodes.OnHangup | nodes.OnTone | nodes.OnMember | nodes.Start | nodes.StartRecord | nodes.StartTones
)


def registered_later(statements: tuple[nodes.Statement, ...]) -> Iterator[tuple[nodes.Statement, ...]]:
    """Move each handler, and what begins in the background, behind the next statement that is none."""
    for place, one in enumerate(statements):
        if not isinstance(one, _REGISTERED):
            continue
        rest = statements[place + 1 :]
        behind = next((n for n, next_one in enumerate(rest, 1) if not isinstance(next_one, _QUICK)), 0)
        if behind:
            yield (*statements[:place], *rest[:behind], one, *rest[behind:])


_QUICK = _REGISTERED | nodes.Flow | nodes.Let
"""What takes no time: moved behind it alone, a handler is as early as before."""
