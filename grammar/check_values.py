"""Values: what stands in the text can be what is wanted there.

Only what is certain from the text is told: a name may hold anything.
"""

import re
from collections.abc import Iterator

from ringful.grammar import nodes
from ringful.grammar.blocks import expressions_of
from ringful.grammar.errors import Problem
from ringful.grammar.functions import FUNCTIONS
from ringful.grammar.kinds import Kind, cannot_join, kind_of
from ringful.grammar.spell import suggest
from ringful.grammar.tones import literal, wrong_list, wrong_sequence
from ringful.grammar.walk import walk
from ringful.grammar.wants import Sort, Want, wants_of

_TAKES: dict[Sort, tuple[Kind, ...]] = {
    "number": ("text", "a number"),
    "url": ("text", "none"),
    "audio": ("text",),
    "text": ("text", "a number"),
    "tones": ("text", "a number", "none"),
    "sequence": ("text", "a number"),
    "duration": ("a duration",),
    "count": ("a number",),
    "condition": ("true or false",),
    "list": ("a list",),
}

_NEEDS: dict[Sort, tuple[str, str]] = {
    "number": ("a phone number", 'e.g. `"+15125551234"`'),
    "url": ("an address", 'e.g. `"https://example.com/events"`'),
    "audio": ("an announcement", 'e.g. `play "https://example.com/welcome.wav"`'),
    "text": ("a text", "a text stands in double quotes"),
    "tones": ("tones", 'e.g. `"1"` or `"1,2,#"`'),
    "sequence": ("tones", 'e.g. `tone "1234#"`'),
    "duration": ("a duration", "e.g. `500ms`, `8s`, `2m` or `1h`"),
    "count": ("a number", "e.g. `3`"),
    "condition": ("a condition", "compare: e.g. `answer.ok == true` or `pin != none`"),
    "list": ("a list", "e.g. `[1, 2, 3]`"),
}

_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]*|(sip|sips|tel):\S+", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s/]+", re.IGNORECASE)


def check_values(line: nodes.Line) -> Iterator[Problem]:
    """Check the expressions that stand in *line* itself."""
    for want in wants_of(line):
        yield from _want(want)
    for expression in expressions_of(line):
        for node in walk(expression):
            yield from _expression(node)
    yield from _range(line)


def _want(want: Want) -> Iterator[Problem]:
    if want.sort == "any":
        return
    kind = kind_of(want.expression)
    name, hint = _NEEDS[want.sort]
    if kind is not None and kind not in _TAKES[want.sort]:
        word = want.word if " " in want.word else f"`{want.word}`"
        message = f"{word} needs {name}, and this is {kind}"
        yield Problem("wrong-kind", message, want.expression.span, _unit(want) or hint)
        return
    match want.sort:
        case "duration" | "count":
            yield from _amount(want)
        case "tones" | "sequence" | "number" | "url":
            yield from _said(want)


def _unit(want: Want) -> str:
    match want:
        case Want("duration", nodes.Number(value)):
            return f"write `{value}s` for seconds"
        case Want("duration", nodes.Text((str(said),))) if re.fullmatch(r"[0-9.]+(ms|s|m|h)", said):
            return f"write it without quotes: `{said}`"
        case _:
            return ""


def _amount(want: Want) -> Iterator[Problem]:
    """A duration or a count: not zero, not negative, and a count is whole."""
    match want.expression:
        case nodes.Duration(0) | nodes.Number(0):
            yield Problem("zero", f"`{want.word}` of zero does nothing", want.expression.span)
        case nodes.Unary("-", nodes.Duration() | nodes.Number()):
            yield Problem("zero", f"`{want.word}` cannot be negative", want.expression.span)
        case nodes.Number(value) if value != int(value):
            yield Problem("wrong-kind", f"`{want.word}` needs a whole number", want.expression.span)


def _said(want: Want) -> Iterator[Problem]:
    """A text that stands there as it is: tones, a number, an address."""
    said = _text(want.expression)
    if said is None:
        return
    span = want.expression.span
    wrong: tuple[str, str] | None = None
    match want.sort:
        case "tones":
            wrong = wrong_list(said)
        case "sequence":
            wrong = wrong_sequence(said)
        case "number" if literal(want.expression) is not None and not _NUMBER.fullmatch(said.strip()):
            wrong = f"`{said}` is no phone number", _NEEDS["number"][1]
        case "url" if not _URL.match(said):
            wrong = f"`{said}` is no address", "an address begins with `http://` or `https://`"
    if wrong:
        code = {"tones": "tone", "sequence": "tone", "number": "phone-number"}.get(want.sort, "address")
        yield Problem(code, wrong[0], span, wrong[1])


def _text(expression: nodes.Expression) -> str | None:
    match expression:
        case nodes.Number(value):
            return str(value)
        case _:
            return literal(expression)


def _expression(node: nodes.Node) -> Iterator[Problem]:
    match node:
        case nodes.Apply(function, arguments):
            yield from _apply(node, function, len(arguments))
        case nodes.Binary(operator, left, right):
            kinds = kind_of(left), kind_of(right)
            if cannot_join(operator, *kinds):
                message = f"`{operator}` cannot take {kinds[0]} and {kinds[1]}"
                hint = 'to put values into a text, write `"… {value} …"`' if "text" in kinds else ""
                yield Problem("wrong-kind", message, node.span, hint)
            elif operator in ("/", "%") and isinstance(right, nodes.Number) and right.value == 0:
                yield Problem("zero", "nothing can be divided by zero", node.span)
        case nodes.Map(entries):
            seen: set[str] = set()
            for entry in entries:
                if entry.key in seen:
                    yield Problem("double", f"the key `{entry.key}` stands here twice", entry.span)
                seen.add(entry.key)
        case nodes.Index(subject) | nodes.Field(subject) if kind_of(subject) in _FLAT:
            yield Problem("wrong-kind", f"{kind_of(subject)} has no parts", node.span)


_FLAT = ("a number", "a duration", "true or false", "none")


def _apply(node: nodes.Apply, function: str, given: int) -> Iterator[Problem]:
    if function not in FUNCTIONS:
        hint = suggest(function, FUNCTIONS) or f"functions: {', '.join(sorted(FUNCTIONS))}"
        yield Problem("unknown-function", f"there is no function `{function}`", node.span, hint)
    elif given != FUNCTIONS[function]:
        message = f"`{function}` takes one value, not {given}"
        yield Problem("arguments", message, node.span)


def _range(line: nodes.Line) -> Iterator[Problem]:
    match line:
        case nodes.Gather(least=nodes.Number(least), most=nodes.Number(most)) if most < least:
            yield Problem(
                "range", f"no count lies between {least} and {most}", line.span, f"write `{most}..{least}`"
            )
