"""Whether two traces tell the same call, one of them with the small delays of a real line.

What is compared is the order and the words.  Left out are what no two runs can share: times as text,
prices, places in the script, the call's own ID and the address of its recordings.  Times, and durations
that were measured, may differ by so many seconds.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest

from attrs import frozen

from ringful.interpreter.trace import Line, clock

_PASSING = re.compile(r" (?:at|billAmount|line|column)=\S+")
_PLACE = re.compile(r"^\S*:\d+:\d+: ")
_AMOUNT = re.compile(r"(?<=duration=)[\d.]+|(?<=\.wav )[\d.]+(?=s )")
_RECORDINGS = re.compile(r"https?://[^\s/]+/recordings/")


@frozen
class Told:
    """A line as it is compared."""

    words: str
    times: tuple[float, ...]
    """When, and the durations that it names, in seconds."""
    shown: str


def told(lines: Sequence[Line], call_id: str) -> list[Told]:
    """Give *lines* of the call *call_id* as they are compared."""
    found = []
    for line in lines:
        text = _PLACE.sub("", _RECORDINGS.sub("recordings/", _PASSING.sub("", line.text)))
        text = text.replace(call_id, "call-1")
        leg = line.leg.replace(call_id, "call-1")
        times = (line.at, *(float(one) for one in _AMOUNT.findall(text)))
        words = f"{leg}  {line.verb}  {_AMOUNT.sub('…', text)}".rstrip()
        found.append(Told(words, times, f"{clock(line.at)}  {leg}  {line.verb}  {text}".rstrip()))
    return found


def disagreement(one: Sequence[Told], other: Sequence[Told], within: float | None) -> str:
    """Say where two traces part, or nothing where they agree; *within* None: times do not matter."""
    for first, second in zip_longest(one, other):
        said = _parts(first, second, within)
        if said:
            shown = [f"- {first.shown}" if first else "- (it has ended)"]
            shown.append(f"+ {second.shown}" if second else "+ (it has ended)")
            return "\n".join([*shown, f"  = {said}"])
    return ""


def _parts(first: Told | None, second: Told | None, within: float | None) -> str:
    if first is None or second is None:
        return "one of them has ended"
    if first.words != second.words:
        return "they say different things"
    apart = max(abs(a - b) for a, b in zip(first.times, second.times, strict=True))
    if within is not None and apart > within:
        return f"they are {apart:.3g} s apart"
    return ""
