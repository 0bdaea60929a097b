"""Modules of ours in the library's SIP stack (pjsip_module), by ctypes: they see what it receives or sends.

A module that has been registered is called for as long as this process lives, in the engine's thread.
"""

from collections.abc import Callable
from ctypes import CFUNCTYPE, Structure, byref, c_int, c_void_p, cast
from typing import Any

from ringful.media.engine.library import Library, Words

BEFORE_DIALOGS = 24
"""Behind the library's module for transactions (16), which knows what has been answered, and before that
for dialogs (32)."""
BEHIND_DIALOGS = 56
"""Behind all that knows of calls, and before what takes any request (64)."""

_OnMessage = CFUNCTYPE(c_int, c_void_p)


def words(text: str) -> Words:
    """Give *text* as the library wants it; it lives as long as what is given."""
    data = text.encode()
    return Words(data, len(data))


class Module(Structure):
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


def declared(library: Library, name: str, result: Any, *arguments: Any) -> Any:
    """Give a function of the library.  Raises AttributeError where it is not there."""
    function = getattr(library.loaded, name)
    function.restype, function.argtypes = result, arguments
    return function


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
