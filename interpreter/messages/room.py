"""The room where a node's messages are handled: office, inbox and desks, joined and running."""

from collections.abc import Iterable

from attrs import define

from ringful.ground.faults import Tasks
from ringful.interpreter.messages.desk import CarrierDesk
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.office import Office
from ringful.messages.port import Transport


@define(eq=False)
class MessageRoom:
    """Runs what carries messages, between *office* and *inbox*."""

    office: Office
    inbox: Inbox

    async def open(self, transports: Iterable[Transport], tasks: Tasks) -> None:
        """Take up what was not sent, and let *transports* carry.  Raises StoreError."""
        await self.inbox.keywords.load()
        await self.office.load()
        tasks.start_soon(self.office.hand_over)
        for transport in transports:
            desk = CarrierDesk(transport.carrier, self.office, self.inbox)
            tasks.start_soon(desk.run, transport)
