"""The mixer in C (`csrc/`): no Python in the sound's way.

The compiled library lies beside this module.  It is loaded by ctypes and needs nothing of Python, and no
header of pjproject: where the library keeps a port's functions is found out when a mixer is made.
"""

import ctypes
from collections import deque
from ctypes import (
    POINTER,
    c_bool,
    c_char_p,
    c_int,
    c_int32,
    c_int64,
    c_ssize_t,
    c_uint,
    c_uint32,
    c_uint64,
    c_void_p,
)
from mmap import mmap
from pathlib import Path
from typing import Any

from ringful.media import wav
from ringful.media.buses import BUS_BYTES
from ringful.media.engine.library import Library
from ringful.media.engine.mixer import CHANNELS, RING, Happened, Told

COMPILED = Path(__file__).with_name("libsound.so")
_HAPPENED: dict[int, Happened] = {1: "started", 2: "ended", 3: "speaks", 4: "silent", 5: "key"}
_REST_TICKS = 5
"""How long a voice is not lent again: the bridge asks a port once more after its call has gone."""


class NoNative(Exception):
    """Why sound cannot run in C here."""


class _Event(ctypes.Structure):
    _fields_ = (("id", c_int64), ("what", c_int32), ("port", c_int32))


def load(path: Path = COMPILED) -> Any:
    """Load the compiled part.  Raises NoNative."""
    try:
        loaded: Any = ctypes.CDLL(str(path))
        for name, result, *arguments in (
            ("buses_open", c_int, c_void_p, c_int),
            ("library_find", c_int, c_void_p, c_void_p, c_void_p),
            ("port_new", c_void_p),
            ("port_number", c_int, c_void_p),
            ("port_lend", None, c_void_p, c_bool),
            ("port_give_back", None, c_void_p),
            ("port_play", c_int, c_void_p, c_int, c_int64, c_void_p, c_int64),
            ("port_stop", c_int, c_void_p, c_int, c_int64),
            ("port_sit", None, c_void_p, c_int, c_int, c_uint32),
            ("port_hush", None, c_void_p, c_bool, c_bool, c_uint32),
            ("port_hear_keys", None, c_void_p, c_bool),
            ("port_listen", c_uint64, c_void_p, c_int),
            ("port_heard", c_int, c_void_p, c_uint64, c_void_p, c_void_p, c_int),
            ("port_get", c_int, c_void_p, c_void_p),
            ("port_put", c_int, c_void_p, c_void_p),
            ("ports_tick", None),
            ("ports_set_tick", None, c_uint64),
            ("events_take", c_uint, POINTER(_Event), c_uint),
            ("loop_open", None, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
            ("loop_run", c_uint, c_int, c_bool),
            ("loop_skipped", c_int64),
            ("loop_ticks", c_int64),
            ("events_tap", c_int, c_void_p),
            ("rtp_event_in", c_bool, c_char_p, c_ssize_t, c_void_p),
            ("rtp_events_take", c_uint, c_void_p, c_uint),
        ):
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise NoNative(f"its part in C cannot be loaded: {error}") from error
    return loaded


def address_of(samples: memoryview) -> int:
    """Give where *samples*, which must be writable, lie."""
    return ctypes.addressof(ctypes.c_char.from_buffer(samples))


class NativeVoice:
    """See `mixer.Voice`."""

    def __init__(self, mixer: "NativeMixer", port: int, slot: int) -> None:
        self._mixer, self._c, self._port, self._slot = mixer, mixer.c, port, slot
        self._alone = False
        self._told: Told | None = None
        self._playing: dict[tuple[int, int], memoryview] = {}
        """What C reads must stay where it is."""

    @property
    def slot(self) -> int:
        """See `mixer.Voice.slot`."""
        return -1 if self._alone else self._slot

    def lend(self, told: Told, *, alone: bool) -> "NativeVoice":
        """Be somebody's."""
        self._told, self._alone = told, alone
        self._c.port_lend(self._port, alone)
        return self

    def play(self, channel: int, number: int, samples: memoryview) -> bool:
        """See `mixer.Voice.play`."""
        count = samples.nbytes // 2
        if not count or self._c.port_play(self._port, channel, number, address_of(samples), count):
            return False
        self._playing[channel, number] = samples
        return True

    def stop(self, channel: int, number: int) -> None:
        """See `mixer.Voice.stop`."""
        self._c.port_stop(self._port, channel, number)
        self._playing.pop((channel, number), None)

    def sit(self, bus: int, seat: int, sitting: int = 0) -> None:
        """See `mixer.Voice.sit`."""
        self._c.port_sit(self._port, bus, seat, sitting)

    def stand(self) -> None:
        """See `mixer.Voice.stand`."""
        self._c.port_sit(self._port, -1, -1, 0)

    def hush(self, *, muted: bool, deaf: bool, to: int = 0) -> None:
        """See `mixer.Voice.hush`."""
        self._c.port_hush(self._port, muted, deaf, to)

    def hear_keys(self, *, on: bool) -> None:
        """See `mixer.Voice.hear_keys`."""
        self._c.port_hear_keys(self._port, on)

    def listen(self) -> int:
        """See `mixer.Voice.listen`."""
        return int(self._c.port_listen(self._port, 1))

    def unlisten(self) -> None:
        """See `mixer.Voice.unlisten`."""
        self._c.port_listen(self._port, -1)

    def heard(self, since: int) -> tuple[bytes, list[int]]:
        """See `mixer.Voice.heard`."""
        parts: list[bytes] = []
        energy: list[int] = []
        while True:
            samples, powers = self._mixer.samples, self._mixer.powers
            count = self._c.port_heard(self._port, since + len(energy), samples, powers, RING)
            parts.append(ctypes.string_at(samples, count * wav.FRAME_BYTES))
            energy += powers[:count]
            if count < RING:
                return b"".join(parts), energy

    def happened(self, what: int, number: int) -> None:
        """Tell what C says."""
        if _HAPPENED[what] == "ended":
            for channel in range(CHANNELS):
                self._playing.pop((channel, number), None)
        if self._told:
            self._told(_HAPPENED[what], number)

    def give_back(self) -> None:
        """See `mixer.Voice.give_back`."""
        if self._told is None:
            return
        self._told = None
        self._c.port_give_back(self._port)
        self._playing.clear()
        self._mixer.rest(self)


class NativeMixer:
    """See `mixer.Mixer`.  Raises NoNative where it cannot be."""

    def __init__(self, library: Library, buses: mmap | None) -> None:
        self.c = load()
        found = self.c.library_find(
            *(library.address(f"pjmedia_port_{name}") for name in ("get_frame", "put_frame", "info_init"))
        )
        if found < 0:
            raise NoNative("the library's ports are not as this version knows them")
        self._library, self._buses = library, buses
        if buses is not None:
            memory = ctypes.addressof(ctypes.c_char.from_buffer(buses))
            if self.c.buses_open(memory, len(buses) // BUS_BYTES):
                raise NoNative("there is no memory for the sums of the buses")
        self.samples = (ctypes.c_char * (RING * wav.FRAME_BYTES))()
        self.powers = (c_int64 * RING)()
        self._events = (_Event * 256)()
        self._pool = library.make_pool(b"sound", 4000, 4000)
        self._voices: dict[int, NativeVoice] = {}
        self._free: list[NativeVoice] = []
        self._resting: deque[tuple[int, NativeVoice]] = deque()
        endpoint = library.media_endpoint()
        bridge = library.bridge()
        library.stop_threads(endpoint)
        self.c.loop_open(
            library.address("pjsua_handle_events"),
            library.address("pj_ioqueue_poll"),
            library.ioqueue(endpoint),
            library.address("pjmedia_port_get_frame"),
            bridge,
        )

    def lend(self, told: Told, *, alone: bool = False) -> NativeVoice:
        """See `mixer.Mixer.lend`."""
        while self._resting and self._resting[0][0] <= self.c.loop_ticks():
            self._free.append(self._resting.popleft()[1])
        voice = self._free.pop() if self._free else self._make()
        return voice.lend(told, alone=alone)

    def _make(self) -> NativeVoice:
        port, slot = self.c.port_new(), c_int(-1)
        if not port:
            raise MemoryError("no more sound ports can be made")
        if status := self._library.add_port(self._pool, port, ctypes.byref(slot)):
            raise MemoryError(f"the bridge takes no more ports ({status})")
        voice = self._voices[self.c.port_number(port)] = NativeVoice(self, port, slot.value)
        return voice

    def rest(self, voice: NativeVoice) -> None:
        """Take a voice back."""
        self._resting.append((self.c.loop_ticks() + _REST_TICKS, voice))

    def run(self, milliseconds: int, *, ticking: bool) -> None:
        """See `mixer.Mixer.run`."""
        if self.c.loop_run(milliseconds, ticking):
            self._tell()

    def _tell(self) -> None:
        while count := self.c.events_take(self._events, len(self._events)):
            for event in self._events[:count]:
                self._voices[event.port].happened(event.what, event.id)

    @property
    def skipped(self) -> int:
        """See `mixer.Mixer.skipped`."""
        return int(self.c.loop_skipped())
