"""The values of the language, and how they are said.

Values are immutable: text, whole and exact decimal numbers, truth, none, durations, lists (tuples)
and maps.  There is no implicit conversion but one: interpolation says any value as text.
"""

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
    """Say *value* as interpolation and callbacks do."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value.normalize(), "f")
        case Duration():
            return format((Decimal(value.milliseconds) / 1000).normalize(), "f")
        case tuple():
            return ",".join(say(item) for item in value)
        case str() | int():
            return str(value)
        case _:
            return ",".join(f"{key}={say(item)}" for key, item in value.items())


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
            return say(value)
        case tuple():
            return [to_json(item) for item in value]
        case Mapping():
            return {key: to_json(item) for key, item in value.items()}
        case _:
            return value
