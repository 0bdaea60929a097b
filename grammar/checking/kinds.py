"""What kind of value an expression comes to, as far as its text says."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, assert_never

from ringful.grammar import nodes

Kind: TypeAlias = Literal["text", "a number", "a duration", "true or false", "none", "a list", "a map"]

_RESULTS: dict[str, Kind] = {
    "length": "a number",
    "upper": "text",
    "lower": "text",
    "digits": "text",
    "spell": "text",
    "number": "a number",
    "text": "text",
    "round": "a number",
}

_TAKES: dict[str, tuple[Kind, ...]] = {
    "length": ("text", "a list", "a map"),
    "upper": ("text",),
    "lower": ("text",),
    "number": ("text", "a number"),
    "round": ("a number",),
}
"""What functions take that do not take everything."""

_NO_NAMES: Mapping[str, Kind] = {}

_TRUTHS = frozenset({"or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in"})


def kind_of(expression: nodes.Expression, names: Mapping[str, Kind] = _NO_NAMES) -> Kind | None:
    """Give the kind of *expression*'s value where *names* hold such; None: it cannot be known."""
    match expression:
        case nodes.Text() | nodes.AnyTone():
            return "text"
        case nodes.Number():
            return "a number"
        case nodes.Duration():
            return "a duration"
        case nodes.Boolean():
            return "true or false"
        case nodes.Nothing():
            return "none"
        case nodes.List():
            return "a list"
        case nodes.Map():
            return "a map"
        case nodes.Unary("not"):
            return "true or false"
        case nodes.Unary(_, operand):
            return kind_of(operand, names)
        case nodes.Binary(operator, left, right):
            if operator in _TRUTHS:
                return "true or false"
            return _joined(operator, kind_of(left, names), kind_of(right, names))
        case nodes.Apply(function):
            return _RESULTS.get(function)
        case nodes.Name(name):
            return names.get(name)
        case nodes.Field() | nodes.Index():
            return None
        case _:
            assert_never(expression)


def _joined(operator: str, left: Kind | None, right: Kind | None) -> Kind | None:
    if operator == "/" and left == right == "a duration":
        return "a number"
    if (left == "a duration" and operator in ("*", "/")) or (right == "a duration" and operator == "*"):
        return "a duration"
    if operator == "+":
        return left or right
    if left == right:
        return left
    return None


def cannot_join(operator: str, left: Kind | None, right: Kind | None) -> bool:
    """Say whether it is certain that *operator* cannot take such values."""
    if operator in ("==", "!="):
        return False
    if left is None or right is None:
        return operator in ("-", "*", "/", "%") and "text" in (left, right)
    match operator:
        case "and" | "or":
            return {left, right} != {"true or false"}
        case "in" | "not in":
            return right not in ("a list", "text", "a map") or (right != "a list" and left != "text")
        case "<" | "<=" | ">" | ">=":
            return left != right or left not in ("a number", "text", "a duration")
        case "+":
            return left != right or left not in ("a number", "text", "a duration", "a list")
        case "-":
            return left != right or left not in ("a number", "a duration")
        case "*" if right == "a duration":
            return left != "a number"
        case "/" if left == right == "a duration":
            return False
        case "*" | "/":
            return right != "a number" or left not in ("a number", "a duration")
        case _:
            return {left, right} != {"a number"}


def cannot_take(function: str, given: Kind | None) -> bool:
    """Say whether it is certain that *function* cannot take such a value."""
    return given is not None and function in _TAKES and given not in _TAKES[function]


def never_equal(left: Kind | None, right: Kind | None) -> bool:
    """Say whether it is certain that such values are not equal; comparing with `none` is a question."""
    return None not in (left, right) and left != right and "none" not in (left, right)
