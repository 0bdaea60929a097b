"""Parse a script's text: text in, a tree out, or every problem of its syntax.

Lark stays behind this module and the ones that it joins: layout (which line ends matter), builder
(tokens to nodes) and complaints (what is wrong).  Time is linear in the text, and a text of any
shape gives a tree or a ScriptError: sizes and depths are bounded here, before anything recurses.

After an error the parser begins anew at the next line, inside the blocks that were open, so that
one slip does not hide the next.
"""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import TypeAlias, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ringful.grammar import nodes
from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.reading import complaints
from ringful.grammar.reading.builder import Builder
from ringful.grammar.reading.direct import read_directly
from ringful.grammar.reading.documents import of_document
from ringful.grammar.reading.head import fragment_of
from ringful.grammar.reading.known import Opener, Reading, begin
from ringful.grammar.reading.layout import Layout, keep_comment
from ringful.grammar.reading.moves import compiled, plain
from ringful.grammar.reading.moves.steps import Go, Tables, tables_of
from ringful.grammar.reading.tables import parser_with
from ringful.grammar.span import Span
from ringful.grammar.vocabulary import VERBS
from ringful.grammar.walk import MAX_DEPTH, too_deep

MAX_SIZE = 1024 * 1024
"""The longest text, in bytes of UTF-8."""

MAX_SLIPS = 20
"""Reading ends after so many errors of syntax."""


Heed: TypeAlias = Callable[[Reading, int, int], None]
"""Takes a pass over a text when it is over: what was read, what is to be added to its tokens' places to
get those in the text, and the place where it came to its end."""


def parse(text: str, path: str = "", heed: Heed | None = None) -> nodes.Script:
    """Parse a whole script; *path* names it in spans.  Raises ScriptError.

    *heed* is told of every pass: there is one, and one more after each error.
    """
    script, _ = _parse(text, path, heed)
    return script


def parse_statements(text: str, path: str = "") -> tuple[nodes.Statement, ...]:
    """Parse statements alone, without parameters, uses and a header.  Raises ScriptError."""
    script, reading = _parse(text, path)
    statements = fragment_of(script, reading)
    if reading.problems:
        raise ScriptError(*reading.problems, source=text)
    return statements


