"""What kind of value an expression comes to, as far as its text says."""

from typing import Literal, TypeAlias

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

_TRUTHS = frozenset({"or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in"})


def kind_of(expression: nodes.Expression) -> Kind | None:
    """Give the kind of *expression*'s value, or None where it depends on what a name holds."""
    match expression:
        case nodes.Text():
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
            return kind_of(operand)
        case nodes.Binary(operator, left, right):
            return (
                "true or false" if operator in _TRUTHS else _joined(operator, kind_of(left), kind_of(right))
            )
        case nodes.Apply(function):
            return _RESULTS.get(function)
        case nodes.Name() | nodes.Field() | nodes.Index():
            return None


def _joined(operator: str, left: Kind | None, right: Kind | None) -> Kind | None:
    if left == "a duration" and operator in ("*", "/"):
        return "a duration"
    if operator == "+":
        return left or right
    if left == right:
        return left
    return None


def cannot_join(operator: str, left: Kind | None, right: Kind | None) -> bool:
    """Say whether it is certain that *operator* cannot take such values."""
    if left is None or right is None or operator in ("==", "!="):
        return False
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
        case "*" | "/":
            return right != "a number" or left not in ("a number", "a duration")
        case _:
            return {left, right} != {"a number"}
