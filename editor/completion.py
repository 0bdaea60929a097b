"""What may be written where the cursor stands."""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from attrs import frozen

from ringful.editor import meanings
from ringful.editor.document import Document, Load
from ringful.editor.mentions import Mention, scope_at
from ringful.grammar.functions import BOUND, FUNCTIONS
from ringful.grammar.reading.expected import Expected, expected

Sort: TypeAlias = Literal["statement", "word", "name", "flow", "function", "field"]

SNIPPETS = {
    "menu": 'menu tries ${1:3} for ${2:8s} {\n    prompt { say "$3" }\n    "${4:1}" { $0 }\n}',
    "gather": 'gather ${1:name} digits ${2:4} for ${3:8s} { say "$0" }',
    "if": "if ${1:condition} { $0 }",
    "repeat": "repeat ${1:3} times {\n    $0\n}",
    "for": "for ${1:item} in ${2:items} {\n    $0\n}",
    "flow": "flow ${1:name}($2) {\n    $0\n}",
    "on hangup": "on hangup { $0 }",
    "on tone": 'on tone "${1:0}" { $0 }',
    "on join": "on join as ${1:member} { $0 }",
    "on leave": "on leave as ${1:member} { $0 }",
    "on speech": "on speech as ${1:member} { $0 }",
    "ask": 'ask "${1:https://}" with { $2 } as ${3:answer} for ${4:5s} else { $0 }',
    "prompt": 'prompt { say "$0" }',
    "timeout": "timeout { $0 }",
    "otherwise": "otherwise { $0 }",
}
"""Statements with a block, as they are written out; `$0` is where the cursor comes to stand."""

_AGAIN = frozenset({"and", "or", "not", "in", "if", "else", "true", "false", "none"})
"""Words that one statement may have several times."""

_LEGS = frozenset({"connect", "mute", "unmute", "hangup"})
_ROOMS = frozenset({"join", "leave", "in", "from"})
_RESULTS = {"recording": ("url", "duration", "reason")}


@frozen
class Suggestion:
    """Something that may be written at *start*, up to the cursor."""

    label: str
    sort: Sort
    start: int
    detail: str = ""
    says: str = ""
    snippet: str = ""
    rank: int = 1
    """Smaller ones come first."""


def suggestions(document: Document, offset: int, load: Load) -> list[Suggestion]:
    """Give what may be written at *offset* of *document*."""
    before = document.text[:offset]
    word = re.search(r"\w*\Z", before)
    start = word.start() if word else offset
    if before[start : start + 1].isdigit():
        return []
    found = expected(before[document.beginning(start) : start])
    if found is None:
        return []
    return [*_words(document, found, start), *_names(document, found, start, load)]


def _words(document: Document, found: Expected, start: int) -> Iterator[Suggestion]:
    if not found.statement:
        for words, meaning in meanings.STATEMENTS.items():
            if words.split()[0] in found.words and _fits(words, document, found, start):
                snippet = SNIPPETS.get(words, "")
                yield Suggestion(words, "statement", start, meaning.form, meaning.says, snippet)
        return
    for word in sorted(found.words):
        whole = meanings.STATEMENTS.get(f"{found.statement[0]} {word}")
        if len(found.statement) == 1 and whole:
            yield Suggestion(word, "statement", start, whole.form, whole.says, rank=0)
        elif word not in found.statement or word in _AGAIN:
            says = (meanings.WORDS if found.value else meanings.CLAUSES | meanings.WORDS).get(word, "")
            yield Suggestion(word, "word", start, says=says, rank=2 if found.value else 0)


def _fits(words: str, document: Document, found: Expected, start: int) -> bool:
    """Say whether a statement can stand here, as far as the grammar does not say it."""
    verbs = {piece.text for piece in document.pieces if piece.kind == "verb" and piece.start < start}
    around = {block.split(" ")[0] for block in found.blocks}
    match words:
        case "param":
            return not found.blocks and verbs <= {"param"}
        case "use" | "inbound" | "inbound sms":
            return not found.blocks and verbs <= {"param", "use"}
        case "flow":
            return not found.blocks
        case "answer" | "reject":
            return "inbound" in verbs
        case "break":
            return bool(around & {"repeat", "for"})
        case "return":
            return "flow" in around
        case _:
            return True


def _names(document: Document, found: Expected, start: int, load: Load) -> Iterator[Suggestion]:
    last = found.statement[-1] if found.statement else ""
    if last == "." and found.name:
        yield from _fields(document, found, start)
    elif last == "do":
        yield from _flows(document, start, load)
    elif last in _LEGS and found.name and not found.value:
        yield from (one for one in _values(document, start) if one.detail.startswith("leg"))
    elif found.value:
        for one in _values(document, start):
            wanted = last in _ROOMS and one.detail.startswith("conference")
            yield Suggestion(one.label, one.sort, start, one.detail, one.says, rank=0 if wanted else 1)
        if found.function:
            yield from _functions(start)


def _values(document: Document, start: int) -> Iterator[Suggestion]:
    """Give the names that have a value before *start*."""
    scope = scope_at(document.pieces, start)
    named: dict[str, Mention] = {}
    for one in document.mentions:
        if one.gives and one.gives != "flow" and one.scope == scope and one.piece.start < start:
            named[one.name] = one
    for name, one in named.items():
        line = document.lines.place(one.piece.start).line + 1
        yield Suggestion(name, "name", start, f"{one.gives}, line {line}")
    for name in sorted(BOUND):
        yield Suggestion(name, "name", start, "bound in every run", meanings.BOUND[name], rank=3)
    for name in sorted(document.brought):
        yield Suggestion(name, "name", start, "brought by what begins it", meanings.BROUGHT[name], rank=3)


def _functions(start: int) -> Iterator[Suggestion]:
    for name in sorted(FUNCTIONS):
        yield Suggestion(name, "function", start, f"{name}(x)", meanings.FUNCTIONS[name], f"{name}($0)", 3)


def _flows(document: Document, start: int, load: Load) -> Iterator[Suggestion]:
    texts = [("", document), *((path, Document(load(path) or "")) for path in document.used())]
    for path, one in texts:
        for name, parameters in flows_in(one).items():
            values = ", ".join(f"${{{number}:{word}}}" for number, word in enumerate(parameters, 1))
            detail = f"flow {name}({', '.join(parameters)})" + (f" in {path}" if path else "")
            yield Suggestion(name, "flow", start, detail, snippet=f"{name}({values})")


def flows_in(document: Document) -> dict[str, tuple[str, ...]]:
    """Give the flows of a text, each with its parameters."""
    given = [one for one in document.mentions if one.gives in ("flow", "parameter")]
    flows: dict[str, tuple[str, ...]] = {one.name: () for one in given if one.gives == "flow"}
    for one in given:
        if one.gives == "parameter" and one.scope in flows:
            flows[one.scope] = (*flows[one.scope], one.name)
    return flows


def _fields(document: Document, found: Expected, start: int) -> Iterator[Suggestion]:
    """Give the fields of what stands before the dot, where they are known."""
    subject = found.statement[-2] if len(found.statement) > 1 else ""
    scope = scope_at(document.pieces, start)
    sorts = {one.gives for one in document.mentions if one.name == subject and one.scope == scope}
    for sort in sorts & _RESULTS.keys():
        yield from (Suggestion(name, "field", start, "of a recording") for name in _RESULTS[str(sort)])
