"""In how many segments a text is sent at most, as far as the script says it.

Whoever knows how texts are split says it (`Limits.segments`).  Where nobody does, it is estimated, and rather
too many than too few: a letter that is not of ASCII is taken for one of those that make a text longer,
and room is left for what is never cut in two.
"""

from collections.abc import Callable

from ringful.grammar import nodes
from ringful.grammar.tones import literal

MOST = 10
"""A text in more segments is not sent."""
_TWICE = frozenset("^{}\\[]~|")
"""Those of ASCII that take the room of two."""
_LATIN = 0x300
"""What comes below is never a part of another character: an accent, half an emoji."""


def segments(text: nodes.Expression, counted: Callable[[str], int] | None = None) -> int:
    """Give the segments of *text* at most: as many as there can be, where only the run knows it."""
    said = literal(text)
    if said is None:
        return MOST
    if counted:
        return counted(said)
    if said.isascii() and "`" not in said:
        return _parts(len(said) + sum(mark in _TWICE for mark in said), 160, 152)
    # Of two segments that follow one another, both are half full on the whole.
    each = 66 if all(ord(mark) < _LATIN for mark in said) else 33
    return _parts(len(said.encode("utf-16-le", "replace")) // 2, 70, each)


def _parts(length: int, alone: int, each: int) -> int:
    return 1 if length <= alone else min(MOST, -(-length // each))
