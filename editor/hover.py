"""What stands under the pointer, in words."""

from decimal import Decimal

from ringful.editor import meanings
from ringful.editor.document import Document, Load
from ringful.editor.mentions import Mention, giving
from ringful.grammar.functions import BOUND, FUNCTIONS
from ringful.grammar.reading.tokens import Piece

_ARTICLES = {
    "param": "a param",
    "value": "a value",
    "leg": "a leg",
    "conference": "a conference",
    "digits": "digits, or `none`",
    "recording": "a recording: `.url`, `.duration`, `.reason`",
    "tone": "a tone, or `none`",
    "answer": "an answer's JSON, or `none`",
    "item": "an item of a list",
    "parameter": "a parameter of this flow",
    "flow": "a flow",
}


def hover(document: Document, offset: int, load: Load) -> tuple[str, Piece] | None:
    """Say in Markdown what the piece at *offset* is; give it with the piece, or None if nothing is known."""
    piece = document.at(offset)
    said = _said(document, piece, load) if piece else ""
    return (said, piece) if said and piece else None


def _said(document: Document, piece: Piece, load: Load) -> str:
    match piece.kind:
        case "verb":
            return _statement(document, piece)
        case "word":
            return meanings.CLAUSES.get(piece.text) or meanings.WORDS.get(piece.text, "")
        case "operator" | "constant":
            return meanings.WORDS.get(piece.text, "")
        case "function" if piece.text in FUNCTIONS:
            return f"{_code(f'{piece.text}(x)')}\n{meanings.FUNCTIONS[piece.text]}"
        case "duration":
            return in_words(piece.text)
        case "name" | "flow":
            return _name(document, piece, load)
        case _:
            return ""


def _statement(document: Document, piece: Piece) -> str:
    words = [one for one in document.pieces if one.kind != "blank"]
    at = words.index(piece)
    beside = [one.text if one.kind == "verb" else "" for one in words[max(0, at - 1) : at + 2]]
    before, after = beside[0] if at else "", beside[-1] if at + 1 < len(words) else ""
    for said in (f"{piece.text} {after}", f"{before} {piece.text}", piece.text):
        meaning = meanings.STATEMENTS.get(said)
        if meaning:
            return f"{_code(meaning.form)}\n{meaning.says}"
    return ""


def _name(document: Document, piece: Piece, load: Load) -> str:
    mention = next((one for one in document.mentions if one.piece is piece), None)
    if mention is None:
        return ""
    if piece.kind == "name" and piece.text in BOUND:
        return f"`{piece.text}`: {meanings.BOUND[piece.text]}. Every run binds it."
    if piece.kind == "name" and piece.text in document.brought:
        return f"`{piece.text}`: {meanings.BROUGHT[piece.text]}."
    given = giving(document.mentions, mention)
    if given:
        return _origin(document, given)
    for path in document.used():
        other = Document(load(path) or "")
        found = flow_in(other, piece.text) if piece.kind == "flow" else None
        if found:
            return f"{_origin(other, found)}, in `{path}`"
    return ""


def flow_in(document: Document, name: str) -> Mention | None:
    """Find the flow *name* of a text."""
    return next((one for one in document.mentions if one.gives == "flow" and one.name == name), None)


def _origin(document: Document, given: Mention) -> str:
    """Show the line where a name gets its value, with the comments above it."""
    line = document.lines.place(given.statement.start).line
    lines = document.text.replace("\r\n", "\n").split("\n")
    above: list[str] = []
    while line > len(above) and lines[line - 1 - len(above)].lstrip().startswith("#"):
        above.insert(0, lines[line - 1 - len(above)].strip())
    written = lines[line].strip() if line < len(lines) else ""
    return f"{_code(chr(10).join([*above, written]))}\n{_ARTICLES[str(given.gives)]}, line {line + 1}"


def _code(text: str) -> str:
    return f"```ringful\n{text}\n```"


_UNITS = (("hour", 3_600_000), ("minute", 60_000), ("second", 1000), ("millisecond", 1))
_LETTERS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def in_words(duration: str) -> str:
    """Say a duration as one would: ``90s`` is 1 minute 30 seconds."""
    letters = duration.lstrip("0123456789.")
    amount = duration.removesuffix(letters)
    if len(amount) > 15:
        return ""
    rest = int(Decimal(amount) * _LETTERS[letters])
    parts = []
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "no time"
