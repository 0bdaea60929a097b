"""Mask a case that was made from a real call: numbers, passwords in addresses, keys of codes.

What looks the same is masked the same everywhere, so that the masked case runs as the call did.
Numbers become fictional ones of the same length; keys that were typed into a ``gather``, or are
secret, become other digits.  A menu's keys stay: without them the case would be another call.
"""

import json
import re
from collections.abc import Sequence

from attrs import define, field

from ringful.grammar import nodes
from ringful.grammar.blocks import within
from ringful.interpreter import events
from ringful.interpreter.calls.view import Deaf
from ringful.interpreter.journal import decode_event
from ringful.interpreter.run import Run
from ringful.interpreter.secrets import hidden
from ringful.interpreter.settings import Settings
from ringful.store.port import Entry

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])(?!\d{4}-\d\d-\d\d(?![\d-]))(?:"  # a date is none
    r"\(\d{3}\) ?\d{3}[-. ]\d{4}"  # (512) 555-1234
    r"|\+\d{1,3}(?: \d{2,4}){2,4}"  # +1 512 555 1234
    r"|\d(?: \d){6,}"  # as it is spelt
    r"|\+?\d(?:[.-]?\d){6,}"
    r")(?!\w)"
)
"""Seven digits and more; a length such as 1234567ms is none."""
_USER = re.compile(r"(?<=://)[^/\s\"@]+@")
_SECRET = re.compile(r"(?i)([?&](?:token|key|apikey|api_key|secret|sig|signature|password|auth)=)[^&\"\s]+")
_NAMED = re.compile(r'(?m)^    calls "[^"]*" named ("(?:[^"\\]|\\.)*")')
_PRESS = re.compile(r'(?m)^    press "([^"]+)"')


@define
class Mask:
    """What was masked by what, so far."""

    codes: dict[str, str] = field(factory=dict)
    """What was typed into a ``gather``, and what stands for it."""
    names: dict[str, str] = field(factory=dict)
    """Who called, and what stands for that."""
    _numbers: dict[str, str] = field(factory=dict)

    def text(self, text: str) -> str:
        """Mask *text*, which is no case but speaks of the same call."""
        for name, other in self.names.items():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", other, text)
        text = self._without_codes(text)
        text = _SECRET.sub(r"\1masked", _USER.sub("masked@", text))
        return _NUMBER.sub(lambda found: self._number(found[0]), text)

    def _without_codes(self, text: str) -> str:
        """Replace the codes, as they are written and as they are spelt, all at once."""
        said = dict(self.codes) | {" ".join(code): " ".join(other) for code, other in self.codes.items()}
        if not said:
            return text
        words = "|".join(sorted(said, key=len, reverse=True))
        alone = rf"(?<![\w.+-])(?<!\d )(?:{words})(?![\w-]|\.\d| \d)"
        return re.sub(alone, lambda found: said[found[0]], text)

    def _number(self, written: str) -> str:
        digits = re.sub(r"\D", "", written)
        if digits in self.codes.values():
            return written
        if digits not in self._numbers:
            count = str(len(self._numbers) + 1)
            head = "1555" if len(digits) > 10 else "555"
            self._numbers[digits] = head + count.zfill(len(digits) - len(head))
        instead = iter(self._numbers[digits])
        return re.sub(r"\d", lambda _: next(instead), written)


def mask_case(text: str, typed: Sequence[int], mask: Mask) -> str:
    """Mask the *text* of a case; *typed* says of each of its keys in turn which code it belongs to, or 0."""
    for named in _NAMED.finditer(text):
        name = json.loads(named[1])
        mask.names.setdefault(name, f"Caller {len(mask.names) + 1}")
    keys = [found[1] for found in _PRESS.finditer(text)]
    instead = _other_keys(keys, typed, mask)
    turn = iter(instead)
    pieces = []
    for line in text.split("\n"):
        found = _PRESS.match(line)
        if found:
            pieces.append(f'    press "{next(turn)}"{mask.text(line[found.end() :])}')
        else:
            pieces.append(mask.text(line))
    return "\n".join(pieces)


def _other_keys(keys: Sequence[str], typed: Sequence[int], mask: Mask) -> list[str]:
    """Give the keys with each code among them replaced; a code ends where a key is no digit of it."""
    made = list(keys)
    place = 0
    while place < len(keys):
        end = place
        while end < len(keys) and typed[end] and typed[end] == typed[place] and keys[end].isdigit():
            end += 1
        if code := "".join(keys[place:end]):
            instead = mask.codes.setdefault(code, _code(code, len(mask.codes) + 1)) if len(code) > 1 else "5"
            made[place:end] = instead
        place = max(end, place + 1)
    return made


def _code(code: str, count: int) -> str:
    return str(10 ** (len(code) - 1) + count)[-len(code) :]


def typed_keys(entries: Sequence[Entry], settings: Settings) -> list[int]:
    """Say of each key in turn, leg by leg, into which try of a ``gather`` it was typed; 0: into none.

    What is a secret otherwise counts as typed into one.

    The run is made again, since only it knows what took a key.
    """
    started = decode_event(entries[0])
    assert isinstance(started, events.Started)
    legs: list[str] = []
    gathering, tries = 0, 1
    presses: list[int] = []
    ahead: list[int] = []

    def watch(statement: nodes.Statement, way: str) -> None:
        nonlocal gathering, tries
        if isinstance(statement, nodes.Gather):
            tries += 1
            gathering += {"": 1, "again": 0}.get(way, -1)
            if not way:
                # What was typed ahead is the gather's now.
                waiting = sum(len(leg.buffer) for leg in run.legs.values())
                for place in ahead[-waiting:] if waiting else ():
                    presses[place] = tries

    run = Run(started, entries[0].call_id, Deaf(), settings, journal=lambda _: None, watch=watch)
    handlers = {
        str(part)
        for one in within(run.script.body)
        if isinstance(one, nodes.OnTone | nodes.Until) and isinstance(one.tones, nodes.Text)
        for part in "".join(str(piece) for piece in one.tones.parts)
    }
    for entry in entries:
        if entry.kind != "event":
            continue
        if entry.name == "TonePressed":
            ahead.append(len(presses))
            own = gathering > 0 and entry.data["tone"] not in handlers
            presses.append(tries if own or hidden(entry.data) else 0)
            legs.append(entry.data["leg"])
        run.handle(decode_event(entry), entry.at)
    order = list(run.legs)
    return [typed for leg in order for name, typed in zip(legs, presses, strict=True) if name == leg]
