"""What is known while one text is read: its brackets, its comments, what is wrong with it.

Lark builds its parser once for all texts, so the state of one reading stands here, and the parser's
parts find it by `current()`.  Readings in several threads or tasks do not see each other.
"""

from contextvars import ContextVar
from typing import Final

from attrs import Factory, define
from lark import Token

from ringful.grammar.errors import Problem
from ringful.grammar.reading.comments import Comment
from ringful.grammar.span import Span


@define
class Opener:
    """A bracket or a quote that is open; *menu* says that it holds a menu's branches."""

    token: Token
    span: Span
    menu: bool = False
    assumed: bool = False
    """It was forgotten, and reading goes on as if it stood there."""


@define
class Reading:
    """One pass over a text.

    A pass may begin in the middle of a text, after an error: *shift* is what is added to Lark's
    lines to get those of the text.
    """

    path: str = ""
    shift: int = 0
    whole: bool = True
    problems: list[Problem] = Factory(list)
    openers: list[Opener] = Factory(list)
    comments: list[Comment] = Factory(list)
    outer: list[Opener] = Factory(list)
    """The blocks that were open where this pass begins: its first lines open them anew."""
    verb: Token | None = None
    """The first word of the present line or statement."""
    closing: bool = False
    """The token that is being read closes a bracket that was open."""
    last: Token | None = None
    """The last token that the parser was given."""
    here: Span | None = None
    """Where the rule stands that is being built, when its tokens do not know it."""
    depth: int = 0
    """So many values were made of one another at most, where that is known."""
    heard: list[Token] | None = None
    """Every token that the parser was given, where somebody wants to know."""

    @property
    def quote(self) -> Token | None:
        """The quote of the text that is being read, if one is."""
        inner = self.openers[-1].token if self.openers else None
        return inner if inner is not None and inner.type == "QUOTE" else None

    def span(self, token: Token) -> Span:
        """Give the place of *token* in the text."""
        return Span(
            (token.line or 0) + self.shift,
            token.column or 0,
            (token.end_line or token.line or 0) + self.shift,
            token.end_column or (token.column or 0) + len(token),
            self.path,
        )

    def complain(self, message: str, span: Span, hint: str = "", code: str = "syntax") -> None:
        """Note something that is wrong, and read on."""
        self.problems.append(Problem(code, message, span, hint))


READING: Final[ContextVar[Reading]] = ContextVar("reading")
"""The reading that is going on."""


def current() -> Reading:
    """Give the reading that is going on."""
    return READING.get()


def begin(reading: Reading) -> None:
    """Make *reading* the one that is going on."""
    READING.set(reading)
