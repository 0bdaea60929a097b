"""What an engine is told of a call that it is to place: who calls whom, and how long it waits.  Pure."""

import re
from collections.abc import Iterator, Sequence

from attrs import define, frozen

from ringful.media.trunks import UNHEARD, Diversion

_ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""Who calls, where that is withheld (RFC 3323, 4.1.1.3)."""
_MOST_NAME = 64
"""Characters of a name: many phones show fewer, and some trunks take no more."""


@frozen
class Outgoing:
    """Whom to call, as whom, and by which trunk."""

    uri: str
    """Whom the INVITE asks for; its host is an address, but where *by* says where it goes."""
    caller_id: str | None = None
    """The user of ``From``, as the trunk writes it."""
    by: str = ""
    """Where the front is to send it, as a URI whose user is the host's name; empty: to *uri*."""
    trunk: str = ""
    """Whose credentials are used."""
    redirects: int = 0
    """How many 3xx in a row are followed, within *networks*, or to the same address alone."""
    networks: Sequence[str] = ()
    domain: str = ""
    """What stands behind ``@`` in ``From``; empty: our own address."""
    called: str = ""
    """The URI of ``To``; empty: *uri*."""
    asserted: bool = False
    """Whether the caller is told as ``P-Asserted-Identity`` as well (RFC 3325)."""
    name: str = ""
    """What the caller is called, for people to read."""
    withheld: bool = False
    """The callee is shown neither the name nor the number."""
    diverted: str = ""
    """The user of who sends the call on, as the trunk writes it; empty: nobody does."""
    diversion: Diversion = "none"
    """How that is told."""
    answer_within: float = 0.0
    """Seconds within which something has to be heard; 0: as the library has it."""
    ring_within: float = 0.0
    """Seconds within which it has to ring, or go on in some other way; 0: as long as anybody waits."""

    def sender(self, own: str) -> str:
        """Give the value of ``From``; empty: that of the account.  *own* is our own address."""
        if self.withheld:
            return _ANONYMOUS
        return f"{quoted(self.name)}<{self._uri(self.caller_id, own)}>" if self.caller_id else ""

    def headers(self, own: str) -> Iterator[tuple[str, str]]:
        """Give the headers that say more of who calls."""
        if self.withheld:
            yield "Privacy", "id"
        if self.asserted and self.caller_id:
            # Whoever carries the call is to know, and tells nobody (RFC 3325, 7).
            yield "P-Asserted-Identity", f"{quoted(self.name)}<{self._uri(self.caller_id, own)}>"
        if self.diverted and self.diversion in ("diversion", "both"):
            by = self._uri(self.diverted, own)
            yield "Diversion", f"<{by}>;reason=unconditional;counter=1;privacy=off;screen=no"
        if self.diverted and self.diversion in ("history-info", "both"):
            # Without an answer in between it was forwarded at once: 302 (RFC 4458, 2.1).
            to = re.sub(r"[;?].*", "", self.called or self.uri)
            yield (
                "History-Info",
                f"<{self._uri(self.diverted, own)}>;index=1, <{to};cause=302>;index=1.1;mp=1",
            )

    def _uri(self, user: str, own: str) -> str:
        return f"sip:{user}@{self.domain or own}"


def quoted(name: str) -> str:
    """Give *name* as it stands before a URI, in UTF-8 (RFC 3261, 25.1); nothing where there is none."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in name).split())[:_MOST_NAME].strip()
    escaped = re.sub(r'([\\"])', r"\\\1", plain)
    return f'"{escaped}" ' if escaped else ""


@define
class Patience:
    """How long a far end may leave our INVITE without an answer, and without ringing.  Pure."""

    answer_within: float = 0.0
    ring_within: float = 0.0
    _answer_by: float | None = None
    _ring_by: float | None = None

    def begin(self, now: float) -> None:
        """Take it that the call begins."""
        self._answer_by = now + self.answer_within if self.answer_within else None
        self._ring_by = now + self.ring_within if self.ring_within else None

    def asked(self, now: float) -> None:
        """Take it that an INVITE was sent, the first or one with credentials."""
        if self.answer_within:
            self._answer_by = now + self.answer_within

    def heard(self, status: int) -> None:
        """Take the *status* of a response."""
        self._answer_by = None
        if status > 100 and status not in (401, 407):
            self._ring_by = None

    @property
    def waits(self) -> bool:
        """Whether something is waited for."""
        return self._answer_by is not None or self._ring_by is not None

    def why_over(self, now: float) -> str:
        """Say why nothing is waited for any more; nothing while it is."""
        if self._answer_by is not None and now >= self._answer_by:
            return f"{UNHEARD} within {self.answer_within:g} s"
        if self._ring_by is not None and now >= self._ring_by:
            return f"nothing rang within {self.ring_within:g} s"
        return ""
