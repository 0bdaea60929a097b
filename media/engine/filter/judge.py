"""What is to become of a SIP message, before the library sees it.  Pure.

It is handed on, written anew with no more than a worker needs; or answered here, without the library
knowing of it; or left alone.  What is known not to be borne stands as rules in `sdp`, `headers`,
`addresses` and `bodies`; each has its test in tests/media/test_filter.py.
"""

import re

from attrs import evolve, frozen

from ringful.media.engine.filter import bodies, headers
from ringful.media.engine.filter.addresses import Names, uri, via
from ringful.media.engine.filter.message import Header, Message, Unfit, read, split
from ringful.media.engine.filter.pace import Pace

MOST = 3900
"""Bytes that may be handed on: the library holds 4,000."""
TAG = "ringful-refused"
"""The tag of To in what is answered here: the ACK to it is known by that."""
_METHODS = "INVITE, ACK, BYE, CANCEL, UPDATE, INFO, NOTIFY, REFER, MESSAGE, OPTIONS, PRACK"
_KNOWN = frozenset(_METHODS.split(", "))
_ANSWERED = _KNOWN - {"ACK"} | {"REGISTER", "SUBSCRIBE"}
"""Methods that responses may be to: ours."""
_OF_CALLS = frozenset({"BYE", "UPDATE", "PRACK", "INFO"})
"""Methods that are of a call, or of none."""


@frozen
class Hand:
    """Hand this on to the library."""

    packet: bytes
    names: tuple[str, ...] = ()
    """Names of hosts in it, which mean where it came from."""


@frozen
class Answer:
    """Answer with this, and forget it."""

    packet: bytes


@frozen
class Drop:
    """Leave it alone."""

    why: str


Verdict = Hand | Answer | Drop


def judge(
    packet: bytes, source: str, port: int, pace: Pace, *, transfers: bool = False, fronted: bool = False
) -> Verdict:
    """Judge a whole message from an address and a port.

    *transfers*: a far end may send us elsewhere; *fronted*: the SIP front says where it had it from.
    """
    names = Names(f"{source}:{port}")
    try:
        message = read(packet)
    except Unfit as unfit:
        # Without a request line nobody knows whether it wants an answer.
        return Drop(str(unfit))
    told = message.one("x-ringful-source").partition(":")[0]
    if fronted:
        source = told or source
    elif told:
        message = evolve(message, headers=[one for one in message.headers if one.key != "x-ringful-source"])
    try:
        return _judged(message, source, names, pace, transfers)
    except Unfit as unfit:
        return refuse(message, unfit.status, unfit.reason)


def _judged(message: Message, source: str, names: Names, pace: Pace, transfers: bool) -> Verdict:
    if message.is_request:
        if not message.uri:
            raise Unfit(400, "Bad Request Line")
        message = evolve(message, uri=uri(message.uri, names))
    message = headers.clean(_whole(message), names)
    if message.is_request:
        if verdict := _request(message, pace, transfers):
            return verdict
    elif reason := _response(message):
        return Drop(reason)
    message = bodies.clean(_with_contact(message, names), source)
    written = message.bytes()
    if len(written) > MOST:
        written = _shortened(message).bytes()
    if len(written) > MOST:
        raise Unfit(513, "Message Too Large")
    return Hand(written, tuple(sorted(names.found)))


def _whole(message: Message) -> Message:
    """Give *message* with as much of a body as it says that it has.  Raises Unfit where that is not there."""
    written = message.one("content-length")
    length = int(written) if re.fullmatch(r"[0-9]{1,7}", written) else len(message.body)
    if length > len(message.body):
        raise Unfit(400, "Cut Short")
    return evolve(message, body=message.body[:length])


