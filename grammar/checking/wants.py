"""What kind of value each clause wants."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from ringful.grammar import nodes
from ringful.grammar.blocks import expressions_of
from ringful.grammar.walk import slots

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
    "every": "call all",
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


_known: dict[type, tuple[str, ...]] = {}


def _clauses(kind: type) -> tuple[str, ...]:
    """Name the clauses that a *kind* of line can have."""
    if kind not in _known:
        _known[kind] = tuple(name for name in _CLAUSES if name in slots(kind))
    return _known[kind]


def wants_of(line: nodes.Line) -> Iterator[Want]:
    """Give what each expression that stands in *line* itself must come to."""
    known: dict[int, str] = {}
    for name in _clauses(type(line)):
        value = getattr(line, name)
        if isinstance(value, nodes.Node) and not isinstance(value, nodes.Block):
            known[id(value)] = name
    for expression in expressions_of(line):
        name = known.get(id(expression), "")
        sort = _CLAUSES.get(name, "any")
        if isinstance(line, nodes.Menu) and not name:
            sort, name = "patterns", "tones"
        if isinstance(line, nodes.OnTone | nodes.Until):
            sort = "patterns"
        if isinstance(line, nodes.Pick) and line.last is not None:
            sort = "any"
        if isinstance(line, nodes.Tone):
            sort = "sequence"
        if isinstance(line, nodes.Call | nodes.ConnectTo) and line.every and name == "number":
            sort, name = "list", "every" if isinstance(line, nodes.Call) else "connect to all"
        if isinstance(line, nodes.Pick):
            name = "pick"
        if isinstance(line, nodes.Skip) and line.way == "to":
            sort = "start"
        word = "sms" if isinstance(line, nodes.Sms) and name == "text" else _WORDS.get(name, name)
        yield Want(sort, expression, word)
