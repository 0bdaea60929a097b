"""Find the word that was meant."""

from collections.abc import Iterable
from heapq import nsmallest
from itertools import islice

_MOST = 1000
"""Only so many words are compared, so that a long text takes no longer than it should."""

_MOST_CLOSELY = 20
"""Of those, so many are compared letter by letter: the ones with most letters in common."""

_LONGEST = 40
"""Longer words are not compared: nobody mistypes those by a letter and asks."""


def distance(one: str, other: str) -> int:
    """Count the letters to insert, drop, change or swap with the next to get from *one* to *other*."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, b in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Give the one of *words* that *word* is most likely meant to be, if any is near."""
    if len(word) > _LONGEST:
        return None
    bound = 1 if len(word) <= 4 else 2
    said = word.lower()
    letters = set(said)
    likely = (
        (len(letters.symmetric_difference(other)), other)
        for other in islice(words, _MOST)
        if other != word and abs(len(other) - len(word)) <= bound and len(other) > 1
    )
    closest = nsmallest(_MOST_CLOSELY, (one for one in likely if one[0] <= 2 * bound))
    near = ((distance(said, other), other) for _, other in closest)
    found = min(near, default=(bound + 1, ""))
    # With two letters nearly every word is near every other.
    return found[1] if found[0] <= bound and found[0] < len(word) - 1 else None


def suggest(word: str, words: Iterable[str]) -> str:
    """Give the hint ``did you mean `play`?``, or nothing."""
    found = nearest(word, words)
    return f"did you mean `{found}`?" if found else ""
