"""The numbers of this server: whose each is, and what takes its calls.

All of them are kept in memory, since a call that comes in waits for no database.
"""

from collections.abc import Mapping, Sequence

from ringful.interpreter.calls.bound import Bound
from ringful.interpreter.calls.e164 import Plan, known
from ringful.interpreter.calls.switchboard import Refusal
from ringful.store.port import Key, Number, Store, UsedSeq, Write


class NoSuchNumber(Refusal):
    """This key has not bound that number (404)."""


class NumberTaken(Refusal):
    """Another key has bound that number (409)."""


class Numbers:
    """The numbers, as the database has them."""

    def __init__(self, store: Store, country: str, plans: Mapping[str, Plan] | None = None) -> None:
        """*plans* say how trunks write numbers; all others write them as in *country*."""
        self._store, self._own, self._plans = store, Plan(country), plans or {}
        self._bound: Bound[str, Number] = Bound()

    async def load(self) -> None:
        """Read what is bound."""
        self._bound.fill((one.number, one) for one in await self._store.numbers())

    def known(self, written: str, trunk: str = "") -> str:
        """Give a number as it is kept here: ``+E.164``, or as it is where that is no phone number.

        It is *trunk* that wrote it; empty: nobody whose way to write is known.
        """
        plan = self._plans.get(trunk, self._own)
        return known(written, plan.country, whole=plan.whole)

    def at(self, written: str, trunk: str = "") -> Number | None:
        """Give what takes the calls of a number, as *trunk* writes it; None where nobody has bound it."""
        return self._bound.at(self.known(written, trunk))

    def of(self, key: Key) -> Sequence[Number]:
        """Give the numbers of *key*, in their order."""
        return self._bound.of(key)

    def own(self, key: Key, written: str) -> Number:
        """Give a number of *key*.  Raises NoSuchNumber."""
        found = self.at(written)
        if found is None or found.key != key.key:
            raise NoSuchNumber(f"this key has not bound the number {self.known(written)}")
        return found

    def hold(self, key: Key, number: str) -> None:
        """See that *key* may bind *number*.  Raises NumberTaken."""
        found = self.at(number)
        if found and found.key != key.key:
            raise NumberTaken(f"the number {found.number} is bound by another key of this server")

    async def bind(self, key: Key, number: Number, seqs: Sequence[UsedSeq]) -> None:
        """Bind *number*, also anew; return when that is durable.  Raises NumberTaken, StoreError."""
        self.hold(key, number.number)
        commit = self._store.submit(Write(numbers=[number], seqs=seqs))
        await self._bound.bind(number.number, number, commit)

    async def free(self, key: Key, written: str, seqs: Sequence[UsedSeq]) -> None:
        """Unbind a number; its calls that are up go on.  Raises NoSuchNumber, StoreError."""
        number = self.own(key, written).number
        await self._bound.bind(number, None, self._store.submit(Write(freed=[number], seqs=seqs)))
