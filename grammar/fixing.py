"""Write old words anew: what an earlier version of the language called otherwise.

The parser knows an old word, and tells of it as a problem with a code of its own; here stands what is
written instead.
"""

from collections.abc import Iterable

from ringful.grammar.errors import Problem
from ringful.grammar.reading.head import OLD_WORD

_NEW = {"call": "start call"}
"""What is written instead of the old word that stands at such a problem's place."""


def fixed(text: str, problems: Iterable[Problem]) -> str:
    """Give *text* with the old words written anew that are among its *problems*."""
    lines = text.split("\n")
    old = {(one.span.line - 1, one.span.column - 1) for one in problems if one.code == OLD_WORD}
    for line, column in sorted(old, reverse=True):
        before, after = lines[line][:column], lines[line][column:]
        word = next((one for one in _NEW if after.startswith(one)), "")
        lines[line] = before + _NEW.get(word, "") + after.removeprefix(word)
    return "\n".join(lines)
