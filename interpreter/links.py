"""Links to recordings: bare, where an unguessable name is all the permission, or signed and for a while.

A signed link is made whenever it is told, and works without the server remembering it.  Pure.
"""

import hmac
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qs

from attrs import field, frozen

Problem = Literal["unsigned", "forged", "expired"]


@frozen
class Links:
    """The links of a server; without a *secret* they are bare."""

    base: str
    """What a file's name is appended to."""
    secret: str = field(default="", repr=False)
    lifetime: float = 24 * 3600.0
    """Seconds for which a link works."""

    def to(self, file: str, now: float) -> str:
        """Give the link to *file* that is told *now*."""
        if not self.secret:
            return self.base + file
        expires = str(int(now + self.lifetime))
        return f"{self.base}{file}?expires={expires}&sig={self._signature(file, expires)}"

    def problem(self, file: str, query: str, now: float | None) -> Problem | None:
        """Say what is wrong with the *query* of a link to *file*; without *now* it may have expired."""
        if not self.secret:
            return None
        given = parse_qs(query)
        expires, signature = given.get("expires", [""])[0], given.get("sig", [""])[0]
        if not expires or not signature:
            return "unsigned"
        if not hmac.compare_digest(signature.encode(), self._signature(file, expires).encode()):
            return "forged"
        return "expired" if now is not None and now > int(expires) else None

    def _signature(self, file: str, expires: str) -> str:
        return hmac.new(self.secret.encode(), f"{file}\n{expires}".encode(), sha256).hexdigest()
