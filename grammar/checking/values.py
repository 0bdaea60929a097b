"""Values: what stands in the text can be what is wanted there.

Only what is certain from the text is told: a name may hold anything.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from ringful.grammar import foreign, nodes
from ringful.grammar.checking.constants import constant
from ringful.grammar.checking.kinds import Kind, cannot_join, cannot_take, kind_of, never_equal
from ringful.grammar.checking.kinds_of_names import NO_NAMES, Names
from ringful.grammar.checking.posts import POSTING, check_posts
from ringful.grammar.checking.wants import Sort, Want, wants_of
from ringful.grammar.errors import Problem
from ringful.grammar.functions import FUNCTIONS
from ringful.grammar.showing.expressions import show_expression
from ringful.grammar.sounds import FASTEST, SLOWEST
from ringful.grammar.spell import suggest
from ringful.grammar.tones import literal, wrong_list, wrong_patterns, wrong_sequence
from ringful.grammar.walk import is_plain
from ringful.grammar.zones import zone_of, zones

_TAKES: dict[Sort, tuple[Kind, ...]] = {
    "number": ("text", "a number"),
    "url": ("text", "none"),
    "audio": ("text",),
    "text": ("text", "a number"),
    "tones": ("text", "a number", "none"),
    "keys": ("text", "a number"),
    "patterns": ("text", "a number"),
    "sequence": ("text", "a number"),
    "duration": ("a duration",),
    "count": ("a number",),
    "start": ("a duration", "none"),
    "speed": ("a number", "none"),
    "condition": ("true or false",),
    "list": ("a list",),
}

_NEEDS: dict[Sort, tuple[str, str]] = {
    "number": ("a phone number", 'e.g. `"+15125551234"`'),
    "url": ("an address", 'e.g. `"https://example.com/events"`'),
    "audio": ("an announcement", 'e.g. `play "https://example.com/welcome.wav"`'),
    "text": ("a text", "a text stands in double quotes"),
    "tones": ("tones", 'e.g. `"1"` or `"1,2,#"`'),
    "keys": ("tones", 'e.g. `"1"` or `"1,2,#"`'),
    "patterns": ("keys", 'e.g. `"1"`, `"1,2,#"`, `"*2"` or `"4xx"`'),
    "sequence": ("tones", 'e.g. `tone "1234#"`'),
    "duration": ("a duration", "e.g. `500ms`, `8s`, `2m` or `1h`"),
    "count": ("a number", "e.g. `3`"),
    "start": ("a duration", "e.g. `90s` or `5m`"),
    "speed": ("a number", "from 0.5 to 2: `1.5` is half as fast again"),
    "condition": ("a condition", "compare: e.g. `answer.ok == true` or `pin != none`"),
    "list": ("a list", "e.g. `[1, 2, 3]`"),
}

_ANY_TEXT: frozenset[Sort] = frozenset({"text", "audio"})
_SAID: frozenset[Sort] = frozenset({"tones", "keys", "patterns", "sequence", "number", "url"})
"""What only some texts say; nothing is known of one in which something is worked out."""

OPERATORS = range(1, 5)
"""The operators that have numbers."""

_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]*|(sip|sips|tel):\S+", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s/]+", re.IGNORECASE)


def check_values(
    line: nodes.Line, inside: Iterable[nodes.Node], names: Names = NO_NAMES
) -> Iterator[Problem]:
    """Check what stands in *line* itself, the nodes *inside*, where *names* hold what is known of them."""
    for want in wants_of(line):
        if not _is_fit(want, names):
            yield from _want(want, names)
    for node in inside:
        if node.__class__ in _LOOKED_INTO:
            yield from _expression(node, names)
        elif isinstance(node, nodes.Text) and not is_plain(node):
            yield from _dollars(node.parts)
            if names.parts:
                yield from _said_outcomes(node.parts, names)
    if line.__class__ in _RANGED:
        yield from _range(line)
    if line.__class__ in POSTING:
        yield from check_posts(line)


def _is_fit(want: Want, names: Names) -> bool:
    """Say whether nothing can be wrong with what is wanted, at a glance, as with most of it."""
    sort, one, _ = want
    if sort == "any":
        return True
    if isinstance(one, nodes.Text):
        return sort in _ANY_TEXT or (sort in _SAID and not is_plain(one))
    if isinstance(one, nodes.Name):
        return one.id not in names.kinds
    if isinstance(one, nodes.Duration):
        return sort == "duration" and one.milliseconds > 0
    return isinstance(one, nodes.Number) and sort == "count" and isinstance(one.value, int) and one.value > 0


def _want(want: Want, names: Names) -> Iterator[Problem]:
    kind = kind_of(want.expression, names.kinds)
    name, hint = _NEEDS[want.sort]
    if want.sort == "number" and isinstance(want.expression, nodes.Binary) and kind == "a number":
        said = re.sub(r"\s", "", show_expression(want.expression))
        message = f"`{said}` is a sum and no phone number"
        yield Problem("phone-number", message, want.expression.span, f'write `"{said}"`')
        return
    if kind is not None and kind not in _TAKES[want.sort]:
        hint = _unit(want) or hint
        if want.sort == "patterns" and kind == "none":
            hint = f"{hint}; in a menu, `timeout {{ … }}` is for no key in time"
        word = want.word if " " in want.word else f"`{want.word}`"
        word = "this" if want.sort in ("keys", "patterns") else word
        message = f"{word} needs {name}, and {_this(want.expression, kind)}"
        yield Problem("wrong-kind", message, want.expression.span, hint)
        return
    match want.sort:
        case "duration" | "count":
            yield from _amount(want)
        case "start":
            yield from _start(want)
        case "speed":
            yield from _speed(want)
        case sort if sort in _SAID:
            yield from _said(want)


def _this(expression: nodes.Expression, kind: Kind) -> str:
    return f"`{expression.id}` is {kind}" if isinstance(expression, nodes.Name) else f"this is {kind}"


def _unit(want: Want) -> str:
    match want:
        case Want("duration" | "start", nodes.Number(value)):
            return f"write `{value}s` for seconds"
        case Want("duration" | "start", nodes.Text((str(said),))) if re.fullmatch(r"[0-9.]+(ms|s|m|h)", said):
            return f"write it without quotes: `{said}`"
        case _:
            return ""


def _amount(want: Want) -> Iterator[Problem]:
    """A duration or a count: not zero, not negative, and a count is whole."""
    found, span = constant(want.expression), want.expression.span
    if found is None:
        return
    if int(found.value) == 0 and (found.is_duration or found.value == 0):
        yield Problem("zero", f"`{want.word}` of zero does nothing", span)
    elif found.value < 0:
        yield Problem("zero", f"`{want.word}` cannot be negative", span, _range_meant(want))
    elif not found.is_duration and found.value != int(found.value):
        yield Problem("wrong-kind", f"`{want.word}` needs a whole number", span)


def _start(want: Want) -> Iterator[Problem]:
    """Where in a sound: not before its beginning."""
    found = constant(want.expression)
    if found is not None and found.value < 0:
        hint = "a sound begins at `0s`; to go back in one that is heard, write `skip back 10s`"
        yield Problem("range", "this is before the beginning of the sound", want.expression.span, hint)


def _speed(want: Want) -> Iterator[Problem]:
    found = constant(want.expression)
    if found is not None and not SLOWEST <= found.value <= FASTEST:
        hint = f"write a number from {SLOWEST} to {FASTEST}"
        if found.value > 20:
            hint += f"; {found.value} % are `{(found.value / 100).normalize():f}`"
        yield Problem("range", f"`{found.value:f}` is no speed of a sound", want.expression.span, hint)


def _range_meant(want: Want) -> str:
    match want:
        case Want("duration", nodes.Unary("-", operand), "skip"):
            return f"write `skip back {show_expression(operand)}`"
        case Want("count", nodes.Binary("-", nodes.Number(least), nodes.Number(most)), "digits"):
            return f"from {least} to {most} is written `{least}..{most}`"
        case _:
            return ""


def _said(want: Want) -> Iterator[Problem]:
    """A text that stands there as it is: tones, a number, an address."""
    said = _text(want.expression)
    if said is None:
        return
    span = want.expression.span
    wrong: tuple[str, str] | None = None
    match want.sort:
        case "tones" | "keys":
            wrong = wrong_list(said)
        case "patterns":
            wrong = wrong_patterns(said)
        case "sequence":
            wrong = wrong_sequence(said)
        case "number" if literal(want.expression) is not None and not _NUMBER.fullmatch(said.strip()):
            wrong = f"`{said}` is no phone number", _NEEDS["number"][1]
        case "url" if not _URL.match(said):
            wrong = f"`{said}` is no address", "an address begins with `http://` or `https://`"
    if wrong:
        code = {"number": "phone-number", "url": "address"}.get(want.sort, "tone")
        yield Problem(code, wrong[0], span, wrong[1])


def _text(expression: nodes.Expression) -> str | None:
    match expression:
        case nodes.Number(value):
            return str(value)
        case _:
            return literal(expression)


_LOOKED_INTO = frozenset({nodes.Apply, nodes.Binary, nodes.Map, nodes.Field, nodes.Index})


def _expression(node: nodes.Node, names: Names) -> Iterator[Problem]:
    match node:
        case nodes.Apply():
            yield from _apply(node, names)
        case nodes.Binary():
            yield from _binary(node, names)
        case nodes.Map(entries):
            seen: set[str] = set()
            for entry in entries:
                if entry.key in seen:
                    yield Problem("double", f"the key `{entry.key}` stands here twice", entry.span)
                seen.add(entry.key)
        case nodes.Field(nodes.Name(name), part) if names.parts.get(name):
            known = names.parts[name]
            if part not in known:
                what = "a recording" if name in names.recordings else "what came of it"
                hint = suggest(part, known) or f"it has {', '.join(f'`.{one}`' for one in known)}"
                yield Problem("unknown-field", f"{what} has no `.{part}`", node.span, hint)
        case nodes.Field(subject, part) if (kind := kind_of(subject, names.kinds)) in (
            *_FLAT,
            "text",
            "a list",
        ):
            meant = foreign.FUNCTIONS.get(foreign.plain(part), "")
            hint = f"write `{meant}({show_expression(subject)})`" if meant else ""
            yield Problem("wrong-kind", f"{kind} has no parts with names", node.span, hint)
        case nodes.Index(subject) if (kind := kind_of(subject, names.kinds)) in _FLAT:
            yield Problem("wrong-kind", f"{kind} has no parts", node.span)


def _dollars(parts: tuple[str | nodes.Expression, ...]) -> Iterator[Problem]:
    for before, hole in pairwise(parts):
        if isinstance(before, str) and before.endswith(("$", "%")) and not isinstance(hole, str):
            sign, said = before[-1], show_expression(hole)
            message = f"`{sign}` is said as it stands, before the value of `{said}`"
            hint = f"a value is written `{{{said}}}`; where the sign is meant, `{sign} {{{said}}}`"
            yield Problem("dollar", message, hole.span, hint, "warning")


def _said_outcomes(parts: tuple[str | nodes.Expression, ...], names: Names) -> Iterator[Problem]:
    for part in parts:
        if isinstance(part, nodes.Name) and _is_outcome(part, names):
            message = f"`{part.id}` is all that came of it: a text has room for one part of it"
            yield Problem("wrong-kind", message, part.span, f"write `{{{part.id}.reason}}`")


def _binary(node: nodes.Binary, names: Names) -> Iterator[Problem]:
    operator, right = node.operator, node.right
    yield from _whole_outcome(node, names)
    kinds = kind_of(node.left, names.kinds), kind_of(right, names.kinds)
    if cannot_join(operator, *kinds):
        message = f"`{operator}` cannot take {kinds[0] or 'a value'} and {kinds[1] or 'a value'}"
        yield Problem("wrong-kind", message, node.span, _convert(node, kinds))
    elif operator in ("/", "%") and isinstance(right, nodes.Number) and right.value == 0:
        yield Problem("zero", "nothing can be divided by zero", node.span)
    elif operator in ("==", "!=") and never_equal(*kinds):
        always = "never" if operator == "==" else "always"
        message = f"this is {always} true: on the left is {kinds[0]}, on the right {kinds[1]}"
        yield Problem("never-equal", message, node.span, _convert(node, kinds), "warning")


def _whole_outcome(node: nodes.Binary, names: Names) -> Iterator[Problem]:
    """Tell of an outcome that is compared as if it were its reason."""
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(one, nodes.Name) and _is_outcome(one, names) and isinstance(other, nodes.Text):
            message = f"`{one.id}` is all that came of it, and a text is never equal to that"
            yield Problem("never-equal", message, one.span, f"write `{one.id}.reason`")


def _is_outcome(name: nodes.Name, names: Names) -> bool:
    return name.id in names.parts and name.id not in names.recordings


def _convert(node: nodes.Binary, kinds: tuple[Kind | None, Kind | None]) -> str:
    """Say how two values could be brought together."""
    match node, kinds:
        case nodes.Binary(left=nodes.Name(name), right=nodes.Number(value)), ("text", _) if node.operator in (
            "==",
            "!=",
        ):
            return f'`{name}` is text: write `"{value}"`'
        case nodes.Binary(left=nodes.Name(name)), ("text", "a number"):
            return f"write `number({name})`"
        case nodes.Binary(right=nodes.Name(name)), ("a number", "text"):
            return f"write `number({name})`"
        case nodes.Binary("or" | "and", nodes.Binary("==" | "!=" as sign, subject), nodes.Text() as other), _:
            again = nodes.Binary(sign, subject, other)
            return f"write `{node.operator} {show_expression(again)}`: each side is a condition"
        case nodes.Binary("+" | "%" | "*"), _ if "text" in kinds:
            return 'to put values into a text, write `"… {value} …"`'
        case _:
            return ""


_FLAT: tuple[Kind, ...] = ("a number", "a duration", "true or false", "none")


def _apply(node: nodes.Apply, names: Names) -> Iterator[Problem]:
    function, given = node.function, node.arguments
    if function not in FUNCTIONS:
        yield Problem("unknown-function", f"there is no function `{function}`", node.span, _meant(function))
    elif len(given) != FUNCTIONS[function]:
        message = f"`{function}` takes one value, not {len(given)}"
        yield Problem("arguments", message, node.span)
    elif cannot_take(function, kind := kind_of(given[0], names.kinds)):
        message = f"`{function}` cannot take {kind}"
        hint = f"write `length(text({show_expression(given[0])}))`" if function == "length" else ""
        yield Problem("wrong-kind", message, node.span, hint)


def _meant(function: str) -> str:
    """Say what is written for a function that is not there."""
    key = foreign.plain(function)
    if key in foreign.FUNCTIONS:
        return f"write `{foreign.FUNCTIONS[key]}(…)`"
    near = foreign.CALLS.get(key) or suggest(function, FUNCTIONS)
    return near or f"functions: {', '.join(sorted(FUNCTIONS))}"


_RANGED = frozenset({nodes.Sms, nodes.Pick, nodes.Clock, nodes.InboundSms, nodes.Gather})


def _range(line: nodes.Line) -> Iterator[Problem]:
    match line:
        case nodes.Sms(operator=nodes.Number(value) as operator) if value not in OPERATORS:
            hint = "operators are 1 to 4; one that has a name is written as a text"
            yield Problem("range", f"there is no operator {value}", operator.span, hint)
        case nodes.Pick(nodes.Number(least), last=nodes.Number(most)) if most < least:
            hint = f"write `{most}..{least}`"
            yield Problem("range", f"no number lies between {least} and {most}", line.span, hint)
        case nodes.Clock(zone=nodes.Text((str(said),)) as zone) if zone_of(said) is None:
            hint = suggest(said, zones()) or "a zone has a name as `Europe/Vienna`"
            yield Problem("time-zone", f"`{said}` is no time zone", zone.span, hint)
        case nodes.InboundSms(keyword=nodes.Text((str(said),)) as keyword) if len(said.split()) > 1:
            message = f"`{said}` is no keyword: a text is known by its first word"
            yield Problem("keyword", message, keyword.span, f'write `keyword "{said.split()[0]}"`')
        case nodes.Gather(least=nodes.Number(least), most=nodes.Number(most)) if most < least:
            yield Problem(
                "range", f"no count lies between {least} and {most}", line.span, f"write `{most}..{least}`"
            )
