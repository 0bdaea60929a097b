"""API keys: making them, and remembering them for a moment.

A key is asked for at every request, and revoked by another process; so it is remembered, but for
less than a second.  A key that does not exist is not remembered at all.
"""

import secrets
import string
import time
from collections.abc import Callable

from ringful.store.port import Key

REMEMBERED = 0.5
"""Seconds for which a look-up holds."""
_ALPHANUMERIC = string.ascii_letters + string.digits


def new_key_id() -> str:
    """Make a key: 20 letters and digits, which need no escape in a URL or a shell."""
    return _random(20)


def new_secret() -> str:
    """Make a secret: 32 letters and digits (190 bits), which are also the base64 of 24 bytes.

    Standard Webhooks wants a secret in base64, of 24 to 64 bytes.
    """
    return _random(32)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


class KeyMemory:
    """Keys that were looked up in the last `REMEMBERED` seconds of *clock*."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._known: dict[str, tuple[float, Key]] = {}

    def get(self, key: str) -> Key | None:
        """Give *key* as it was a moment ago, or None where that is too long ago."""
        asked, known = self._known.get(key, (0.0, None))
        return known if known and self.clock() - asked < REMEMBERED else None

    def put(self, key: Key, asked: float) -> None:
        """Remember what was read of *key*; it was asked for at *asked*."""
        self._known[key.key] = (asked, key)

    def forget(self, key: str) -> None:
        """Look *key* up the next time."""
        self._known.pop(key, None)
