"""The language's words, as its author knows them.

Lark's terminals bear the words' names in capitals; everything else has its own phrase here.
"""

import re
from typing import Final

from lark import Token

VALUES: Final = frozenset(
    {"QUOTE", "NUMBER", "DURATION", "NAME", "CALLEE", "OPEN", "SQUARE_OPEN", "MAP_OPEN"}
    | {"TRUE", "FALSE", "NONE", "MINUS", "NOT"}
)
"""The terminals that begin a value."""

OPERATORS: Final = frozenset(
    {"AND", "OR", "NOT", "IN", "SAME", "UNLIKE", "LESSTHAN", "MORETHAN", "AT_MOST", "AT_LEAST"}
    | {"PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "DOT", "SQUARE_OPEN"}
)
"""The terminals that carry a value on."""

ENDS: Final = frozenset({"NEWLINE", "SEMICOLON", "$END"})

PHRASES: Final = {
    "NAME": "a name",
    "CALLEE": "a name",
    "QUOTE": "a text in double quotes",
    "NUMBER": "a number",
    "DURATION": "a duration",
    "BLOCK_OPEN": "`{`",
    "MAP_OPEN": "`{`",
    "HOLE_OPEN": "`{`",
    "CLOSE": "`}`",
    "OPEN": "`(`",
    "SHUT": "`)`",
    "SQUARE_OPEN": "`[`",
    "SQUARE_CLOSE": "`]`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "DOT": "`.`",
    "UP_TO": "`..`",
    "EQUALS": "`=`",
    "MINUS": "`-`",
    "SAME": "`==`",
    "PLUS": "`+`",
    "STAR": "`*`",
    "SLASH": "`/`",
    "PERCENT": "`%`",
    "LESSTHAN": "`<`",
    "MORETHAN": "`>`",
}

_MARKS = {
    "}": "CLOSE",
    "(": "OPEN",
    ")": "SHUT",
    "[": "SQUARE_OPEN",
    "]": "SQUARE_CLOSE",
    ",": "COMMA",
    ":": "COLON",
    ";": "SEMICOLON",
    ".": "DOT",
    "..": "UP_TO",
    "=": "EQUALS",
    "-": "MINUS",
    "==": "SAME",
    "!=": "UNLIKE",
    "<=": "AT_MOST",
    ">=": "AT_LEAST",
    "<": "LESSTHAN",
    ">": "MORETHAN",
    "+": "PLUS",
    "*": "STAR",
    "/": "SLASH",
    "%": "PERCENT",
}


_WORD = re.compile(r"[a-z_][a-z0-9_]*|[0-9]+(?:\.[0-9]+)?|[=!<>]=|\.\.|[A-Z][A-Za-z0-9_]{0,60}|.", re.DOTALL)


def as_outside(token: Token) -> Token:
    """Read *token* anew as what it is outside of texts.

    Where nothing that the parser could take matches, Lark tries every terminal, and that of a
    text's characters takes them all.
    """
    if token.type not in ("LITERAL", "ESCAPE"):
        return token
    matched = _WORD.match(token)
    assert matched is not None
    said = matched[0]
    kind = _MARKS.get(said) or ("NAME" if said[0].islower() or said[0] == "_" else "STRAY")
    kind = "NUMBER" if said[0].isdigit() else kind
    start, column = token.start_pos or 0, token.column or 0
    return Token(kind, said, start, token.line, column, token.line, column + len(said), start + len(said))


def found(token: Token) -> str:
    """Name what was found."""
    match token.type:
        case "NEWLINE":
            return "the end of the line"
        case "$END":
            return "the end of the text"
        case "QUOTE":
            return "a text"
        case _:
            return "`" + (token if len(token) <= 30 else f"{token[:30]}…") + "`"


def shown(wanted: frozenset[str]) -> str:
    """Name what would have done, the shortest way."""
    if {"PLAY", "LET"} <= wanted:
        return "a statement"
    phrases: list[str] = []
    if "NUMBER" in wanted:
        phrases.append("a value")
        wanted -= VALUES
    elif "PLUS" in wanted:
        # A value could go on here; what may follow it is what the author wants to know.
        wanted -= OPERATORS
    if "CLOSE" not in wanted and wanted & ENDS:
        phrases.append("the end of the line")
    rest = {PHRASES.get(name, f"`{name.lower()}`") for name in wanted - ENDS - {"COMMENT", "BLANK"}}
    phrases.extend(sorted(rest))
    return _either(phrases)


def _either(phrases: list[str]) -> str:
    if len(phrases) < 2:
        return "".join(phrases) or "nothing more"
    return f"{', '.join(phrases[:-1])} or {phrases[-1]}"
