"""The variables of an SWML document, and the texts and conditions that name them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from attrs import define, field

from ringful.grammar import nodes
from ringful.importing.draft import Draft, Part, plain_name
from ringful.importing.javascript import Unsaid, condition, expression_of
from ringful.importing.losses import Loss
from ringful.importing.values import words

_CALL = {
    "call.from": "caller",
    "call.from_number": "caller",
    "call.to": "called",
    "call.to_number": "called",
    "call.call_id": "call_id",
    "call.id": "call_id",
}
_SPACES = ("vars.", "args.", "params.", "envs.")
_SAID = re.compile(r"[%$]\{([^{}]*)\}")


@define
class Variables:
    """Which variables there are, by the names that they have in the script."""

    wanted: set[str]
    """What methods leave behind, where the document reads it."""
    answered: tuple[str, ...] = ()
    """The parts of the application's answers that it reads."""
    draft: Draft = field(init=False)
    names: dict[str, str] = field(factory=dict)
    bound: set[str] = field(factory=set)
    """What has a value here on every way."""
    unset: dict[str, None] = field(factory=dict)
    """What is read where it may have no value: it is given none at first."""
    texts: set[str] = field(factory=set)
    """What is a text, or none, wherever it has a value."""
    written: set[str] = field(factory=set)
    """What gets a value anywhere."""

    def write(self, variable: str, *, is_text: bool = False) -> str:
        """Give the name of *variable*, which gets a value here; with *is_text*, a text."""
        name = self._name(_short(variable))
        self.bound.add(name)
        if is_text and name not in self.written:
            self.texts.add(name)
        elif not is_text and name in self.written and variable != "record_url":
            self.texts.discard(name)
        self.written.add(name)
        return name

    def named(self, variable: str) -> str:
        """Give the name that *variable* has in the script."""
        return self._name(_short(variable))

    def never_written(self) -> Iterator[str]:
        """Give each variable that is read and never gets a value."""
        for variable, name in self.names.items():
            if name in self.unset and name not in self.written:
                yield variable

    def read(self, variable: str) -> nodes.Expression | None:
        """Give what *variable* is called; None for what no script knows."""
        if variable in _CALL:
            return nodes.Name(_CALL[variable])
        first, *parts = _short(variable).split(".")
        if not first or first == "call":
            return None
        name = self._name(first)
        if name not in self.bound:
            if parts:
                return None
            self.unset[name] = None
        expression: nodes.Expression = nodes.Name(name)
        for part in parts:
            if part == "length":
                return nodes.Apply("length", (expression,))
            plain = plain_name(part) == part
            expression = nodes.Field(expression, part) if plain else nodes.Index(expression, nodes.text(part))
        return expression

    def _name(self, variable: str) -> str:
        if variable not in self.names:
            self.names[variable] = self.draft.name(plain_name(variable))
        return self.names[variable]

    @contextmanager
    def branch(self) -> Iterator[None]:
        """Let what gets a value within have it only there."""
        before = set(self.bound)
        yield
        self.bound = before

    def pieces(self, draft: Draft, said: str) -> tuple[Part, ...]:
        """Take ``%{call.from}`` and such out of a text."""
        found: list[Part] = []
        for place, part in enumerate(_SAID.split(said)):
            if place % 2 == 0:
                found.append(part)
                continue
            try:
                found.append(expression_of(part, self.read))
            except Unsaid:
                why = "it is no plain value of the call or of the document; it is left out"
                draft.losses.append(Loss("a text", f"the value {part[:40]}", why))
        return tuple(found)


def _short(variable: str) -> str:
    """Give the name of *variable* without the space that it is in."""
    for space in _SPACES:
        variable = variable.removeprefix(space)
    return variable


def condition_of(variables: Variables, said: str) -> nodes.Expression | None:
    """Read a condition; None where it is more than can be said."""
    try:
        return condition(expression_of(_SAID.sub(r"(\1)", said), variables.read))
    except Unsaid:
        return None


def value_of(variables: Variables, value: Any) -> nodes.Expression:
    """Give a value of JSON as ours; texts with the values that they name."""
    match value:
        case bool():
            return nodes.Boolean(value)
        case int() | float() if abs(value) < 10**15:
            number = Decimal(str(abs(value)))
            plain = nodes.Number(int(number) if number == int(number) else round(number, 6))
            return nodes.Unary("-", plain) if value < 0 else plain
        case None:
            return nodes.Nothing()
        case list():
            return nodes.List(tuple(value_of(variables, one) for one in value))
        case dict():
            entries = {str(key): one for key, one in value.items()}
            return nodes.Map(
                tuple(nodes.Entry(key, value_of(variables, one)) for key, one in entries.items())
            )
        case _:
            return variables.draft.value(words(value))
