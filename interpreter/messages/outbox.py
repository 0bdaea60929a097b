"""The messages that wait for one carrier: keys take turns, so that one with many delays no other.

In memory only: each is a row of the store, and a server that starts fills it from there.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Set
from itertools import count

import trio
from attrs import define, field

from ringful.store.port import Message

MOST = 100_000
"""Messages that wait in all."""
MOST_OF_KEY = 20_000
"""Messages of one key that wait."""


@define(eq=False)
class Outbox:
    """See the module's docstring."""

    _lines: "OrderedDict[str, deque[str]]" = field(factory=OrderedDict)
    """The IDs of what may go now, by key: the first key is next."""
    _pausing: list[tuple[float, int, str, str]] = field(factory=list)
    """(when, number, key, ID) of what may go later."""
    _of_key: dict[str, int] = field(factory=dict)
    _numbers: "count[int]" = field(factory=count)
    _bell: trio.Event = field(factory=trio.Event)

    def __len__(self) -> int:
        return sum(self._of_key.values())

    def why_full(self, key: str) -> str:
        """Say why no message of *key* can wait here as well; nothing if one can."""
        if (waiting := self._of_key.get(key, 0)) >= MOST_OF_KEY:
            return f"{waiting} messages of this key wait to be sent already"
        if len(self) >= MOST:
            return f"{len(self)} messages wait to be sent already"
        return ""

    def put(self, message: Message, now: float) -> None:
        """Let *message* wait, until its time where that is still to come."""
        self._of_key[message.key] = self._of_key.get(message.key, 0) + 1
        if message.next_at > now:
            place = message.next_at, next(self._numbers), message.key, message.message_id
            heapq.heappush(self._pausing, place)
        else:
            self._lines.setdefault(message.key, deque()).append(message.message_id)
        self._bell.set()

    def take(self, most: int, now: float) -> list[str]:
        """Take up to *most* whose time has come, from each key in its turn."""
        while self._pausing and self._pausing[0][0] <= now:
            _, _, key, message_id = heapq.heappop(self._pausing)
            self._lines.setdefault(key, deque()).append(message_id)
        taken: list[str] = []
        while self._lines and len(taken) < most:
            key, line = self._lines.popitem(last=False)
            taken.append(line.popleft())
            if line:
                self._lines[key] = line
            self._leaves(key)
        return taken

    def drop(self, message_ids: Set[str]) -> None:
        """Let *message_ids* wait no longer."""
        for key, line in list(self._lines.items()):
            left = deque(one for one in line if one not in message_ids)
            for _ in range(len(line) - len(left)):
                self._leaves(key)
            if left:
                self._lines[key] = left
            else:
                del self._lines[key]
        for _, _, key, message_id in self._pausing:
            if message_id in message_ids:
                self._leaves(key)
        self._pausing = [one for one in self._pausing if one[3] not in message_ids]
        heapq.heapify(self._pausing)

    def _leaves(self, key: str) -> None:
        self._of_key[key] -= 1
        if not self._of_key[key]:
            del self._of_key[key]

    async def until_due(self, now: float) -> None:
        """Wait until there may be something to take."""
        if self._lines:
            return
        self._bell = trio.Event()
        wait = self._pausing[0][0] - now if self._pausing else float("inf")
        with trio.move_on_after(max(0.0, wait)):
            await self._bell.wait()
