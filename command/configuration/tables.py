"""Reading tables within a section: the keys that they have, the ones that they need, what is not shown."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

from ringful.command.configuration.readers import Unfit

Keys: TypeAlias = Mapping[str, Callable[[Any], Any]]
SECRET = frozenset({"password"})
"""Keys whose values are never shown."""


class _Shown:
    """Stands for a value that is not shown as it is."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


HIDDEN = _Shown("what it is (not shown: it may hold a password)")
NOTHING = _Shown("nothing")


def table(value: Any, at: str, keys: Keys, needed: Collection[str]) -> dict[str, Any]:
    """Read a table at the place *at*, of which each of *keys* is read in its way.  Raises Unfit."""
    if not isinstance(value, Mapping):
        raise Unfit("a table", at, HIDDEN)
    if unknown := sorted(value.keys() - keys.keys()):
        raise Unfit(f"one of the keys {', '.join(keys)}", f"{at}, a key", unknown[0])
    if missing := next((key for key in needed if key not in value), None):
        raise Unfit(f"the key {missing}", f"{at}.{missing}", NOTHING)
    return dict(_read(value, at, keys))


def _read(value: Mapping[str, Any], at: str, keys: Keys) -> Iterator[tuple[str, Any]]:
    for key, one in value.items():
        try:
            yield key, keys[key](one)
        except Unfit as unfit:
            found = HIDDEN if key in SECRET else unfit.found if unfit.at else one
            raise Unfit(unfit.wanted, f"{at}.{key}{unfit.at}", found) from None


def between(least: int, most: int) -> Callable[[Any], int]:
    """Make a reader of a whole number."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Unfit(f"a whole number from {least} to {most}")
        return value

    return read
