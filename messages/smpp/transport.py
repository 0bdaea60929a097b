"""SMPP as a `Transport`: all the connections of the configuration, at the same time."""

import random
import time
from collections.abc import Callable, Sequence

import trio
from attrs import field, frozen

from ringful.messages.port import Carrier, Desk
from ringful.messages.segments import Alphabet, split
from ringful.messages.smpp.connection import SmppConnection
from ringful.messages.smpp.line import Line


@frozen
class SmppTransport:
    """Carries messages over *connections*: whichever bind has room takes the next one."""

    connections: Sequence[SmppConnection]
    clock: Callable[[], float] = field(default=time.time, kw_only=True)
    """Gives Unix seconds."""
    random: Callable[[], float] = field(default=random.random, kw_only=True)
    """Gives a number from 0 to 1: not all binds of the world come back in the same instant."""

    @property
    def carrier(self) -> Carrier:
        """Which kind it is."""
        return "smpp"

    @property
    def alphabet(self) -> Alphabet:
        """What texts are split by: a text is split alike, whichever connection takes its parts."""
        return "latin1" if any(one.alphabet == "latin1" for one in self.connections) else "gsm"

    def parts(self, text: str) -> int:
        """Say in how many parts *text* goes.  Raises ValueError."""
        return len(split(text, self.alphabet).parts)

    async def run(self, desk: Desk) -> None:
        """Keep every bind up, and carry messages, until cancelled."""
        async with trio.open_nursery() as nursery:
            for connection in self.connections:
                line = Line(connection, self.alphabet, desk, self.clock, self.random)
                for _ in range(connection.binds):
                    nursery.start_soon(line.keep)
