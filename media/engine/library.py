"""What is called in the loaded pjsua2 library by ctypes: plain C functions of its public interface.

The structures that are known here are `Frame` (pjmedia_frame) and `Words` (pj_str_t).  Whoever calls one
of these functions must be in the engine's thread.
"""

import ctypes
from ctypes import c_char_p, c_int, c_long, c_size_t, c_ssize_t, c_uint, c_uint64, c_void_p
from pathlib import Path
from typing import Any

FRAME_AUDIO = 1
"""PJMEDIA_FRAME_TYPE_AUDIO."""
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
