"""Read a case's text; every complaint names its file, line and column.

Each line begins with a word that says what it gives.  What `cases.SHARED` in the case's folder gives
comes first; the case's own lines replace what they name again: a phone, a sound, a web address.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast, get_args

from attrs import evolve

from ringful.grammar import nodes
from ringful.grammar.errors import ScriptError
from ringful.grammar.reading.parser import parse_statements
from ringful.grammar.span import Span
from ringful.interpreter import events
from ringful.interpreter.sources import Source, parsed, read_source, read_uses
from ringful.simulation.cases import prices
from ringful.simulation.cases.case import (
    ENDING,
    RULE,
    SHARED,
    BadRecording,
    Case,
    Fault,
    Injection,
    Promise,
    SmsAnswer,
    WebAnswer,
)
from ringful.simulation.cases.lines import TEXT, Lines
from ringful.simulation.cases.steps import block_of, read_step
from ringful.simulation.cases.texting import FORMS as TEXTING
from ringful.simulation.cases.texting import NOTHING, read_texting, texted

PROMISED = (
    *("post", "say", "play", "played", "ring", "answer", "answered", "reject", "refused", "ended", "hangup"),
    *("record", "recorded", "sms", "ask", "pressed", "tone", "connect", "transfer", "conference", "join"),
    *("joined", "left"),
)
"""The words of a trace that `always` and `never` can stand before."""
_NOT_FOUND = "it cannot be fetched: the server answered 404"
_NO_TRANSFERS = "refuses transfers"
"""Not a step: the phone never lets itself be sent to another number."""
_AFTER = r"(?:\s+after\s+(\S+))?"


def read_case(path: Path) -> Case:
    """Read the case at *path*.  Raises OSError, UnicodeDecodeError, ScriptError."""
    return parse_case(path.read_bytes().decode(), path)


def parse_case(text: str, path: Path, source: Source | None = None, *, alone: bool = False) -> Case:
    """Read a case's *text*; *source* is its script where the text names none.

    A case that stands *alone* came from a stranger: no file is read for it.
    Raises OSError, UnicodeDecodeError, ScriptError with the place of what is wrong.
    """
    above, below = _halves(text)
    shared = path.parent / SHARED
    case = Case(path, above, below, _NO_SCRIPT, path.name.removesuffix(ENDING).replace("_", " "))
    if not alone and shared.is_file() and shared.resolve() != path.resolve():
        _Reader(case, Lines(shared.read_bytes().decode(), shared)).read()
    lines = Lines(above, path)
    _Reader(case, lines, alone=alone, own=True).read()
    prices.check_rates(case, lines)
    if source:
        case.source = source
    if case.source is _NO_SCRIPT:
        raise lines.wrong("a case needs a script", "write `script NAME.call`", number=1)
    return case


_NO_SCRIPT = Source("", "", parsed("", ""))


def _halves(text: str) -> tuple[str, str]:
    if text.startswith(f"{RULE}\n"):
        return "", text.removeprefix(f"{RULE}\n")
    above, _, below = text.partition(f"\n{RULE}\n")
    return above, below


class _Reader:
    def __init__(self, case: Case, lines: Lines, *, alone: bool = False, own: bool = False) -> None:
        self.case, self.lines, self._alone, self._is_own = case, lines, alone, own
        self._own: set[tuple[str, str]] = set()

    def read(self) -> None:
        readers: Mapping[str, Callable[[str], None]] = {
            "case": self._title,
            "script": self._script,
            "unchecked": self._unchecked,
            "param": self._param,
            "sound": self._sound,
            "missing": self._missing,
            "recording": self._recording,
            "web": self._web,
            "sms": self._sms,
            "queue": self._queue,
            "now": self._now,
            "phone": self._phone,
            "inject": self._inject,
            "always": lambda rest: self._promise(rest, never=False),
            "never": lambda rest: self._promise(rest, never=True),
            "rates": lambda rest: prices.read_rates(self.case, self.lines, rest, alone=self._alone),
            "rate": lambda rest: prices.read_rate(self.case, self.lines, rest),
            "cap": lambda rest: prices.read_cap(self.case, self.lines, rest),
            "chance": self._chance,
            "clock": lambda rest: prices.read_clock(self.case, self.lines, rest),
        }
        for line in self.lines:
            word, _, rest = line.strip().partition(" ")
            if not word or word.startswith("#"):
                continue
            if word not in readers:
                raise self.lines.unknown(word, readers, "no part of a case")
            readers[word](rest.strip())

    def _note(self, word: str, name: str = "") -> None:
        """Note where the case itself gives this: a shared line is for other cases too."""
        if self._is_own:
            self.case.lines[word, name] = self.lines.number

    def _first(self, word: str, name: str) -> bool:
        """Say whether this text gives *name* for the first time: then it replaces what was shared."""
        first = (word, name) not in self._own
        self._own.add((word, name))
        return first

    def _title(self, rest: str) -> None:
        if not rest:
            raise self.lines.wrong("this case has no title", "write e.g. `case The buyer hangs up`")
        self.case.title = rest.removeprefix('"').removesuffix('"')

    def _unchecked(self, rest: str) -> None:
        if rest:
            raise self.lines.wrong("`unchecked` stands alone on its line", word=rest)
        self.case.unchecked = True

    def _script(self, rest: str) -> None:
        if rest == "{":
            self.case.source = self._inline()
            return
        if self._alone:
            raise self.lines.wrong(
                "no file can be named here", "write `script { … }`, or give the name of a script"
            )
        name = rest.removeprefix('"').removesuffix('"')
        path = self.lines.path.parent / name
        if not name or not path.is_file():
            there = sorted(one.name for one in path.parent.glob("*.call")) if name else []
            said = f"there is no script `{name}`" if name else "`script` needs the name of a file"
            hint = (
                f"the folder has: {', '.join(there)}" if there else "its path counts from the case's folder"
            )
            raise self.lines.wrong(said, hint, word=name)
        self.case.source = read_source(path)

    def _inline(self) -> Source:
        opened = self.lines.number
        text = "".join(line.removeprefix("    ") + "\n" for line in self.lines.until_brace("script"))
        try:
            script = parsed(text, "script")
        except ScriptError as error:
            raise self._moved(error, opened) from None
        uses = {} if self._alone else read_uses(script, self.lines.path.parent)
        return Source("script", text, script, uses)

    def _moved(self, error: ScriptError, opened: int) -> ScriptError:
        """Give the problems of an inline script the places that they have in the case's file."""
        problems = []
        for problem in error.problems:
            span, path = problem.span, str(self.lines.path)
            moved = Span(
                span.line + opened, span.column + 4, span.end_line + opened, span.end_column + 4, path
            )
            problems.append(evolve(problem, span=moved))
        return ScriptError(*problems, source=self.lines.text)

    def _param(self, rest: str) -> None:
        found = self.lines.match(r"(\w+)\s*=\s*(.+)", rest, 'param order = "A-1"')
        self.case.params[found[1]] = self.lines.value(found[2])

    def _chance(self, rest: str) -> None:
        self.case.chance = self.lines.unquoted(self.lines.match(TEXT, rest, 'chance "another"')[1])

    def _sound(self, rest: str) -> None:
        found = self.lines.match(TEXT + r"\s+(\S+)", rest, 'sound "http://h/a.wav" 3.2s')
        name = self.lines.unquoted(found[1])
        self._note("sound", name)
        self.case.lengths[name] = self.lines.seconds(found[2])
        self.case.missing.pop(name, None)

    def _missing(self, rest: str) -> None:
        example = 'missing "http://h/a.wav" because "404"'
        found = self.lines.match(TEXT + rf"(?:\s+because\s+{TEXT})?", rest, example)
        reason = (
            self.lines.unquoted(found[2]) if found[2] else "it cannot be fetched: the server answered 404"
        )
        name = self.lines.unquoted(found[1])
        self._note("missing", name)
        self.case.missing[name] = reason

    def _recording(self, rest: str) -> None:
        example = 'recording fails "the disk is full" after 3s'
        found = self.lines.match(rf"fails(?:\s+{TEXT})?{_AFTER}", rest, example)
        reason = self.lines.unquoted(found[1]) if found[1] else "the disk is full"
        self._note("recording")
        self.case.bad_recording = BadRecording(reason, self._after(found[2]))

    def _after(self, text: str | None) -> float:
        return self.lines.seconds(text) if text else 0.0

    def _web(self, rest: str) -> None:
        example = 'web "https://h/ask" -> { "open": true } after 300ms'
        found = self.lines.match(TEXT + r"\s*->\s*(.+)", rest, example)
        url = self.lines.unquoted(found[1])
        self._note("web", url)
        if self._first("web", url):
            self.case.web = [answer for answer in self.case.web if answer.url != url]
        self.case.web.append(self._answer(url, found[2]))

    def _answer(self, url: str, said: str) -> WebAnswer:
        if said == "never":
            return WebAnswer(url, after=None)
        if found := re.fullmatch(rf"fails(?:\s+{TEXT})?{_AFTER}", said):
            reason = self.lines.unquoted(found[1]) if found[1] else "it answered 500"
            return WebAnswer(url, fails=reason, after=self._after(found[2]))
        if found := re.fullmatch(rf"script{_AFTER}\s*\{{", said):
            after = self._after(found[1])
            inner = self.lines.until_brace("script")
            return WebAnswer(url, "".join(line.removeprefix("    ") + "\n" for line in inner), after=after)
        value, after = self._timed(said)
        return WebAnswer(url, self.lines.value(value), after=after)

    def _timed(self, said: str) -> tuple[str, float]:
        """Take ``after TIME`` off the end of a value, if it stands there."""
        found = re.fullmatch(r"(.+?)\s+after\s+(\d\S*)", said)
        return (found[1], self.lines.seconds(found[2])) if found else (said, 0.0)

    def _sms(self, rest: str) -> None:
        example = 'sms "+15125551234" -> refused capacity "too many wait"'
        found = self.lines.match(TEXT + rf"\s*->\s*(?:(taken)|refused\s+(\w+)(?:\s+{TEXT})?)", rest, example)
        reasons = get_args(events.RefusedMessage)
        if found[3] and found[3] not in reasons:
            raise self.lines.unknown(found[3], reasons, "no reason to refuse a message")
        number, reason = self.lines.unquoted(found[1]), cast(events.RefusedMessage | None, found[3])
        self._note("sms", number)
        if self._first("sms", number):
            self.case.sms = [answer for answer in self.case.sms if answer.number != number]
        detail = self.lines.unquoted(found[4]) if found[4] else ""
        self.case.sms.append(SmsAnswer(number, reason, detail))

    def _queue(self, rest: str) -> None:
        found = self.lines.match(
            r"(?:on\s+(\S+)\s+)?after\s+([^\s:]+)\s*:\s*(.+)", rest, 'queue after 5s: play "a"'
        )
        text = found[3]
        if text.endswith("{"):
            text = "\n".join([text, *self.lines.until_brace("statement"), "}"])
        number = 1 + sum(isinstance(event, events.Queued) for _, event in self.case.requests)
        try:
            (statement,) = parse_statements(text)
        except ScriptError as error:
            said = "; ".join(problem.message for problem in error.problems)
            raise self.lines.wrong(f"`{found[3]}` is no statement", said, word=found[3]) from error
        except ValueError:
            raise self.lines.wrong(f"`{found[3]}` is not one statement", word=found[3]) from None
        self._request(found[2], found[1], events.Queued(0 if found[1] else number, statement))

    def _now(self, rest: str) -> None:
        if rest.startswith("signal "):
            self._signal(rest)
            return
        told = rf"(?:\s+on\s+(\S+))?(?:\s+notify\s+{TEXT})?(?:\s+because\s+{TEXT})?"
        pattern = (
            rf"(hangup|stop play|stop record|stop tones|mute|unmute|leave queue|leave){told}\s+after\s+(\S+)"
        )
        steering = r"((?:pause|resume|skip|speed)\s.+?)(?:\s+on\s+(\S+))?\s+after\s+(\S+)"
        if steered := re.fullmatch(steering, rest):
            self._request(steered[3], steered[2], events.Steered(self._steering(steered[1])))
            return
        found = self.lines.match(pattern, rest, "now hangup after 3s")
        operation: Any = found[1]
        notify = self.lines.unquoted(found[3]) if found[3] else None
        why = self.lines.unquoted(found[4]) if found[4] else "api"
        self._request(found[5], found[2], events.Interrupted(operation, notify, why))

    def _signal(self, rest: str) -> None:
        example = 'now signal "paid" with { "amount": "12" } after 3s'
        pattern = rf"signal\s+{TEXT}(?:\s+on\s+(\S+))?(?:\s+with\s+(\{{.*\}}))?\s+after\s+(\S+)"
        found = self.lines.match(pattern, rest, example)
        fields = self.lines.value(found[3]) if found[3] else {}
        assert isinstance(fields, Mapping)
        self._request(found[4], found[2], events.Signalled(self.lines.unquoted(found[1]), fields))

    def _steering(self, text: str) -> nodes.Steering:
        with suppress(ScriptError, ValueError):
            (statement,) = parse_statements(text)
            if isinstance(statement, nodes.Steering):
                return statement
        hint = "write e.g. `now pause play after 3s` or `now skip back 10s after 3s`"
        raise self.lines.wrong(f"`{text}` is nothing that can be done with what is heard", hint, word=text)

    def _request(self, after: str, run: str | None, event: events.Event) -> None:
        seconds = self.lines.seconds(after)
        if run:
            self.case.elsewhere.append((seconds, run, event))
        else:
            self.case.requests.append((seconds, event))

    def _inject(self, rest: str) -> None:
        faults = "|".join(fault for fault in get_args(Fault) if fault not in ("press", "web answers"))
        what_is_put_in = rf'(?:({faults})|press "([0-9*#A-D])"|web answers (.+?))'
        pattern = rf"{what_is_put_in}(?: on (\S+))? at (?:step (\d{{1,9}})|(\d\S*))"
        found = self.lines.match(pattern, rest, "inject hang up on call-1 at step 17")
        what: Any = found[1] or ("web answers" if found[3] else "press")
        if found[3]:
            self.lines.value(found[3])
        self.case.injections.append(
            Injection(
                what,
                int(found[5] or 0),
                found[4] or "",
                found[2] or "",
                found[3] or "",
                self.lines.seconds(found[6]) if found[6] else None,
            )
        )

    def _promise(self, rest: str, *, never: bool) -> None:
        word = "never" if never else "always"
        found = self.lines.match(rf"([a-z]+)(?:\s+{TEXT})?", rest, f'{word} post "https://shop.example/over"')
        if found[1] not in PROMISED:
            raise self.lines.unknown(found[1], PROMISED, "nothing that a trace says")
        text = self.lines.unquoted(found[2]) if found[2] else ""
        self.case.promises.append(Promise(never, found[1], text))

    def _phone(self, rest: str) -> None:
        found = self.lines.match(rf"{TEXT}\s*\{{\s*(\}})?", rest, 'phone "+15125551234" {')
        number, steps, opened, transferable = found[1], [], self.lines.number, True
        texting = NOTHING
        for line in self.lines if not found[2] else ():
            if line.strip() == "}":
                break
            if line.strip() == _NO_TRANSFERS:
                transferable = False
            elif line.split()[:1] and line.split()[0] in TEXTING:
                texting = read_texting(self.lines, line.strip(), texting)
            elif line.strip() and not line.strip().startswith("#"):
                steps.append(read_step(self.lines, line.strip()))
        else:
            if not found[2]:
                raise self.lines.wrong("this phone has no closing `}`", "a line `}` closes it", number=opened)
        if self._first("phone", number):
            self.case.phones = [phone for phone in self.case.phones if phone.number != number]
        block = block_of(self.lines, number, steps)
        texting, place = texted(self.lines, number, texting), opened if self._is_own else 0
        self.case.phones.append(evolve(block, transferable=transferable, texting=texting, line=place))


def check_case(case: Case) -> None:
    """Hold that the case's script may run.  Raises ScriptError with the checker's errors."""
    wrong = [problem for problem in case.source.problems if problem.is_error]
    if wrong and not case.unchecked:
        raise ScriptError(*wrong, source=case.source.text)
