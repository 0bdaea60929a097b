"""Say what is wrong where the parser could not go on.

Lark tells which token it met and which it would have taken; this module says it in the author's
words.  The special cases come first, the plain "found this, expected that" last.
"""

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ringful.grammar.errors import Problem
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.words import ENDS, OPERATORS, PHRASES, VALUES, as_outside, found, shown
from ringful.grammar.span import Span
from ringful.grammar.spell import nearest
from ringful.grammar.vocabulary import VERBS

_FOREIGN = {
    "'": 'texts are written in double quotes: `"…"`',
    "“": 'use plain double quotes: `"`',
    "”": 'use plain double quotes: `"`',
    "„": 'use plain double quotes: `"`',
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=` for unequal",
    "$": "names stand without a sign: `order`, and in a text `{order}`",
    "\u00a0": "this is a no-break space; use a plain one",
    "\\": "a line ends where it ends; inside ( ) and [ ] it may go on",
}

_OTHER_LANGUAGES = {
    "elif": "write `else if`, on the line of the `}` before it",
    "elsif": "write `else if`, on the line of the `}` before it",
    "else": "`else` stands on the line of the `}` before it: `} else {`",
    "while": "loops have a bound: `repeat 3 times { … }`",
    "loop": "loops have a bound: `repeat 3 times { … }`",
    "set": "write `let NAME = …`",
    "var": "write `let NAME = …`",
    "def": "write `flow NAME(…) { … }`",
    "function": "write `flow NAME(…) { … }`",
    "dial": "write `call NUMBER`",
    "sleep": "write `wait 2s`",
    "pause": "write `wait 2s`",
    "speak": "write `say TEXT`",
    "goto": "there are no jumps; put what is done twice into a `flow`",
    "import": 'write `use "other.call"`',
    "include": 'write `use "other.call"`',
}


def of_character(error: UnexpectedCharacters, text: str, reading: Reading) -> Problem:
    """Say what is wrong with a character that begins no word of the language."""
    at = error.pos_in_stream or 0
    bad = text[at : at + 1]
    line = error.line + reading.shift
    span = Span(line, error.column, line, error.column + 1, reading.path)
    if reading.quote is not None:
        if bad == "\\":
            pair = text[at : at + 2].split("\n")[0]
            known = 'a text knows \\" \\\\ \\n \\t and \\{'
            return _problem(f"`{pair}` means nothing in a text", span, known)
        return _problem("a text cannot hold this control character", span)
    return _stray(_at(text, at), span)


def of_token(error: UnexpectedToken, reading: Reading) -> Problem:
    """Say what is wrong with a word that cannot stand where it stands."""
    token = error.token if reading.quote is not None else as_outside(error.token)
    wanted = frozenset(error.accepts or ())
    span = reading.span(token) if token.type != "$END" else _end(reading)
    if token.type == "STRAY":
        return _stray(token, span)
    special = (
        _unclosed(token, wanted, reading)
        or _verb(token, wanted, span, reading)
        or _value(token, wanted, span, reading)
        or _clause(token, wanted, span, reading)
    )
    if special:
        return special
    return _problem(f"found {found(token)}, expected {shown(wanted)}", span)


def _at(text: str, at: int) -> Token:
    upper = re.compile(r"[A-Z][A-Za-z0-9_]{0,60}").match(text, at)
    return Token("STRAY", upper[0] if upper else text[at : at + 1])


def _stray(token: Token, span: Span) -> Problem:
    """A character that has no meaning in the language, or a word with a capital."""
    span = Span(span.line, span.column, span.line, span.column + len(token), span.path)
    if token[0].isupper() and token.isascii():
        return _problem(f"`{token}` is no word: words are written small", span, f"write `{token.lower()}`")
    return _problem(f"{_character(token)} has no place here", span, _FOREIGN.get(token, ""))


def _end(reading: Reading) -> Span:
    last = reading.span(reading.last) if reading.last else Span(1, 1, 1, 1, reading.path)
    return Span(last.end_line, last.end_column, last.end_line, last.end_column + 1, last.path)


def _unclosed(token: Token, wanted: frozenset[str], reading: Reading) -> Problem | None:
    """A quote or a bracket that is never closed, or one that closes nothing."""
    if token.type in ("NEWLINE", "$END") and reading.quote is not None:
        hint = "a text ends on its line; write `\\n` for a line's end in it"
        return _problem("this text is not closed", reading.openers[-1].span, hint)
    if token.type == "QUOTE" and len(reading.openers) > 1 and reading.openers[-2].token.type == "HOLE_OPEN":
        hint = "write `\\{` for a brace itself"
        return _problem("this `{` in a text is not closed", reading.openers[-2].span, hint)
    inner = reading.openers[-1].token if reading.openers else None
    if inner is not None and inner.type == "HOLE_OPEN" and token.type in ("NEWLINE", "$END"):
        hint = "write `\\{` for a brace itself"
        return _problem("this `{` in a text is not closed", reading.openers[-1].span, hint)
    if inner is not None and (token.type == "$END" or (inner.type != "BLOCK_OPEN" and token in VERBS)):
        return _problem(f"this `{inner}` is never closed", reading.openers[-1].span)
    if token.type == "CLOSE" and inner is None and not reading.closing:
        return _problem("this `}` closes nothing", reading.span(token), "there is no `{` open here")
    return None


def _verb(token: Token, wanted: frozenset[str], span: Span, reading: Reading) -> Problem | None:
    """A line that begins with no statement of the language."""
    if not {"PLAY", "LET"} <= wanted or token.type in ("CLOSE", *ENDS):
        return None
    if token in _OTHER_LANGUAGES:
        return _problem(f"there is no statement `{token}` here", span, _OTHER_LANGUAGES[token])
    if token.type == "NAME" or token.isalpha():
        near = nearest(token, VERBS)
        hint = f"did you mean `{near}`?" if near else f"to give a name a value, write `let {token} = …`"
        return _problem(f"there is no statement `{token}`", span, hint)
    hint = "a line begins with a verb, e.g. `play`"
    return _problem(f"found {found(token)}, expected a statement", span, hint)


def _value(token: Token, wanted: frozenset[str], span: Span, reading: Reading) -> Problem | None:
    """Slips around values: `=` for `==`, `5sec`, a chain of comparisons, a reserved word."""
    if token.type == "EQUALS" and "+" not in wanted and OPERATORS & wanted:
        return _problem("`=` gives a name its value and does not compare", span, "write `==`")
    last = reading.last
    if last is not None and token.type == "NAME" and _touch(last, token):
        hint = "durations are written `500ms`, `8s`, `2m`, `1h`"
        both = _from(reading.span(last), span)
        return _problem(f"`{last}{token}` is no number and no duration", both, hint)
    if token in _COMPARISONS and OPERATORS & wanted:
        return _problem("comparisons do not chain", span, "join two of them with `and`, or put one into ( )")
    return None


def _clause(token: Token, wanted: frozenset[str], span: Span, reading: Reading) -> Problem | None:
    """A word where the statement could take a clause, or end."""
    verb = reading.verb
    at_clause = token.isidentifier() and wanted & {"NEWLINE", "BLOCK_OPEN"}
    if verb is None or verb == token or not at_clause:
        return None
    words = [name.lower() for name in wanted if name.isalpha() and name not in VALUES | ENDS | OPERATORS]
    words = [one for one in words if one.upper() not in _NO_CLAUSES | PHRASES.keys()]
    near = nearest(token, words)
    takes = ", ".join(f"`{one}`" for one in sorted(words))
    hint = f"did you mean `{near}`?" if near else (f"here it can take {takes}" if takes else "")
    hint = hint or f"the line could end here, before `{token}`"
    return _problem(f"`{verb}` does not take `{token}` here", span, hint)


def _problem(message: str, span: Span, hint: str = "") -> Problem:
    return Problem("syntax", message, span, hint)


def _touch(one: Token, other: Token) -> bool:
    return one.type in ("NUMBER", "DURATION") and one.end_pos == other.start_pos


def _from(first: Span, last: Span) -> Span:
    return Span(first.line, first.column, last.end_line, last.end_column, first.path)


def _character(bad: str) -> str:
    return f"`{bad}`" if bad.isprintable() else f"the character U+{ord(bad):04X}"


_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_NO_CLAUSES = frozenset({"AND", "OR", "NOT", "IN", "COMMENT", "TRUE", "FALSE", "NONE"})
