"""Who wants no messages, from which of our numbers: in memory, as the database has it."""

from attrs import define, field

from ringful.store.port import OptOut, Store


@define(eq=False)
class Opted:
    """The pairs of a number of ours and one that wants nothing from it."""

    _out: set[tuple[str, str]] = field(factory=set)

    async def load(self, store: Store) -> None:
        """Read them.  Raises StoreError."""
        self._out = {(one.own, one.number) for one in await store.opt_outs()}

    def has(self, own: str, number: str) -> bool:
        """Say whether *number* wants nothing from *own*."""
        return (own, number) in self._out

    def note(self, one: OptOut) -> bool:
        """Remember a wish; say whether it is new."""
        pair = one.own, one.number
        new = (pair in self._out) == (one.at is None)
        if one.at is None:
            self._out.discard(pair)
        else:
            self._out.add(pair)
        return new
