"""What a key may do: which numbers it may call, and how many calls it may place.

Pure: time and counts are given.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import phonenumbers
from attrs import define, field


def may_call(number: str, prefixes: Sequence[str], country: str, *, sip_uris: bool = False) -> bool:
    """Say whether *number* (digits, ``+E.164`` or a SIP URI) may be called.

    A script can compute it, so what is neither is refused here: it would become part of a SIP URI.

    With *prefixes*, the number must begin with one of them.  With none, it must lie in *country*
    (``US``), and where the numbering plan is shared by several, not in a neighbour: a premium island
    is behind +1 too.  A SIP URI has no country; *sip_uris* says whether those are taken at all.
    """
    if number.lower().startswith(("sip:", "sips:")):
        whole = re.fullmatch(r"sips?:[\w.!~*'()&=+$,;?/%-]+@[\w.:;=-]+", number, re.ASCII | re.IGNORECASE)
        return bool(sip_uris and whole) and (
            not prefixes or any(number.startswith(prefix) for prefix in prefixes)
        )
    if not re.fullmatch(r"\+?[0-9]{3,15}", number):
        return False
    e164 = "+" + number.lstrip("+")
    if prefixes:
        return any(e164.startswith("+" + prefix.lstrip("+")) for prefix in prefixes)
    return _region(e164) == country


@lru_cache(maxsize=4096)
def _region(e164: str) -> str | None:
    """Give the country that a number lies in; None where it is no number."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None
    found: str | None = phonenumbers.region_code_for_number(parsed)
    if found is None:
        # No known range: fictional and test numbers.  The plan's main country answers for those.
        found = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return found


@define
class Bucket:
    """A token bucket: *rate* a second, and as many at once as a second brings (at least one)."""

    rate: float
    tokens: float = 1.0
    at: float = 0.0

    def take(self, now: float) -> float:
        """Take a token; return 0, or how many seconds to wait for the next one."""
        size = max(1.0, self.rate)
        self.tokens = min(size, self.tokens + (now - self.at) * self.rate) if self.at else size
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate


@define
class Lines:
    """How many lines the live calls of a node hold: counted as they change, since each new call asks."""

    calls: int = 0
    """How many calls hold any."""
    _held: dict[str, int] = field(factory=dict)
    """By call; those that hold none are not there."""
    _of: dict[str, int] = field(factory=dict)
    """By key."""

    def note(self, key: str, call_id: str, lines: int) -> None:
        """Take it that this call of *key* holds so many *lines* from now on."""
        before = self._held.pop(call_id, 0)
        if lines:
            self._held[call_id] = lines
        if lines != before:
            self.calls += bool(lines) - bool(before)
            self._of[key] = self._of.get(key, 0) + lines - before

    def of(self, key: str) -> int:
        """Give how many lines the calls of *key* hold."""
        return self._of.get(key, 0)
