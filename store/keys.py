"""API keys: making them, changing their secrets, and remembering them for a moment.

A key is asked for at every request, and revoked by another process; so it is remembered, but for
less than a second.  Whoever asks first after half of that looks it up again, and the others need not
wait for that.  A key that does not exist is not remembered at all.
"""

import secrets
import string
import time
from collections.abc import Callable

from attrs import evolve

from ringful.store.port import Key

ANYWHERE = ("+",)
"""The prefixes of a key that may call every number: each begins so."""
REMEMBERED = 0.5
"""Seconds for which a look-up holds."""
LONGEST = 1.0
"""Seconds for which it does while somebody looks the key up again."""
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


def old_until(key: Key, now: float) -> float | None:
    """Give until when the old secret of *key* holds; None: it has none at *now*, or that holds no more."""
    holds = key.old_secret and key.old_until and now < key.old_until
    return key.old_until if holds else None


def rotated(key: Key, until: float | None) -> Key:
    """Give *key* a new secret; the one that it had holds *until* then, or (None) no more."""
    return evolve(
        key,
        secret=new_secret(),
        old_secret=None if until is None else key.secret,
        old_until=until,
        generation=key.generation + 1,
    )


def without_old(key: Key) -> Key:
    """Let no old secret of *key* hold."""
    return evolve(key, old_secret=None, old_until=None)


class KeyMemory:
    """Keys that were looked up in the last `REMEMBERED` seconds of *clock*, or `LONGEST`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._known: dict[str, tuple[float, Key | None]] = {}
        """When each was asked for; None: it was changed then, and is to be looked up."""
        self._asked_again: set[str] = set()

    def get(self, key: str) -> Key | None:
        """Give *key* as it was a moment ago; None: whoever asks is to look it up."""
        asked, known = self._known.get(key, (0.0, None))
        age = self.clock() - asked
        if known is None or age >= LONGEST:
            return None
        if age >= REMEMBERED and key not in self._asked_again:
            self._asked_again.add(key)
            return None
        return known

    def put(self, key: Key, asked: float) -> None:
        """Remember what was read of *key*; it was asked for at *asked*."""
        if asked >= self._known.get(key.key, (asked, None))[0]:  # An older answer may come later.
            self._known[key.key] = (asked, key)
        self._asked_again.discard(key.key)

    def forget(self, key: str) -> None:
        """Look *key* up the next time."""
        self._known[key] = (self.clock(), None)
        self._asked_again.discard(key)
