"""The parser's tables, made once and kept.

To work them out of call.lark takes half a second, and to read them back a small part of that.  So
they are kept where Python keeps what it compiles, and whoever could write there could change the
code as well.  Lark sees by the grammar, its options and its version whether they are still right.
Where nothing can be written, they are made anew in every process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from importlib.util import cache_from_source
from pathlib import Path
from typing import IO, Any

from lark import Lark

_GRAMMAR = "call.lark"


def parser_with(kept: Path | None = None, **options: Any) -> Lark:
    """Make the parser of the language with Lark's *options*; its tables are *kept* in this file."""
    kept = kept or Path(cache_from_source(str(Path(__file__).with_name(_GRAMMAR)))).with_suffix(".tables")
    with _held(kept) as usable:
        return Lark.open_from_package(
            "ringful.grammar.reading",
            _GRAMMAR,
            parser="lalr",
            cache=str(kept) if usable else False,
            **options,
        )


@contextmanager
def _held(kept: Path) -> Iterator[bool]:
    """Keep other processes from *kept*, since Lark writes in place; say whether it can be used."""
    file = _opened(kept)
    if file is None:
        yield False
        return
    with file:
        flock(file, LOCK_EX)
        yield True


def _opened(kept: Path) -> IO[bytes] | None:
    for mode in ("ab", "rb"):
        try:
            kept.parent.mkdir(exist_ok=True)
            return kept.open(mode)
        except OSError:
            continue
    return None
