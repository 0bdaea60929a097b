"""The conditions and values of SWML, which are JavaScript: as much of it as scripts need.

::

    or      and      == != < <= > >=      + -      * / %      ! -      value      ( … )

Names with dots are variables of the document.  What is more than that is `Unsaid`.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias, cast

from attrs import define

from ringful.grammar import nodes
from ringful.importing.draft import clean

Variable: TypeAlias = Callable[[str], nodes.Expression | None]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,20}(?:\.\d{1,8})?)(?![\w.])|(?P<name>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)"
    r"|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[<>!()+\-*/%,]))"
)
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "or"},
    {"&&": "and"},
    {"===": "==", "!==": "!=", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "%": "%"},
)
_FUNCTIONS: dict[str, str] = {
    "parseInt": "number",
    "parseFloat": "number",
    "Number": "number",
    "String": "text",
    "spelt": "spell",
}
_METHODS: dict[str, str] = {"toLowerCase": "lower", "toUpperCase": "upper", "toString": "text"}
_SPELT = re.compile(r"""([\w.$]+)\.split\((?:''|"")\)\.join\((?:' '|" ")\)""")
"""How JavaScript spells a text: ``x.split('').join(' ')``."""
_DEEPEST = 20
_LONGEST = 1000


class Unsaid(Exception):
    """An expression that is more than what can be said."""


def expression_of(said: str, variable: Variable) -> nodes.Expression:
    """Read *said*; *variable* gives the name of each variable.  Raises Unsaid."""
    tokens: list[tuple[str, str]] = []
    place, said = 0, _SPELT.sub(r"spelt(\1)", said.strip())
    if not said or len(said) > _LONGEST:
        raise Unsaid
    while place < len(said):
        found = _TOKEN.match(said, place)
        if not found:
            raise Unsaid
        kind = cast(str, found.lastgroup)
        tokens.append((kind, found[kind]))
        place = found.end()
    reader = _Reader(tokens, variable)
    expression = reader.level(0)
    if reader.tokens:
        raise Unsaid
    return expression


@define
class _Reader:
    tokens: list[tuple[str, str]]
    variable: Variable
    depth: int = 0

    def level(self, level: int) -> nodes.Expression:
        """Read what binds at least as closely as *level*."""
        if level == len(_LEVELS):
            return self._signed()
        left = self.level(level + 1)
        while self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in _LEVELS[level]:
            operator = _LEVELS[level][self.tokens.pop(0)[1]]
            left = _binary(operator, left, self.level(level + 1))
            if level == 2:
                break
        return left

    def _signed(self) -> nodes.Expression:
        if not self.tokens or self.depth > _DEEPEST:
            raise Unsaid
        kind, said = self.tokens.pop(0)
        self.depth += 1
        try:
            match kind, said:
                case "sign", "!":
                    return nodes.Unary("not", condition(self._signed()))
                case "sign", "-":
                    return nodes.Unary("-", self._signed())
                case "sign", "(":
                    inner = self.level(0)
                    if not self.tokens or self.tokens.pop(0)[1] != ")":
                        raise Unsaid
                    return inner
                case "number", _:
                    return nodes.Number(Decimal(said) if "." in said else int(said))
                case "text", _:
                    return nodes.text(clean(said[1:-1]))
                case "name", _:
                    return self._named(said)
                case _:
                    raise Unsaid
        finally:
            self.depth -= 1

    def _named(self, said: str) -> nodes.Expression:
        constants: dict[str, nodes.Expression] = {
            "true": nodes.Boolean(True),
            "false": nodes.Boolean(False),
            "null": nodes.Nothing(),
            "undefined": nodes.Nothing(),
        }

        if self.tokens[:1] == [("sign", "(")]:
            return self._applied(said)
        known = constants.get(said) or self.variable(said)
        if known is None:
            raise Unsaid
        return known

    def _applied(self, said: str) -> nodes.Expression:
        """Read what is done with a value: `x.toLowerCase()`, `parseInt(x)`; the parenthesis is the next."""
        value, _, method = said.rpartition(".")
        arguments = self._arguments()
        if said in _FUNCTIONS and len(arguments) == 1:
            return nodes.Apply(_FUNCTIONS[said], tuple(arguments))
        one = self.variable(value) if value else None
        if one is None:
            raise Unsaid
        if method in _METHODS and not arguments:
            return nodes.Apply(_METHODS[method], (one,))
        if method == "includes" and len(arguments) == 1:
            return nodes.Binary("in", arguments[0], one)
        raise Unsaid

    def _arguments(self) -> list[nodes.Expression]:
        found: list[nodes.Expression] = []
        self.tokens.pop(0)
        while self.tokens and self.tokens[0][1] != ")":
            found.append(self.level(0))
            if self.tokens[:1] == [("sign", ",")]:
                self.tokens.pop(0)
        if not self.tokens:
            raise Unsaid
        self.tokens.pop(0)
        return found


def _is_plain(expression: nodes.Expression) -> bool:
    """Say whether it is a text or a number for certain."""
    match expression:
        case nodes.Text() | nodes.Number():
            return True
        case nodes.Binary(operator):
            return operator in ("+", "-", "*", "/", "%")
        case nodes.Unary(operator):
            return operator == "-"
        case _:
            return False


def _is_condition(expression: nodes.Expression) -> bool:
    """Say whether it is true or false for certain."""
    match expression:
        case nodes.Boolean() | nodes.Unary("not"):
            return True
        case nodes.Binary(operator):
            return operator not in ("+", "-", "*", "/", "%")
        case _:
            return False


def condition(expression: nodes.Expression) -> nodes.Expression:
    """Give *expression* as a condition: a value alone is one if there is one."""
    match expression:
        case _ if _is_condition(expression):
            return expression
        case nodes.Name() | nodes.Field():
            return nodes.Binary("!=", expression, nodes.Nothing())
        case _:
            raise Unsaid


def _binary(operator: str, left: nodes.Expression, right: nodes.Expression) -> nodes.Expression:
    if operator in ("and", "or"):
        left, right = condition(left), condition(right)
    elif operator in ("==", "!="):
        if _is_condition(left) != _is_condition(right) and (_is_plain(left) or _is_plain(right)):
            raise Unsaid
        left, right = _compared(left, right), _compared(right, left)
    return nodes.Binary(cast(nodes.BinaryOperator, operator), left, right)


def _compared(one: nodes.Expression, other: nodes.Expression) -> nodes.Expression:
    """JavaScript finds "1" equal to 1; here both are texts then."""
    if isinstance(other, nodes.Text | nodes.Number) and isinstance(one, nodes.Name | nodes.Field):
        return nodes.Apply("text", (one,)) if isinstance(other, nodes.Number) else one
    if isinstance(one, nodes.Number) and isinstance(other, nodes.Name | nodes.Field):
        return nodes.text(str(one.value))
    return one
