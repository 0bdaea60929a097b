"""Write old words anew: what an earlier version of the language called otherwise.

The parser knows an old word, and tells of it as a problem with a code of its own; here stands what is
written instead.  What came of a `join` was a word once, and is a map with that word in it: the checker
tells where it is taken for the word.
"""

import re
from collections.abc import Iterable

from ringful.grammar.errors import Problem
from ringful.grammar.reading.head import OLD_WORD

WHOLE = frozenset({"never-equal", "wrong-kind"})
"""The codes of problems with what came of something, as a whole."""
_PART = re.compile(r"write `\{?(\w+)\.reason\}?`")

_NEW = {"call": "start call"}
"""What is written instead of the old word that stands at such a problem's place."""


def fixed(text: str, problems: Iterable[Problem]) -> str:
    """Give *text* with the old words written anew that are among its *problems*."""
    lines, problems = text.split("\n"), tuple(problems)
    for one in sorted(problems, key=lambda one: one.span.column, reverse=True):
        if one.code in WHOLE and (meant := _PART.fullmatch(one.hint)):
            line, column = one.span.line - 1, one.span.column - 1 + len(meant[1])
            if lines[line][:column].endswith(meant[1]):
                lines[line] = f"{lines[line][:column]}.reason{lines[line][column:]}"
    old = {(one.span.line - 1, one.span.column - 1) for one in problems if one.code == OLD_WORD}
    for line, column in sorted(old, reverse=True):
        before, after = lines[line][:column], lines[line][column:]
        word = next((one for one in _NEW if after.startswith(one)), "")
        lines[line] = before + _NEW.get(word, "") + after.removeprefix(word)
    return "\n".join(lines)
