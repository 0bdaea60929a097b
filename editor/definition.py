"""Where a name, a flow or a used script is defined, and what becomes of a name that is changed."""

import re

from ringful.editor.document import Document, Load
from ringful.editor.hover import flow_in
from ringful.editor.mentions import giving, same
from ringful.grammar.functions import BOUND
from ringful.grammar.reading.tokens import Piece
from ringful.grammar.vocabulary import RESERVED


def definition(document: Document, offset: int, load: Load) -> tuple[str, int, int] | None:
    """Give the file (empty for this one), the begin and the end of what defines what stands at *offset*."""
    mention = document.mention(offset)
    if mention is None:
        return _script(document, offset, load)
    given = giving(document.mentions, mention)
    if given:
        return "", given.piece.start, given.piece.end
    for path in document.used() if mention.piece.kind == "flow" else []:
        found = flow_in(Document(load(path) or ""), mention.name)
        if found:
            return path, found.piece.start, found.piece.end
    return None


def _script(document: Document, offset: int, load: Load) -> tuple[str, int, int] | None:
    for path, piece in document.uses:
        if piece.start - 1 <= offset <= piece.end + 1 and load(path) is not None:
            return path, 0, 0
    return None


def renamed(document: Document, offset: int, name: str) -> list[Piece]:
    """Give the pieces that must say *name* where what stands at *offset* is to be called so.

    Raises ValueError where that cannot be.
    """
    mention = document.mention(offset)
    if mention is None:
        raise ValueError("there is no name here")
    if not re.fullmatch("[a-z_][a-z0-9_]*", name):
        raise ValueError(f"`{name}` is no name: names are written small, with digits and `_`")
    if name in RESERVED | BOUND | document.brought:
        raise ValueError(f"`{name}` means something else, and cannot be a name")
    if giving(document.mentions, mention) is None:
        raise ValueError(f"`{mention.name}` is not named in this script")
    taken = any(
        one.name == name
        and one.scope == mention.scope
        and (one.piece.kind == "flow") == (mention.piece.kind == "flow")
        for one in document.mentions
    )
    if taken and name != mention.name:
        raise ValueError(f"there is a `{name}` already")
    return [one.piece for one in same(document.mentions, mention)]
