"""Bodies: each method has the kind that a worker needs, and all else is left out.

The library's own reader of multipart bodies reads beyond them (GHSA-x5pq-qrp4-fmrj), and it asserts on
an INFO whose `dtmf-relay` has no line end: no multipart body reaches it, and keys are written anew.
"""

import re

from ringful.media.engine.filter import sdp
from ringful.media.engine.filter.message import Message, Unfit
from ringful.media.engine.keypad.keys import key_in

_SDP = frozenset({"INVITE", "UPDATE", "PRACK", "ACK"})
_DURATION = re.compile(r"duration\s*=\s*([0-9]{1,5})(?![0-9])", re.IGNORECASE)
_FRAGMENT = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?![0-9])")


def clean(message: Message, source: str) -> Message:
    """Give *message* with a body that the library bears.  Raises Unfit."""
    written = message.one("content-type").partition(";")[0].strip().lower()
    method = message.method or message.one("cseq").split()[-1]
    body = message.body
    if message.is_request and method == "MESSAGE":
        return _text(message, written)
    if not body.strip("\r\n\0 "):
        return message.with_body("")
    if message.is_request and method == "INFO":
        return _info(message, written)
    if message.is_request and method == "NOTIFY":
        return _notify(message, written)
    if method in _SDP and (message.is_request or message.status < 300):
        return _session(message, written, source)
    return message.with_body("")


def _session(message: Message, kind: str, source: str) -> Message:
    body = message.body
    if kind.startswith("multipart/"):
        body = _part(message, "application/sdp")
    elif kind != "application/sdp" and not (not kind and body.startswith("v=")):
        if message.is_request and message.method == "INVITE" and kind:
            raise Unfit(415, "Unsupported Media Type")
        body = ""
    if not body:
        return message.with_body("")
    try:
        return message.with_body(sdp.clean(body, source), "application/sdp")
    except Unfit:
        if message.is_request and message.method != "ACK":
            raise
        return message.with_body("")


def _part(message: Message, wanted: str) -> str:
    """Give the part of a multipart body that is *wanted* (RFC 2046); empty where there is none."""
    found = re.search(r"boundary\s*=\s*(?:\"([^\"]{1,70})\"|([^\s;\"]{1,70}))", message.one("content-type"))
    if not found:
        return ""
    for part in ("\r\n" + message.body).split(f"\r\n--{found[1] or found[2]}")[1:20]:
        head, _, body = part.partition("\r\n\r\n")
        if re.search(rf"^content-type\s*:\s*{re.escape(wanted)}\s*(;|$)", head, re.IGNORECASE | re.MULTILINE):
            return body
    return ""


def _info(message: Message, kind: str) -> Message:
    """A key, in the one way in which the library reads it; of all else only its kind is kept."""
    key = key_in(kind, message.body)
    if key is None:
        return message.with_body("")
    duration = _DURATION.search(message.body)
    lasts = min(int(duration[1]), 10000) if duration else 160
    return message.with_body(f"Signal={key}\r\nDuration={lasts}\r\n", "application/dtmf-relay")


def _notify(message: Message, kind: str) -> Message:
    """How a transfer goes (RFC 3515): its status line, and no more."""
    found = _FRAGMENT.match(message.body.lstrip()) if kind == "message/sipfrag" else None
    if not found:
        return message.with_body("")
    return message.with_body(f"SIP/2.0 {found[1]} -\r\n", "message/sipfrag;version=2.0")


def _text(message: Message, kind: str) -> Message:
    """A text message, as it is: of other kinds, one (`im-iscomposing+xml`) is read by the library, as XML."""
    if kind.startswith("multipart/") or "xml" in kind:
        raise Unfit(415, "Unsupported Media Type")
    return message.with_body(message.body, message.one("content-type"))
