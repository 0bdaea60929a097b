"""Requests of the node's own that leave by the port where calls come in, and their answers.

A registrar that sends calls to where REGISTER came from, as many do for who is behind NAT, finds us so.
The entrance's worker sends and receives; where there is none, or by TCP, they leave by a socket of their own.
"""

from secrets import token_hex
from typing import Any

import trio
from attrs import define, field

from ringful.media.incoming import Reception
from ringful.media.trunking.exchange import RESEND, Place, exchange, own_address
from ringful.media.trunking.messages import Answer, Request, final


@define(eq=False)
class Through:
    """What is under way."""

    _reception: Reception
    _known_as: str
    """What Via says of us; empty: the address that packets come from."""
    _waiting: dict[str, "trio.MemorySendChannel[str]"] = field(factory=dict)
    """By Call-ID."""

    async def exchange(self, request: Request, place: Place) -> Answer:
        """Give the final answer of *place* to *request*; see `exchange.exchange`."""
        line = self._reception.entrance
        if line is None or line.unchecked or place.transport != "udp" or place.by:
            return await exchange(request, place)
        via = f"UDP {self._known_as or await own_address(place)}:{line.port}"
        order = {
            "do": "send_packet",
            "packet": request.written(via, token_hex(8)).decode(),
            "call_id": request.call_id,
            "to": (place.address, place.port),
        }
        send, came = trio.open_memory_channel[str](16)
        self._waiting[request.call_id] = send
        try:
            for patience in (*RESEND, None):
                line.tell(order)
                with trio.move_on_after(float("inf") if patience is None else patience):
                    return await _heard(came, request)
            raise AssertionError  # The last one is waited for without end.
        finally:
            if self._waiting.get(request.call_id) is send:
                del self._waiting[request.call_id]

    def hear(self, message: dict[str, Any]) -> None:
        """Take an answer that came to a worker."""
        packet = message["packet"]
        for call_id, waiting in self._waiting.items():
            if call_id in packet:
                try:
                    waiting.send_nowait(packet)
                except trio.WouldBlock:
                    return  # Far too many.


async def _heard(came: "trio.MemoryReceiveChannel[str]", request: Request) -> Answer:
    while True:
        if answer := final((await came.receive()).encode(), request):
            return answer
