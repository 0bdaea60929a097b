"""How long the ways through a script take, added up.

A `Time` knows what it is made of, so that a bound can be explained line by line.  What a flow is
made of stands there once however often the flow is named, so a time is never larger than its
script.  `Ways` holds the longest way of each kind: those that go on, those that end the call, those
that leave a loop or a flow.
"""

from typing import TypeAlias, assert_never

from attrs import frozen

from ringful.grammar.span import Span

MOST: int = 10**15
"""Milliseconds and counts are not followed above this."""


@frozen
class Part:
    """One statement's share of a time."""

    span: Span
    what: str
    milliseconds: int | None
    """Of one time; None is without a bound."""
    note: str = ""
    """What was assumed where the text does not say."""
    times: int = 1


@frozen(eq=False)
class _Sum:
    """One time after another."""

    before: "_Made"
    after: "_Made"


@frozen(eq=False)
class _Product:
    """A time several times over."""

    count: int
    made: "_Made"


_Made: TypeAlias = Part | _Sum | _Product
"""What a time is made of."""


@frozen
class Time:
    """A time in milliseconds, at most; *endless* says that nothing in the text bounds it."""

    milliseconds: int = 0
    endless: bool = False
    made: _Made | None = None

    def __add__(self, other: "Time") -> "Time":
        if not other.made:
            return self
        if not self.made:
            return other
        both = min(MOST, self.milliseconds + other.milliseconds)
        return Time(both, self.endless or other.endless, _Sum(self.made, other.made))

    def times(self, count: int) -> "Time":
        """Give this time *count* times over."""
        if not count or not self.made:
            return Time()
        if count == 1:
            return self
        return Time(min(MOST, self.milliseconds * count), self.endless, _Product(count, self.made))

    def parts(self) -> tuple[Part, ...]:
        """Give what the time is made of, in the order of the text."""
        found: list[Part] = []
        if self.made is None:
            return ()
        counts = {id(self.made): 1}
        for made in reversed(_inner_first(self.made)):
            count = min(MOST, counts[id(made)])
            match made:
                case Part():
                    found.append(Part(made.span, made.what, made.milliseconds, made.note, count))
                case _Product(more, inner):
                    counts[id(inner)] = counts.get(id(inner), 0) + count * more
                case _Sum():
                    for inner in (made.before, made.after):
                        counts[id(inner)] = counts.get(id(inner), 0) + count
                case _:
                    assert_never(made)
        return tuple(sorted(found, key=lambda one: one.span))


def _inner_first(whole: _Made) -> list[_Made]:
    """Give everything that *whole* is made of, each once and after all that it is made of itself.

    Without recursion, since a script may be long.
    """
    ordered: list[_Made] = []
    seen: set[int] = set()
    waiting: list[tuple[_Made, bool]] = [(whole, False)]
    while waiting:
        made, entered = waiting.pop()
        if entered:
            ordered.append(made)
        elif id(made) not in seen:
            seen.add(id(made))
            waiting.append((made, True))
            waiting += [(inner, False) for inner in _inside(made)]
    return ordered


def _inside(made: _Made) -> tuple[_Made, ...]:
    match made:
        case Part():
            return ()
        case _Product():
            return (made.made,)
        case _Sum():
            return made.before, made.after
        case _:
            assert_never(made)


def part(span: Span, what: str, milliseconds: int | None, note: str = "") -> Time:
    """Give the time of one statement; None milliseconds are without a bound."""
    return Time(milliseconds or 0, milliseconds is None, Part(span, what, milliseconds, note))


def longer(one: Time | None, other: Time | None) -> Time | None:
    """Give the longer of two times; None is a way that does not exist."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda time: (time.endless, time.milliseconds))


def after(before: Time | None, time: Time | None) -> Time | None:
    """Give *time* with what comes *before* it; a way that does not exist leads nowhere."""
    return None if before is None or time is None else before + time


@frozen
class Ways:
    """The longest way of each kind; None where there is no such way."""

    on: Time | None = Time()
    ended: Time | None = None
    broken: Time | None = None
    returned: Time | None = None

    @property
    def longest(self) -> Time:
        """The longest of all, whichever way it ends."""
        all_ways = (self.on, self.ended, self.broken, self.returned)
        return max(
            (way for way in all_ways if way is not None), key=lambda time: (time.endless, time.milliseconds)
        )

    def then(self, next_ways: "Ways") -> "Ways":
        """Give the ways through this and then through what is next."""
        return Ways(
            after(self.on, next_ways.on),
            longer(self.ended, after(self.on, next_ways.ended)),
            longer(self.broken, after(self.on, next_ways.broken)),
            longer(self.returned, after(self.on, next_ways.returned)),
        )

    def either(self, other: "Ways") -> "Ways":
        """Give the ways where one of two is gone."""
        return Ways(
            longer(self.on, other.on),
            longer(self.ended, other.ended),
            longer(self.broken, other.broken),
            longer(self.returned, other.returned),
        )

    def tried(self, count: int) -> "Ways":
        """Give the ways through this *count* times one after another, or as often as it goes on."""
        if count < 1:
            return Ways()
        before = Time() if self.on is None else self.on.times(count - 1)
        return Ways(
            after(before, self.on),
            after(before, self.ended),
            after(before, self.broken),
            after(before, self.returned),
        )

    def looped(self, count: int) -> "Ways":
        """Give the ways through a loop that this is the inside of: a ``break`` goes on after it."""
        turns = self.tried(count)
        return Ways(longer(turns.on, turns.broken), turns.ended, None, turns.returned)

    def apart(self) -> "Ways":
        """Give the ways through what runs as a strand of its own: only the call's end ends more than it."""
        return Ways(longer(self.on, longer(self.broken, self.returned)), self.ended)


def takes(time: Time) -> Ways:
    """Give the ways of what takes *time* and goes on."""
    return Ways(time)
