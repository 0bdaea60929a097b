"""A desk of the tests: it gives out what is put, and writes down what it is told, in order."""

from collections.abc import Callable

import trio
from attrs import define, evolve, field

from ringful.messages.port import Incoming, Outgoing, Receipt
from tests.server import PATIENCE


class Unkept(Exception):
    """What a store says that cannot keep anything."""


@define(eq=False)
class NotingDesk:
    """Notes each thing it is told; with *returns* it gives out what comes back, as the office would."""

    returns: bool = False
    fails: int = 0
    """How many of the next things that are brought it cannot keep."""
    patience: float = PATIENCE
    """Seconds until it gives up waiting; in virtual time they cost nothing."""
    notes: list[tuple[object, ...]] = field(factory=list)
    brought: list[Incoming | Receipt] = field(factory=list)
    waiting: int = 0
    """How many tasks wait for a message."""
    _queue: list[Outgoing] = field(factory=list)
    _taken: dict[str, frozenset[int]] = field(factory=dict)
    _changed: trio.Event = field(factory=trio.Event)

    def put(self, text: str, number: str = "+15125550199", sender: str = "+15125550000", **more) -> Outgoing:
        """Have a message sent."""
        name = more.pop("message_id", f"sms-{len(self._taken) + 1}")
        sent = Outgoing(name, number, sender, text, **more)
        self._taken[name] = sent.taken
        self._queue.append(sent)
        self._change()
        return sent

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until *condition* holds; it is tried whenever something changes."""
        with trio.fail_after(self.patience):
            while not condition():
                await self._changed.wait()

    async def told(self, kind: str, count: int = 1) -> list[tuple[object, ...]]:
        """Wait until it was told *count* things of a kind, and give them all."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    def of(self, kind: str) -> list[tuple[object, ...]]:
        """Give what it was told of one kind."""
        return [note[1:] for note in self.notes if note[0] == kind]

    def _note(self, *note: object) -> None:
        self.notes.append(note)
        self._change()

    # The port

    async def next(self) -> Outgoing:
        self.waiting += 1
        try:
            await trio.lowlevel.checkpoint()
            while not self._queue:
                await self._changed.wait()
            return self._queue.pop(0)
        finally:
            self.waiting -= 1

    def taken(self, sent: Outgoing, part: int, parts: int, connection: str, remote_id: str) -> None:
        assert part not in self._taken[sent.message_id], "told twice"
        self._taken[sent.message_id] |= {part}
        self._note("taken", sent.message_id, part, parts, connection, remote_id)

    def refused(self, sent: Outgoing, reason: str) -> None:
        self._note("refused", sent.message_id, reason)

    def again(self, sent: Outgoing, why: str, pause: float = 0.0) -> None:
        self._note("again", sent.message_id, why, pause)
        self._return(sent)

    def unsure(self, sent: Outgoing, part: int, why: str) -> None:
        self._note("unsure", sent.message_id, part, why)
        if all(one.message_id != sent.message_id for one in self._queue):
            self._return(sent)

    def _return(self, sent: Outgoing) -> None:
        if self.returns:
            self._queue.append(evolve(sent, taken=self._taken[sent.message_id]))
            self._change()

    async def receipt(self, receipt: Receipt) -> None:
        await self._bring(receipt)

    async def received(self, incoming: Incoming) -> None:
        await self._bring(incoming)

    async def _bring(self, brought: Incoming | Receipt) -> None:
        await trio.lowlevel.checkpoint()
        if self.fails:
            self.fails -= 1
            raise Unkept("the disk is full")
        self.brought.append(brought)
        self._change()

    def standing(self, connection: str, *, up: bool, why: str = "") -> None:
        self._note("up" if up else "down", connection, why)
