"""What kind of value each clause wants."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from ringful.grammar import nodes
from ringful.grammar.walk import slots, taking

Sort: TypeAlias = Literal[
    "number",
    "url",
    "audio",
    "text",
    "tones",  # may be none
    "keys",
    "patterns",  # keys, of which several may stand in a row
    "sequence",
    "duration",
    "count",
    "start",  # where in a sound: may be zero, or none
    "speed",  # may be none, but in a statement
    "condition",
    "list",
    "any",
]


class Want(NamedTuple):
    """An expression and what it must come to; *word* is the clause's."""

    sort: Sort
    expression: nodes.Expression
    word: str


_CLAUSES: dict[str, Sort] = {
    "number": "number",
    "caller_id": "number",
    "diverted": "number",
    "moderator": "number",
    "ring": "duration",
    "limit": "duration",
    "silence": "duration",
    "duration": "duration",
    "notify": "url",
    "url": "url",
    "audio": "audio",
    "text": "text",
    "voice": "text",
    "keyword": "text",
    "operator": "any",
    "until": "tones",
    "tones": "keys",
    "times": "count",
    "tries": "count",
    "least": "count",
    "most": "count",
    "size": "count",
    "within": "duration",
    "between": "duration",
    "named": "text",
    "conference": "text",
    "queue": "text",
    "event": "text",
    "call": "text",
    "who": "text",
    "condition": "condition",
    "items": "list",
    "zone": "text",
    "start": "start",
    "time": "duration",
    "speed": "speed",
}

_WORDS = {
    "caller_id": "from",
    "diverted": "diverted from",
    "limit": "for",
    "least": "digits",
    "most": "digits",
    "size": "most",
    "conference": "the conference",
    "queue": "the queue",
    "event": "the event",
    "call": "to",
    "who": "the member",
    "operator": "via",
    "condition": "if",
    "items": "for",
    "url": "the address",
    "duration": "wait",
    "audio": "play",
    "number": "the number",
    "tones": "the tones",
    "text": "say",
    "zone": "clock",
    "start": "from",
    "time": "skip",
}


_PECULIAR = frozenset(
    {
        nodes.OnTone,
        nodes.Until,
        nodes.Pick,
        nodes.Tone,
        nodes.Call,
        nodes.ConnectTo,
        nodes.Sms,
        nodes.Skip,
    }
)
"""Lines of which a field alone does not say what is wanted."""


class _Clauses(NamedTuple):
    """The fields of a kind of line that hold expressions."""

    values: Callable[[nodes.Line], tuple[Any, ...]]
    """Takes what is in them."""
    wanted: tuple[tuple[str, Sort, str], ...]
    """The name of each, what is wanted there, and the clause's word."""


_known: dict[type, _Clauses] = {}


def _clauses(kind: type) -> _Clauses:
    if kind not in _known:
        _known[kind] = _clauses_of(kind)
    return _known[kind]


def _clauses_of(kind: type) -> _Clauses:
    names = [name for name in slots(kind) if name in _CLAUSES]
    wanted = tuple((name, _CLAUSES[name], _WORDS.get(name, name)) for name in names)
    return _Clauses(taking(names), wanted)


def wants_of(line: nodes.Line) -> list[Want]:
    """Give what each expression that stands in *line* itself must come to.

    What may be anything, and has no clause of its own, is left out.
    """
    wants: list[Want] = []
    values, wanted = _clauses(line.__class__)
    peculiar = line.__class__ in _PECULIAR
    for value, clause in zip(values(line), wanted, strict=True):
        if value is None or value.__class__ is str:  # (`speed up` says a word there.)
            continue
        name, sort, word = clause
        wants.append(_peculiar(line, name, sort, value) if peculiar else Want(sort, value, word))
    if line.__class__ is nodes.Menu:
        wants += [Want("patterns", choice.tones, _WORDS["tones"]) for choice in line.choices]
    return wants


def _peculiar(line: nodes.Line, name: str, sort: Sort, value: nodes.Expression) -> Want:
    match line:
        case nodes.OnTone() | nodes.Until():
            sort = "patterns"
        case nodes.Pick():
            return Want("any" if line.last is not None else sort, value, "pick")
        case nodes.Tone():
            sort = "sequence"
        case nodes.Skip(way="to"):
            sort = "start"
        case nodes.Call() | nodes.ConnectTo() if line.every and name == "number":
            return Want("list", value, "call all" if isinstance(line, nodes.Call) else "connect to all")
        case nodes.Sms() if name == "text":
            return Want(sort, value, "sms")
    return Want(sort, value, _WORDS.get(name, name))
