"""Lark's tables, as `plain` and `compiled` want them: what each piece of a text does in each state.

All of it comes from call.lark, by way of Lark: the states, the rules, and what pieces look like.
"""

import re
from collections import defaultdict
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
Maker: TypeAlias = Token | str | Build
Find: TypeAlias = Callable[[str, int], Match[str] | None]
Bracket: TypeAlias = Literal["free", "block", "text", "close"]
"""What is opened, or closed; in some a line's end is free, and a quote does both."""


class Move(NamedTuple):
    """One thing that is done on the way: a piece is kept, or a value is made of those kept last.

    `compiled` writes its fields as they stand here, as numbers of 32 bits.
    """

    what: int
    """The piece or the rule: its number among `Tables.makers`."""
    given: int
    """Where in the text the piece begins, or how many values the rule is given."""
    line: int
    column: int
    end_line: int
    end_column: int


class Shift(NamedTuple):
    """The piece is taken."""

    to: int
    what: int | None
    """Its number among `Tables.makers`; None where nobody asks for it."""
    bracket: Bracket | None = None
    build: int | None = None
    """What makes a node of the piece alone, where nothing else can come of it."""


class Reduction(NamedTuple):
    """What was taken last is one of a rule."""

    size: int
    build: int | None
    """What makes one value of the rule's, among `Tables.makers`; None where they stand for themselves."""
    inner: bool
    """The value is one of those inside, and its place is that one's."""
    after: Mapping[int, int]
    """The state that follows, by the one before."""
    ways: Mapping[int, dict[str, "tuple[int, Step | None]"]]
    """Where it leads at last, by the state before and what comes next; `Tables.way` adds to them."""


Step: TypeAlias = Shift | Reduction


class Way(NamedTuple):
    """The way of a whole text through the tables."""

    moves: Iterable[Move]
    depth: int
    """So many values stand in one another at most, the pieces too."""


Go: TypeAlias = Callable[[str], Way | None]
"""Goes the way of a text; gives None where the tables do not know a piece."""


@frozen(eq=False)
class Tables:
    """What the loop goes by."""

    start: int
    end: int
    steps: Mapping[int, Mapping[str, Step]]
    """By states, and by what a piece is: itself, if it is a word or a mark of the language, or its kind."""
    makers: tuple[Maker, ...]
    """What stands for a word or a mark; the kinds of other pieces; what makes a value of a rule's."""
    words: int
    """So many of them, the first, are words and marks."""
    builds: int
    """From here on they are what makes a value of a rule's."""
    comment: int
    """What a comment is among the makers."""
    patterns: Mapping[str, str]
    """What pieces look like, by their kinds."""
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
    makers, words, builds = _makers(spelled, lark)
    numbers = {one.type if isinstance(one, Token) else one: number for number, one in enumerate(makers)}
    reductions = {rule: _reduction(rule, lark, after, numbers) for rule in lark.rules}
    order = {name: number for number, name in enumerate((*terminals, "$END"))}
    steps: dict[int, dict[str, Step]] = {}
    for state, actions in table.states.items():
        here = steps[state] = {}
        for name in sorted(order.keys() & actions.keys(), key=order.__getitem__):
            action, to = actions[name]
            here[spelled.get(name, name)] = _shift(name, to, numbers) if action is SHIFT else reductions[to]
        if '"' in here:
            _whole_texts(here, after["text"].get(state), numbers[TEXT])
    _further(steps)
    patterns = {name: _uncounted(one) for name, one in terminals.items()}
    finds = _outside(patterns, spelled), _inside(patterns)
    return Tables(start, end, steps, makers, words, builds, numbers["COMMENT"], patterns, *finds)


def _makers(spelled: Mapping[str, str], lark: Lark) -> tuple[tuple[Maker, ...], int, int]:
    """Give all makers, how many words there are, and where builds begin."""
    words = [Token(name, said) for name, said in spelled.items() if name != "BLOCK_OPEN"]
    builds = dict.fromkeys(build for rule in lark.rules if (build := _build(rule, lark)) is not None)
    return (*words, *_KINDS, *builds), len(words), len(words) + len(_KINDS)


_KINDS: Final = ("BLOCK_OPEN", "COMMENT", TEXT, "NAME", "CALLEE", "NUMBER", "DURATION", "LITERAL", "ESCAPE")
"""The pieces that each say something else, or of which something else is kept."""


def _uncounted(pattern: Any) -> str:
    """Give what *pattern* matches, without groups that count."""
    return (
        re.escape(pattern.value)
        if pattern.type == "str"
        else re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern.value)
    )


def _name(rule: Rule) -> str:
    return str(rule.alias or rule.origin.name)


def _build(rule: Rule, lark: Lark) -> Build | None:
    """Give what makes a value of *rule*'s, if its values do not stand for themselves."""
    alone = len(rule.expansion) == 1 and rule.alias is None and rule.options.expand1
    build: Build | None = None
    if not alone and not _name(rule).startswith("_"):
        build = getattr(lark.options.transformer, _name(rule))
    return build


def _reduction(
    rule: Rule, lark: Lark, after: Mapping[str, Mapping[int, int]], numbers: Mapping[Any, int]
) -> Reduction:
    follows = after.get(rule.origin.name, {})
    ways: defaultdict[int, dict[str, tuple[int, Step | None]]] = defaultdict(dict)
    build = numbers.get(_build(rule, lark))
    return Reduction(len(rule.expansion), build, _name(rule) == "group", follows, ways)


def _shift(name: str, to: int, numbers: Mapping[Any, int]) -> Shift:
    what = None if name == "NEWLINE" else numbers[name]
    if name in OPENING:
        return Shift(to, what, "free" if name in FREE else "block")
    return Shift(to, what, "text" if name == "QUOTE" else "close" if name in CLOSING else None)


def _further(steps: dict[int, dict[str, Step]]) -> None:
    """Let each piece lead on at once as far as it does whatever comes next."""
    ends = {state: _only(here) for state, here in steps.items()}
    for state, here in steps.items():
        for said, step in here.items():
            while isinstance(step, Shift) and step.bracket is None and (only := ends[step.to]):
                if only.size != 1 or None not in (only.build, step.build):
                    break
                build = only.build if step.build is None else step.build
                step = step._replace(to=only.after[state], build=build)
            here[said] = step


def _only(here: Mapping[str, Step]) -> Reduction | None:
    """Give the one thing that can be done, whatever comes next."""
    first = next(iter(here.values()), None)
    return first if isinstance(first, Reduction) and all(one is first for one in here.values()) else None


def _whole_texts(here: dict[str, Step], after: int | None, what: int) -> None:
    """Let a whole text do what its quote does; where it is taken, the state *after* a text follows."""
    quote = here['"']
    if isinstance(quote, Reduction):
        here[TEXT] = quote
    elif after is not None:
        here[TEXT] = Shift(after, what)


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
