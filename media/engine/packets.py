"""Requests of the node's own that leave by our SIP port, as REGISTER does, and the answers to them.

The library knows nothing of either: the gate gives those answers here.
"""

import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from ringful.media.engine.senders import udp_port

_SECONDS = 40.0
"""How long answers to a request are waited for: as long as its transaction may last (RFC 3261, 17.1.2)."""
_CALL_ID = re.compile(rb"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)


class Packets:
    """What is under way; *tell* is told of each answer."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._until: dict[bytes, float] = {}
        """Of each Call-ID."""

    def send(self, packet: str, call_id: str, to: tuple[str, int], own_port: int) -> None:
        """Send *packet* from the UDP socket at *own_port*.  Raises OSError."""
        now = time.monotonic()
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[call_id.encode()] = now + _SECONDS
        with socket.socket(fileno=os.dup(_number(own_port))) as ours:
            ours.sendto(packet.encode(), to)

    def take(self, packet: bytes) -> bool:
        """Take *packet*, if it answers a request of the node's; gives whether it does."""
        if not self._until or not packet.startswith(b"SIP/2.0 "):
            return False
        found = _CALL_ID.search(packet)
        if not found or self._until.get(found[1], 0.0) < time.monotonic():
            return False
        self._tell(packet.decode("utf-8", "replace"))
        return True


def _number(own_port: int) -> int:
    """Give the file descriptor of the UDP socket at *own_port*.  Raises OSError."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if udp_port(int(name)) == own_port:
                return int(name)
    raise OSError("our SIP port is not open")
