"""Which part of a file is asked for, and whether the client has it already: RFC 9110 sections 13 and 14."""

import re
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

from ringful.http.problems import Problem


def plain_range(asked: str | None, size: int) -> tuple[int, int] | None:
    """Give where the one range of a file of *size* bytes that *asked* means begins and ends.

    None: the whole file, which what cannot be read and several ranges are as well.
    Raises Problem (416) where the file has nothing of what is asked for.
    """
    found = re.fullmatch(r"bytes= *([0-9]{0,30})-([0-9]{0,30}) *", asked or "")
    if not found:
        return None
    first, last = found.groups()
    if not first:
        length = int(last or 0)
        return (max(0, size - length), size) if length and size else None
    begin, end = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < begin:
        return None
    if begin >= end:
        wrong = f"the file has {size} bytes, and nothing of {asked}"
        raise Problem(416, "range.outside", wrong, {"Content-Range": f"bytes */{size}"})
    return begin, end


def is_known(headers: Mapping[str, str], tag: str, changed: int) -> bool:
    """Say whether who sent *headers* has the file of that *tag*, *changed* at that Unix second, already."""
    if (tags := headers.get("if-none-match")) is not None:
        known = [one.strip().removeprefix("W/") for one in tags.split(",")]
        return tag in known or "*" in known
    since = _moment(headers.get("if-modified-since", ""))
    return since is not None and changed <= since


def is_the_same(headers: Mapping[str, str], tag: str, changed: int) -> bool:
    """Say whether a part is still wanted: the file is the one that the client has other parts of."""
    same = headers.get("if-range")
    return same is None or same == tag or _moment(same) == changed


def _moment(written: str) -> float | None:
    with suppress(ValueError):
        return parsedate_to_datetime(written).timestamp()
    return None
