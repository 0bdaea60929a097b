"""What is to be said, with marks of SSML in it: words and pauses, in their order."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from ringful.grammar import nodes
from ringful.importing.draft import Body, clean
from ringful.importing.losses import ImportFault
from ringful.importing.markup import Element, read_markup
from ringful.importing.values import seconds

Spoken: TypeAlias = "list[str | nodes.Duration]"

_STRENGTHS = {"none": 0, "x-weak": 0, "weak": 250, "medium": 500, "strong": 1000, "x-strong": 2000}
"""How long a break of each strength is, in milliseconds."""
_SPELT = {"characters", "digits", "spell-out", "telephone", "verbatim"}
_PLAIN = {"speak", "p", "s", "w", "sub", "say-as", "break"}
_MARKS = "speech has no marks here but pauses, spelling and other words for a word; the words are kept"


def marked_up(body: Body, place: str, said: str, shown: str) -> Spoken:
    """Take SSML (``<speak>…</speak>``) out of a text; *shown* is the verb for people."""
    if not re.search(r"<(?:speak|break|prosody|say-as|emphasis)\b", said):
        return [said]
    whole = said if said.lstrip().startswith("<speak") else f"<speak>{said}</speak>"
    try:
        return spoken(body, read_markup(whole.encode("utf-8", "replace")), place, shown)
    except ImportFault:
        body.lose(place, f"SSML in {shown}", "it is no XML; the words are kept")
        return [re.sub(r"<[^<>]*>", " ", said)]


def spoken(body: Body, element: Element, place: str, shown: str) -> Spoken:
    """Give what *element* says, in its order."""
    if any(one.tag.lower() not in _PLAIN for one in _below(element)):
        body.lose(place, f"SSML in {shown}", _MARKS)
    found: Spoken = []
    for piece in _pieces(element):
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return [one for one in found if not isinstance(one, str) or one.strip()]


def _below(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _below(child)


def _pieces(element: Element) -> Iterator[str | nodes.Duration]:
    for one in element.content:
        match one:
            case str():
                yield one
            case Element(tag=tag) if tag.lower() == "break":
                if pause := _pause(one):
                    yield pause
            case Element(tag="sub"):
                yield one.get("alias") or one.text
            case Element(tag="say-as") if one.get("interpret-as") in _SPELT:
                yield " ".join(clean(one.text).replace(" ", ""))
            case _:
                yield from _pieces(one)


def _pause(mark: Element) -> nodes.Duration | None:
    found = re.fullmatch(r"([0-9.]{1,9})(m?s)", mark.get("time"))
    if found:
        return seconds(found[1], unit=1 if found[2] == "ms" else 1000)
    length = _STRENGTHS.get(mark.get("strength") or "medium", 500)
    return nodes.Duration(length) if length else None
