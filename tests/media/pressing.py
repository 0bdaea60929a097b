"""A far end's fingers: the packets of keys, and what a line does to them (RFC 4733)."""

import struct
from collections.abc import Sequence

import trio
from attrs import define, evolve, frozen

from tests.rtp_far_end import Mouth

EVENTS = "0123456789*#ABCD"
_BURST = 40
"""Packets at once: a kernel's buffer holds some hundred."""


@frozen
class Packet:
    """One packet of a key."""

    number: int
    timestamp: int
    event: int
    duration: int
    is_end: bool = False
    is_first: bool = False
    source: int = 7
    kind: int = 101
    """The payload type."""

    def encoded(self) -> bytes:
        first = 0x80 if self.is_first else 0
        header = (0x80, first | self.kind, self.number & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.source)
        volume = 10 | (0x80 if self.is_end else 0)
        return struct.pack(">BBHIIBBH", *header, self.event, volume, self.duration)


@define
class Fingers:
    """Presses keys one after another; each packet has the next number, each press its own time."""

    number: int = 65_500
    clock: int = (1 << 32) - 40_000

    def press(
        self, key: str, milliseconds: int = 100, *, pause: int = 60, every: int = 20, ends: int = 3
    ) -> list[Packet]:
        """Give the packets of a key, one each so many milliseconds, in segments where it is long."""
        packets: list[Packet] = []
        left, event = milliseconds * 8, EVENTS.index(key)
        while left > 0xFFFF:
            for duration in [*range(8 * every, 0xFFFF, 8 * every), 0xFFFF]:
                packets.append(self._packet(event, duration, is_first=not packets))
            self.clock, left = self.clock + 0xFFFF, left - 0xFFFF
        for duration in range(8 * every, left, 8 * every):
            packets.append(self._packet(event, duration, is_first=not packets))
        packets += [self._packet(event, left, is_end=True) for _ in range(ends)]
        self.clock += left + 8 * pause
        return packets

    def _packet(self, event: int, duration: int, *, is_end: bool = False, is_first: bool = False) -> Packet:
        self.number += 1
        return Packet(self.number, self.clock, event, duration, is_end, is_first)


def without(packets: Sequence[Packet], *lost: int) -> list[Packet]:
    """Lose those of these places."""
    gone = [packets[place] for place in lost]
    return [one for one in packets if one not in gone]


def of(packets: Sequence[Packet], **changed: int) -> list[Packet]:
    """Give them with something else in each."""
    return [evolve(one, **changed) for one in packets]  # type: ignore[misc]


async def send(mouth: Mouth, to: tuple[str, int], packets: Sequence[Packet]) -> None:
    """Send them, as fast as the worker reads."""
    for at, packet in enumerate(packets):
        await mouth.socket.sendto(packet.encoded(), to)
        if at % _BURST == _BURST - 1:
            await trio.sleep(0.04)
