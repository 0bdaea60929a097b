"""Read a line of a phone: what the far end does, and when."""

import re
from typing import Literal

from ringful.simulation.cases.case import Heard, PhoneBlock, StepLine
from ringful.simulation.cases.lines import TEXT, Lines
from ringful.simulation.cases.texting import FORMS as TEXTING

_FORMS = {
    "calls": 'calls "+15125550000" after 2s',
    "answer": "answer after 4s",
    "busy": "busy after 1s",
    "decline": "decline after 1s",
    "unreachable": "unreachable after 1s",
    "press": 'press "1" after 6s',
    "speak": "speak 3s after 1s",
    "hang": "hang up after 2s",
    "lose": "lose after 2s",
}

_RUNG = ("answer", "busy", "decline", "unreachable")
"""What only a phone does that is rung."""

_WHEN = re.compile(
    rf"(?P<what>.*?)(?:\s+when\s+{TEXT}\s+(?P<edge>\w+)(?:\s+(?P<turn>\d+)\s+times)?)?"
    r"(?:\s+(?P<how>after|at)\s+(?P<time>\S+))?"
)


def read_step(lines: Lines, line: str) -> StepLine:
    """Read *line*, the present one of *lines*.  Raises ScriptError."""
    verb = line.split()[0]
    if verb not in _FORMS:
        raise lines.unknown(verb, (*_FORMS, *TEXTING), "nothing that a phone does")
    found = _WHEN.fullmatch(line)
    assert found
    edge: Literal["starts", "ends"] = "starts"
    if found["edge"] not in (None, "starts", "ends"):
        raise lines.unknown(found["edge"], ("starts", "ends"), "no moment of a sound")
    if found["edge"] == "ends":
        edge = "ends"
    when = Heard(lines.unquoted(found[2]), edge, int(found["turn"] or 1)) if found["edge"] else None
    time = lines.seconds(found["time"]) if found["time"] else 0.0
    absolute = found["how"] == "at"
    if absolute and when:
        raise lines.wrong("`at` counts from the beginning, and `when` from a sound", "write one of them")
    arguments, gap = _arguments(lines, verb, found["what"].removeprefix(verb).strip())
    if when and not when.turn:
        raise lines.wrong("a sound is heard at least once", "write e.g. `ends 2 times`", word="0 times")
    name = "hang up" if verb == "hang" else verb
    after, at = (0.0, time) if absolute else (time, None)
    return StepLine(name, arguments, after, when, at, gap, lines.number, line)


def _arguments(lines: Lines, verb: str, rest: str) -> tuple[tuple[str, ...], float | None]:
    match verb:
        case "press":
            found = lines.match(r'"([0-9*#A-D]+)"(?:\s+every\s+(\S+))?', rest, 'press "12#" every 300ms')
            return (found[1],), lines.seconds(found[2]) if found[2] else None
        case "calls":
            shown = rf"{TEXT}(?:\s+named\s+{TEXT})?(?:\s+diverted\s+from\s+{TEXT})?"
            number, name, sent = lines.match(shown, rest, _FORMS["calls"]).groups()
            return (number, lines.unquoted(name or ""), lines.unquoted(sent or "")), None
        case "speak":
            return (str(lines.seconds(rest)),), None
        case "hang" if rest == "up":
            return (), None
        case _ if not rest:
            return (), None
    raise lines.wrong(f"`{rest}` cannot be read here", f"write e.g. `{_FORMS[verb]}`", word=rest)


def block_of(lines: Lines, number: str, steps: list[StepLine]) -> PhoneBlock:
    """Make a phone of its *steps*; one that calls us does so first.  Raises ScriptError."""
    if any(step.verb == "calls" for step in steps[1:]):
        raise lines.wrong("a phone that calls does so first", "put `calls` at the head of its steps")
    if not steps or steps[0].verb != "calls":
        return PhoneBlock(number, tuple(steps))
    wrong = next((step.verb for step in steps[1:] if step.verb in _RUNG), None)
    if wrong:
        raise lines.wrong(f"a phone that calls cannot `{wrong}`", "it can press, speak, hang up, lose")
    calls, name, sent = steps[0].arguments
    return PhoneBlock(number, tuple(steps[1:]), calls, steps[0].after, name=name, diverted_from=sent)
