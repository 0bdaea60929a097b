"""The values that a script is started with: bound to its params, and read from text.  Pure.

A form or a command line has nothing but text, so a text takes the kind of the param's default:
``param tries = 3`` makes a number of ``tries=5``.  Where there is no default it stays text.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ringful.grammar import nodes
from ringful.grammar.span import NOWHERE
from ringful.interpreter.evaluate import Fault, evaluate
from ringful.interpreter.values import Duration, Value

_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_NUMBER = r"-?[0-9]{1,20}(\.[0-9]{1,10})?"


def missing(script: nodes.Script, given: Iterable[str]) -> list[str]:
    """Name the params that need a value and are not *given* one."""
    names = set(given)
    return [param.name for param in script.params if param.default is None and param.name not in names]


def bind(script: nodes.Script, params: Mapping[str, Value], names: dict[str, Value]) -> None:
    """Bind the params of *script* in *names*.  Raises Fault."""
    declared = {param.name for param in script.params}
    for name in params:
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise Fault(f"the script has no param `{name}`; it has: {known}", NOWHERE)
    for param in script.params:
        if param.name in params:
            names[param.name] = params[param.name]
        elif param.default is not None:
            names[param.name] = evaluate(param.default, names)
        else:
            raise Fault(f"param `{param.name}` needs a value", param.span)


def read(text: str, default: nodes.Expression | None) -> Value:
    """Read *text* as a value of the kind that *default* is.

    Raises ValueError whose message says what is expected.
    """
    match default:
        case nodes.Number() | nodes.Unary("-", nodes.Number()):
            return _number(text)
        case nodes.Duration() | nodes.Unary("-", nodes.Duration()):
            return _duration(text)
        case nodes.Boolean():
            return _boolean(text)
        case nodes.List(items):
            parts = [part.strip() for part in text.split(",")] if text.strip() else []
            return tuple(read(part, items[0] if items else None) for part in parts)
        case _:
            return text


def _number(text: str) -> Value:
    if not re.fullmatch(_NUMBER, text.strip()):
        raise ValueError("a number such as 3 or 0.5")
    number = Decimal(text.strip())
    return int(number) if number == number.to_integral_value() else number


def _duration(text: str) -> Value:
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)", text.strip())
    if not found:
        raise ValueError("a duration such as 500ms, 8s, 2m or 1h")
    return Duration(int(Decimal(found[1]) * _MILLISECONDS[found[2]]))


def _boolean(text: str) -> Value:
    if text.strip().lower() not in ("true", "false"):
        raise ValueError("true or false")
    return text.strip().lower() == "true"
