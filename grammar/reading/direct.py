"""Read a text in which nothing is wrong, in a fraction of the time that Lark itself takes.

Lark makes objects and calls functions for every step of every token.  Here is one loop over the same
tables, with the same scanners and the same builder.  What it did not expect ends it; then Lark reads
the text again, and says what is wrong and what would do.  So nothing is ever said here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen
from lark import Lark, Token
from lark.parse_tree_builder import ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

from ringful.grammar.reading import comments
from ringful.grammar.reading.known import Reading
from ringful.grammar.reading.layout import CLOSING, FREE, OPENING

Build: TypeAlias = Callable[[list[Any]], Any]
Reduction: TypeAlias = tuple[int, Build | None, Mapping[int, int]]
"""Of so many values; what builds one of them, or None where the one value stands for its rule; and the
state that follows, by the one before."""

MOST_WORDS: Final = 2000
"""So many words are remembered for each terminal, and no more: whoever sends texts can think of others."""


@define(eq=False)
class Scanner:
    """What matches where the parser is in some state."""

    lexer: Any
    match: Callable[..., Any] = field(init=False)
    words: dict[str, dict[str, str]] = field(init=False)
    """By terminals that words of the language match too: what each text is that was met."""

    def __attrs_post_init__(self) -> None:
        (pattern,) = self.lexer.scanner._mres
        self.match = pattern.match
        self.words = {kind: {} for kind in self.lexer.callback if kind not in self.lexer.ignore_types}

    def kind(self, kind: str, text: str) -> str:
        """Say what *text* is, which matches the terminal *kind*."""
        found: str = self.lexer.callback[kind](Token(kind, text)).type
        if len(self.words[kind]) < MOST_WORDS:
            self.words[kind][text] = found
        return found


class Scanners(dict[int, Scanner]):
    """The scanners of the states, each made when it is wanted."""

    def __init__(self, lexers: Mapping[int, Any]) -> None:
        super().__init__()
        self._lexers = lexers
        self._made: dict[int, Scanner] = {}

    def __missing__(self, state: int) -> Scanner:
        lexer = self._lexers[state]
        if id(lexer) not in self._made:
            self._made[id(lexer)] = Scanner(lexer)
        self[state] = self._made[id(lexer)]
        return self[state]


@frozen(eq=False)
class Tables:
    """Lark's tables, as the loop wants them."""

    start: int
    end: int
    steps: Mapping[int, Mapping[str, int | Reduction]]
    """By states and terminals: the state after a shift, or a reduction."""
    scanners: Scanners
    ignored: frozenset[str]
    multiline: frozenset[str]
    leaps: dict[tuple[int, int, str], int] = field(factory=dict)
    """What an expression passes through from the tightest rule to the loosest, by where it began and ends."""


def tables_of(lark: Lark) -> Tables:
    """Take the tables out of a parser."""
    frontend: Any = lark.parser
    parser = frontend.parser.parser
    lexer = frontend.lexer.lexer
    table = parser.parse_table
    (start,), (end,) = table.start_states.values(), table.end_states.values()
    after: dict[str, dict[int, int]] = {}
    for state, actions in table.states.items():
        for name, (action, to) in actions.items():
            if action is Shift:
                after.setdefault(name, {})[state] = to
    known: dict[Any, Reduction] = {}

    def step(action: Any, what: Any) -> int | Reduction:
        if action is Shift:
            return int(what)
        if what not in known:
            build, size = parser.callbacks[what], len(what.expansion)
            stands = size == 1 and isinstance(build, ExpandSingleChild)
            known[what] = size, None if stands else build, after.get(what.origin.name, {})
        return known[what]

    steps = {
        state: {name: step(*told) for name, told in actions.items()}
        for state, actions in table.states.items()
    }
    root = lexer.root_lexer
    return Tables(start, end, steps, Scanners(lexer.lexers), root.ignore_types, root.newline_types)


def read_directly(text: str, reading: Reading, tables: Tables) -> Any:
    """Give what the builder makes of *text*; None where Lark would find something wrong."""
    states, values, brackets = [tables.start], [], []  # type: ignore[var-annotated]
    # The places of the next character and of its line's first one, and the line.
    at, began, line, size = 0, 0, 1, len(text)
    scanners, ignored, multiline, new = tables.scanners, tables.ignored, tables.multiline, str.__new__
    while at < size:
        scanner = scanners[states[-1]]
        found = scanner.match(text, at)
        if found is None:
            return None
        kind, said = found.lastgroup, found[0]
        if kind in ignored:
            if kind == "COMMENT":
                reading.comments.append(comments.Comment(line, at - began + 1, comments.said(said)))
            at += len(said)
            continue
        if kind in scanner.words:
            kind = scanner.words[kind].get(said) or scanner.kind(kind, said)
        token = new(Token, said)
        token.type, token.value, token.start_pos = kind, said, at
        token.line, token.column = line, at - began + 1
        at += len(said)
        if kind in multiline and "\n" in said:
            line += said.count("\n")
            began = at - len(said) + said.rindex("\n") + 1
        token.end_line, token.end_column = line, at - began + 1
        if kind in _BRACKETS:
            _follow(brackets, kind)
        elif kind == "NEWLINE" and brackets and brackets[-1] in FREE:
            continue
        if not _take(kind, token, states, values, tables):
            return None
    _take("$END", None, states, values, tables)
    return values[0] if states[-1] == tables.end else None


def _take(kind: str, token: Any, states: list[int], values: list[Any], tables: Tables) -> bool:
    """Shift *token*, after all reductions that it makes; say whether the tables know it here."""
    steps: Any = tables.steps
    step = steps[states[-1]].get(kind)
    while step.__class__ is tuple:
        size, build, after = step
        if build is not None:
            if size:
                children = values[-size:]
                del values[-size:], states[-size:]
            else:
                children = []
            values.append(build(children))
            states.append(after[states[-1]])
        else:
            place = states[-2], states[-1], kind
            states[-1] = tables.leaps.get(place) or _leap(*place, tables)
        step = steps[states[-1]].get(kind)
    if step is None:
        return False
    states.append(step)
    values.append(token)
    return True


def _leap(before: int, state: int, kind: str, tables: Tables) -> int:
    """Give the state after all the reductions of one value that stands for its rule, and that for its own."""
    place = before, state, kind
    step = tables.steps[state].get(kind)
    while isinstance(step, tuple) and step[1] is None:
        state = step[2][before]
        step = tables.steps[state].get(kind)
    tables.leaps[place] = state
    return state


_BRACKETS = {**dict.fromkeys(OPENING, True), **dict.fromkeys(CLOSING, False), "QUOTE": True}


def _follow(brackets: list[str], kind: str) -> None:
    """Keep the brackets and quotes that are open, as `Layout` does."""
    if kind == "QUOTE" and brackets and brackets[-1] == "QUOTE":
        brackets.pop()
    elif _BRACKETS[kind]:
        brackets.append(kind)
    elif brackets and OPENING.get(brackets[-1]) == kind:
        brackets.pop()
