"""What an expression comes to, where it is made of numbers and durations that stand in the text."""

from decimal import Decimal, DecimalException
from typing import NamedTuple

from ringful.grammar import nodes


class Constant(NamedTuple):
    """A number, or a duration in milliseconds."""

    value: Decimal
    is_duration: bool = False


def constant(expression: nodes.Expression) -> Constant | None:
    """Give what *expression* comes to; None where that cannot be known, or it cannot be reckoned."""
    match expression:
        case nodes.Number(value):
            return Constant(Decimal(value))
        case nodes.Duration(milliseconds):
            return Constant(Decimal(milliseconds), True)
        case nodes.Unary("-", operand):
            found = constant(operand)
            return found and found._replace(value=-found.value)
        case nodes.Binary(operator, left, right):
            a, b = constant(left), constant(right)
            return None if a is None or b is None else _joined(operator, a, b)
        case _:
            return None


def _joined(operator: str, a: Constant, b: Constant) -> Constant | None:
    try:
        match operator:
            case "+" | "-" if a.is_duration == b.is_duration:
                return Constant(a.value + b.value if operator == "+" else a.value - b.value, a.is_duration)
            case "*" if not (a.is_duration and b.is_duration):
                return Constant(a.value * b.value, a.is_duration or b.is_duration)
            case "/" if a.is_duration or not b.is_duration:
                return Constant(a.value / b.value, a.is_duration and not b.is_duration)
    except DecimalException:
        return None
    return None
