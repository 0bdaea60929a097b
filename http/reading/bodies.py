"""Read the body of a request: a form, JSON, or the text of a script.  Pure.

A form never holds a blank, a quote or the end of a line as such, so a body that does is the text of a
script, whatever its Content-Type says: curl calls everything a form.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

from attrs import field, frozen

from ringful.http.problems import Problem
from ringful.http.reading.parameters import BadParameter, unicode
from ringful.interpreter.values import Value

MAX_BODY = 64 * 1024
"""Bytes of a request's body."""
MAX_TEXT = 1024 * 1024
"""Bytes of a script's text."""
MAX_UPLOAD = 2 * MAX_TEXT
"""Bytes of a body that may hold a script: as JSON, a text takes more room than it has characters."""
MAX_FIELDS = 100
"""Parameters of a query or a form."""
MAX_DEPTH = 32
"""How deep lists and objects of a JSON body may nest."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

Pairs = tuple[tuple[str, str], ...]


@frozen
class Body:
    """What a body holds: *pairs* of a form, a script's *text*, or the members of a JSON object."""

    pairs: Pairs = ()
    text: str | None = None
    members: Mapping[str, Any] = field(factory=dict)


def read_body(data: bytes, kind: str, *, text: bool) -> Body:
    """Read *data* of the type *kind*; *text* says that it may be a script's.  Raises Problem."""
    if not data:
        return Body()
    if text and (kind.startswith("text/") or (kind in (FORM, "") and any(mark in data for mark in b' "\n'))):
        return Body(text=_decoded(data))
    match kind:
        case "" | "application/x-www-form-urlencoded":
            return Body(pairs(data))
        case "application/json":
            return Body(members=_members(data))
    expected = f"{FORM} or {JSON}" + (", or a script as text/plain" if text else "")
    raise Problem(415, "body.type", f"the body must be {expected}, not {kind}")


def pairs(text: bytes) -> Pairs:
    """Read a query or a form, as `urllib.parse.parse_qsl` does, which calls functions for each name.

    Raises Problem.
    """
    try:
        if text.count(b"&") >= MAX_FIELDS:
            raise ValueError("Max number of fields exceeded")
        # No plus is a part of what is percent-encoded, or parts anything.
        fields = text.decode("ascii").replace("+", " ").split("&")
        parts = [field.partition("=") for field in fields if field]
        return tuple((_plain(name), _plain(value)) for name, _, value in parts)
    except (UnicodeDecodeError, ValueError) as error:
        raise Problem(400, "parameters.invalid", f"the parameters cannot be read: {error}") from error


def _plain(text: str) -> str:
    return unquote_to_bytes(text).decode() if "%" in text else text


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"the text is no UTF-8: byte {error.start + 1} cannot be read"
        raise Problem(400, "body.encoding", message) from error


def _members(data: bytes) -> Mapping[str, Any]:
    text = _decoded(data)
    try:
        found = json.loads(text, parse_float=_exact, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        said = "it nests too deep" if isinstance(error, RecursionError) else str(error)
        raise Problem(400, "body.json", f"the body is no JSON that can be read: {said}") from error
    if not isinstance(found, dict):
        raise Problem(400, "body.json", 'the body must be a JSON object, such as {"name": "approve"}')
    return found


def _exact(written: str) -> Decimal:
    number = Decimal(written)
    if abs(number.adjusted()) > 27:
        raise ValueError(f"the number {written[:20]} is too large or too small")
    return number


def _no_number(written: str) -> Value:
    raise ValueError(f"{written} is no JSON")


def value_of(name: str, found: object, depth: int = 0) -> Value:
    """Take a part of a JSON document as a value of the language.  Raises BadParameter."""
    if depth > MAX_DEPTH:
        raise BadParameter(name, "invalid", f"{name} nests deeper than {MAX_DEPTH}")
    match found:
        case int() if not isinstance(found, bool) and abs(found) >= 10**28:
            raise BadParameter(name, "invalid", f"{name} holds a number that is too large")
        case list():
            return tuple(value_of(name, item, depth + 1) for item in found)
        case dict():
            return {unicode(name, key): value_of(name, item, depth + 1) for key, item in found.items()}
        case str():
            return unicode(name, found)
        case None | bool() | int() | Decimal():
            return found
    raise BadParameter(name, "invalid", f"{name} is no JSON value")
