"""A carrier of messages for tests: it does what the test says, and keeps nothing."""

from collections.abc import Callable

import trio
from attrs import define, field

from ringful.messages.port import Carrier, Desk, Outgoing


def take(carrier: "TestCarrier", sent: Outgoing) -> None:
    """Take a message, all its parts, under names made of its ID."""
    for part in range(1, carrier.parts(sent.text) + 1):
        if part not in sent.taken:
            name = f"{sent.message_id}#{part}"
            carrier.desk.taken(sent, part, carrier.parts(sent.text), carrier.name, name)


@define(eq=False)
class TestCarrier:
    """Gives each message to *does*, in order; texts of more than 20 characters go in parts of 20."""

    does: "Callable[[TestCarrier, Outgoing], None]" = take
    carrier: Carrier = "smpp"
    name: str = "test"
    sent: list[Outgoing] = field(factory=list)
    desk: Desk = field(init=False)
    up: trio.Event = field(factory=trio.Event)
    open: trio.Event = field(factory=trio.Event)

    __test__ = False

    def __attrs_post_init__(self) -> None:
        self.open.set()

    def parts(self, text: str) -> int:
        """Say in how many parts it goes."""
        if "\0" in text:
            raise ValueError("a text holds no NUL")
        return max(1, -(-len(text) // 20))

    async def run(self, desk: Desk) -> None:
        """Carry."""
        self.desk = desk
        desk.standing(self.name, up=True)
        self.up.set()
        while True:
            await self.open.wait()
            sent = await desk.next()
            self.sent.append(sent)
            self.does(self, sent)
