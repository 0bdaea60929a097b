"""Who sent a call on to us, as Diversion (RFC 5806) and History-Info (RFC 7044, RFC 4458) say it.  Pure."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from attrs import frozen

from ringful.media.engine.parties.named import parties

_HIDDEN = re.compile(r";\s*privacy\s*=\s*\"?(full|uri)\b", re.IGNORECASE)
_INDEX = re.compile(r";\s*index\s*=\s*([0-9]{1,4}(?:\.[0-9]{1,4}){0,19})(?![.0-9])", re.IGNORECASE)
_MAPPED = re.compile(r";\s*mp\s*=\s*([0-9]{1,4}(?:\.[0-9]{1,4}){0,19})(?![.0-9])", re.IGNORECASE)
_CAUSE = re.compile(r";\s*cause\s*=\s*[0-9]{3}\b", re.IGNORECASE)
"""Of a URI: it is where a call was sent on to (RFC 4458)."""


def diverted_from(diversion: str, history: str) -> str:
    """Give the number that sent the call here last; empty where none did, or it is hidden."""
    for one in parties(diversion):
        # The newest stands first.
        if one.user:
            return "" if _HIDDEN.search(one.rest) else one.user
    return _of_history(list(_entries(history)))


@frozen
class _Entry:
    """Where the call was for a while."""

    index: tuple[int, ...]
    user: str
    is_target: bool
    """It was sent there by the one before it."""
    mapped: tuple[int, ...] | None
    """By which one it was sent there."""
    left: bool
    """A reason is given why it went on from there."""
    hidden: bool


def _entries(history: str) -> Iterator[_Entry]:
    for party in parties(history):
        index, mapped = _INDEX.search(party.rest), _MAPPED.search(party.rest)
        uri = re.search(r"<([^>]*)>", party.rest)
        address, _, headers = (uri[1] if uri else "").partition("?")
        said = unquote(headers).lower()
        if index:
            yield _Entry(
                _numbers(index[1]),
                party.user,
                bool(_CAUSE.search(address)),
                _numbers(mapped[1]) if mapped else None,
                "reason=" in said,
                re.search(r"privacy=[^&]*(history|header)", said) is not None,
            )


def _of_history(entries: list[_Entry]) -> str:
    # Some write an entry twice.
    entries = sorted({one.index: one for one in entries}.values(), key=lambda one: one.index)
    for place in range(len(entries) - 1, -1, -1):
        one = entries[place]
        before = entries[place - 1] if place else None
        if one.mapped is not None:
            before = next((other for other in entries if other.index == one.mapped), before)
        elif one.left and place < len(entries) - 1:
            before = one
        elif not one.is_target:
            continue
        return before.user if before and not before.hidden else ""
    # Older ones give no reason: whoever stands before the last, and is another, sent it there.
    if len(entries) > 1 and entries[-2].user != entries[-1].user and not entries[-2].hidden:
        return entries[-2].user
    return ""


def _numbers(index: str) -> tuple[int, ...]:
    return tuple(map(int, index.split(".")))
