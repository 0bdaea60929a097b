"""The lines of a case's text: reading one after another, and saying where a line is wrong."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.span import Span
from ringful.grammar.spell import suggest
from ringful.interpreter.values import Value, from_json

TEXT = r'"((?:[^"\\]|\\.)*)"'
"""A text in quotes, as JSON has it: the group is what stands between them."""

LONGEST = 7 * 24 * 3600.0
"""Seconds; no call lasts that long."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Lines:
    """The lines of *text*, which is at *path*; `number` is the line that was given last, from 1."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.number = 0
        self._lines = text.split("\n")
        self.text = text

    def __iter__(self) -> Iterator[str]:
        while self.number < len(self._lines):
            self.number += 1
            yield self._lines[self.number - 1]

    def until_brace(self, what: str) -> list[str]:
        """Give the lines up to one that is a closing brace, without the indent of a block."""
        opened = self.number
        inner: list[str] = []
        for line in self:
            if line.rstrip() == "}":
                return inner
            inner.append(line)
        raise self.wrong(f"this {what} has no closing `}}`", "a line `}` closes it", number=opened)

    def wrong(
        self, message: str, hint: str = "", *, word: str = "", number: int | None = None
    ) -> ScriptError:
        """Say that a line (the present one) is wrong, at *word* where that stands in it."""
        number = number or self.number or 1
        line = self._lines[number - 1]
        indent = len(line) - len(line.lstrip())
        column = line.find(word) if word and word in line else indent
        width = len(word) if word and word in line else len(line.rstrip()) - indent
        span = Span(number, column + 1, number, column + 1 + max(1, width), str(self.path))
        return ScriptError(Problem("case", message, span, hint), source=self.text)

    def unknown(self, word: str, known: Iterable[str], what: str) -> ScriptError:
        """Say that *word* is not *what*: the nearest known word, or all of them."""
        known = list(known)
        hint = suggest(word, known) or f"there are: {', '.join(known)}"
        return self.wrong(f"`{word}` is {what}", hint, word=word)

    def match(self, pattern: str, text: str, example: str) -> re.Match[str]:
        """Take *text* apart by *pattern*, of which *example* is one."""
        found = re.fullmatch(pattern, text)
        if not found:
            raise self.wrong(f"`{text}` cannot be read", f"write e.g. `{example}`", word=text)
        return found

    def seconds(self, text: str) -> float:
        """Read a duration such as ``4s`` or ``500ms``."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
        if not found:
            raise self.wrong(
                f"`{text}` is no duration", "write e.g. `4s`, `1.5s`, `500ms` or `2m`", word=text
            )
        seconds = float(found[1]) * _SECONDS[found[2]]
        if seconds > LONGEST:
            raise self.wrong(f"`{text}` is too long", "a case lasts a week at most", word=text)
        return seconds

    def value(self, text: str) -> Value:
        """Read a value, written as JSON."""
        try:
            return from_json(json.loads(text))
        except (ValueError, RecursionError):
            hint = 'write JSON: "text", 3, true, ["a"], { "key": "value" }'
            raise self.wrong(f"`{text}` is no value", hint, word=text) from None

    def unquoted(self, inner: str) -> str:
        """Give what the *inner* part of a text in quotes says."""
        try:
            return str(json.loads(f'"{inner}"'))
        except ValueError:
            raise self.wrong(
                f'"{inner}" is no text', 'write \\" and \\\\ for " and \\ in it', word=inner
            ) from None
