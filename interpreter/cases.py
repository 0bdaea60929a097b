"""Golden cases: what the far ends do, and the trace that must come out.

A case is one text file.  Above ``---`` stands what is given, below it what must come out::

    # The buyer presses a wrong key first.
    script  ../../scripts/approve_shipment.call
    param   order = "A-1001"
    sound   "http://h/welcome.wav" 3.2s
    missing "http://h/gone.wav" because "it cannot be fetched: 404"
    web     "https://shop.example/ask" -> { "open": true } after 300ms
    web     "https://shop.example/ask" -> fails "it answered 500"
    queue   after 5s: play "http://h/bye.wav"
    now     hangup after 9s
    phone "+15125551234" {
        answer after 4s
        press "1" after 6s
        press "2" when "welcome" ends after 500ms
        speak 3s after 1s
        hang up after 2s
    }
    ---
    00:00.000  call-1  ring  …

A phone that calls us begins with ``calls "+15125550000" after 2s``; each such call has its own run of
the script.  Other steps of a phone are ``busy``, ``decline``, ``unreachable`` and ``lose`` (the media
process dies).  A step's time counts from the step before.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from ringful.grammar.errors import Problem, ScriptError
from ringful.grammar.parser import parse_statements
from ringful.grammar.span import Span
from ringful.interpreter import events
from ringful.interpreter.values import Value, from_json

ENDING = ".golden"
_RUNG = ("answer", "busy", "decline", "unreachable")
"""What only a phone does that is rung."""
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@frozen
class StepLine:
    """A line of a phone: a *verb* with its *arguments*, and when it is done."""

    verb: str
    arguments: tuple[str, ...]
    after: float = 0.0
    when: tuple[str, str] | None = None
    """(part of a sound's name, ``starts`` or ``ends``) that it waits for first."""


@frozen
class PhoneBlock:
    """What one phone does."""

    number: str
    steps: tuple[StepLine, ...]
    calls: str | None = None
    """The number of ours that it calls, so many seconds *after* the beginning; None: we ring it."""
    after: float = 0.0


@frozen
class WebAnswer:
    """What the web says to the next question at *url*; *fails* is the reason where it says nothing."""

    url: str
    value: Value = None
    fails: str | None = None
    after: float = 0.0


@define
class Case:
    """A case as it is written."""

    path: Path
    above: str
    below: str
    script: str = ""
    params: dict[str, Value] = field(factory=dict)
    lengths: dict[str, float] = field(factory=dict)
    missing: dict[str, str] = field(factory=dict)
    web: list[WebAnswer] = field(factory=list)
    phones: list[PhoneBlock] = field(factory=list)
    requests: list[tuple[float, events.Event]] = field(factory=list)
    """What comes in through the API: after so many seconds, and what."""

    def rewritten(self, trace: str) -> str:
        """Give the file's text with *trace* as what must come out."""
        return f"{self.above.rstrip()}\n---\n{trace}"


def read_case(path: Path) -> Case:
    """Read the case at *path*.  Raises OSError, ScriptError."""
    return parse_case(path.read_text(encoding="utf-8"), path)


def parse_case(text: str, path: Path) -> Case:
    """Read a case.  Raises ScriptError with the place of what is wrong."""
    above, _, below = text.partition("\n---\n")
    case = Case(path, above, below)
    reader = _Reader(case, above)
    reader.read()
    if not case.script:
        raise reader.wrong("a case needs a script", "write `script NAME.call`", 1)
    return case


class _Reader:
    def __init__(self, case: Case, text: str) -> None:
        self.case, self.text = case, text
        self.number = 0
        self._lines: Iterator[tuple[int, str]] = iter(enumerate(text.split("\n"), 1))

    def wrong(self, message: str, hint: str = "", number: int | None = None) -> ScriptError:
        line = number or self.number
        width = len(self.text.split("\n")[line - 1]) + 1
        problem = Problem("case", message, Span(line, 1, line, width, str(self.case.path)), hint)
        return ScriptError(problem, source=self.text)

    def read(self) -> None:
        readers: dict[str, Callable[[str], None]] = {
            "script": self._script,
            "param": self._param,
            "sound": self._sound,
            "missing": self._missing,
            "web": self._web,
            "queue": self._queue,
            "now": self._now,
            "phone": self._phone,
        }
        for number, line in self._lines:
            self.number = number
            word, _, rest = line.strip().partition(" ")
            if not word or word.startswith("#"):
                continue
            if word not in readers:
                raise self.wrong(f"`{word}` is no part of a case", f"there are: {', '.join(readers)}")
            readers[word](rest.strip())

    def _match(self, pattern: str, text: str, example: str) -> re.Match[str]:
        found = re.fullmatch(pattern, text)
        if not found:
            raise self.wrong(f"`{text}` cannot be read", f"write e.g. `{example}`")
        return found

    def _script(self, rest: str) -> None:
        if rest != "{":
            self.case.script = (self.case.path.parent / rest).read_text(encoding="utf-8")
            return
        lines = []
        for number, line in self._lines:
            self.number = number
            if line.rstrip() == "}":
                break
            lines.append(line.removeprefix("    "))
        self.case.script = "\n".join(lines) + "\n"

    def _param(self, rest: str) -> None:
        found = self._match(r"(\w+)\s*=\s*(.+)", rest, 'param order = "A-1"')
        self.case.params[found[1]] = self._json(found[2])

    def _json(self, text: str) -> Value:
        try:
            return from_json(json.loads(text))
        except ValueError:
            raise self.wrong(f"`{text}` is no value", 'write JSON: "text", 3, true, ["a"]') from None

    def _sound(self, rest: str) -> None:
        found = self._match(r'"([^"]+)"\s+(\S+)', rest, 'sound "http://h/a.wav" 3.2s')
        self.case.lengths[found[1]] = self._seconds(found[2])

    def _missing(self, rest: str) -> None:
        found = self._match(
            r'"([^"]+)"(?:\s+because\s+"([^"]+)")?', rest, 'missing "http://h/a.wav" because "404"'
        )
        self.case.missing[found[1]] = found[2] or "it cannot be fetched: the server answered 404"

    def _seconds(self, text: str) -> float:
        found = self._match(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text, "4s")
        return float(found[1]) * _SECONDS[found[2]]

    def _web(self, rest: str) -> None:
        pattern = r'"([^"]+)"\s*->\s*(?:fails(?:\s+"([^"]*)")?|(.+?))(?:\s+after\s+(\S+))?'
        found = self._match(pattern, rest, 'web "https://h/ask" -> { "open": true } after 300ms')
        url, reason, value, after = found.groups()
        fails = None if value else (reason or "it answered 500")
        seconds = self._seconds(after) if after else 0.0
        self.case.web.append(WebAnswer(url, self._json(value) if value else None, fails, seconds))

    def _queue(self, rest: str) -> None:
        found = self._match(r"after\s+(\S+?):\s*(.+)", rest, 'queue after 5s: play "a"')
        number = 1 + sum(isinstance(event, events.Queued) for _, event in self.case.requests)
        try:
            (statement,) = parse_statements(found[2])
        except (ScriptError, ValueError) as error:
            raise self.wrong(f"`{found[2]}` is not one statement", str(error)) from error
        self.case.requests.append((self._seconds(found[1]), events.Queued(number, statement)))

    def _now(self, rest: str) -> None:
        found = self._match(r"(hangup|stop record|stop tones)\s+after\s+(\S+)", rest, "now hangup after 3s")
        operation: Any = found[1]
        self.case.requests.append((self._seconds(found[2]), events.Interrupted(operation)))

    def _phone(self, rest: str) -> None:
        found = self._match(r'"([^"]*)"\s*\{\s*(\})?', rest, 'phone "+15125551234" {')
        steps = []
        if not found[2]:
            for number, line in self._lines:
                self.number = number
                if line.strip() == "}":
                    break
                if line.strip() and not line.strip().startswith("#"):
                    steps.append(self._step(line.strip()))
            else:
                raise self.wrong("this phone has no closing `}`")
        self.case.phones.append(self._block(found[1], steps))

    def _block(self, number: str, steps: list[StepLine]) -> PhoneBlock:
        if any(step.verb == "calls" for step in steps[1:]):
            raise self.wrong("a phone that calls does so first", "put `calls` at the head of its steps")
        if not steps or steps[0].verb != "calls":
            return PhoneBlock(number, tuple(steps))
        wrong = next((step.verb for step in steps[1:] if step.verb in _RUNG), None)
        if wrong:
            raise self.wrong(f"a phone that calls cannot `{wrong}`", "it can press, speak, hang up, lose")
        return PhoneBlock(number, tuple(steps[1:]), steps[0].arguments[0], steps[0].after)

    def _step(self, line: str) -> StepLine:
        pattern = (
            r'(calls\s+"[^"]+"|answer|busy|decline|unreachable|press\s+"[^"]+"|speak\s+\S+|hang up|lose)'
            r'(?:\s+when\s+"([^"]+)"\s+(starts|ends))?(?:\s+after\s+(\S+))?'
        )
        found = self._match(pattern, line, 'press "1" after 6s')
        words = ["hang up"] if found[1] == "hang up" else shlex.split(found[1])
        arguments = tuple(words[1:])
        if words[0] == "speak":
            arguments = (str(self._seconds(arguments[0])),)
        when = (found[2], found[3]) if found[2] else None
        return StepLine(words[0], arguments, self._seconds(found[4]) if found[4] else 0.0, when)
