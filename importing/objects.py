"""JSON as lists and maps, within bounds."""

import json
import re
from typing import Any, NoReturn

from ringful.importing.losses import ImportFault
from ringful.importing.markup import MAX_DEPTH


def read_objects(document: bytes) -> Any:
    """Read *document*.  Raises ImportFault with the line."""
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFault(f"this is no JSON: byte {error.start} is no UTF-8") from None
    try:
        value = json.loads(text, parse_constant=_constant)
    except json.JSONDecodeError as error:
        if re.match(r"\s*(?:---|(?:#[^\n]*\n\s*)*(?:version|sections):)", text):
            raise ImportFault(
                "this is YAML, and only JSON is read: turn it into that, e.g. `yq -o json`"
            ) from None
        raise ImportFault(
            f"line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # a number of thousands of digits
        raise ImportFault(f"this is no JSON that can be read: {error}") from None
    if _depth(value) > MAX_DEPTH * 2:
        raise _too_deep()
    return value


def _too_deep() -> ImportFault:
    return ImportFault(f"lists and maps stand more than {MAX_DEPTH * 2} deep in one another")


def _constant(name: str) -> NoReturn:
    raise ImportFault(f"this is no JSON: {name} is no number")


def _depth(value: Any) -> int:
    """Count how deep lists and maps stand in one another, without recursion."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(one, dict | list):
            inner = one.values() if isinstance(one, dict) else one
            waiting.extend((item, depth + 1) for item in inner)
    return deepest