def _request(message: Message, pace: Pace, transfers: bool) -> Verdict | None:
    """Say what becomes of a request that the library has no part in; None: it has."""
    method, within = message.method, message.within()
    if method == "ACK":
        # Without a tag it belongs to no answer of ours; the library asserts that there is one.
        return Drop("an ACK to nothing") if not within or TAG in message.one("to") else None
    if method in ("SUBSCRIBE", "PUBLISH"):
        return refuse(message, 489, "Bad Event")
    if method not in _KNOWN:
        return refuse(message, 405, "Method Not Allowed", f"Allow: {_METHODS}")
    if method in _OF_CALLS and not within:
        return refuse(message, 481, "Call/Transaction Does Not Exist")
    if method == "REFER" and not (within and transfers):
        # It would call whom a stranger names, at our expense; the library asserted on some.
        return refuse(message, 603, "Decline")
    if method == "NOTIFY" and not within:
        return refuse(message, 489, "Bad Event")
    if method in ("INVITE", "REFER", "UPDATE") and not message.one("contact"):
        raise Unfit(400, "Missing Contact")
    if method == "REFER" and not message.one("refer-to"):
        raise Unfit(400, "Missing Refer-To")
    if method == "INVITE" and not within:
        from_tag = message.one("from").partition(";tag=")[2]
        if not pace.admits((message.one("call-id"), from_tag, message.one("cseq"))):
            return refuse(message, 503, "Too Many Calls at Once", "Retry-After: 1")
    return None


def _response(message: Message) -> str:
    """Say why a response is not for us; empty where it is."""
    if message.one("cseq").split()[1] not in _ANSWERED:
        return "a response to what we never ask"
    if len(split(message.one("via"))) + sum(1 for _ in message.all("via")) != 2:
        return "a response that others are to have"
    return ""


def _with_contact(message: Message, names: Names) -> Message:
    """Where somebody accepts a call and does not say where he is, he is where it came from."""
    is_accepted = not message.is_request and message.status // 100 == 2
    if is_accepted and message.one("cseq").endswith(" INVITE") and not message.one("contact"):
        message.headers.append(Header("Contact", f"<sip:{names.source}>"))
    return message


_NEEDED = frozenset(
    {"via", "from", "to", "call-id", "cseq", "contact", "record-route", "max-forwards", "content-type"}
    | {"session-expires", "min-se", "require", "supported", "rseq", "rack", "allow", "event", "replaces"}
    | {"subscription-state", "refer-to", "www-authenticate", "proxy-authenticate", "p-asserted-identity"}
    | {"privacy", "retry-after", "remote-party-id", "p-called-party-id", "diversion", "history-info"}
    | {"x-ringful-source"}
)


def _shortened(message: Message) -> Message:
    """Give it without the headers that can be done without."""
    return evolve(message, headers=[one for one in message.headers if one.key in _NEEDED])


def refuse(message: Message, status: int, reason: str, *more: str) -> Verdict:
    """Answer a request here (RFC 3261, 8.2.6, 8.2.7); nothing answers an ACK, nor a response."""
    if not message.is_request or message.method == "ACK" or not status:
        return Drop(f"{status} {reason}")
    copied = [(one.name, one.value) for one in message.headers if one.key == "via"]
    try:
        # Whoever sends what cannot even be answered gets no answer.
        vias = [f"{name}: {via(one, Names(''))}" for name, value in copied for one in split(value)][:20]
        copy = {key: _echo(message.one(key)) for key in ("from", "to", "call-id", "cseq")}
    except Unfit as unfit:
        return Drop(str(unfit))
    if not vias or not all(copy.values()):
        return Drop(f"{status} {reason}")
    to = copy["to"] if message.within() else f"{copy['to']};tag={TAG}"
    lines = [
        f"SIP/2.0 {status} {reason}",
        *vias,
        f"From: {copy['from']}",
        f"To: {to}",
        f"Call-ID: {copy['call-id']}",
        f"CSeq: {copy['cseq']}",
        *more,
        "Content-Length: 0",
    ]
    packet = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return Answer(packet) if len(packet) <= MOST else Drop("an answer that is too long")


def _echo(value: str) -> str:
    if len(value) > 1000 or re.search(r"[\x00-\x1f\x7f]", value):
        raise Unfit(400, "Bad Header")
    return value
