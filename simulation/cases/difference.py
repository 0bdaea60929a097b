"""Where one trace is not what another one says: in words and times, with the script's own lines.

Lines are matched by what they say, whatever their time, so that one wait that is longer shows as one
shift and not as a new trace.
"""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from attrs import frozen

_LINE = re.compile(
    r"(?P<time>(?:\d+:)?\d\d:\d\d\.\d{3})  (?P<leg>\S+) +(?P<said>.*?)(?:  @(?P<place>[^\s@]+:\d+))?"
)
_AT = re.compile(r" at=\d{4}-\d\d-\d\dT[\d:.]+Z")
_AT_LINE = re.compile(r"  @[^\s@]+:\d+$")
_PLACES = re.compile(r"(?<=[ \"(])[^\s@:\"]+:\d+:\d+(?=: )| line=\d+ column=\d+(?= )|(?<= at line )\d+")
"""Places that a line itself speaks of: where a fault is, and in what a callback has of it."""
_CONTEXT = 2


@frozen
class _Line:
    raw: str
    key: str
    """What it says, without times and place."""
    time: int | None = None
    """Milliseconds."""
    place: str = ""


def difference(wanted: str, came: str, texts: Mapping[str, str]) -> list[str]:
    """Show where *came* is not *wanted*, line by line; *texts* are the scripts that places speak of.

    It does not matter which line of a script led to a line: that is another one after every comment above it.
    """
    old = [_read(line) for line in wanted.splitlines()]
    new = [_read(line) for line in came.splitlines()]
    shown: list[str] = []
    shift = 0
    matcher = SequenceMatcher(None, [one.key for one in old], [one.key for one in new], autojunk=False)
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            more = end < len(old) or last < len(new)
            said, shift = _same(old[start:end], new[first:last], shift, open_before=bool(shown), more=more)
            shown += said
        else:
            shown += _changed(old[start:end], new[first:last], texts)
    return shown


def without_places(trace: str) -> str:
    """Give *trace* without what is another line of it, or says so, wherever a script's line only moved."""
    return "\n".join(_PLACES.sub("", _AT_LINE.sub("", line)) for line in trace.split("\n"))


def _read(raw: str) -> _Line:
    found = _LINE.fullmatch(raw)
    if not found:
        return _Line(raw, raw)
    return _Line(
        raw,
        f"{found['leg']} {_PLACES.sub('', _AT.sub('', found['said']))}",
        _milliseconds(found["time"]),
        found["place"] or "",
    )


def _milliseconds(time: str) -> int:
    *hours, minutes, seconds = time.split(":")
    return round((sum(int(hour) for hour in hours) * 3600 + int(minutes) * 60) * 1000 + float(seconds) * 1000)


def _same(
    old: list[_Line], new: list[_Line], shift: int, *, open_before: bool, more: bool
) -> tuple[list[str], int]:
    """Show lines that say the same; tell where their times are others."""
    shown: list[str] = []
    quiet = 0 if open_before else _CONTEXT
    for place, (one, other) in enumerate(zip(old, new, strict=True)):
        now = (other.time or 0) - (one.time or 0)
        if now != shift:
            shown += [f"- {one.raw}", f"+ {other.raw}", f"  = {_moved(now - shift, now)}"]
            shift, quiet = now, 0
        else:
            if quiet < _CONTEXT or (more and len(old) - place <= _CONTEXT):
                shown.append(f"  {other.raw}")
            elif not shown or shown[-1] != "  …":
                shown.append("  …")
            quiet += 1
    return shown, shift


def _moved(more: int, now: int) -> str:
    said = f"{abs(more) / 1000:g} s {'later' if more > 0 else 'earlier'}"
    return said if now else f"{said}, on time again"


def _changed(old: list[_Line], new: list[_Line], texts: Mapping[str, str]) -> list[str]:
    if len(old) != len(new):
        return [
            *(line for one in old for line in (f"- {one.raw}", *_source(one, texts))),
            *(line for one in new for line in (f"+ {one.raw}", *_source(one, texts))),
        ]
    shown = []
    for one, other in zip(old, new, strict=True):
        shown += [f"- {one.raw}", f"+ {other.raw}", *_words(one, other), *_source(other, texts)]
    return shown


def _words(one: _Line, other: _Line) -> list[str]:
    """Say which words changed, where they are few."""
    old, new = one.key.split(), other.key.split()
    changes = [
        f"`{' '.join(old[a:b])}` became `{' '.join(new[c:d])}`"
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag == "replace"
    ]
    same = sum(word in new for word in old)
    return [f"  = {', '.join(changes)}"] if changes and same > 1 else []


def _source(line: _Line, texts: Mapping[str, str]) -> list[str]:
    """Show the script's line that *line* came from."""
    name, _, number = line.place.rpartition(":")
    text = texts.get(name, "").split("\n")
    if not number or not 1 <= int(number) <= len(text):
        return []
    return [f"  = {line.place} | {text[int(number) - 1].strip()}"]
