"""What requests are answered with that nobody in the library wants: within a call, and outside of one.

Within a call it would say 500 to each, which some far ends take for the call's end.  Outside of one it
would say nothing.  Everything here but the decisions happens in the engine's thread.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_size_t,
    c_ssize_t,
    c_void_p,
    cast,
    create_string_buffer,
    string_at,
)
from typing import Any

from attrs import define, field, frozen

from ringful.media.engine.library import BEHIND_DIALOGS, Library, declared, register, words

_VERSION = b"2.15.1"
"""The library whose structures are known here."""

METHODS = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, REFER, MESSAGE"
_KEYS = ("application/dtmf-relay", "application/dtmf")
_NOT_OURS = frozenset({"INVITE", "ACK", "CANCEL", "OPTIONS", "MESSAGE"})
"""What others take outside of a call."""


@frozen
class Answer:
    """A final status, its reason phrase, and the headers that belong to it."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


OK = Answer(200, "OK")
NO_CALL = Answer(481, "Call/Transaction Does Not Exist")
NOT_ALLOWED = Answer(405, "Method Not Allowed", (("Allow", METHODS),))
BAD_EVENT = Answer(489, "Bad Event", (("Allow-Events", "refer"),))
BAD_PACKAGE = Answer(469, "Bad Info Package", (("Recv-Info", ""),))
BAD_KIND = Answer(415, "Unsupported Media Type", (("Accept", ", ".join(("application/sdp", *_KEYS))),))
CAPABILITIES = Answer(
    200, "OK", (("Allow", METHODS), ("Accept", "application/sdp"), ("Supported", "100rel, timer"))
)
NO_SOUND = Answer(488, "Not Acceptable Here")


def within(message: str) -> Answer:
    """Say what *message*, a request within a call that means nothing to us, is answered with.

    None of these ends a call (RFC 5057): whoever asks by OPTIONS whether it is up hears that it is (RFC
    3261, 11.2).  Of events we know that of our own REFER alone (RFC 6665, 4.1.3; RFC 3903, 6).  INFO with no
    body asks nothing, and one with a body of a kind that we do not read has 415, or 469 where it
    is one of a package (RFC 6086, 4.2.2).
    """
    match method_of(message):
        case "OPTIONS":
            return CAPABILITIES
        case "NOTIFY" | "SUBSCRIBE" | "PUBLISH":
            return BAD_EVENT
        case "INFO":
            head, _, body = message.partition("\r\n\r\n")
            if _has(head, "Info-Package"):
                return BAD_PACKAGE
            return BAD_KIND if body.strip() or _has(head, "Content-Type") or _has(head, "c") else OK
        case _:
            return NOT_ALLOWED


def outside(method: str) -> Answer | None:
    """Say what a request outside of a call is answered with; None: it is for others to answer.

    Nobody may subscribe to anything, or publish it, and whoever tells of what we never subscribed to hears
    that there is no such thing (RFC 6665, 4.1.3), as he does who names no call where there must be one
    (RFC 3261, 12.2.2).
    """
    if method in _NOT_OURS:
        return None
    match method:
        case "BYE" | "INFO" | "NOTIFY" | "PRACK" | "UPDATE":
            return NO_CALL
        case "SUBSCRIBE" | "PUBLISH":
            return BAD_EVENT
        case _:
            return NOT_ALLOWED


def _has(head: str, header: str) -> bool:
    return bool(re.search(rf"^{header}\s*:", head, re.IGNORECASE | re.MULTILINE))


def method_of(message: str) -> str:
    """Give the method of a request."""
    return message.partition(" ")[0]


class _Transmit(Structure):
    """pjsip_tx_data, as far as its message."""

    _fields_ = (
        ("prev", c_void_p),
        ("next", c_void_p),
        ("pool", c_void_p),
        ("between", c_void_p * 46),
        ("message", c_void_p),
    )


class _List(Structure):
    """pj_list: the head of a message's headers."""

    _fields_ = (("prev", c_void_p), ("next", c_void_p))


class _Response(Structure):
    """pjsip_msg where it is a response."""

    _fields_ = (
        ("type", c_int),
        ("aligned", c_int),
        ("status", c_int),
        ("reason", c_void_p),
        ("reason_length", c_ssize_t),
        ("rest_of_request", c_void_p),
        ("headers", _List),
    )


