"""The golden case of an imported flow: somebody goes through all of it, and answers whatever asks.

It is made twice: the first one is run, and what no line of its trace names is left out of the second.
"""

import json

from ringful.importing.draft import NUMBER
from ringful.importing.facts import Fact, Heard, Press, Rung, Speak, Stay, Web
from ringful.importing.script import Imported

_OURS, _CALLER = "+18005550000", "+15125550001"
_LONG = 200
"""A trace of more lines is one of a flow that goes on for ever: the caller hangs up."""
_SCRIPT = 'say "This is what the application answers."'


def case_of(flow: Imported, script: str, title: str, trace: str | None = None) -> str:
    """Write the upper part of the case of *flow*, whose script is the file *script*.

    With the *trace* of an earlier one, what did not happen in it is left out.
    """
    facts = list(dict.fromkeys(flow.facts))
    lines = [f"case {title}", f"script {script}"]
    lines += [f"param {name} = {json.dumps(value)}" for name, value in _params(flow)]
    for fact in facts:
        match fact:
            case Web(url, answer) if _seen(url, trace):
                lines += _web(url, answer)
    lines += _caller(flow, facts, trace)
    for fact in facts:
        match fact:
            case Rung(number) if _seen(number, trace):
                lines += [
                    f"phone {json.dumps(number)} {{",
                    "    answer after 3s",
                    "    hang up after 20s",
                    "}",
                ]
    return "\n".join(lines) + "\n---\n"


def _seen(word: str, trace: str | None) -> bool:
    return trace is None or word in trace


def _params(flow: Imported) -> list[tuple[str, str]]:
    given = [(NUMBER, _CALLER if flow.outbound else _OURS)]
    needed = [one.name for one in flow.script.params if one.default is None and one.name != NUMBER]
    return [*given, *((name, f"+1512555{1000 + place}") for place, name in enumerate(needed))]


def _web(url: str, answer: str | None) -> list[str]:
    if answer is not None:
        return [f"web {json.dumps(url)} -> {answer}"]
    return [f"web {json.dumps(url)} -> script {{", f"    {_SCRIPT}", "}"]


def _caller(flow: Imported, facts: list[Fact], trace: str | None) -> list[str]:
    begins = "answer after 3s" if flow.outbound else f'calls "{_OURS}"'
    endless = trace is not None and trace.count("\n") > _LONG
    reached = facts[: facts.index(Stay())] if Stay() in facts else facts
    steps = [step for fact in reached if (step := _step(fact, trace))]
    if endless or reached is not facts:
        steps.append("hang up after 30s")
    return [f'phone "{_CALLER}" {{', *(f"    {step}" for step in [begins, *steps]), "}"]


def _step(fact: Fact, trace: str | None) -> str:
    match fact:
        case Press(keys, when) if _heard(when, trace):
            return f'press "{keys}"{_when(when)}'
        case Speak(length, when) if _heard(when, trace):
            return f"speak {length}s{_when(when)}"
        case _:
            return ""


def _heard(when: Heard | None, trace: str | None) -> bool:
    if when is None or trace is None:
        return True
    return any("  played  " in line and when.sound in line for line in trace.splitlines())


def _when(when: Heard | None) -> str:
    return f" when {json.dumps(when.sound, ensure_ascii=False)} ends after 1s" if when else " after 2s"
