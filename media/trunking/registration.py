"""Telling a trunk where we are, again and again (REGISTER, RFC 3261, 10).  Pure.

A `Registration` gives the next request, is told what came of it (None: nothing), and says when the next
one is due.  An attempt is a few requests at most: a challenge is answered once, and once more where only
its nonce was too old (`stale`); a time that is too short for the trunk (423) is asked for longer, once.
A refusal is no reason to ask on and on, since trunks shut out who does: the waits double.
"""

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

from attrs import define, field

from ringful.media.trunking.digest import Challenge, authorization, challenge
from ringful.media.trunking.messages import Answer, Request
from ringful.media.trunks import Trunk

Standing: TypeAlias = Literal["asking", "registered", "refused", "silent", "away"]
"""``refused``: it does not want us; ``silent``: nothing was heard; ``away``: it cannot now."""

REFUSED = (300.0, 3600.0)
"""Seconds until we ask again somebody who refused us: the first time, and at most."""
SILENT = (10.0, 300.0)
AWAY = (30.0, 600.0)
_LONGEST = 7 * 86400
_CHALLENGES = 3
"""That are answered in one attempt: the first, and two with a nonce too old."""


@define(eq=False)
class Registration:
    """How we stand with one trunk."""

    trunk: Trunk
    contact: str
    """The URI that calls for us go to."""
    token: Callable[[], str]
    """Gives something new each time."""
    standing: Standing = "asking"
    answer: Answer | None = None
    """The last one that was no challenge."""
    expires: float = 0.0
    """Seconds that were granted; 0: we are not registered, as far as we know."""
    failures: int = 0
    """Attempts that failed, since the start."""
    _in_a_row: int = 0
    _call_id: str = field(init=False)
    _tag: str = field(init=False)
    _number: int = 0
    _wanted: int = field(init=False)
    _challenge: Challenge | None = None
    _proxy: bool = False
    _used: int = 0
    _challenges: int = 0
    _lengthened: bool = False

    def __attrs_post_init__(self) -> None:
        self._call_id, self._tag = self.token(), self.token()
        self._wanted = int(self.trunk.register_every)

    @property
    def domain(self) -> str:
        """What we register with."""
        return self.trunk.domain or self.trunk.host

    def request(self, *, leave: bool = False) -> Request:
        """Give the next request; *leave*: calls for us are to go there no more."""
        self._number += 1
        uri, ours = f"sip:{self.domain}", self.trunk.ours
        more = [("Expires", "0" if leave else str(self._wanted))]
        if self._challenge:
            self._used += 1
            value = authorization(
                self._challenge, ours, "REGISTER", uri, cnonce=self.token(), count=self._used
            )
            more.append(("Proxy-Authorization" if self._proxy else "Authorization", value))
        return Request(
            "REGISTER",
            uri,
            f"sip:{ours.username}@{self.domain}",
            self._call_id,
            self._number,
            self._tag,
            contact=f"<{self.contact}>",
            more=tuple(more),
        )

    def heard(self, answer: Answer | None) -> float:
        """Take what came of the last request; give the seconds until the next one is due."""
        if answer is None:
            self.answer = None
            return self._failed("silent", SILENT)
        if answer.status in (401, 407) and self._take_challenge(answer):
            return 0.0
        if answer.status == 423 and self._take_longer(answer):
            return 0.0
        self.answer = answer
        self._challenges, self._lengthened = 0, False
        if 200 <= answer.status < 300 and (granted := self._granted(answer)):
            self.standing, self._in_a_row, self.expires = "registered", 0, float(granted)
            return granted / 2 if granted < 120 else granted - 30 - granted / 20
        if answer.status >= 500 or answer.status in (408, 429, 480):
            wait = self._failed("away", AWAY)
            return min(max(wait, answer.number("retry-after") or 0), REFUSED[1])
        self._challenge = None
        return self._failed("refused", REFUSED)

    def _failed(self, standing: Standing, waits: tuple[float, float]) -> float:
        self.standing = standing
        self.failures, self._in_a_row = self.failures + 1, self._in_a_row + 1
        self._challenges, self._lengthened = 0, False
        first, most = waits
        return min(most, first * float(1 << min(self._in_a_row - 1, 10)))

    def _take_challenge(self, answer: Answer) -> bool:
        """Say whether the challenge can be answered, and has not been in vain."""
        proxy = answer.status == 407
        found = challenge(answer.all("proxy-authenticate" if proxy else "www-authenticate"))
        in_vain = self._challenges > 0 and not (found and found.stale)
        if found is None or in_vain or self._challenges >= _CHALLENGES or not self.trunk.ours.username:
            self._challenge = None
            return False
        self._challenge, self._proxy, self._used = found, proxy, 0
        self._challenges += 1
        return True

    def _take_longer(self, answer: Answer) -> bool:
        least = answer.number("min-expires") or 0
        if self._lengthened or not self._wanted < least <= _LONGEST:
            return False
        self._wanted, self._lengthened = least, True
        return True

    def _granted(self, answer: Answer) -> int:
        """Give the seconds for which it knows our contact now."""
        contacts = [one for value in answer.all("contact") for one in _contacts(value)]
        user_and_place = self.contact.partition(":")[2].partition(";")[0]
        # Some write our address as they see it; one contact alone is ours.
        named = [one for one in contacts if user_and_place in one] or contacts[:1]
        for one in named:
            parameters = one.rpartition(">")[2]
            if found := re.search(r";\s*expires\s*=\s*\"?(\d{1,9})", parameters, re.IGNORECASE):
                return min(int(found[1]), _LONGEST)
        said = answer.number("expires")
        return min(self._wanted if said is None else said, _LONGEST)


def _contacts(value: str) -> list[str]:
    """Split a Contact with several values: no comma within brackets or quotes parts them."""
    return [one for one in re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+', value) if one.strip()]
