"""Text messages of a pool: they go by the entrance, whose address the trunk knows, and come in there."""

from typing import Any, Protocol
from urllib.parse import quote

import trio
from attrs import define, field

from ringful.ground.faults import Tasks, fault
from ringful.media import port

AT_ONCE = 8
"""Texts that are under way at a time: each is a transaction in a worker that has calls to see to."""
_PLACE_SECONDS = 0.1
"""How long each of them has its place at least: what the library keeps of one lives for some seconds after
it, so they are no more than 80 a second."""
_ANSWER_SECONDS = 60.0
"""How long a worker may take to tell an outcome; the library itself gives up much earlier."""


class Line(Protocol):
    """A worker, as texts need it."""

    def tell(self, command: dict[str, Any]) -> None:
        """Send it a command."""


class Entrance(Protocol):
    """Who knows the worker at the entrance."""

    @property
    def entrance(self) -> Line | None:
        """It, if there is one."""


@define
class _Sending:
    line: Line
    done: trio.Event = field(factory=trio.Event)
    outcome: port.TextOutcome | None = None


@define
class Texts:
    """What is under way, and who takes what comes in."""

    _reception: Entrance
    _tasks: Tasks
    desk: port.TextDesk | None = None
    _sent: dict[str, _Sending] = field(factory=dict)
    _count: int = 0
    _places: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(AT_ONCE))

    async def send(self, uri: str, sender: str, text: str, trunk: str = "") -> port.TextOutcome:
        """Send *text* to *uri* by *trunk*, and wait for what comes of it; see `port.Texts.send_text`."""
        place = object()
        await self._places.acquire_on_behalf_of(place)
        line = self._reception.entrance
        if line is None:
            self._places.release_on_behalf_of(place)
            return port.TextOutcome("unsent", reason="no media worker listens at sip.bind")
        self._count += 1
        name = f"t{self._count}"
        sending = self._sent[name] = _Sending(line)
        self._tasks.start_soon(self._keep, place, sending)
        try:
            order = {
                "text": name,
                "uri": uri,
                "sender": quote(sender, safe="+"),
                "body": text,
                "trunk": trunk,
            }
            line.tell({"do": "send_text", **order})
            with trio.move_on_after(_ANSWER_SECONDS):
                await sending.done.wait()
        finally:
            del self._sent[name]
            sending.done.set()
        return sending.outcome or port.TextOutcome("unknown", reason="the media worker told no outcome")

    async def _keep(self, place: object, sending: _Sending) -> None:
        await trio.sleep(_PLACE_SECONDS)
        await sending.done.wait()
        self._places.release_on_behalf_of(place)

    def hear(self, line: Line, message: dict[str, Any]) -> None:
        """Take what the worker at *line* tells of a text."""
        if message["is"] == "TextSent":
            outcome = port.TextOutcome(message["kind"], message["status"], message["reason"])
            self._end(message["text"], outcome)
        else:
            offer = port.TextOffer(message["sender"], message["number"], message["body"])
            self._tasks.start_soon(self._answer, line, message["text"], offer)

    def _end(self, name: str, outcome: port.TextOutcome) -> None:
        sending = self._sent.get(name)
        if sending and sending.outcome is None:
            sending.outcome = outcome
            sending.done.set()

    async def _answer(self, line: Line, name: str, offer: port.TextOffer) -> None:
        status = 480
        if self.desk:
            try:
                status = await self.desk(offer)
            except Exception as error:
                fault("taking a text that came in", error, number=offer.number)
                status = 500
        line.tell({"do": "answer_text", "text": name, "status": status})

    def worker_ended(self, line: object) -> None:
        """Hear that a worker has ended: what it had under way may have arrived."""
        for name, sending in list(self._sent.items()):
            if sending.line is line:
                self._end(name, port.TextOutcome("unknown", reason="the media process died"))
