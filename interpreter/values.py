"""The values of the language, and how they are said.

Values are immutable: text, whole and exact decimal numbers, truth, none, durations, lists (tuples)
and maps.  There is no implicit conversion but one: interpolation says any value as text.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias, Union

from attrs import frozen


@frozen(order=True)
class Duration:
    """A stretch of time in whole milliseconds."""

    milliseconds: int

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.milliseconds / 1000


Value: TypeAlias = Union[str, int, Decimal, bool, Duration, "tuple[Value, ...]", "Mapping[str, Value]", None]


def say(value: Value) -> str:
    """Say *value* as interpolation does: for people to hear, or to read."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value.normalize(), "f")
        case Duration():
            return _in_words(value)
        case tuple():
            return ",".join(say(item) for item in value)
        case int():
            return str(value)
        case _:
            return _as_json(value)


_UNITS = (("hour", 3_600_000), ("minute", 60_000), ("second", 1000))


def _in_words(duration: Duration) -> str:
    """Say a duration so that its unit is heard: ``2 hours``, ``1 minute 30 seconds``, ``1.5 seconds``."""
    left, said = abs(duration.milliseconds), []
    for unit, size in _UNITS:
        count = Decimal(left) / size if size == 1000 else Decimal(left // size)
        left %= size
        if count:
            said.append(f"{say(count)} {unit}{'' if count == 1 else 's'}")
    words = " ".join(said) or "0 seconds"
    return f"minus {words}" if duration.milliseconds < 0 else words


def _seconds(duration: Duration) -> str:
    return format((Decimal(duration.milliseconds) / 1000).normalize(), "f")


def posted(value: Value) -> str:
    """Give *value* as a field of a post: a duration in seconds, a list or a map as JSON."""
    match value:
        case Duration():
            return _seconds(value)
        case tuple() | Mapping():
            return _as_json(value)
        case _:
            return say(value)


def _as_json(value: Value) -> str:
    """Give *value* as JSON; numbers stay exact, and a duration is its seconds."""
    match value:
        case None:
            return "null"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case tuple():
            return f"[{','.join(map(_as_json, value))}]"
        case Mapping():
            return f"{{{','.join(f'{_as_json(key)}:{_as_json(item)}' for key, item in value.items())}}}"
        case _:
            return posted(value)


def kind(value: Value) -> str:
    """Name what *value* is, for messages: ``a number``, ``text``."""
    match value:
        case None:
            return "none"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case str():
            return "text"
        case Duration():
            return "a duration"
        case tuple():
            return "a list"
        case _:
            return "a map"


def from_json(value: object) -> Value:
    """Take a parsed JSON document as a value; numbers stay exact.

    Raises TypeError for anything that JSON has not.
    """
    match value:
        case None | bool() | int() | str() | Decimal():
            return value
        case float():
            return Decimal(repr(value))
        case list() | tuple():
            return tuple(from_json(item) for item in value)
        case dict():
            return {str(key): from_json(item) for key, item in value.items()}
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def to_json(value: Value) -> object:
    """Give *value* as something that `json.dumps` takes; exact numbers become text where JSON has none."""
    match value:
        case Decimal() | Duration():
            return posted(value)
        case tuple():
            return [to_json(item) for item in value]
        case Mapping():
            return {key: to_json(item) for key, item in value.items()}
        case _:
            return value
