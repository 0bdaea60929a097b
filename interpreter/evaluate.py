"""Evaluate expressions: purely, and at once.

Evaluation knows names and values and nothing else: no time, no call, no web.  Whatever is wrong is
the script's fault and is raised as a `Fault` with the place.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias, assert_never

from ringful.grammar import nodes
from ringful.grammar.span import Span
from ringful.grammar.tones import ANY_TONE, patterns_in, wrong_patterns
from ringful.interpreter.values import Duration, Value, kind, say

MAX_TEXT = 65536
"""The longest text, in characters, that an expression may come to."""
MAX_ITEMS = 10_000
"""The most values that a list may hold, in itself and in the lists within it."""

TONES = frozenset("0123456789*#ABCD")

_CHARACTERS_A_VALUE = 64
"""How many characters of a text count as much as a value of a list."""


class Fault(Exception):
    """The script's own fault, found at run time: what, and where."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span

    def __str__(self) -> str:
        return f"{self.span}: {self.message}" if self.span.line else self.message


Environment: TypeAlias = Mapping[str, Value]


class Effort:
    """What lists and texts have cost since that was last asked, in values that were looked at.

    A statement may copy ten thousand values; a budget of statements alone would not bound the time.
    """

    def __init__(self) -> None:
        self._spent = 0

    def spend(self, values: int) -> None:
        """Note that so many *values* were looked at."""
        self._spent += values

    def take(self) -> int:
        """Give what was spent, and begin anew."""
        spent, self._spent = self._spent, 0
        return spent


EFFORT = Effort()
"""Of the statement that is being executed: there is one at a time."""


def evaluate(expression: nodes.Expression, names: Environment) -> Value:
    """Give the value of *expression* where *names* are bound.  Raises Fault."""
    match expression:
        # The most frequent ones first: the arms are tried in their order.
        case nodes.Text():
            return _text(expression, names)
        case nodes.Name(id):
            if id not in names:
                raise Fault(f"`{id}` has no value here", expression.span)
            return names[id]
        case nodes.Number() | nodes.Boolean():
            return expression.value
        case nodes.Binary():
            return _binary(expression, names)
        case nodes.Duration():
            return Duration(expression.milliseconds)
        case nodes.Field(subject, name):
            return _field(evaluate(subject, names), name, expression.span)
        case nodes.Nothing():
            return None
        case nodes.Unary():
            return _unary(expression, names)
        case nodes.Apply(function, arguments):
            return _apply(function, [evaluate(one, names) for one in arguments], expression.span)
        case nodes.AnyTone():
            return ANY_TONE
        case nodes.Index(subject, index):
            return _index(evaluate(subject, names), evaluate(index, names), expression.span)
        case nodes.List(items):
            return _bounded_list(tuple(evaluate(item, names) for item in items), expression.span)
        case nodes.Map(entries):
            return {entry.key: evaluate(entry.value, names) for entry in entries}
        case _:
            assert_never(expression)


def _text(expression: nodes.Text, names: Environment) -> str:
    said = ""
    for part in expression.parts:
        said += part if isinstance(part, str) else say(evaluate(part, names))
    # What is short is within bounds, and costs nothing.
    return said if len(said) < _CHARACTERS_A_VALUE else _bounded(said, expression.span)


