"""What keys have bound here, in memory as the database has it: nothing that comes in waits for a database."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, field

from ringful.store.port import Commit, Key


class Owned(Protocol):
    """Something that a key has bound."""

    @property
    def key(self) -> str:
        """Whose it is."""


P = TypeVar("P")
V = TypeVar("V", bound=Owned)


@define(eq=False)
class Bound(Generic[P, V]):
    """What is bound at each place."""

    _places: dict[P, V] = field(factory=dict)

    def fill(self, found: Iterable[tuple[P, V]]) -> None:
        """Begin with what the database has."""
        self._places = dict(found)

    def at(self, place: P) -> V | None:
        """Give what is bound there; None: nothing is."""
        return self._places.get(place)

    def of(self, key: Key) -> Sequence[V]:
        """Give what *key* has bound, in the order of the places."""
        places: list[Any] = sorted(self._places.items())
        return [one for _, one in places if one.key == key.key]

    async def bind(self, place: P, value: V | None, commit: Commit) -> None:
        """Bind *value* (None: nothing any more); return when *commit*, which keeps that, is durable.

        What could not be kept has not happened.  Raises StoreError.
        """
        before = self._places.get(place)
        self._put(place, value)
        try:
            await commit.wait()
        except BaseException:
            self._put(place, before)
            raise

    def _put(self, place: P, value: V | None) -> None:
        if value is None:
            self._places.pop(place, None)
        else:
            self._places[place] = value
