"""The library's accounts: one for each trunk that wants to know who we are, made when it is first needed.

The library has room for eight and aborts at the ninth, so those that no call uses make room for others.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

Credentials: TypeAlias = tuple[str, str]
"""A username and a password."""
MOST = 6
"""Accounts beside the one that calls come in at."""


class NoRoom(Exception):
    """Calls are up by as many trunks as the library can have accounts for."""


class Accounts:
    """Those that there are; the one without credentials is always there."""

    def __init__(
        self, make: Callable[[Credentials | None], Any], credentials: Mapping[str, Credentials]
    ) -> None:
        """*make* gives one of the library's, for the *credentials* of a trunk or for none."""
        self._make, self._credentials = make, credentials
        self.plain = make(None)
        self._others: OrderedDict[str, Any] = OrderedDict()

    def of(self, trunk: str, used: Collection[Any]) -> Any:
        """Give the account for *trunk*; those that are *used* stay.  Raises NoRoom."""
        if trunk not in self._credentials:
            return self.plain
        if trunk not in self._others:
            self._make_room(used)
            self._others[trunk] = self._make(self._credentials[trunk])
        self._others.move_to_end(trunk)
        return self._others[trunk]

    def _make_room(self, used: Collection[Any]) -> None:
        if len(self._others) < MOST:
            return
        for name, account in self._others.items():
            if not any(account is one for one in used):
                self._others.pop(name).shutdown()
                return
        raise NoRoom("calls are up by too many trunks at a time")