@define(eq=False)
class Answers:
    """Sees to it that every request has the answer that it ought to have."""

    log: Callable[[str], None]
    _asked: str = field(default="", init=False)
    """The request within a call that the library is handling, or has handled last."""
    _expected: bool = field(default=False, init=False)
    _calls: Any = field(default=None, init=False)

    def open(self, library: Library) -> None:
        """Answer from now on; where the library is another than we know, it goes on as it likes."""
        try:
            self._calls = _Calls(library)
            register(
                library,
                "ringful-answers",
                BEHIND_DIALOGS,
                on_rx_request=self._on_request,
                on_tx_response=self._on_response,
            )
        except (AttributeError, OSError) as error:
            self._calls = None
            self.log(f"requests that mean nothing to us are answered by the library alone: {error}")

    def hear(self, message: str, *, expected: bool) -> None:
        """Take a request within a call that the library is about to handle; was it *expected* by us?"""
        self._asked, self._expected = message, expected

    def _on_request(self, request: int) -> int:
        """See pjsip_module.on_rx_request: what comes here belongs to no call."""
        try:
            found = re.match(rb"Request msg ([^/ ]+)/", self._calls.info(request))
            answer = outside(found[1].decode("utf-8", "replace")) if found else None
            if answer is None:
                return 0
            self._calls.respond(request, answer)
        except Exception as error:
            self.log(f"a request outside of a call could not be answered: {error!r}")
        return 1

    def _on_response(self, data: int) -> int:
        """See pjsip_module.on_tx_response: what the library made is sent once this returns."""
        try:
            transmit = cast(data, POINTER(_Transmit)).contents
            response = cast(transmit.message, POINTER(_Response)).contents
            if response.status == 500:
                self._mend(transmit, response)
        except Exception as error:
            self.log(f"an answer could not be mended: {error!r}")
        return 0

    def _mend(self, transmit: Any, response: Any) -> None:
        """Make of the library's 500 what ought to be said."""
        match string_at(response.reason, response.reason_length):
            case b"Unhandled by dialog usages":
                answer = OK if self._expected else within(self._asked)
            case b"SDP negotiation failed":
                # So an INVITE within a call with no codec of ours; an UPDATE has 488 by itself.
                answer = NO_SOUND
            case _:
                return
        self._calls.change(transmit, response, answer)


class _Calls:
    """What is called in the library.  Raises AttributeError where it is another than we know."""

    def __init__(self, library: Library) -> None:
        if (found := declared(library, "pj_get_version", c_char_p)()) != _VERSION:
            raise AttributeError(f"it is {found.decode()}, and not {_VERSION.decode()}")
        self.info = declared(library, "pjsip_rx_data_get_info", c_char_p, c_void_p)
        self._endpoint = declared(library, "pjsua_get_pjsip_endpt", c_void_p)
        self._insert = declared(library, "pj_list_insert_before", None, c_void_p, c_void_p)
        self._header = declared(library, "pjsip_generic_string_hdr_create", c_void_p, *[c_void_p] * 3)
        self._pool = declared(
            library, "pjsip_endpt_create_pool", c_void_p, c_void_p, c_char_p, *[c_size_t] * 2
        )
        self._release = declared(library, "pjsip_endpt_release_pool", None, *[c_void_p] * 2)
        self._respond = declared(
            library, "pjsip_endpt_respond_stateless", c_int, *[c_void_p] * 2, c_int, *[c_void_p] * 3
        )
        self._phrases: dict[str, Any] = {}

    def change(self, transmit: Any, response: Any, answer: Answer) -> None:
        """Make *response* say what *answer* says."""
        # The library keeps a pointer to the phrase.
        phrase = self._phrases.setdefault(answer.reason, create_string_buffer(answer.reason.encode()))
        response.status = answer.status
        response.reason, response.reason_length = cast(phrase, c_void_p).value, len(answer.reason)
        self._add(transmit.pool, byref(response, _Response.headers.offset), answer)

    def respond(self, request: int, answer: Answer) -> None:
        """Answer a request, and forget it."""
        with self._lent_pool() as pool:
            headers = _List()
            headers.prev = headers.next = cast(byref(headers), c_void_p).value
            self._add(pool, byref(headers), answer)
            phrase = words(answer.reason)
            self._respond(self._endpoint(), request, answer.status, byref(phrase), byref(headers), None)

    def _add(self, pool: int, headers: Any, answer: Answer) -> None:
        for name, value in answer.headers:
            self._insert(headers, self._header(pool, byref(words(name)), byref(words(value))))

    @contextmanager
    def _lent_pool(self) -> Iterator[int]:
        pool = self._pool(self._endpoint(), b"answers", 1000, 1000)
        try:
            yield pool
        finally:
            self._release(self._endpoint(), pool)
