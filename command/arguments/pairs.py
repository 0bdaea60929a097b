"""Pairs of a name and a value, as commands take them: ``order=A-1``, ``numbers:=["a"]``."""

import json
from collections.abc import Iterable
from typing import Any

from ringful.command.errors import CommandError


def pair(written: str) -> tuple[str, str]:
    """Read ``name=value``.  Raises CommandError (code 2)."""
    name, equals, value = written.partition("=")
    if not equals or not name:
        raise CommandError(f"{written!r}: expected name=value", 2)
    return name, value


def texts_and_values(given: Iterable[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Read the params of a run: as texts, whose kind is the script's to say, and as values (``:=`` JSON).

    Raises CommandError (code 2).
    """
    texts: dict[str, str] = {}
    values: dict[str, Any] = {}
    for one in given:
        name, value = pair(one)
        if not name.endswith(":"):
            texts[name] = value
            continue
        try:
            values[name.removesuffix(":")] = json.loads(value)
        except ValueError as error:
            raise CommandError(f'{one!r}: expected JSON after :=, such as numbers:=["a"]', 2) from error
    return texts, values


def pitches(given: Iterable[str]) -> dict[str, float]:
    """Read which tone stands for which sound: ``440=welcome.wav``.  Raises CommandError (code 2)."""
    found = {}
    for one in given:
        hz, equals, name = one.partition("=")
        if not equals or not hz.isdigit():
            raise CommandError(f"{one!r}: expected a pitch in Hz and a name, e.g. 440=welcome.wav", 2)
        found[name] = float(hz)
    return found
