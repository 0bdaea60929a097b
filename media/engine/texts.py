"""Text messages by SIP MESSAGE (RFC 3428): those that go out, and those that come in.

The library would acknowledge each message before anybody has it.  So a module of our own stands before the
library's: it keeps what came until the node says how to answer it.  Whoever sent it sends it again every few
seconds meanwhile, and believes that it has not arrived until we say so.

Everything here happens in the engine's thread.
"""

import re
import time
from codecs import lookup
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p
from typing import Any, TypeAlias

from attrs import define, field, frozen

from ringful.media.engine.library import Library, Words, register
from ringful.media.engine.parties.invite import offer_of

MOST_HELD = 32
"""Messages that are kept without an answer; more are not heard, and come again."""
_COMPLAIN_SECONDS = 10.0
_NEVER_LEFT = ("Connection refused", "No route to host", "Network is unreachable")
"""What the system says of a connection that did not come to be, so that nothing went by it."""
_BEFORE_THE_LIBRARYS = 24
"""The priority of our module: behind the library's for transactions (16), which knows what has been answered,
and before those for dialogs (32), which would acknowledge a text within a call, and for texts (64)."""
_MESSAGE = b"Request msg MESSAGE/"
_INFO = b"Request msg INFO/"

_CHARSET = re.compile(
    r"^(?:Content-Type|c)\s*:[^\r\n]*;\s*charset\s*=\s*\"?(us-ascii|iso-8859-\d+|windows-125\d|utf-16(?:le|be)?)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""Others than UTF-8; of all that Python calls a codec, these are character sets for certain."""

Tell: TypeAlias = Callable[[dict[str, Any]], None]


@frozen
class _Came:
    """What the library read of the message that is just coming in."""

    message: str
    kind: str
    body: str


@define
class Inbox:
    """Messages that came in and have no answer yet.

    *tell* tells the node of each; *soon* does a thing at the engine's next step.
    """

    tell: Tell
    soon: Callable[[Callable[[], None]], None]
    log: Callable[[str], None]
    on_info: Callable[[str, str], bool] = lambda message, body: False
    """Takes an INFO and its body, and says whether it was for us: it is answered 200 then."""
    _held: dict[str, tuple[c_void_p, str]] = field(factory=dict)
    """By the name that we gave it: the library's copy of the request, and its text."""
    _count: int = 0
    _came: _Came | None = None
    _complained: float = -_COMPLAIN_SECONDS
    _calls: Any = None

    def open(self, library: Library) -> None:
        """Take all messages that come in from now on.

        Where the library is another than we know, it goes on to acknowledge them by itself.
        """
        try:
            calls = _Calls(library.loaded)
            register(library, "ringful-texts", _BEFORE_THE_LIBRARYS, on_rx_request=self._on_request)
        except (AttributeError, OSError) as error:
            self.log(f"texts that come in are acknowledged before they are kept: {error}")
        else:
            self._calls = calls

    def came(self, message: str, kind: str, body: str) -> None:
        """Take what the library has read."""
        self._came = _Came(message, kind, body)
        if self._calls is None:
            # It has said 200 already.
            self._offer(self._came, None)

    def _on_request(self, request: int) -> int:
        """See pjsip_module.on_rx_request: 1 says that nobody else need look at it."""
        try:
            kind = self._calls.info(request)
            if kind.startswith(_INFO):
                return self._take_info(request)
            if not kind.startswith(_MESSAGE):
                return 0
            self._take(request)
        except Exception as error:
            self.log(f"a text that came in could not be read: {error!r}")
        return 1

    def _take(self, request: int) -> None:
        if len(self._held) >= MOST_HELD:
            return
        came = self._read(request)
        if came.message and any(text == came.message for _, text in self._held.values()):
            return  # It comes once more, since it has had no answer yet.
        copy = c_void_p()
        if status := self._calls.clone(request, 0, byref(copy)):
            self.log(f"a text that came in could not be kept: the library says {status}")
            return
        self._offer(came, copy)

    def _read(self, request: int) -> _Came:
        self._came = None
        nobody = Words(b"<sip:0>", 7)
        # It reads the message, and ends in `came`; whom it is from we read ourselves.
        self._calls.read(-1, byref(nobody), byref(nobody), request)
        # That somebody is writing, the library takes for itself: it has no text.
        return self._came or _Came("", "", "")

    def _take_info(self, request: int) -> int:
        came = self._read(request)
        if not self.on_info(came.message, came.body):
            return 0
        # The transaction that this makes answers it again where it comes again.
        if failed := self._calls.respond(self._calls.endpoint(), None, request, 200, None, None, None, None):
            self._complain(failed)
        return 1

    def _offer(self, came: _Came, copy: c_void_p | None) -> None:
        self._count += 1
        name = f"in-{self._count}"
        if copy is not None:
            self._held[name] = copy, came.message
        if status := why_not(came.message, came.kind):
            # A final answer is given outside the library's callbacks.
            self.soon(lambda: self.answer(name, status))
            return
        offer = offer_of(came.message)
        body = decoded(came.body, came.message)
        told = {"text": name, "sender": offer.caller, "number": offer.called, "body": body}
        self.tell({"is": "TextOffered", **told})

    def answer(self, name: str, status: int) -> None:
        """Answer a message that came in."""
        copy, _ = self._held.pop(name, (None, ""))
        if copy is None:
            return
        try:
            if failed := self._calls.respond(
                self._calls.endpoint(), None, copy, status, None, None, None, None
            ):
                self._complain(failed)
        finally:
            self._calls.free(copy)

    def _complain(self, status: int) -> None:
        """Say that an answer could not be given, but not each time: strangers can make that happen."""
        if (now := time.monotonic()) - self._complained > _COMPLAIN_SECONDS:
            self._complained = now
            self.log(f"a text that came in could not be answered: the library says {status}")


class _Calls:
    """What is called in the library.  Raises AttributeError where a function is not there."""

    def __init__(self, loaded: Any) -> None:
        words = POINTER(Words)

        def declare(name: str, result: Any, *arguments: Any) -> Any:
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
            return function

        self.endpoint = declare("pjsua_get_pjsip_endpt", c_void_p)
        self.info = declare("pjsip_rx_data_get_info", c_char_p, c_void_p)
        self.read = declare("pjsua_im_process_pager", c_int, c_int, words, words, c_void_p)
        self.clone = declare("pjsip_rx_data_clone", c_int, c_void_p, c_uint, POINTER(c_void_p))
        self.free = declare("pjsip_rx_data_free_cloned", c_int, c_void_p)
        self.respond = declare("pjsip_endpt_respond", c_int, *[c_void_p] * 3, c_int, *[c_void_p] * 4)


def why_not(message: str, kind: str) -> int:
    """Give the status that refuses a message, or 0 where it is to be taken."""
    head, body = _split(message)
    # Where there is no body, the library looks for no kind of it.
    if (kind.lower() or _kind(head)) != "text/plain":
        return 415
    said = re.search(r"^(?:Content-Length|l)\s*:\s*(\d+)", head, re.IGNORECASE | re.MULTILINE)
    # The library cuts what is longer than its buffer of 4,000 bytes, and would say nothing of it.
    return 513 if said and int(said[1]) > len(body.encode("utf-8", "surrogateescape")) else 0


def decoded(body: str, message: str) -> str:
    """Read a body as its character set says, or as UTF-8; what is none has U+FFFD in its place.

    *body* is what SWIG makes of bytes: UTF-8, and surrogates for what cannot be that.
    """
    said = _CHARSET.search(_split(message)[0])
    try:
        charset = lookup(said[1] if said else "utf-8").name
    except LookupError:
        charset = "utf-8"
    return body.encode("utf-8", "surrogateescape").decode(charset, "replace")


def _kind(head: str) -> str:
    said = re.search(r"^(?:Content-Type|c)\s*:\s*([\w./+-]+)", head, re.IGNORECASE | re.MULTILINE)
    return said[1].lower() if said else ""


def _split(message: str) -> tuple[str, str]:
    head, *body = re.split(r"\r?\n\r?\n", message, maxsplit=1)
    return head, "".join(body)


@define
class Outbox:
    """Messages that were sent and of which nothing has been heard; *tell* tells the node the outcome of each.

    A token is known by its address, which is what the library gives back.
    """

    tell: Tell
    _sent: dict[int, tuple[str, object]] = field(factory=dict)

    def note(self, name: str, address: int, token: object) -> None:
        """Keep *token*, which lies at *address*, for as long as *name* is under way."""
        self._sent[address] = name, token

    def heard(self, address: int, status: int, reason: str, *, answered: bool) -> None:
        """Take what came of a message: *answered* is whether the far end itself said it."""
        name, _ = self._sent.pop(address, ("", None))
        if name:
            self.tell(outcome(name, status, reason, answered=answered))

    def failed(self, address: int, status: int, reason: str) -> None:
        """Take that a message could not be sent at all, where it has not been told as its outcome."""
        name, _ = self._sent.pop(address, ("", None))
        if name:
            self.tell(_told(name, "unsent", status, reason))


def outcome(name: str, status: int, reason: str, *, answered: bool) -> dict[str, Any]:
    """Give the message that tells what became of one."""
    if answered:
        return _told(name, "answered", status, reason)
    if "PJSIP_EMSGTOOLONG" in reason:
        return _told(name, "answered", 513, "too long for one SIP message")
    never = any(reason.startswith(one) for one in _NEVER_LEFT) or "PJSIP_EUNSUPTRANSPORT" in reason
    return _told(name, "unsent" if never else "unknown", status, reason)


def _told(name: str, kind: str, status: int, reason: str) -> dict[str, Any]:
    return {"is": "TextSent", "text": name, "kind": kind, "status": status, "reason": reason}
