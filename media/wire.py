"""What the node and a media worker say to each other over a socket pair.

Each message is a JSON object behind its length in four bytes.  Messages are numbered by their
sender, so that a lost or doubled one is a fault that is seen.  Commands go down, events come up.
"""

import json
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import attrs
from attrs import define, field

from ringful.media import port

LENGTH = struct.Struct(">I")
MAX_MESSAGE = 1 << 20
"""Bytes of one message; a longer one means that the two have lost step."""

_EVENTS: dict[str, type] = {kind.__name__: kind for kind in get_args(port.Event)}
_read = json.JSONDecoder().raw_decode
"""As `json.loads`, without looking which encoding it is in."""


class WireError(Exception):
    """The other side sent something that cannot be a message."""


@define
class Framer:
    """Number and pack messages to send, and unpack what was received."""

    sent: int = 0
    received: int = 0
    _buffer: bytearray = field(factory=bytearray)

    def pack(self, message: dict[str, Any]) -> bytes:
        """Give *message* as bytes, with the next number."""
        self.sent += 1
        body = json.dumps({"n": self.sent, **message}).encode()
        return LENGTH.pack(len(body)) + body

    def unpack(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take *data* in, and give every message that is whole now.  Raises WireError."""
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > MAX_MESSAGE:
                raise WireError(f"a message of {length} bytes")
            if len(self._buffer) < LENGTH.size + length:
                return
            text = self._buffer[LENGTH.size : LENGTH.size + length].decode()
            message, end = _read(text)
            if end != len(text):
                raise WireError("more than one message of one length")
            del self._buffer[: LENGTH.size + length]
            self.received += 1
            if message.pop("n") != self.received:
                raise WireError("a message was lost or doubled")
            yield message


def encode_event(event: port.Event) -> dict[str, Any]:
    """Give *event* as a message."""
    return {"is": type(event).__name__, **attrs.asdict(event)}


def decode_event(message: dict[str, Any]) -> port.Event | None:
    """Make the event of *message*; None where it is a message of another kind."""
    fields = dict(message)
    kind = _EVENTS.get(fields.pop("is"))
    if kind is None:
        return None
    made: port.Event = _converter().structure(fields, kind)
    return made


@cache
def _converter() -> Any:
    # Only the node decodes: a worker is spared what that takes.
    import cattrs

    return cattrs.Converter()
