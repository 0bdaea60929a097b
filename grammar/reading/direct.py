"""Read a text in which nothing is wrong, in a fraction of the time that Lark itself takes.

Lark makes objects and calls functions for every step of every token.  Here is one loop over the same
tables, with the same builder: a text without holes is one piece, a word that stands often is
one object, what leads from rule to rule without making anything is gone once, and all values stand
on one stack, so that a rule without a name has nothing to do.  What the loop did not expect ends it;
then Lark reads the text again, and says what is wrong and what would do.  So nothing is ever said here.
"""

from typing import Any, Final

from attrs import Factory, define
from lark import Token

from ringful.grammar import nodes
from ringful.grammar.reading import comments
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.steps import TEXT, Bracket, Build, Reduction, Step, Tables
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
    one.reduce(tables.steps[one.states[-1]].get("$END"), "$END")
    return one.values[0] if one.states[-1] == tables.end else None


@define(eq=False)
class _Pass:
    """One way through the tables: a stack of states, and what was made of what was read."""

    reading: Reading
    tables: Tables
    states: list[int]
    firsts: list[int] = Factory(list)
    """Where among the values that which led to each further state begins."""
    values: list[Any] = Factory(list)
    starts: list[tuple[int, int]] = Factory(list)
    """The line and the column where each value begins."""
    end: tuple[int, int] = (1, 1)
    """Where the last value ends."""
    open: list[Bracket] = Factory(list)

    def read(self, text: str) -> bool:
        """Take all pieces of *text*; say whether the tables know each where it stands."""
        steps, states, values = self.tables.steps, self.states, self.values
        # A column is how far a place is from where its line began.
        match, at, size, line, began = self.tables.outside, 0, len(text), 1, -1
        while at < size:
            piece: Any = match(text, at)
            kind, said, at = piece.lastgroup, piece[piece.lastindex], piece.end()
            start = line, at - len(said) - began
            here = steps[states[-1]]
            step = here.get(said)
            if step is not None and kind != "CALLEE":
                kind = said
            else:
                if kind in _PECULIAR:
                    kind = self.kind(kind, said, here, start)
                    if kind == "NEWLINE" or not kind:
                        line += said.count("\n")
                        began = at - len(said) + said.rfind("\n") if "\n" in said else began
                        if not kind:
                            continue
                step = here.get(kind)
            if step.__class__ is Reduction:
                step = self.reduce(step, kind)
            if step is None:
                return False
            to, token, bracket, build = step  # type: ignore[misc]  # it is no reduction any more
            states.append(to)
            self.firsts.append(len(values))
            if kind == "NEWLINE":
                continue  # Nobody asks for one once it is taken.
            self.starts.append(start)
            self.end = line, at - began
            token = token or self.made(kind, said, start)
            values.append(token if build is None else self.named(build, start, [token]))
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

    def named(self, build: Build, start: tuple[int, int], children: list[Any]) -> Any:
        """Make a node, or a clause, of *children*, the last of which ends here."""
        self.reading.here = _new(Span, (*start, *self.end, self.reading.path))
        return build(children)

    def reduce(self, step: Step | None, kind: str) -> Step | None:
        """Make of the values what comes before a piece of this *kind*; give the step for that."""
        states, firsts, values, starts = self.states, self.firsts, self.values, self.starts
        while step.__class__ is Reduction:
            size, build, inner, _, ways = step
            if not size:
                first = len(values)
                firsts.append(first)
            else:
                first = firsts[-size]
                del states[-size:], firsts[len(firsts) - size + 1 :]
            if build is not None:
                children = values[first:]
                start = starts[first] if children else self.end
                value = self.named(build, start, children)
                if inner:
                    start, self.end = value.span[:2], value.span[2:4]
                values[first:] = (value,)
                starts[first:] = (start,)
            way = ways[states[-1]].get(kind) or self.tables.way(step, states[-1], kind)
            states.append(way[0])
            step = way[1]
        return step
