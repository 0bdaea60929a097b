"""Whether two traces tell the same call, one of them with the small delays of a real line.

What is compared is the order and the words.  Left out are what no two runs can share: times as text,
IDs of messages, prices, durations that were measured, places in the script, the call's own ID and the
address of its recordings.  When a line was told is shown, and not compared: a busy machine is late, and
where that matters (which key came in time) the words are others.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest

from attrs import frozen

from ringful.interpreter.trace import Line, clock

_PASSING = re.compile(r" (?:at|billAmount|spent|cap|line|column|messageId)=\S+")
_PLACE = re.compile(r"^\S*:\d+:\d+: ")
_AMOUNT = re.compile(r"(?<=duration=)[\d.]+|(?<=seconds=)[\d.]+|(?<=\.wav )[\d.]+(?=s )")
_RECORDINGS = re.compile(r"https?://[^\s/]+/recordings/|(?<=\.wav)\?expires=\d+&sig=[0-9a-f]+")


@frozen
class Told:
    """A line as it is compared, and as it is shown."""

    words: str
    shown: str


def told(lines: Sequence[Line], call_id: str) -> list[Told]:
    """Give *lines* of the call *call_id* as they are compared."""
    found = []
    for line in lines:
        text = _PLACE.sub("", _RECORDINGS.sub(_bare, _PASSING.sub("", line.text)))
        said = f"{line.leg}  {line.verb}  {text}".rstrip().replace(call_id, "call-1")
        found.append(Told(_AMOUNT.sub("…", said), f"{clock(line.at)}  {said}"))
    return found


def _bare(found: re.Match[str]) -> str:
    """Leave of a recording's link its folder, without the server, and without its signature."""
    return "" if found[0].startswith("?") else "recordings/"


def disagreement(one: Sequence[Told], other: Sequence[Told]) -> str:
    """Say where two traces part, or nothing where they agree."""
    for first, second in zip_longest(one, other):
        if first is None or second is None or first.words != second.words:
            ended = "(it has ended)"
            return f"- {first.shown if first else ended}\n+ {second.shown if second else ended}"
    return ""
