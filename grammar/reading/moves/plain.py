"""The way through the tables, in Python: see `go`.

`compiled` does the same in C, and a test holds the two alike.
"""

from typing import Any, Final

from attrs import Factory, define

from ringful.grammar.reading.moves.steps import Bracket, Move, Reduction, Step, Tables, Way

_new: Final = tuple.__new__
"""Makes a `Move` of all its fields, in half the time that its own way takes."""

_PECULIAR: Final = frozenset({"COMMENT", "NEWLINE", "CALLEE"})


def go(text: str, tables: Tables) -> Way | None:
    """Go the way of *text* through *tables*; give None where they do not know a piece."""
    one = _Reading(tables, [tables.start])
    if not one.read(text):
        return None
    one.reduce(tables.steps[one.states[-1]].get("$END"), "$END")
    return Way(one.moves, one.depth) if one.states[-1] == tables.end else None


@define(eq=False)
class _Reading:
    """A stack of states, and the places of the values that are there."""

    tables: Tables
    states: list[int]
    firsts: list[int] = Factory(list)
    """Where among the values that which led to each further state begins."""
    starts: list[tuple[int, int]] = Factory(list)
    """The line and the column where each value begins."""
    ends: list[tuple[int, int]] = Factory(list)
    end: tuple[int, int] = (1, 1)
    """Where the last value ends."""
    depths: list[int] = Factory(list)
    """How many values stand in one another, in each."""
    depth: int = 1
    open: list[Bracket] = Factory(list)
    moves: list[Move] = Factory(list)

    def read(self, text: str) -> bool:
        """Take all pieces of *text*; say whether the tables know each where it stands."""
        steps, states = self.tables.steps, self.states
        # A column is how far a place is from where its line began.
        match, at, size, line, began = self.tables.outside, 0, len(text), 1, -1
        while at < size:
            piece: Any = match(text, at)
            kind, said, at = piece.lastgroup, piece[piece.lastindex], piece.end()
            if not said:
                break  # Only blanks came.
            start = at - len(said)
            here = steps[states[-1]]
            if kind in _PECULIAR:
                kind = self.kind(kind, said, here, (start, line, start - began, line, at - began))
                if kind == "NEWLINE" or not kind:
                    line += said.count("\n")
                    began = start + said.rfind("\n") if "\n" in said else began
                    if not kind:
                        continue
            elif kind in _PERHAPS_WORDS and said in here:
                kind = said
            step = here.get(kind)
            if step.__class__ is Reduction:
                step = self.reduce(step, kind)
            if step is None:
                return False
            to, what, bracket, build = step  # type: ignore[misc]  # it is no reduction any more
            states.append(to)
            self.firsts.append(len(self.starts))
            if what is None:
                continue
            self.take(what, build, start, (line, start - began), (line, at - began))
            if bracket is not None:
                match = self.follow(bracket)
        return True

    def kind(self, kind: str, said: str, here: Any, place: tuple[int, int, int, int, int]) -> str:
        """Say what a piece is *here* that can be several things; nothing, where it is none."""
        match kind:
            case "COMMENT":
                self.moves.append(_new(Move, (self.tables.comment, *place)))
                return ""
            case "NEWLINE":
                return "" if self.open and self.open[-1] == "free" else kind
            case _:  # A name before a bracket.
                return kind if kind in here else said if said in here else "NAME"

    def take(
        self, what: int, build: int | None, place: int, start: tuple[int, int], end: tuple[int, int]
    ) -> None:
        """Keep a piece, or what is made of it alone."""
        self.end = end
        self.moves.append(_new(Move, (what, place, *start, *end)))
        if build is not None:
            self.moves.append(_new(Move, (build, 1, *start, *end)))
        self.starts.append(start)
        self.ends.append(end)
        self.depths.append(1)

    def follow(self, bracket: Bracket) -> Any:
        """Keep what is open; give what finds the next piece."""
        if bracket == "close" or (bracket == "text" and self.open[-1:] == ["text"]):
            self.open.pop()
        else:
            self.open.append(bracket)
        return self.tables.inside if self.open and self.open[-1] == "text" else self.tables.outside

    def reduce(self, step: Step | None, kind: str) -> Step | None:
        """Do what comes before a piece of this *kind*; give the step for that."""
        states, firsts, starts = self.states, self.firsts, self.starts
        while step.__class__ is Reduction:
            size, build, inner, _, ways = step
            if not size:
                first = len(starts)
                firsts.append(first)
            else:
                first = firsts[-size]
                del states[-size:], firsts[len(firsts) - size + 1 :]
            if build is not None:
                self.make(build, first, inner)
            way = ways[states[-1]].get(kind) or self.tables.way(step, states[-1], kind)
            states.append(way[0])
            step = way[1]
        return step

    def make(self, build: int, first: int, inner: bool) -> None:
        """Put one value into the place of all from the *first* on."""
        given = len(self.starts) - first
        start = self.starts[first] if given else self.end
        self.moves.append(_new(Move, (build, given, *start, *self.end)))
        if inner:
            start, self.end = self.starts[first + 1], self.ends[first + 1]
        depth = 1 + max(self.depths[first:], default=0)
        self.depth = max(self.depth, depth)
        self.starts[first:], self.ends[first:], self.depths[first:] = (start,), (self.end,), (depth,)


_PERHAPS_WORDS: Final = frozenset({"NAME", "WORD", "MARK", "QUOTE", "HOLE_OPEN"})
"""The kinds of pieces that are a word or a mark of the language where one can stand."""
