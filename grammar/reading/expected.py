"""What may come next where a text is still being written."""

from attrs import frozen
from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from ringful.grammar.reading.known import Reading, current
from ringful.grammar.reading.parser import MAX_SIZE, lark, read
from ringful.grammar.vocabulary import KEYWORDS

_LINE_ENDS = frozenset({"NEWLINE", "SEMICOLON", "BLOCK_OPEN", "CLOSE"})


@frozen
class Expected:
    """What the parser would take at the end of a text."""

    words: frozenset[str]
    """The words of the language."""
    value: bool
    name: bool
    """A name, also where no other value will do."""
    function: bool
    statement: tuple[str, ...] = ()
    """What the present line or statement says so far; nothing where a new one may begin."""
    blocks: tuple[str, ...] = ()
    """The blocks that are open, each by what its line says before it, the outermost first."""


def expected(before: str) -> Expected | None:
    """Say what may come after the text *before*; None in a text or a comment, and behind an error."""
    found: Expected | None = None

    def run(text: str) -> None:
        nonlocal found
        front = lark().parse_interactive(text)
        try:
            front.exhaust_lexer()
        except UnexpectedInput as error:
            if isinstance(error, UnexpectedToken):
                error.interactive_parser = front
            raise
        reading = current()
        accepts = front.accepts()  # type: ignore[no-untyped-call]
        found = None if _is_said(reading, text) else _expected(accepts, reading.heard or [])

    if len(before) < MAX_SIZE:
        # With the blank there is something to read, even if all that was written before is wrong.
        read(" " * before.startswith("\ufeff") + before.removeprefix("\ufeff") + " ", "", run=run)
    return found


def _is_said(reading: Reading, text: str) -> bool:
    """Say whether *text* ends within a text or a comment."""
    line = text.count("\n") + 1 + reading.shift
    return reading.quote is not None or any(comment.line == line for comment in reading.comments[-1:])


def _expected(accepts: set[str], heard: list[Token]) -> Expected:
    words = frozenset(name.lower() for name in accepts if name.isalpha()) & KEYWORDS
    blocks, statement = _place(heard)
    # The text of a message is no number, and yet a value.
    value = "NUMBER" in accepts or {"QUOTE", "CALLEE"} <= accepts
    return Expected(
        words,
        value=value,
        name="NAME" in accepts,
        function=value and "CALLEE" in accepts,
        statement=statement,
        blocks=blocks,
    )


def _place(heard: list[Token]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the blocks that are open where a text ends, and the words of its last statement."""
    blocks: list[str] = []
    statement: list[str] = []
    inner = 0
    for token in heard:
        if token.type in ("MAP_OPEN", "HOLE_OPEN"):
            inner += 1
        elif token.type == "CLOSE" and inner:
            inner -= 1
        elif token.type == "BLOCK_OPEN":
            blocks.append(" ".join(statement))
            statement = []
            continue
        elif token.type == "CLOSE":
            if blocks:
                blocks.pop()
            statement = []
            continue
        if token.type in _LINE_ENDS and not inner:
            statement = []
        else:
            statement.append(str(token))
    return tuple(blocks), tuple(statement)