@cache
def lark() -> Lark:
    """Give the parser, made once."""
    return parser_with(
        start="script",
        transformer=Builder(),
        postlex=Layout(),
        lexer_callbacks={"COMMENT": keep_comment},
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


@cache
def _tables() -> Tables:
    return tables_of(lark())


@cache
def _go() -> Go:
    """Give what goes through the tables: in C, where it was compiled."""
    try:
        return compiled.by(_tables(), compiled.load())
    except compiled.NoCompiled:
        return partial(plain.go, tables=_tables())


def _parse(text: str, path: str, heed: Heed | None = None) -> tuple[nodes.Script, Reading]:
    source, text = text, text.removeprefix("\ufeff")
    if problem := _unreadable(text, path):
        raise ScriptError(problem, source=source)
    if heed is None:
        reading = Reading(path)
        begin(reading)
        script = read_directly(text, reading, _tables(), _go())
        if script is not None and not reading.problems:
            # What is made of a rule's values is two nodes at most, one in the other.
            if 2 * reading.depth > MAX_DEPTH and (deep := too_deep(script)):
                raise ScriptError(deep, source=source)
            return script, reading
    script, reading, problems = read(text, path, heed=heed)
    if script is not None and not problems:
        deep = too_deep(script)
        problems = [deep] if deep else []
    if script is None or problems:
        problems.sort(key=lambda problem: problem.span)
        raise ScriptError(*problems, source=source)
    return script, reading


def _unreadable(text: str, path: str) -> Problem | None:
    """Say why a text cannot be read at all, or is of another kind."""
    if len(text) > MAX_SIZE or (not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > MAX_SIZE):
        return Problem("too-long", f"this text is longer than {MAX_SIZE} bytes", Span(1, 1, 1, 2, path))
    if not text.isascii() and (stray := re.search("[\ud800-\udfff]", text)):
        before = text[: stray.start()]
        line, column = before.count("\n") + 1, stray.start() - before.rfind("\n")
        return Problem("syntax", "this is no Unicode text", Span(line, column, line, column + 1, path))
    return of_document(text, path)


def read(
    text: str, path: str, run: Callable[[str], object] | None = None, heed: Heed | None = None
) -> tuple[nodes.Script | None, Reading, list[Problem]]:
    """Read *text*, again after each error; give the tree if there was none.

    *run* reads a pass; it is Lark's own parse, where none is given.
    """
    problems: list[Problem] = []
    reading, prefix, at = Reading(path), "", 0
    while True:
        begin(reading)
        reading.heard = [] if heed or run else None
        line = text.rfind("\n", 0, at) + 1
        try:
            # Blanks stand for the part of the line that was read, so that columns stay right.
            script = (run or lark().parse)(prefix + " " * (at - line) + text[at:])
        except UnexpectedInput as error:
            problem = _understood(error, prefix + " " * (at - line) + text[at:], reading)
            problems += [*reading.problems, *problem]
            place = _place(error, len(text) + len(prefix) - line) - len(prefix) + line
            if heed:
                heed(reading, line - len(prefix), place)
            _forget(error, reading)
            after = _resume(text, place, at, reading)
            blocks = [opener for opener in reading.openers if opener.token.type == "BLOCK_OPEN"]
            if after >= len(text) or len(problems) >= MAX_SLIPS or len(blocks) > MAX_DEPTH:
                return None, reading, problems
            at = after
            prefix = "".join("menu {\n" if block.menu else "start {\n" for block in blocks)
            reading = Reading(path, text.count("\n", 0, at) - len(blocks), whole=False, outer=blocks)
        else:
            if heed:
                heed(reading, line - len(prefix), len(text))
            whole = cast(nodes.Script, script) if reading.whole else None
            return whole, reading, [*problems, *reading.problems]


def _understood(error: UnexpectedInput, text: str, reading: Reading) -> list[Problem]:
    """Say what is wrong; nothing, where it only follows from a slip that was told before."""
    match error:
        case UnexpectedCharacters():
            return [complaints.of_character(error, text, reading)]
        case UnexpectedToken():
            if error.token.type == "$END" and any(opener.assumed for opener in reading.openers):
                return []
            problem = complaints.of_token(error, text, reading)
            if error.token.type == "NEWLINE" and "BLOCK_OPEN" in error.accepts and not reading.quote:
                # A block was forgotten its `{`; its lines and its `}` will come.
                brace = Token("BLOCK_OPEN", "{")
                reading.openers.append(
                    Opener(brace, reading.span(error.token), _is_menu(reading), assumed=True)
                )
            return [problem]
        case _:
            raise AssertionError(error)


def _is_menu(reading: Reading) -> bool:
    return reading.verb is not None and reading.verb.type == "MENU"


def _forget(error: UnexpectedInput, reading: Reading) -> None:
    """Take no notice of a bracket, or a quote, that cannot stand where it stands."""
    rejected = error.token if isinstance(error, UnexpectedToken) else None
    if rejected is not None and reading.openers and reading.openers[-1].token is rejected:
        reading.openers.pop()


def _place(error: UnexpectedInput, end: int) -> int:
    """Give where in the text that the parser read the error is."""
    if isinstance(error, UnexpectedToken):
        return end if error.token.type == "$END" else error.token.start_pos or 0
    return error.pos_in_stream or 0


_MARK = re.compile(r'"(?:[^"\\\n]|\\.)*"?|#[^\n]*|with[ \t]*\{|\{[ \t]*(?=[#\n\r])|[{}\n]')
_FOREIGN = re.compile(r"/?\*.*?\*/|\"(?<=\"\"\").*?\"\"\"", re.DOTALL)
"""A comment or a text of other languages, which runs over lines, from where the parser met it."""
_BRACE = re.compile(r"\s*\{")
_QUOTED = re.compile('[^"\\n]*"')
_MENU = re.compile(r"[ \t}]*(?:m[enu]{2,4}|switch|select|match)[ \t{(]")
_STATEMENT = re.compile(rf"(?:{'|'.join(sorted(VERBS))})\b(?![ \t]*:)")


def _resume(text: str, place: int, before: int, reading: Reading) -> int:
    """Find where to read on after an error at *place*: the next line, or the block that this one opens."""
    if foreign := _FOREIGN.match(text, place):
        return foreign.end()
    if reading.openers and reading.openers[-1].assumed and (brace := _BRACE.match(text, place)):
        return brace.end()
    while reading.quote is not None or (reading.openers and reading.openers[-1].token.type == "HOLE_OPEN"):
        # The rest of a text is no part of the script.
        if reading.openers.pop().token.type == "QUOTE" and (
            rest := re.compile('[^"\n]*"').match(text, place)
        ):
            place = rest.end()
    inner = reading.openers[-1].token.type if reading.openers else ""
    free = inner in ("OPEN", "SQUARE_OPEN", "MAP_OPEN") and _STATEMENT.match(text, place)
    if free and place > before and text[:place].rstrip(" \t").endswith("\n"):
        return place
    depth = 1 if inner == "MAP_OPEN" else 0
    for mark in _MARK.finditer(text, place):
        match mark[0][:1], mark[0][-1:]:
            case "{", _ if not depth and (
                len(mark[0]) > 1 or text[mark.end() : mark.end() + 1] in ("\r", "\n")
            ):
                line = text.count("\n", 0, mark.start()) + 1
                column = mark.start() - text.rfind("\n", 0, mark.start())
                span = Span(line, column, line, column + 1, reading.path)
                menu = _MENU.match(text, text.rfind("\n", 0, mark.start()) + 1) is not None
                reading.openers.append(Opener(Token("BLOCK_OPEN", "{"), span, menu))
                return mark.end()
            case ("{", _) | ("w", _):
                depth += 1
            case "}", _ if depth:
                depth -= 1
            case "}", _ if mark.start() > place:
                return mark.start()
            case "\n", _ if not depth:
                return mark.end()
    return len(text)
