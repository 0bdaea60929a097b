"""Lark's tables, as the loop of `direct` wants them: what each piece of a text does in each state.

All of it comes from call.lark, by way of Lark: the states, the rules, and what pieces look like.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from re import Match
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from attrs import frozen
from lark import Lark, Token
from lark.grammar import Rule
from lark.parsers.lalr_analysis import Shift as SHIFT

from ringful.grammar.reading.layout import CLOSING, FREE, OPENING

TEXT: Final = "TEXT"
"""A text in which nothing is worked out or escaped is one piece, and its node is made at once."""

Build: TypeAlias = Callable[[list[Any]], Any]
Find: TypeAlias = Callable[[str, int], Match[str] | None]
Bracket: TypeAlias = Literal["free", "block", "text", "close"]
"""What is opened, or closed; in some a line's end is free, and a quote does both."""


class Shift(NamedTuple):
    """The piece is taken."""

    to: int
    token: Token | None = None
    """What stands for every such piece, where it is always the same word or mark."""
    bracket: Bracket | None = None
    build: Build | None = None
    """What makes a node of the piece alone, where nothing else can come of it."""


class Reduction(NamedTuple):
    """What was taken last is one of a rule."""

    size: int
    build: Build | None
    """What makes one value of the rule's; None where they stand for themselves."""
    inner: bool
    """The value is one of those inside, and its place is that one's."""
    after: Mapping[int, int]
    """The state that follows, by the one before."""
    ways: Mapping[int, dict[str, "tuple[int, Step | None]"]]
    """Where it leads at last, by the state before and what comes next; `Tables.way` adds to them."""


Step: TypeAlias = Shift | Reduction


@frozen(eq=False)
class Tables:
    """What the loop goes by."""

    start: int
    end: int
    steps: Mapping[int, Mapping[str, Step]]
    """By states, and by what a piece is: itself, if it is a word or a mark of the language, or its kind."""
    outside: Find
    """Finds the piece at a place; what has no meaning is one too."""
    inside: Find
    """The same, inside a text."""

    def way(self, step: Reduction, before: int, kind: str) -> tuple[int, Step | None]:
        """Give the state after *step* and all that follows of which nothing is made, and the step there."""
        state = step.after[before]
        following = self.steps[state].get(kind)
        while isinstance(following, Reduction) and _renames(following):
            state = following.after[before]
            following = self.steps[state].get(kind)
        step.ways[before][kind] = state, following
        return state, following


def _renames(step: Step | None) -> bool:
    """Say whether *step* takes one thing for another, and nothing is made."""
    return isinstance(step, Reduction) and step.size == 1 and step.build is None


def tables_of(lark: Lark) -> Tables:
    """Take the tables out of a parser."""
    frontend: Any = lark.parser
    table = frontend.parser.parser.parse_table
    (start,), (end,) = table.start_states.values(), table.end_states.values()
    after: dict[str, dict[int, int]] = {}
    for state, actions in table.states.items():
        for name, (action, to) in actions.items():
            if action is SHIFT:
                after.setdefault(name, {})[state] = to
    # Of terminals that are spelled alike, the strongest one comes last and stays.
    terminals = {one.name: one.pattern for one in sorted(lark.terminals, key=lambda one: one.priority)}
    spelled = {name: pattern.value for name, pattern in terminals.items() if pattern.type == "str"}
    reductions = {rule: _reduction(rule, lark, after) for rule in lark.rules}
    steps: dict[int, dict[str, Step]] = {}
    for state, actions in table.states.items():
        here = steps[state] = {}
        for name in (*terminals, "$END"):
            action, to = actions.get(name, (None, None))
            if action is not None:
                here[spelled.get(name, name)] = (
                    _shift(name, to, spelled) if action is SHIFT else reductions[to]
                )
        if '"' in here:
            _whole_texts(here, after["text"].get(state))
    _further(steps)
    patterns = {name: _uncounted(one) for name, one in terminals.items()}
    return Tables(start, end, steps, _outside(patterns, spelled), _inside(patterns))


def _uncounted(pattern: Any) -> str:
    """Give what *pattern* matches, without groups that count."""
    return (
        re.escape(pattern.value)
        if pattern.type == "str"
        else re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern.value)
    )


def _reduction(rule: Rule, lark: Lark, after: Mapping[str, Mapping[int, int]]) -> Reduction:
    name, size = str(rule.alias or rule.origin.name), len(rule.expansion)
    follows = after.get(rule.origin.name, {})
    ways: dict[int, dict[str, tuple[int, Step | None]]] = {before: {} for before in follows}
    stands = name.startswith("_") or (size == 1 and rule.alias is None and rule.options.expand1)
    build = None if stands else getattr(lark.options.transformer, name)
    return Reduction(size, build, name == "group", follows, ways)


def _shift(name: str, to: int, spelled: Mapping[str, str]) -> Shift:
    token = Token(name, spelled[name]) if name in spelled and name != "BLOCK_OPEN" else None
    if name in OPENING:
        return Shift(to, token, "free" if name in FREE else "block")
    return Shift(to, token, "text" if name == "QUOTE" else "close" if name in CLOSING else None)


def _further(steps: dict[int, dict[str, Step]]) -> None:
    """Let each piece lead on at once as far as it does whatever comes next."""
    for state, here in steps.items():
        for said, step in here.items():
            while isinstance(step, Shift) and step.bracket is None and (only := _only(steps[step.to])):
                if only.size != 1 or (only.build and step.build):
                    break
                step = step._replace(to=only.after[state], build=only.build or step.build)
            here[said] = step


def _only(here: Mapping[str, Step]) -> Reduction | None:
    """Give the one thing that can be done, whatever comes next."""
    first = next(iter(here.values()), None)
    return first if isinstance(first, Reduction) and all(one is first for one in here.values()) else None


def _whole_texts(here: dict[str, Step], after: int | None) -> None:
    """Let a whole text do what its quote does; where it is taken, the state *after* a text follows."""
    quote = here['"']
    if isinstance(quote, Reduction):
        here[TEXT] = quote
    elif after is not None:
        here[TEXT] = Shift(after)


def _outside(patterns: Mapping[str, str], spelled: Mapping[str, str]) -> Find:
    marks = sorted({mark for mark in spelled.values() if not mark.isalpha()}, key=len, reverse=True)
    kinds = {
        "NAME": patterns["NAME"] + r"(?![a-z0-9_(])",
        TEXT: f'"(?:{patterns["LITERAL"]})?"',
        "NEWLINE": patterns["NEWLINE"],
        "MARK": _one_of(marks),
        "DURATION": patterns["DURATION"],
        "NUMBER": patterns["NUMBER"],
        "COMMENT": patterns["COMMENT"],
        "CALLEE": patterns["CALLEE"],
        "WORD": patterns["NAME"],
        "STRAY": r".|\Z",
    }
    return re.compile(f"(?:{patterns['BLANK']})?(?:{_each(kinds)})", re.DOTALL).match


def _one_of(marks: Iterable[str]) -> str:
    longer = [re.escape(mark) for mark in marks if len(mark) > 1]
    return "|".join([*longer, f"[{re.escape(''.join(mark for mark in marks if len(mark) == 1))}]"])


def _inside(patterns: Mapping[str, str]) -> Find:
    kinds = {name: patterns[name] for name in ("LITERAL", "ESCAPE", "QUOTE", "HOLE_OPEN")}
    return re.compile(_each(kinds | {"STRAY": "."}), re.DOTALL).match


def _each(kinds: Mapping[str, str]) -> str:
    return "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items())
