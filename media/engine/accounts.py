"""The library's accounts: one for each trunk with terms of its own, made when it is first needed.

The library has room for eight and aborts at the ninth, so those that no call uses make room for others.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

Terms: TypeAlias = tuple[str, str, str]
"""A username, a password, and whether sound is encrypted: off, optional or required."""
MOST = 6
"""Accounts beside the one that calls come in at."""


class NoRoom(Exception):
    """Calls are up by as many trunks as the library can have accounts for."""


class Accounts:
    """Those that there are; the one for no trunk is always there."""

    def __init__(self, make: Callable[[Terms | None], Any], terms: Mapping[str, Terms]) -> None:
        """*make* gives one of the library's, for the *terms* of a trunk or for none."""
        self._make, self._terms = make, terms
        self.plain = make(None)
        self._others: OrderedDict[str, Any] = OrderedDict()

    def of(self, trunk: str, used: Collection[Any]) -> Any:
        """Give the account for *trunk*; those that are *used* stay.  Raises NoRoom."""
        if trunk not in self._terms:
            return self.plain
        if trunk not in self._others:
            self._make_room(used)
            self._others[trunk] = self._make(self._terms[trunk])
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
