"""What an engine is told of a call that it is to place, and who calls whom, as its INVITE says it.  Pure."""

import re
from collections.abc import Iterator, Sequence

from attrs import frozen

from ringful.media.trunks import Diversion

_ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""Who calls, where that is withheld (RFC 3323, 4.1.1.3)."""
_MOST_NAME = 64
"""Characters of a name: many phones show fewer, and some trunks take no more."""


@frozen
class Outgoing:
    """Whom to call, as whom, and by which trunk."""

    uri: str
    """Where the INVITE goes; its host is an address."""
    caller_id: str | None = None
    """The user of ``From``, as the trunk writes it."""
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
