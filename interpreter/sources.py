"""Scripts as files: a script with everything that it uses, each text read and parsed once.

A path after ``use`` counts from the folder of the script that says it.  A script is known by its
file's name alone, so that traces are the same in whatever folder they are made.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.grammar.checking.checker import check
from ringful.grammar.errors import Problem
from ringful.grammar.reading.parser import parse, parse_statements


@frozen
class Source:
    """A script, the text that it was read from, and the scripts that it uses by their paths."""

    name: str
    """What spans and traces call it."""
    text: str
    script: nodes.Script
    uses: "Mapping[str, Source]" = field(factory=dict)
    path: Path | None = None
    """Its file; None: it stands in the case itself."""

    @property
    def used_scripts(self) -> dict[str, nodes.Script]:
        """The trees of the scripts that it uses."""
        return {path: used.script for path, used in self.uses.items()}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checker finds in it; the same texts are checked once."""
        return _problems(self.text, self.name, tuple((path, used.text) for path, used in self.uses.items()))


def read_source(path: Path) -> Source:
    """Read the script at *path* and what it uses.  Raises OSError, UnicodeDecodeError, ScriptError."""
    text = path.read_bytes().decode()
    script = parsed(text, path.name)
    return Source(path.name, text, script, read_uses(script, path.parent), path)


def read_uses(script: nodes.Script, folder: Path) -> dict[str, Source]:
    """Read what *script*, which stands in *folder*, uses, directly or by another script.

    Files that are not there are left out: the checker says so, in the line that names them.
    Raises OSError, UnicodeDecodeError, ScriptError.
    """
    found: dict[str, Source] = {}
    waiting = [(use.path, folder / use.path) for use in script.uses]
    while waiting:
        name, path = waiting.pop(0)
        if name in found or not path.is_file():
            continue
        text = path.read_bytes().decode()
        used = parsed(text, name)
        found[name] = Source(name, text, used, path=path)
        waiting += [(use.path, path.parent / use.path) for use in used.uses]
    return found


@lru_cache(maxsize=256)
def parsed(text: str, name: str) -> nodes.Script:
    """Parse *text*, which is called *name*; the same text is parsed once.  Raises ScriptError."""
    return parse(text, name)


@lru_cache(maxsize=256)
def _problems(text: str, name: str, uses: tuple[tuple[str, str], ...]) -> tuple[Problem, ...]:
    return check(parsed(text, name), {path: parsed(used, path) for path, used in uses})


@lru_cache(maxsize=64)
def answered(text: str) -> tuple[nodes.Statement, ...]:
    """Parse what a `follow` was answered; the same text is parsed once.  Raises ScriptError.

    A long one takes a while: whoever has other work can have it done in a thread beforehand.
    """
    return parse_statements(text, "answer")


def forget() -> None:
    """Forget every text that was parsed and checked."""
    parsed.cache_clear()
    answered.cache_clear()
    _problems.cache_clear()
