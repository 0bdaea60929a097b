"""What takes the messages that come in: by the number that they came to, and their first word.

All of it is kept in memory, as the numbers of calls are.
"""

from collections.abc import Sequence

from attrs import define, field

from ringful.interpreter.calls.e164 import e164
from ringful.interpreter.messages.board import KeywordTaken, NoSuchKeyword
from ringful.interpreter.messages.words import plain
from ringful.store.port import Commit, Key, Keyword, Store, UsedSeq, Write

ANY = "*"
"""The keyword of whatever no other one takes."""


@define(eq=False)
class Keywords:
    """The keywords, as the database has them; *country* is where national numbers are."""

    _store: Store
    _country: str
    _bound: dict[tuple[str, str], Keyword] = field(factory=dict)

    async def load(self) -> None:
        """Read what is bound.  Raises StoreError."""
        self._bound = {(one.number, one.keyword): one for one in await self._store.keywords()}

    def known(self, written: str) -> str:
        """Give a number as it is kept here: ``+E.164``, or as it is where that is no phone number."""
        return e164(written, self._country) or written

    def taking(self, number: str, keyword: str) -> Keyword | None:
        """Give what takes a message with this first word; None where nobody does."""
        return self._bound.get((number, keyword)) or self._bound.get((number, ANY))

    def of(self, key: Key) -> Sequence[Keyword]:
        """Give the keywords of *key*, in their order."""
        return [one for _, one in sorted(self._bound.items()) if one.key == key.key]

    def hold(self, key: Key, number: str, keyword: str) -> None:
        """See that *key* may bind *keyword* of *number*.  Raises KeywordTaken."""
        found = self._bound.get((number, keyword))
        if found and found.key != key.key:
            raise KeywordTaken(f"the keyword {keyword} of {number} is bound by another key of this server")

    async def bind(self, key: Key, keyword: Keyword, seqs: Sequence[UsedSeq]) -> None:
        """Bind *keyword*, also anew; return when that is durable.  Raises KeywordTaken, StoreError."""
        self.hold(key, keyword.number, keyword.keyword)
        place = keyword.number, keyword.keyword
        before, self._bound[place] = self._bound.get(place), keyword
        await self._kept(self._store.submit(Write(keywords=[keyword], seqs=seqs)), place, before)

    async def remove(self, key: Key, number: str, keyword: str, seqs: Sequence[UsedSeq]) -> None:
        """Let nobody take those messages any more.  Raises NoSuchKeyword, StoreError."""
        place = self.known(number), keyword if keyword == ANY else plain(keyword)
        before = self._bound.get(place)
        if before is None or before.key != key.key:
            raise NoSuchKeyword(f"this key has not bound the keyword {place[1]} of {place[0]}")
        del self._bound[place]
        await self._kept(self._store.submit(Write(keywords_removed=[place], seqs=seqs)), place, before)

    async def _kept(self, commit: Commit, place: tuple[str, str], before: Keyword | None) -> None:
        try:
            await commit.wait()
        except BaseException:
            # What could not be kept has not happened.
            self._bound.pop(place, None)
            if before:
                self._bound[place] = before
            raise