def _bounded(text: str, span: Span) -> str:
    if len(text) > MAX_TEXT:
        raise Fault(f"a text of {len(text)} characters is too long: at most {MAX_TEXT}", span)
    EFFORT.spend(len(text) // _CHARACTERS_A_VALUE)
    return text


def _bounded_list(items: tuple[Value, ...], span: Span) -> tuple[Value, ...]:
    """Refuse a list that holds too much, in itself or in lists within it."""
    waiting: list[Value] = list(items)
    texts = found = 0
    while waiting:
        match waiting.pop():
            case tuple() as inner:
                waiting.extend(inner)
            case Mapping() as inner:
                waiting.extend(inner.values())
            case str() as text:
                texts += len(text)
        found += 1
        if found + len(waiting) > MAX_ITEMS or texts > MAX_TEXT:
            most = f"at most {MAX_ITEMS} values and {MAX_TEXT} characters"
            raise Fault(f"a list that holds so much is too long: {most}", span)
    EFFORT.spend(found)
    return items


def _field(subject: Value, name: str, span: Span) -> Value:
    if not isinstance(subject, Mapping):
        raise Fault(f"{kind(subject)} has no `.{name}`", span)
    if name not in subject:
        raise Fault(f"there is no `.{name}` in it; it has: {', '.join(map(str, subject)) or 'nothing'}", span)
    return subject[name]


def _index(subject: Value, index: Value, span: Span) -> Value:
    match subject, index:
        case tuple() | str(), int() if not isinstance(index, bool):
            if not -len(subject) <= index < len(subject):
                raise Fault(f"there is no item {index}: it has {len(subject)}", span)
            return subject[index]
        case Mapping(), str():
            return _field(subject, index, span)
    raise Fault(f"{kind(subject)} cannot be indexed by {kind(index)}", span)


def _unary(expression: nodes.Unary, names: Environment) -> Value:
    value = evaluate(expression.operand, names)
    if expression.operator == "not":
        return not truth(value, expression.span)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return -value
    if isinstance(value, Duration):
        return Duration(-value.milliseconds)
    raise Fault(f"`-` needs a number, not {kind(value)}", expression.span)


def _binary(expression: nodes.Binary, names: Environment) -> Value:
    operator, span = expression.operator, expression.span
    left = evaluate(expression.left, names)
    if operator in ("and", "or"):
        if truth(left, span) is (operator == "or"):
            return operator == "or"
        return truth(evaluate(expression.right, names), span)
    right = evaluate(expression.right, names)
    match operator:
        case "==":
            return same(left, right)
        case "!=":
            return not same(left, right)
        case "in" | "not in":
            return _contains(right, left, span) is (operator == "in")
        case "<" | "<=" | ">" | ">=":
            return _compare(operator, left, right, span)
        case _:
            return _arithmetic(operator, left, right, span)


def truth(value: Value, span: Span) -> bool:
    """Give *value* as a condition: only true and false are conditions."""
    if isinstance(value, bool):
        return value
    raise Fault(f"a condition must be true or false, not {kind(value)}; compare it, e.g. `!= none`", span)


def same(left: Value, right: Value) -> bool:
    """Say whether two values are equal; values of different kinds never are."""
    return kind(left) == kind(right) and left == right


def _contains(container: Value, item: Value, span: Span) -> bool:
    match container, item:
        case str(), str():
            return item in container
        case tuple(), _:
            EFFORT.spend(len(container))
            return any(same(item, one) for one in container)
        case Mapping(), str():
            return item in container
    raise Fault(f"`in` cannot look for {kind(item)} in {kind(container)}", span)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _compare(operator: str, left: Value, right: Value, span: Span) -> bool:
    if kind(left) == kind(right) and kind(left) in ("a number", "text", "a duration"):
        return _COMPARISONS[operator](left, right)
    raise Fault(f"`{operator}` cannot compare {kind(left)} with {kind(right)}", span)


def _arithmetic(operator: str, left: Value, right: Value, span: Span) -> Value:
    match left, right:
        case bool(), _:
            pass
        case _, bool():
            pass
        case ((int() | Decimal()), (int() | Decimal())):
            return _numbers(operator, left, right, span)
        case Duration(a), Duration(b) if operator in ("+", "-"):
            return Duration(a + b if operator == "+" else a - b)
        case Duration(a), Duration(b) if operator == "/":
            return _numbers(operator, a, b, span)
        case (Duration(a), int() | Decimal()) if operator in ("*", "/"):
            return Duration(int(Decimal(say(_numbers(operator, a, right, span)))))
        case ((int() | Decimal()), Duration(b)) if operator == "*":
            return Duration(int(Decimal(say(_numbers(operator, left, b, span)))))
        case str(), str() if operator == "+":
            return _bounded(left + right, span)
        case tuple(), tuple() if operator == "+":
            return _bounded_list(left + right, span)
    raise Fault(f"`{operator}` cannot take {kind(left)} and {kind(right)}", span)


def _numbers(operator: str, left: int | Decimal, right: int | Decimal, span: Span) -> int | Decimal:
    if operator in ("+", "-", "*") and isinstance(left, int) and isinstance(right, int):
        return _whole(operator, left, right, span)
    a, b = Decimal(left), Decimal(right)
    try:
        match operator:
            case "+":
                number = a + b
            case "-":
                number = a - b
            case "*":
                number = a * b
            case "/":
                number = a / b
            case _:
                # The sign of the divisor, as on a clock: -1 % 24 is 23.
                number = a - b * (a / b).to_integral_value(rounding="ROUND_FLOOR")
    except (DivisionByZero, InvalidOperation, ArithmeticError):
        # The values are not said: one of them may be a secret.
        raise Fault("nothing can be divided by zero", span) from None
    if abs(number.adjusted()) > 27:
        raise Fault("that number is too large or too small", span)
    return int(number) if number == number.to_integral_value() else number


def _whole(operator: str, left: int, right: int, span: Span) -> int:
    number = left + right if operator == "+" else left - right if operator == "-" else left * right
    if abs(number) >= _TOO_LARGE:
        raise Fault("that number is too large or too small", span)
    return number


_TOO_LARGE = 10**28
"""No number has more digits than `Decimal` keeps exactly."""


def _apply(function: str, values: list[Value], span: Span) -> Value:
    try:
        known, arity = FUNCTIONS[function]
    except KeyError:
        raise Fault(f"there is no function `{function}`", span) from None
    if len(values) != arity:
        raise Fault(f"`{function}` takes {arity} value(s), not {len(values)}", span)
    try:
        return known(*values)
    except (TypeError, ValueError, ArithmeticError):
        raise Fault(f"`{function}` cannot take {', '.join(map(kind, values))}", span) from None


def _length(value: Value) -> int:
    if isinstance(value, str | tuple | Mapping):
        return len(value)
    raise TypeError


def _cased(change: Callable[[str], str]) -> Callable[[Value], Value]:
    def apply(value: Value) -> Value:
        if isinstance(value, str):
            return change(value)
        raise TypeError

    return apply


_SAYS_A_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")


def _digits(value: Value) -> str:
    return "".join(mark for mark in say(value) if mark in "0123456789")


def _spell(value: Value) -> str:
    return " ".join(mark for mark in say(value) if not mark.isspace())


def _number(value: Value) -> Value:
    """Give the number that *value* says; none where it says none, as keys may, or an answer of the web."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | None):
        raise TypeError
    if value is None or (isinstance(value, str) and not _SAYS_A_NUMBER.fullmatch(value.strip())):
        return None
    number = Decimal(value)
    if abs(number.adjusted()) > 27:
        return None
    return int(number) if number == number.to_integral_value() else number


def _round(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError
    return int(Decimal(value).to_integral_value(rounding="ROUND_HALF_UP"))


FUNCTIONS: dict[str, tuple[Callable[..., Value], int]] = {
    "length": (_length, 1),
    "upper": (_cased(str.upper), 1),
    "lower": (_cased(str.lower), 1),
    "digits": (_digits, 1),
    "spell": (_spell, 1),
    "number": (_number, 1),
    "text": (say, 1),
    "round": (_round, 1),
}
"""The pure functions, and how many values each takes."""


def text_of(expression: nodes.Expression, names: Environment) -> str:
    """Evaluate what must be text (numbers are said); raises Fault where it is empty or no text."""
    return as_text(evaluate(expression, names), expression.span)


def as_text(value: Value, span: Span) -> str:
    """Give *value* as what must be text (numbers are said).  Raises Fault where it is empty or no text."""
    if isinstance(value, str):
        said = value
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Fault(f"text is needed here, not {kind(value)}", span)
    else:
        said = say(value)
    if not said.strip():
        raise Fault("text is needed here, and this is empty", span)
    return said


def text_if(expression: nodes.Expression | None, names: Environment) -> str:
    """Evaluate a clause that may say nothing: no clause, ``none`` and an empty text are all empty."""
    if expression is None or evaluate(expression, names) in (None, ""):
        return ""
    return text_of(expression, names)


def url_of(expression: nodes.Expression | None, names: Environment) -> str | None:
    """Evaluate a ``notify`` clause: no clause and ``none`` both mean that nobody is told."""
    if expression is None:
        return None
    value = evaluate(expression, names)
    return None if value is None else as_text(value, expression.span)


def tones_of(expression: nodes.Expression, names: Environment) -> str:
    """Evaluate a list of tones (``"1,2,#"``), as a text of the tones; ``none`` is no tone."""
    value = evaluate(expression, names)
    if value is None:
        return ""
    parts = [part.strip().upper() for part in say(value).split(",")]
    wrong = [part for part in parts if part not in TONES]
    if wrong:
        raise Fault(f"`{wrong[0]}` is no tone: a tone is one of 0-9 * # A-D", expression.span)
    return "".join(parts)


def patterns_of(expression: nodes.Expression, names: Environment) -> tuple[str, ...]:
    """Evaluate a list of keys, each one or several in a row (``"1,*2,4xx"``); ``none`` is no key."""
    value = evaluate(expression, names)
    if value is None:
        return ()
    said = say(value)
    patterns, wrong = _patterns(said)
    if wrong:
        raise Fault(f"{wrong[0]}: {wrong[1]}", expression.span)
    return patterns


@lru_cache(maxsize=256)
def _patterns(said: str) -> tuple[tuple[str, ...], tuple[str, str] | None]:
    """Give the keys that *said* lists, and what is wrong with them: a menu says the same at every turn."""
    return patterns_in(said), wrong_patterns(said)


def seconds_of(expression: nodes.Expression, names: Environment) -> float:
    """Evaluate a duration that is not negative, in seconds."""
    value = evaluate(expression, names)
    if not isinstance(value, Duration) or value.milliseconds < 0:
        raise Fault(f"a duration such as `8s` is needed here, not {kind(value)}", expression.span)
    return value.seconds


def count_of(expression: nodes.Expression, names: Environment, least: int = 0) -> int:
    """Evaluate a whole number of at least *least*."""
    value = evaluate(expression, names)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise Fault(f"a whole number of at least {least} is needed here", expression.span)
    return value
