"""The gate between the network and the library: `csrc/gate.c`, and what it asks.

It is put up in a worker's process once the library is there; see `csrc/gate.c` for how it stands there.
"""

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_bool, c_char, c_char_p, c_int, c_int64, c_uint32, c_void_p
from ipaddress import IPv4Address
from pathlib import Path
from traceback import format_exc
from typing import Any

from ringful.media.engine.filter.judge import Answer, Hand, judge
from ringful.media.engine.filter.pace import Pace

COMPILED = Path(__file__).parent.parent / "libsound.so"
_JUDGE = CFUNCTYPE(c_int, POINTER(c_char), c_int, c_char_p, c_int, c_void_p, c_int)
_TELL = CFUNCTYPE(None, c_char_p, POINTER(c_char), c_int, c_int)
_SHOWN = 1000
"""Bytes of a packet that are shown in the log."""


class NoGate(Exception):
    """Why packets are not checked here."""


class Gate:
    """The gate of this process.  Raises NoGate.

    *shaken* is told when an assertion has ended a packet, and not the process: no more calls should come
    to it, and those that do are refused.  *take* says whether a message is its own, before anything else is
    asked.  *transfers*: a far end may send us elsewhere.  *fronted*: all comes by way of a front.
    """

    def __init__(
        self,
        library: str,
        log: Callable[[str], None],
        shaken: Callable[[], None],
        *,
        transfers: bool = False,
        fronted: bool = False,
        take: Callable[[bytes], bool] = lambda packet: False,
        path: Path = COMPILED,
    ) -> None:
        self._log, self._shaken, self._transfers = log, shaken, transfers
        self._fronted, self._take = fronted, take
        self.pace = Pace()
        self._calls = _JUDGE(self._judge), _TELL(self._tell)
        """C keeps their addresses."""
        try:
            self._c: Any = ctypes.CDLL(str(path))
            opened = self._c.gate_open
            self._c.gate_learn.argtypes = c_char_p, c_char_p
            self._c.gate_dropped.restype = c_int64
            self._c.gate_disguise.argtypes = c_int, c_uint32, c_int
            self._c.gate_disguise.restype = c_bool
        except (OSError, AttributeError) as error:
            raise NoGate(f"its part in C cannot be loaded: {error}") from error
        opened.restype, opened.argtypes = c_char_p, (c_char_p, _JUDGE, _TELL)
        if missing := opened(library.encode(), *self._calls):
            raise NoGate(f"the library does not call {missing.decode()} as we know it")
        # Whom the front hears is for the front to bound: to us it is one source.
        self._c.gate_trust(fronted)

    def disguise(self, number: int, address: str, port: int) -> bool:
        """Have what the socket with file descriptor *number* gets from *address* seem to come from *port*.

        *port* 0: it is as it is.  Gives whether there was room.
        """
        return bool(self._c.gate_disguise(number, int(IPv4Address(address)), port))

    def speaker(self, number: int) -> int:
        """Give the port that really speaks to such a socket; 0: none has."""
        return int(self._c.gate_speaker(number))

    def _judge(self, message: Any, length: int, source: bytes, port: int, out: int, room: int) -> int:
        try:
            packet = ctypes.string_at(message, length)
            if self._take(packet):
                return 0
            more = {"transfers": self._transfers, "fronted": self._fronted}
            verdict = judge(packet, source.decode(), port, self.pace, **more)
            if not isinstance(verdict, Hand | Answer) or len(verdict.packet) > room:
                return 0
            ctypes.memmove(out, verdict.packet, len(verdict.packet))
            if isinstance(verdict, Answer):
                return -len(verdict.packet)
            for name in verdict.names:
                self._c.gate_learn(name.encode(), source)
            return len(verdict.packet)
        except Exception:
            self._log(f"a packet could not be judged, and is dropped: {format_exc()}")
            return 0

    def _tell(self, what: bytes, message: Any, length: int, survived: int) -> None:
        try:
            packet = masked(ctypes.string_at(message, length)) if length else "no packet"
            ends = "the packet was dropped, and no more calls are taken" if survived else "the process ends"
            said = what.decode("utf-8", "replace")
            self._log(f"the SIP library asserted, and {ends}: {said}; {packet}")
            if survived:
                self.pace.closed = True
                self._shaken()
        except Exception:
            self._log(f"an assertion could not be told: {format_exc()}")


def masked(packet: bytes) -> str:
    """Show a packet on one line, digits of numbers hidden and not too long: a log is read by many."""
    text = packet[:_SHOWN].decode("latin-1")
    hidden = "".join(
        "#" if one.isdigit() and text[at - 1 : at].isdigit() else one for at, one in enumerate(text)
    )
    return ascii(hidden)
