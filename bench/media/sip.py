"""As much SIP as a phone needs that answers every call at once (RFC 3261, over UDP), and its SDP.

Text in, text out; the socket is `far_end`'s.  It is for measuring on this machine: there are no other
headers, transports and codecs than ours here.
"""

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

KEYS = 101
"""The payload type of keys (RFC 4733) where an offer names none."""
_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}


@frozen
class Request:
    """A request; *headers* by their lower-case names, in order."""

    method: str
    uri: str
    headers: Mapping[str, Sequence[str]]
    body: str

    def header(self, name: str) -> str:
        """Give the first header of that name; empty where there is none."""
        return next(iter(self.headers.get(name, ())), "")

    @property
    def user(self) -> str:
        """Who is called."""
        return self.uri.partition(":")[2].partition("@")[0].partition(";")[0]

    @property
    def within(self) -> bool:
        """Whether it belongs to a call that was answered before."""
        return ";tag=" in self.header("to")


@frozen
class Offer:
    """Where the caller hears, and the payload type of its keys."""

    address: str
    port: int
    keys: int = KEYS


def read(data: bytes) -> Request | None:
    """Read a request; None for whatever else there is."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "SIP/2.0":
        return None
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(_SHORT.get(name, name), []).append(value.strip())
    return Request(words[0], words[1], headers, body)


def response(request: Request, status: str, tag: str, contact: str = "", sdp: str = "") -> bytes:
    """Answer *request* with *status*, as ``200 OK``; *tag* is ours in this call."""
    to = request.header("to")
    lines = [
        f"SIP/2.0 {status}",
        *(f"Via: {via}" for via in request.headers.get("via", ())),
        *(f"Record-Route: {route}" for route in request.headers.get("record-route", ())),
        f"From: {request.header('from')}",
        f"To: {to}" if ";tag=" in to else f"To: {to};tag={tag}",
        f"Call-ID: {request.header('call-id')}",
        f"CSeq: {request.header('cseq')}",
        *([f"Contact: <{contact}>"] if contact else []),
        *(["Content-Type: application/sdp"] if sdp else []),
        f"Content-Length: {len(sdp.encode())}",
    ]
    return "\r\n".join([*lines, "", sdp]).encode()


def bye(request: Request, tag: str, contact: str, branch: str) -> bytes:
    """End the call that *request*, an INVITE, has begun and that we answered with *tag* (RFC 3261, 15)."""
    target = re.search(r"<([^>]+)>", request.header("contact"))
    lines = [
        f"BYE {target[1] if target else request.header('contact')} SIP/2.0",
        f"Via: SIP/2.0/UDP {contact.partition(':')[2]};rport;branch=z9hG4bK{branch}",
        "Max-Forwards: 70",
        *(f"Route: {route}" for route in request.headers.get("record-route", ())),
        f"From: {request.header('to')};tag={tag}",
        f"To: {request.header('from')}",
        f"Call-ID: {request.header('call-id')}",
        "CSeq: 1 BYE",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answered(data: bytes) -> str:
    """Give the Call-ID of a final response; empty where it is none."""
    first, _, rest = data.decode("utf-8", "replace").partition("\r\n")
    call = re.search(r"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", rest, re.MULTILINE | re.IGNORECASE)
    return call[1] if call and re.match(r"SIP/2\.0 [2-6]", first) else ""


def offer_in(sdp: str) -> Offer | None:
    """Read where an offer of sound wants to hear; None where it offers none."""
    address = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    audio = re.search(r"^m=audio (\d+) RTP/AVP\b", sdp, re.MULTILINE)
    if not address or not audio:
        return None
    keys = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", sdp, re.MULTILINE | re.IGNORECASE)
    return Offer(address[1], int(audio[1]), int(keys[1]) if keys else KEYS)


def answer(address: str, port: int, rtcp: int, keys: int | None) -> str:
    """Give the SDP of a phone that hears µ-law at *port*, and keys as type *keys* (None: it has none)."""
    events = [] if keys is None else [f"a=rtpmap:{keys} telephone-event/8000", f"a=fmtp:{keys} 0-15"]
    lines = [
        "v=0",
        f"o=- {port} 1 IN IP4 {address}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0" + ("" if keys is None else f" {keys}"),
        f"a=rtcp:{rtcp} IN IP4 {address}",
        "a=rtpmap:0 PCMU/8000",
        *events,
        "a=ptime:20",
        "a=sendrecv",
    ]
    return "\r\n".join([*lines, ""])
