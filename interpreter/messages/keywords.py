"""What takes the messages that come in: by the number that they came to, and their first word.

All of it is kept in memory, as the numbers of calls are.
"""

from collections.abc import Sequence

from attrs import define, field

from ringful.interpreter.calls.bound import Bound
from ringful.interpreter.calls.e164 import known
from ringful.interpreter.messages.board import KeywordTaken, NoSuchKeyword
from ringful.interpreter.messages.words import ANY, as_compared
from ringful.store.port import Key, Keyword, Store, UsedSeq, Write


@define(eq=False)
class Keywords:
    """The keywords, as the database has them; *country* is where national numbers are."""

    _store: Store
    _country: str
    _bound: Bound[tuple[str, str], Keyword] = field(factory=Bound)

    async def load(self) -> None:
        """Read what is bound.  Raises StoreError."""
        self._bound.fill(((one.number, one.keyword), one) for one in await self._store.keywords())

    def known(self, written: str) -> str:
        """Give a number as it is kept here: ``+E.164``, or as it is where that is no phone number."""
        return known(written, self._country)

    def taking(self, number: str, keyword: str) -> Keyword | None:
        """Give what takes a message with this first word; None where nobody does."""
        return self._bound.at((number, keyword)) or self._bound.at((number, ANY))

    def of(self, key: Key) -> Sequence[Keyword]:
        """Give the keywords of *key*, in their order."""
        return self._bound.of(key)

    def hold(self, key: Key, number: str, keyword: str) -> None:
        """See that *key* may bind *keyword* of *number*.  Raises KeywordTaken."""
        found = self._bound.at((number, keyword))
        if found and found.key != key.key:
            raise KeywordTaken(f"the keyword {keyword} of {number} is bound by another key of this server")

    async def bind(self, key: Key, keyword: Keyword, seqs: Sequence[UsedSeq]) -> None:
        """Bind *keyword*, also anew; return when that is durable.  Raises KeywordTaken, StoreError."""
        self.hold(key, keyword.number, keyword.keyword)
        commit = self._store.submit(Write(keywords=[keyword], seqs=seqs))
        await self._bound.bind((keyword.number, keyword.keyword), keyword, commit)

    async def remove(self, key: Key, number: str, keyword: str, seqs: Sequence[UsedSeq]) -> None:
        """Let nobody take those messages any more.  Raises NoSuchKeyword, StoreError."""
        place = self.known(number), as_compared(keyword)
        found = self._bound.at(place)
        if found is None or found.key != key.key:
            raise NoSuchKeyword(f"this key has not bound the keyword {place[1]} of {place[0]}")
        await self._bound.bind(place, None, self._store.submit(Write(keywords_removed=[place], seqs=seqs)))
