"""Whole texts that are no scripts: what they are is told once, and not line by line."""

import re
from typing import Final

from ringful.grammar.errors import Problem
from ringful.grammar.span import Span

_KINDS: Final = (
    (
        re.compile(r"<\?xml|<Response\b|<!DOCTYPE|<html\b|<vxml\b", re.IGNORECASE),
        "this is XML, and a script is none",
        'a script has a statement on each line, e.g. `say "Hello."` and `hangup`',
    ),
    (
        re.compile(r'[\[{]\s*(?:[\[{"]|\Z)'),
        "this is JSON, and a script is none",
        'a script has a statement on each line, e.g. `say "Hello."` and `hangup`',
    ),
    (
        re.compile(r"(?:\[[\w-]+\]\s*)?exten\s*=>"),
        "this is a dialplan, and a script is none",
        'its statements stand one after another, e.g. `answer`, `play "hello"` and `hangup`',
    ),
    (
        re.compile(r"(?:---\s*\n)?version:\s*[\d.\"]+\s*\n"),
        "this is YAML, and a script is none",
        'a script has a statement on each line, e.g. `say "Hello."` and `hangup`',
    ),
)


def of_document(text: str, path: str) -> Problem | None:
    """Say what *text* is, if it is a document of another system's."""
    blank = len(text) - len(text.lstrip())
    for pattern, message, hint in _KINDS:
        if pattern.match(text, blank):
            line = text.count("\n", 0, blank) + 1
            column = blank - text.rfind("\n", 0, blank)
            length = len(text[blank:].partition("\n")[0].rstrip())
            return Problem("syntax", message, Span(line, column, line, column + length, path), hint)
    return None
