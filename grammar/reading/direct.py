"""Read a text in which nothing is wrong, in a fraction of the time that Lark itself takes.

Lark makes objects and calls functions for every step of every token.  Here is one loop over the same
tables, with the same builder: a text without holes is one piece, a word that stands often is
one object, and what leads from rule to rule without making anything is gone once.  What the loop did
not expect ends it; then Lark reads the text again, and says what is wrong and what would do.  So
nothing is ever said here.
"""

from typing import Any, Final

from attrs import Factory, define
from lark import Token

from ringful.grammar import nodes
from ringful.grammar.reading import comments
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.steps import TEXT, Bracket, Reduction, Step, Tables, joined
from ringful.grammar.span import Span

MOST_WORDS: Final = 2000
"""So many names and numbers are remembered, and no more: whoever sends texts can think of others."""

_new: Final = tuple.__new__
"""Makes a `Span` of all its fields, in half the time that its own way takes; every node has one."""

_PECULIAR: Final = frozenset({"COMMENT", "NEWLINE", "CALLEE"})

_words: dict[tuple[str, str], Token] = {}


def read_directly(text: str, reading: Reading, tables: Tables) -> Any:
    """Give what the builder makes of *text*; None where Lark would find something wrong."""
    one = _Pass(reading, tables, [tables.start])
    if not one.read(text):
        return None
    step = tables.steps[one.states[-1]].get("$END")
    while isinstance(step, Reduction):
        step = one.reduce(step, "$END")
    return one.values[0] if one.states[-1] == tables.end else None


@define(eq=False)
class _Pass:
    """One way through the tables: a stack of states, and what was made of what was read."""

    reading: Reading
    tables: Tables
    states: list[int]
    values: list[Any] = Factory(list)
    starts: list[tuple[int, int]] = Factory(list)
    """The line and the column where each value begins."""
    end: tuple[int, int] = (1, 1)
    """Where the last piece ends that was taken."""
    open: list[Bracket] = Factory(list)

    def read(self, text: str) -> bool:
        """Take all pieces of *text*; say whether the tables know each where it stands."""
        steps, states, values, starts = self.tables.steps, self.states, self.values, self.starts
        match, at, size = self.tables.outside, 0, len(text)
        line, began = 1, -1  # A column is how far a place is from where its line began.
        while at < size:
            piece: Any = match(text, at)
            kind, said, at = piece.lastgroup, piece[piece.lastindex], piece.end()
            start = line, at - len(said) - began
            here = steps[states[-1]]
            step = here.get(said)
            if step is not None and kind != "CALLEE":
                kind = said
            elif kind in _PECULIAR:
                kind = self.kind(kind, said, here, start)
                if kind == "NEWLINE" or not kind:
                    line += said.count("\n")
                    began = at - len(said) + said.rfind("\n") if "\n" in said else began
                    if not kind:
                        continue
                step = here.get(kind)
            else:
                step = here.get(kind)
            while step.__class__ is Reduction:
                step = self.reduce(step, kind)
            if step is None:
                return False
            to, token, bracket = step  # type: ignore[misc]  # it is no reduction any more
            states.append(to)
            starts.append(start)
            self.end = line, at - began
            values.append(token or self.made(kind, said, start))
            if bracket is not None:
                match = self.follow(bracket)
        return True

    def kind(self, kind: str, said: str, here: Any, start: tuple[int, int]) -> str:
        """Say what a piece is *here* that can be several things; nothing, where it is none."""
        match kind:
            case "COMMENT":
                self.reading.comments.append(comments.Comment(*start, comments.said(said)))
                return ""
            case "NEWLINE":
                return "" if self.open and self.open[-1] == "free" else kind
            case _:  # A name before a bracket.
                return kind if kind in here else said if said in here else "NAME"

    def follow(self, bracket: Bracket) -> Any:
        """Keep what is open; give what finds the next piece."""
        if bracket == "close" or (bracket == "text" and self.open[-1:] == ["text"]):
            self.open.pop()
        else:
            self.open.append(bracket)
        return self.tables.inside if self.open and self.open[-1] == "text" else self.tables.outside

    def made(self, kind: str, said: str, start: tuple[int, int]) -> Any:
        """Make what stands for a piece that is not always the same."""
        if kind == TEXT:
            span = _new(Span, (*start, *self.end, self.reading.path))
            return nodes.Text((said[1:-1],) if len(said) > 2 else (), span=span)
        if kind == "{":
            brace = str.__new__(Token, said)
            brace.type, brace.line = "BLOCK_OPEN", start[0]
            return brace
        token = _words.get((kind, said))
        if token is None:
            token = Token(kind, said)
            if len(_words) < MOST_WORDS:
                _words[kind, said] = token
        return token

    def reduce(self, step: Reduction, kind: str) -> Step | None:
        """Make one value of those that a rule takes; give the step for a piece of this *kind* then."""
        size, build, mixed, named, ways = step
        states = self.states
        if build is None:
            states.pop()
        else:
            values, starts = self.values, self.starts
            if size == 1:
                children = [values.pop()]
                states.pop()
            elif size:
                children = values[-size:]
                del values[-size:], states[-size:], starts[1 - size :]
            else:
                children = []
                starts.append(self.end)
            if mixed:
                children = joined(children)
            if named and children:
                first, last = children[0], children[-1]
                line, column = starts[-1] if first.__class__ is Token else first.span[:2]
                end_line, end_column = self.end if last.__class__ is Token else last.span[2:4]
                reading = self.reading
                reading.here = _new(Span, (line, column, end_line, end_column, reading.path))
            values.append(build(children))
        way = ways.get((states[-1], kind)) or self.tables.way(step, states[-1], kind)
        states.append(way[0])
        return way[1]
