"""Show expressions, with the parentheses that they need and no others."""

import re
from decimal import Decimal
from typing import Final, assert_never

from ringful.grammar import nodes
from ringful.grammar.vocabulary import KEYWORDS

WIDTH: Final = 100
"""The longest line, in characters, that is chosen where there is a choice."""

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _SIGN, _PRIMARY = range(8)

_LEVELS: dict[nodes.BinaryOperator, int] = {
    "or": _OR,
    "and": _AND,
    "==": _COMPARE,
    "!=": _COMPARE,
    "<": _COMPARE,
    "<=": _COMPARE,
    ">": _COMPARE,
    ">=": _COMPARE,
    "in": _COMPARE,
    "not in": _COMPARE,
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
    "/": _MULTIPLY,
    "%": _MULTIPLY,
}

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "{": "\\{"})

_WORD = re.compile(r"[a-z_][a-z0-9_]*")


def show_expression(expression: nodes.Expression) -> str:
    """Show *expression* on one line."""
    return _show(expression, _OR)


def show_primary(expression: nodes.Expression, *words: str) -> str:
    """Show *expression* where something follows it with nothing between: a message's number.

    It stands in parentheses if it is a name that would be read as one of *words* here.
    """
    first = _leftmost(expression)
    shown = _show(expression, _PRIMARY)
    return f"({shown})" if isinstance(first, nodes.Name) and first.id in words else shown


def show_message(expression: nodes.Expression) -> str:
    """Show the text of a message; what is no plain text, name or function stands in parentheses."""
    first = expression
    while isinstance(first, nodes.Field | nodes.Index):
        first = first.subject
    match first:
        case nodes.Text() | nodes.Apply():
            return show_expression(expression)
        case nodes.Name(id) if id not in KEYWORDS:
            return show_expression(expression)
        case _:
            return f"({show_expression(expression)})"


def show_unless(expression: nodes.Expression, *words: str) -> str:
    """Show *expression*; in parentheses if it is a name that would be read as one of *words* here."""
    first = _leftmost(expression)
    shown = show_expression(expression)
    return f"({shown})" if isinstance(first, nodes.Name) and first.id in words else shown


def show_map(fields: nodes.Map, indent: str) -> str:
    """Show a map with a line for each entry, the lines after the first behind *indent*."""
    entries = "".join(f"{indent}    {_entry(entry)},\n" for entry in fields.entries)
    return f"{{\n{entries}{indent}}}"


def quoted(value: str) -> str:
    """Show *value* as a text that says just this."""
    return f'"{value.translate(_ESCAPES)}"'


def show_duration(milliseconds: int) -> str:
    """Show a duration in the largest unit that gives a whole number: ``90s``, ``2m``, ``1500ms``."""
    for unit, length in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % length == 0 and (milliseconds or unit == "s"):
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms"


def _show(expression: nodes.Expression, level: int) -> str:
    """Show *expression* where only what binds as tightly as *level* may stand bare."""
    match expression:
        case nodes.Text(parts):
            return '"' + "".join([_part(part) for part in parts]) + '"'
        case nodes.Number(value):
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case nodes.Duration(milliseconds):
            return show_duration(milliseconds)
        case nodes.Boolean(value):
            return "true" if value else "false"
        case nodes.Nothing():
            return "none"
        case nodes.List(items):
            return f"[{_several(items)}]"
        case nodes.Map(entries):
            inside = ", ".join(_entry(entry) for entry in entries)
            return f"{{ {inside} }}" if inside else "{ }"
        case nodes.Name(id):
            return id
        case nodes.Field(subject, name):
            return f"{_subject(subject)}.{name}"
        case nodes.Index(subject, index):
            return f"{_subject(subject)}[{show_expression(index)}]"
        case nodes.Apply(function, arguments):
            return f"{function}({_several(arguments)})"
        case nodes.AnyTone():
            return "any"
        case nodes.Unary() | nodes.Binary():
            return _operation(expression, level)
        case _:
            assert_never(expression)


def _operation(expression: nodes.Unary | nodes.Binary, level: int) -> str:
    match expression:
        case nodes.Unary("not", operand):
            own, shown = _NOT, f"not {_show(operand, _NOT)}"
        case nodes.Unary(_, operand):
            own, shown = _SIGN, f"-{_show(operand, _SIGN)}"
        case nodes.Binary(operator, left, right):
            own = _LEVELS[operator]
            # Operators join to the left; comparisons do not join at all.
            before = _show(left, own + 1 if own == _COMPARE else own)
            shown = f"{before} {operator} {_show(right, own + 1)}"
        case _:
            assert_never(expression)
    return shown if own >= level else f"({shown})"


def _subject(subject: nodes.Expression) -> str:
    shown = _show(subject, _PRIMARY)
    return f"({shown})" if isinstance(subject, nodes.Number | nodes.Duration) else shown


def _several(items: tuple[nodes.Expression, ...]) -> str:
    return ", ".join(show_expression(item) for item in items)


def _entry(entry: nodes.Entry) -> str:
    key = entry.key if _WORD.fullmatch(entry.key) else quoted(entry.key)
    return f"{key}: {show_expression(entry.value)}"


def _part(part: str | nodes.Expression) -> str:
    return part.translate(_ESCAPES) if isinstance(part, str) else f"{{{show_expression(part)}}}"


def _leftmost(expression: nodes.Expression) -> nodes.Expression:
    """Give what *expression* begins with when it is shown."""
    while True:
        match expression:
            case nodes.Field(subject, _) | nodes.Index(subject, _):
                expression = subject
            case nodes.Binary(_, left, _):
                expression = left
            case _:
                return expression
