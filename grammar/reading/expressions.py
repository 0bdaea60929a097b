"""Build expressions: the part of the builder that has no lines."""

import re
from decimal import Decimal
from typing import Any, Final, TypeAlias

from lark import Token

from ringful.grammar import nodes
from ringful.grammar.reading.known import READING, current
from ringful.grammar.span import Span
from ringful.grammar.vocabulary import RESERVED

Children: TypeAlias = list[Any]
"""What a rule matched, in order: tokens, nodes, clauses."""

MAX_DIGITS: Final = 30
"""The longest number, in characters."""

_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\t": "\t", "\\{": "{"}
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_DURATION = re.compile(r"([0-9.]+)([a-z]+)")


def span_of(c: Children) -> Span:
    """Give the stretch of text that a rule's children stand in: tokens, nodes or clauses."""
    reading = READING.get()  # (Every node comes by here.)
    if reading.here is not None:
        return reading.here
    first, last = (reading.span(one) if isinstance(one, Token) else one.span for one in (c[0], c[-1]))
    return Span(first.line, first.column, last.end_line, last.end_column, reading.path)


def word(token: Token) -> str:
    """Take *token* as a name that the script gives to something."""
    if token in RESERVED:
        current().complain(
            f"`{token}` is a word of the language and cannot be a name",
            current().span(token),
            f"the words that cannot be names: {', '.join(sorted(RESERVED))}",
        )
    said: str = token.value
    return said


class ExpressionRules:
    """The rules of expressions, by name."""

    def binary(self, c: Children) -> nodes.Binary:
        return nodes.Binary(c[1].value, c[0], c[2], span=span_of(c))

    def not_in(self, c: Children) -> nodes.Binary:
        return nodes.Binary("not in", c[0], c[3], span=span_of(c))

    def unary(self, c: Children) -> nodes.Unary:
        return nodes.Unary(c[0].value, c[1], span=span_of(c))

    def field(self, c: Children) -> nodes.Field:
        return nodes.Field(c[0], c[2].value, span=span_of(c))

    def index(self, c: Children) -> nodes.Index:
        return nodes.Index(c[0], c[2], span=span_of(c))

    def group(self, c: Children) -> nodes.Expression:
        inside: nodes.Expression = c[1]
        return inside

    def apply(self, c: Children) -> nodes.Apply:
        return nodes.Apply(c[0].value, _values(c[2:]), span=span_of(c))

    def name(self, c: Children) -> nodes.Name:
        return nodes.Name(word(c[0]), span=span_of(c))

    def number(self, c: Children) -> nodes.Number:
        value = c[0].value
        if len(value) > MAX_DIGITS:
            hint = f"at most {MAX_DIGITS} digits"
            current().complain("this number is too long", current().span(c[0]), hint)
            value = "0"
        return nodes.Number(Decimal(value) if "." in value else int(value), span=span_of(c))

    def duration(self, c: Children) -> nodes.Duration:
        return nodes.Duration(_milliseconds(c[0]), span=span_of(c))

    def boolean(self, c: Children) -> nodes.Boolean:
        return nodes.Boolean(c[0] == "true", span=span_of(c))

    def nothing(self, c: Children) -> nodes.Nothing:
        return nodes.Nothing(span=span_of(c))

    def any_tone(self, c: Children) -> nodes.AnyTone:
        return nodes.AnyTone(span=span_of(c))

    def list(self, c: Children) -> nodes.List:
        return nodes.List(_values(c), span=span_of(c))

    def map(self, c: Children) -> nodes.Map:
        entries = [item for item in c if item.__class__ is nodes.Entry]
        return nodes.Map(tuple(entries), span=span_of(c))

    def entry(self, c: Children) -> nodes.Entry:
        key = c[0].value if isinstance(c[0], Token) else plain(c[0], "a key")
        return nodes.Entry(key, c[2], span=span_of(c))

    def text(self, c: Children) -> nodes.Text:
        parts: list[str | nodes.Expression] = []
        for one in c[1:-1]:
            if not isinstance(one, Token):
                parts.append(one)
                continue
            said = _ESCAPES[one.value] if one.type == "ESCAPE" else one.value
            if parts and isinstance(parts[-1], str):
                parts[-1] += said
            else:
                parts.append(said)
        return nodes.Text(tuple(parts), span=span_of(c))

    def hole(self, c: Children) -> nodes.Expression:
        inside: nodes.Expression = c[1]
        return inside


def plain(text: nodes.Text, what: str) -> str:
    """Give the characters of a text in which nothing may be worked out."""
    if any(not isinstance(part, str) for part in text.parts):
        hint = "write `\\{` for a brace"
        current().complain(f"{what} is plain text: nothing can be worked out in it", text.span, hint)
    return "".join(part for part in text.parts if isinstance(part, str))


def _values(children: Children) -> tuple[nodes.Expression, ...]:
    return tuple(child for child in children if not isinstance(child, Token))


def _milliseconds(token: Token) -> int:
    matched = _DURATION.fullmatch(token)
    assert matched is not None
    amount, unit = matched.groups()
    if len(amount) > MAX_DIGITS // 2:
        hint = f"at most {MAX_DIGITS // 2} digits"
        current().complain("this duration is too long", current().span(token), hint)
        return 1
    exact = Decimal(amount) * _UNITS[unit]
    if exact != exact.to_integral_value():
        hint = "the smallest one is `1ms`"
        current().complain("a duration is whole milliseconds", current().span(token), hint)
    return int(exact)
