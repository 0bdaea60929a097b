"""Sound between processes: 20 ms frames over UDP on this machine's loopback.

A link has two ends, each with its own clock.  Every tick an end sends one numbered datagram, also
where there is only silence, and takes one frame of what came.  Nobody ever waits for a frame: what
is missing is silence.  The two clocks are followed: an end that falls behind the other joins two
frames into one, so a delay once grown goes down again, and what comes late is dropped.

(Unix datagrams would do, but the kernel holds ten of them and loses the rest.)
"""

import socket
import struct
from array import array

from attrs import define, field

from ringful.media import wav

HOST = "127.0.0.1"
_HEADER = struct.Struct(">QI")
"""The link's number, which nobody else on this machine can guess, and the frame's."""
_AHEAD = 2
"""Frames that must have come before the first is handed out: 40 ms against jitter."""
_SPARE = 1
"""Frames that may lie ready at all times; where there are always more, the delay has grown."""
_WINDOW = 50
"""Ticks over which that is watched: a second."""
_MOST = 15
"""Frames that may wait; beyond that, a process has stood still, and the oldest are dropped."""


@define
class Arrivals:
    """The frames that come from the other end, in their order, at our clock's pace."""

    missing: int = 0
    """Frames that were not there when their turn came."""
    joined: int = 0
    """Times that two frames were made one."""
    _waiting: dict[int, bytes] = field(factory=dict)
    _next: int | None = None
    _newest: int = -1
    _ticks: int = 0
    _least: int = _MOST

    def put(self, number: int, frame: bytes) -> None:
        """Take frame *number*; an empty one is silence."""
        if self._next is not None and number < self._next:
            return
        self._waiting[number] = frame
        self._newest = max(self._newest, number)

    def take(self) -> bytes | None:
        """Give the next 20 ms; None is silence."""
        if self._next is None and not self._begin():
            return None
        assert self._next is not None
        if self._newest < self._next:
            # The other clock is behind: its frame keeps its place for the next tick.
            self.missing += 1
            self._least = 0
            return None
        if self._newest - self._next >= _MOST:
            self._skip(self._newest - _AHEAD + 1)
        frame = self._pop()
        if self._delayed():
            frame = _join(frame, self._pop())
            self.joined += 1
        return frame or None

    def _begin(self) -> bool:
        if len(self._waiting) < _AHEAD:
            return False
        self._skip(self._newest - _AHEAD + 1)
        return True

    def _skip(self, number: int) -> None:
        self._next = number
        self._waiting = {one: frame for one, frame in self._waiting.items() if one >= number}

    def _pop(self) -> bytes:
        assert self._next is not None
        frame = self._waiting.pop(self._next, None)
        self.missing += frame is None
        self._next += 1
        return frame or b""

    def _delayed(self) -> bool:
        """Say, once in a while, whether more has lain ready all the time than is needed."""
        assert self._next is not None
        self._least = min(self._least, self._newest - self._next + 1)
        self._ticks += 1
        if self._ticks < _WINDOW:
            return False
        delayed = self._least > _SPARE
        self._ticks, self._least = 0, _MOST
        return delayed


def _join(one: bytes, other: bytes) -> bytes:
    """Fade from *one* over to *other*, so that nobody hears the place."""
    if not one or not other:
        return one or other
    first, second = array("h", one), array("h", other)
    last = len(first)
    return array(
        "h", ((a * (last - n) + b * n) // last for n, (a, b) in enumerate(zip(first, second, strict=True)))
    ).tobytes()


class Link:
    """One end of a link."""

    def __init__(self, exchange: "Exchange", number: int, peer: int) -> None:
        self.arrivals = Arrivals()
        self._exchange, self._number, self._peer = exchange, number, peer
        self._sent = 0

    def give(self) -> bytes | None:
        """Give 20 ms of what the other end sends."""
        self._exchange.receive()
        return self.arrivals.take()

    def take(self, frame: bytes | None) -> None:
        """Send 20 ms to the other end; None is silence."""
        self._exchange.send(_HEADER.pack(self._number, self._sent) + (frame or b""), self._peer)
        self._sent = (self._sent + 1) & 0xFFFFFFFF


class Exchange:
    """The socket of one process, which all its links share.

    Links are opened and forgotten in the worker's thread, and everything else is the clock thread's.
    What comes for a link that is not open is dropped.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self._links: dict[int, Link] = {}
        self.port: int = self._socket.getsockname()[1]

    def open(self, number: int, peer: int) -> Link:
        """Give our end of link *number*, whose other end has its socket at port *peer*."""
        link = self._links[number] = Link(self, number, peer)
        return link

    def forget(self, number: int) -> None:
        """Take nothing more of a link."""
        self._links.pop(number, None)

    def close(self) -> None:
        """Take and send nothing more."""
        self._socket.close()

    def send(self, datagram: bytes, peer: int) -> None:
        """Send to the process whose socket is at *peer*; one that has died hears nothing."""
        try:
            self._socket.sendto(datagram, (HOST, peer))
        except OSError:
            return

    def receive(self) -> None:
        """Take everything that has come."""
        while True:
            try:
                datagram = self._socket.recv(_HEADER.size + wav.FRAME_BYTES)
            except OSError:
                return
            if len(datagram) not in (_HEADER.size, _HEADER.size + wav.FRAME_BYTES):
                continue
            number, frame = _HEADER.unpack_from(datagram)
            if link := self._links.get(number):
                link.arrivals.put(frame, datagram[_HEADER.size :])
