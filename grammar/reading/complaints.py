"""Say what is wrong where the parser could not go on.

Lark tells which token it met and which it would have taken; this module says it in the author's
words.  The special cases come first, the plain "found this, expected that" last.
"""

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ringful.grammar import foreign
from ringful.grammar.errors import Problem
from ringful.grammar.reading import asides, habits, marks
from ringful.grammar.reading.beginnings import beginning, branch
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.marks import comment_that_is_a_key
from ringful.grammar.reading.slip import Slip
from ringful.grammar.reading.words import as_outside, found, shown
from ringful.grammar.span import Span
from ringful.grammar.vocabulary import VERBS

_FOREIGN = {
    "“": 'use plain double quotes: `"`',
    "”": 'use plain double quotes: `"`',
    "„": 'use plain double quotes: `"`',
    "«": 'use plain double quotes: `"`',
    "»": 'use plain double quotes: `"`',
    "″": 'use plain double quotes: `"`',
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=` for unequal",
    "\u00a0": "this is a no-break space; use a plain one",
    "\\": "a line ends where it ends; inside ( ) and [ ] it may go on",
}


_LONGEST = 300
"""Of a longer line so much is looked at, on either side."""


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
    return _told(_slip(_at(text, at), frozenset(error.allowed or ()), span, text, reading), text)


def of_token(error: UnexpectedToken, text: str, reading: Reading) -> Problem:
    """Say what is wrong with a word that cannot stand where it stands in *text*."""
    token = error.token if reading.quote is not None else as_outside(error.token)
    wanted = frozenset(error.accepts or ())
    span = reading.span(token) if token.type != "$END" else _end(reading)
    slip = _slip(token, wanted, span, text, reading)
    problem = _unclosed(slip)
    return problem or _told(slip, text)


def _slip(token: Token, wanted: frozenset[str], span: Span, text: str, reading: Reading) -> Slip:
    at = len(text) if token.type == "$END" else token.start_pos or 0
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    after = text[at : min(end if end >= 0 else len(text), at + _LONGEST)]
    before = text[max(begin, at - _LONGEST) : at]
    return Slip(token, span, wanted, before, after.split(" #")[0].rstrip(), reading)


def _told(slip: Slip, text: str) -> Problem:
    if slip.reading.quote in (None, slip.token):
        begin = text.rfind("\n", 0, _last_end(slip)) + 1
        line = text[begin : begin + _LONGEST].partition("\n")[0]
        for rule in (*habits.RULES, *_FIRST, lambda one: comment_that_is_a_key(one, line), *asides.RULES):
            if problem := rule(slip):
                return problem
    if slip.token.type == "STRAY":
        return slip.problem(f"{_character(slip.token)} has no place here", _FOREIGN.get(slip.token, ""))
    form = foreign.FORMS.get(slip.verb, "")
    hint = f"e.g. `{form}`" if form else ""
    return slip.problem(f"found {found(slip.token)}, expected {shown(slip.wanted)}", hint)


_FIRST = (marks.comment, branch, marks.told, beginning)


def _last_end(slip: Slip) -> int:
    last = slip.reading.last
    return (last.end_pos or 0) if last is not None else 0


def _at(text: str, at: int) -> Token:
    upper = re.compile(r"[A-Z][A-Za-z0-9_]{0,60}").match(text, at)
    return Token("STRAY", upper[0] if upper else text[at : at + 1], at)


def _end(reading: Reading) -> Span:
    last = reading.span(reading.last) if reading.last else Span(1, 1, 1, 1, reading.path)
    return Span(last.end_line, last.end_column, last.end_line, last.end_column + 1, last.path)


def _unclosed(slip: Slip) -> Problem | None:
    """A quote or a bracket that is never closed, or one that closes nothing."""
    token, reading = slip.token, slip.reading
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
    begins = inner is not None and inner.type != "BLOCK_OPEN" and token in VERBS and not slip.before.strip()
    if inner is not None and (token.type == "$END" or (begins and not slip.rest.startswith(":"))):
        return _problem(f"this `{inner}` is never closed", reading.openers[-1].span)
    if token.type == "CLOSE" and inner is None and not reading.closing:
        return _problem("this `}` closes nothing", reading.span(token), "there is no `{` open here")
    return None


def _problem(message: str, span: Span, hint: str = "") -> Problem:
    return Problem("syntax", message, span, hint)


def _character(bad: str) -> str:
    return f"`{bad}`" if bad.isprintable() else f"the character U+{ord(bad):04X}"
