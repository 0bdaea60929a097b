"""The packets of telephone-events that come (`csrc/events.c`), before the library judges them.

The library hears no key whose packets came in the wrong order, or under the number that the far end
itself gave to telephone-events, and not the end alone of a key like the one before.  Where its transports
are not as we know them there is no tap, and its own word must do (`leg.Leg.onDtmfEvent`).
"""

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_int, c_uint, c_void_p
from random import randrange
from typing import Any

from ringful.media.engine.keypad.keys import Packet
from ringful.media.engine.library import Library, Words
from ringful.media.engine.native import NoNative, load

_AT_ONCE = 64
_TRIES = 20
_LOOPBACK = b"127.0.0.1"


class _Event(Structure):
    """rtp_event of `csrc/sound.h`."""

    _fields_ = (
        ("stream", c_void_p),
        ("source", ctypes.c_uint32),
        ("timestamp", ctypes.c_uint32),
        ("duration", ctypes.c_uint16),
        ("event", ctypes.c_uint8),
        ("is_end", c_bool),
    )


class _Transport(Structure):
    """pjmedia_transport, as far as closing one needs it."""

    _fields_ = (("name", ctypes.c_char * 32), ("type", c_int), ("operations", POINTER(c_void_p)))


_DESTROY = 11
_destroyer = ctypes.CFUNCTYPE(c_int, c_void_p)


class Events:
    """The tap of this process.  Raises NoNative where it cannot be."""

    def __init__(self, library: Library) -> None:
        self._c = load()
        self._room = (_Event * _AT_ONCE)()
        try:
            self._tap(library)
        except AttributeError as error:
            raise NoNative(f"the library's transports are not as this version knows them: {error}") from error

    def _tap(self, library: Library) -> None:
        """Find the library's two kinds of transport by making one of each."""
        create, secure = (
            getattr(library.loaded, f"pjmedia_transport_{name}") for name in ("udp_create3", "srtp_create")
        )
        endpoint = c_void_p(library.media_endpoint())
        udp, srtp = c_void_p(), c_void_p()
        host = Words(_LOOPBACK, len(_LOOPBACK))
        for _ in range(_TRIES):
            at = 2 * randrange(5_000, 32_000)
            if not create(endpoint, 2, c_char_p(b"keys"), byref(host), c_int(at), c_uint(0), byref(udp)):
                break
        else:
            raise NoNative("there is no free port to try the library's transports on")
        known = self._c.events_tap(udp)
        if secure(endpoint, udp, None, byref(srtp)):
            close(udp)
        else:
            known = known or self._c.events_tap(srtp)
            close(srtp)
        if known:
            raise NoNative("the library's transports are not as this version knows them")

    def take(self) -> Iterator[tuple[int, Packet]]:
        """Give what has come: the address of the stream, and the packet."""
        while count := self._c.rtp_events_take(self._room, _AT_ONCE):
            for one in self._room[:count]:
                packet = Packet(one.source, one.timestamp, one.event, one.duration, one.is_end)
                yield int(one.stream), packet


def close(transport: Any) -> None:
    """Close a transport, and what it stands on."""
    made = ctypes.cast(transport, POINTER(_Transport)).contents
    _destroyer(made.operations[_DESTROY])(transport)
