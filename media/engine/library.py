"""What is called in the loaded pjsua2 library by ctypes: plain C functions of its public interface.

The structures that are known here are `Frame` (pjmedia_frame), `Words` (pj_str_t) and `Module`
(pjsip_module).  Whoever calls one of these functions must be in the engine's thread.
"""

import ctypes
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int, c_long, c_size_t, c_ssize_t, c_uint, c_uint64, c_void_p, cast
from pathlib import Path
from typing import Any

FRAME_AUDIO = 1
"""PJMEDIA_FRAME_TYPE_AUDIO."""
BEHIND_DIALOGS = 56
"""The priority of a module behind all that knows of calls, and before what takes any request (64)."""
AT_ONCE = 16
"""How many events one poll of an ioqueue handles at most."""


class Frame(ctypes.Structure):
    """pjmedia_frame."""

    _fields_ = (
        ("type", c_int),
        ("buf", c_void_p),
        ("size", c_size_t),
        ("timestamp", c_uint64),
        ("bit_info", ctypes.c_uint32),
    )


class Words(ctypes.Structure):
    """pj_str_t."""

    _fields_ = (("ptr", c_char_p), ("slen", c_ssize_t))


def words(text: str) -> Words:
    """Give *text* as the library wants it; it lives as long as what is given."""
    data = text.encode()
    return Words(data, len(data))


class Module(ctypes.Structure):
    """pjsip_module."""

    _fields_ = (
        ("prev", c_void_p),
        ("next", c_void_p),
        ("name", Words),
        ("id", c_int),
        ("priority", c_int),
        ("load", c_void_p),
        ("start", c_void_p),
        ("stop", c_void_p),
        ("unload", c_void_p),
        ("on_rx_request", c_void_p),
        ("on_rx_response", c_void_p),
        ("on_tx_request", c_void_p),
        ("on_tx_response", c_void_p),
        ("on_tsx_state", c_void_p),
    )


class Library:
    """The loaded library.  Raises AttributeError where a function is not there."""

    def __init__(self, path: str | Path) -> None:
        self.loaded = loaded = ctypes.CDLL(str(path))

        def declare(name: str, result: Any, *arguments: Any) -> Any:
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
            return function

        self.set_log_level = declare("pj_log_set_level", None, c_int)
        self.set_timers = declare("pjsip_tsx_set_timers", None, c_uint, c_uint, c_uint, c_uint)
        self.call_count = declare("pjsua_call_get_count", c_uint)
        self.max_calls = declare("pjsua_call_get_max_count", c_uint)
        self.bridge = declare("pjsua_set_no_snd_dev", c_void_p)
        """Take the bridge's clock away; gives its master port, which is to be asked for frames."""
        self.media_endpoint = declare("pjsua_get_pjmedia_endpt", c_void_p)
        self.stop_threads = declare("pjmedia_endpt_stop_threads", c_int, c_void_p)
        self.ioqueue = declare("pjmedia_endpt_get_ioqueue", c_void_p, c_void_p)
        self.poll = declare("pj_ioqueue_poll", c_int, c_void_p, ctypes.POINTER(c_long * 2))
        self.handle_events = declare("pjsua_handle_events", c_int, c_uint)
        self.get_frame = declare("pjmedia_port_get_frame", c_int, c_void_p, ctypes.POINTER(Frame))
        self.make_pool = declare("pjsua_pool_create", c_void_p, c_char_p, c_size_t, c_size_t)
        self.add_port = declare("pjsua_conf_add_port", c_int, c_void_p, c_void_p, ctypes.POINTER(c_int))
        self.connect = declare("pjsua_conf_connect", c_int, c_int, c_int)
        self.disconnect = declare("pjsua_conf_disconnect", c_int, c_int, c_int)

    def address(self, name: str) -> c_void_p:
        """Give the address of a function, for C to call it."""
        return ctypes.cast(getattr(self.loaded, name), c_void_p)


def declared(library: Library, name: str, result: Any, *arguments: Any) -> Any:
    """Give a function of the library.  Raises AttributeError where it is not there."""
    function = getattr(library.loaded, name)
    function.restype, function.argtypes = result, arguments
    return function


_OnMessage = ctypes.CFUNCTYPE(c_int, c_void_p)
_kept: list[object] = []
"""What the library has pointers to."""


def register(
    library: Library,
    name: str,
    priority: int,
    *,
    on_rx_request: Callable[[int], int] | None = None,
    on_tx_response: Callable[[int], int] | None = None,
) -> None:
    """Register a module.

    Of a request, 1 says that nobody else need look at it; of what is sent, 0 says that it may go.
    Raises AttributeError where the library is another than we know, OSError where it refuses.
    """
    endpoint = declared(library, "pjsua_get_pjsip_endpt", c_void_p)
    add = declared(library, "pjsip_endpt_register_module", c_int, c_void_p, c_void_p)
    module = Module(name=words(name), id=-1, priority=priority)
    for field, function in (("on_rx_request", on_rx_request), ("on_tx_response", on_tx_response)):
        if function is not None:
            made = _OnMessage(function)
            _kept.append(made)
            setattr(module, field, cast(made, c_void_p))
    _kept.append(module)
    if status := add(endpoint(), byref(module)):
        raise OSError(f"the library says {status}")
