"""Hostile SIP, from a seed: the same packets each time.

`Dialog` writes messages that are right; `mutate` spoils them, byte by byte or by what they are made of.
"""

import random
from collections.abc import Iterator

from attrs import define

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)
IN_DIALOG = ("INVITE", "UPDATE", "INFO", "NOTIFY", "REFER", "MESSAGE", "OPTIONS", "PRACK", "ACK", "SUBSCRIBE")
OUTSIDE = ("OPTIONS", "MESSAGE", "REGISTER", "NOTIFY", "CANCEL", "ACK", "BYE", "PUBLISH", "INFO", "UPDATE")
STATUSES = (100, 180, 183, 199, 200, 200, 202, 301, 302, 400, 401, 407, 408, 420, 422, 481, 486, 488, 491)
STATUSES += (500, 503, 603, 699)
_BODIES = {
    "INFO": [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
        ("application/dtmf-relay", "Signal=5"),
        ("application/dtmf", "5"),
        ("application/media_control+xml", "<media_control/>"),
    ],
    "NOTIFY": [
        ("message/sipfrag;version=2.0", "SIP/2.0 180 Ringing\r\n"),
        ("application/pidf+xml", "<presence/>"),
    ],
    "MESSAGE": [("text/plain", "hello"), ("application/im-iscomposing+xml", "<isComposing/>")],
}
_LINES = [
    "Contact: <sip:x@host.invalid>",
    "Contact: *",
    'From: "unbalanced <sip:x@y>;tag=1',
    "To: <sip:x@y",
    "Via: SIP/2.0/TCP host.invalid:99999;branch=",
    "Via: SIP/2.0/UDP [::1]:5060;branch=z9hG4bK1;maddr=host.invalid;rport=77777;ttl=999",
    "Record-Route: <sip:host.invalid;lr>, <sip:[::1];lr>, <sip:1.2.3.4;transport=sctp>",
    "Route: <sip:host.invalid;lr>",
    "CSeq: 4294967296 INVITE",
    "CSeq: 99999999999999999999 ACK",
    "Content-Length: 99999",
    "Content-Length: -1",
    "Content-Type: multipart/mixed;boundary=x",
    "Content-Type: multipart/mixed",
    "Content-Type: /",
    "Max-Forwards: 0",
    "Max-Forwards: 99999999999",
    "Expires: 99999999999999",
    "Session-Expires: 1;refresher=",
    "Session-Expires: 90;refresher=uac",
    "Min-SE: 4294967295",
    "Require: 100rel, timer, replaces, nothing",
    "Supported: " + ", ".join(["x"] * 80),
    "Allow: " + ", ".join(["INVITE"] * 80),
    "Replaces: a;from-tag=;to-tag=",
    "RAck: 4294967296 1 INVITE",
    "RSeq: 99999999999",
    "Event: presence",
    "Event: refer;id=99999999999",
    "Subscription-State: terminated;reason=x;retry-after=99999999999",
    "Refer-To: <sip:x@host.invalid?Replaces=a%3Bto-tag%3D1>",
    "Refer-To: <tel:;;;>",
    'WWW-Authenticate: Digest realm="' + "r" * 500 + '", nonce="n", algorithm=SHA-256, qop="auth,auth-int"',
    'Proxy-Authenticate: Digest realm="", nonce=""',
    "Proxy-Authenticate: Basic",
    "Retry-After: 99999999999 (x);duration=-1",
    "X-Long: " + "x" * 3000,
    "P-Asserted-Identity: <sip:\xff\xfe@x>",
    "\x00\x01: \x02",
    ": no name",
    "No colon",
]
_SDP_LINES = [
    "m=video 0 RTP/AVP 34",
    "m=audio 99999 RTP/AVP 0",
    "m=audio 4000/2 RTP/SAVP 0 999 -1",
    "m=image 4000 udptl t38",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "m=audio 4000 RTP/AVP",
    "m=",
    "c=IN IP4 host.invalid",
    "c=IN IP4 224.0.0.1/127/3",
    "c=IN IP6 ::1",
    "c=IN IP4 0.0.0.0",
    "c=",
    "o=x",
    "b=AS:99999999999999",
    "t=",
    "a=ptime:0",
    "a=ptime:65535",
    "a=maxptime:1",
    "a=rtpmap:0 PCMU/0",
    "a=rtpmap:101 telephone-event/99999999999",
    "a=rtpmap:127 X/8000/255",
    "a=fmtp:101 " + "0-999," * 60,
    "a=fmtp:101",
    "a=rtcp:99999 IN IP4 host.invalid",
    "a=rtcp-mux",
    "a=inactive",
    "a=sendonly",
    "a=ice-ufrag:" + "u" * 600,
    "a=ice-pwd:" + "p" * 600,
    "a=candidate:1 1 UDP 2130706431 host.invalid 99999 typ host",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 600,
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x",
    "a=fingerprint:sha-256 00",
    "a=" + "x" * 2000,
]
_ODD = [
    "",
    "0",
    "-1",
    "65536",
    "4294967296",
    "99999999999999999999",
    "\x00",
    "\xff\xfe",
    "%00",
    "%",
    '"',
    "<",
    ">",
]
_ODD += [
    "host.invalid",
    "[::1]",
    "256.256.256.256",
    ";" * 40,
    "," * 40,
    " " * 400,
    "A" * 300,
    "\r\n",
    "\t",
    "sip:",
]


@define
class Dialog:
    """A call as one side of it writes it."""

    rnd: random.Random
    me: str
    to: str
    user: str = "18005550000"
    call_id: str = ""
    tag: str = ""
    far_tag: str = ""
    cseq: int = 1
    branch: str = ""
    rtp: int = 40000

    def __attrs_post_init__(self) -> None:
        self.call_id = self.call_id or f"{self.rnd.getrandbits(64):x}"
        self.tag = self.tag or f"{self.rnd.getrandbits(32):x}"

    def request(self, method: str, kind: str = "", body: str = "") -> bytes:
        """Write a request of this call."""
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
            self.branch = f"z9hG4bK{self.rnd.getrandbits(48):x}"
        far = f";tag={self.far_tag}" if self.far_tag else ""
        more = {
            "REFER": ["Refer-To: <sip:1999@127.0.0.1:9>"],
            "NOTIFY": ["Event: refer", "Subscription-State: active"],
            "SUBSCRIBE": ["Event: presence", "Expires: 0"],
            "PUBLISH": ["Event: presence"],
            "PRACK": [f"RAck: 1 {self.cseq} INVITE"],
        }.get(method, [])
        lines = [
            f"{method} sip:{self.user}@{self.to} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.me};branch={self.branch};rport",
            "Max-Forwards: 70",
            f'From: "Far" <sip:+15125550100@{self.me}>;tag={self.tag}',
            f"To: <sip:{self.user}@{self.to}>{far}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:far@{self.me}>",
            "Supported: timer, 100rel",
            *more,
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body.encode('latin-1'))}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")

    def any(self, method: str) -> bytes:
        """Write a request with a body that belongs to it."""
        if method in ("INVITE", "UPDATE", "PRACK") and self.rnd.random() < 0.8:
            return self.request(method, "application/sdp", self.sdp)
        kind, body = self.rnd.choice(_BODIES.get(method, [("", "")]))
        return self.request(method, kind, body)

    @property
    def sdp(self) -> str:
        return SDP.format(port=self.rtp)


def answer(rnd: random.Random, request: bytes, me: str, status: int, tag: str, rtp: int) -> bytes:
    """Write a response to a request of the worker's."""
    head = request.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
    copied = [one for one in head[1:] if one.split(":")[0].lower() in ("via", "from", "call-id", "cseq")]
    to = next((one for one in head if one.lower().startswith("to:")), "To: <sip:x@y>")
    body = SDP.format(port=rtp) if status in (183, 200) and request.startswith(b"INVITE") else ""
    more = []
    if status in (401, 407):
        name = "WWW" if status == 401 else "Proxy"
        more = [f'{name}-Authenticate: Digest realm="far", nonce="{rnd.getrandbits(64):x}", algorithm=MD5']
    if status == 422:
        more = ["Min-SE: 90"]
    lines = [
        f"SIP/2.0 {status} Whatever",
        *copied,
        to if ";tag=" in to else f"{to};tag={tag}",
        f"Contact: <sip:far@{me}>",
        *more,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def mutate(packet: bytes, rnd: random.Random) -> bytes:
    """Spoil *packet* in one of many ways."""
    kind = rnd.random()
    if kind < 0.1:
        return packet
    if kind < 0.4:
        return _bytes(packet, rnd)
    return _structure(packet, rnd)


def _bytes(packet: bytes, rnd: random.Random) -> bytes:
    spoilt = bytearray(packet)
    for _ in range(rnd.randint(1, 8)):
        if not spoilt:
            return b"x"
        at, kind = rnd.randrange(len(spoilt)), rnd.random()
        if kind < 0.4:
            spoilt[at] = rnd.randrange(256)
        elif kind < 0.6:
            del spoilt[at : at + rnd.randint(1, 30)]
        elif kind < 0.8:
            odd = b'\r\n:;<>"@, %\x00\xff0123456789'
            spoilt[at:at] = bytes(rnd.choice(odd) for _ in range(rnd.randint(1, 20)))
        else:
            frm = rnd.randrange(len(spoilt))
            spoilt[at:at] = spoilt[frm : frm + rnd.randint(1, 200)]
    return bytes(spoilt)


def _structure(packet: bytes, rnd: random.Random) -> bytes:
    head, _, body = packet.decode("latin-1").partition("\r\n\r\n")
    lines, said = head.split("\r\n"), body.split("\r\n")
    for _ in range(rnd.randint(1, 4)):
        if body and rnd.random() < 0.5:
            _spoil(said, _SDP_LINES, rnd, 0)
        else:
            _spoil(lines, _LINES, rnd, 1)
    body = "\r\n".join(said)
    if rnd.random() < 0.8:
        kept = [one for one in lines if not one.lower().startswith("content-length: ") or "9999" in one]
        lines = [*kept, f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def _spoil(lines: list[str], others: list[str], rnd: random.Random, first: int) -> None:
    if len(lines) <= first:
        return
    at, kind = rnd.randrange(first, len(lines)), rnd.random()
    if kind < 0.25:
        lines.insert(at, rnd.choice(others))
    elif kind < 0.45:
        same = [one for one in others if one[:4] == lines[at][:4]]
        lines[at] = rnd.choice(same or others)
    elif kind < 0.6:
        del lines[at]
    elif kind < 0.7:
        lines.insert(at, lines[at])
    elif kind < 0.75:
        lines[at:at] = [lines[at]] * rnd.choice((5, 40, 150))
    else:
        line = lines[at]
        place = rnd.randrange(len(line) + 1)
        lines[at] = line[:place] + rnd.choice(_ODD) + line[place + rnd.randint(0, 8) :]


def rtp(rnd: random.Random) -> bytes:
    """Write an RTP packet that is wrong, or absurd."""
    kind = rnd.choice((0, 8, 101, 120, 13, 72, 127, rnd.randrange(256)))
    first = rnd.choice((0x80, 0x80, 0x90, 0xA0, 0xBF, 0x8F, rnd.randrange(256)))
    head = bytes([first, kind]) + rnd.randbytes(10)
    size = rnd.choice((0, 1, 3, 4, 12, 160, 320, 1400, 2000, rnd.randrange(400)))
    return (head + rnd.randbytes(size))[: rnd.choice((5000, 5000, 5000, rnd.randrange(1, 20)))]


def rtcp(rnd: random.Random) -> bytes:
    """Write RTCP that is wrong, or absurd: reports, source descriptions, BYE, feedback, XR."""
    packet = b""
    for _ in range(rnd.randint(1, 4)):
        body = rnd.randbytes(4 * rnd.choice((0, 1, 2, 5, 6, 12, 100)))
        words = rnd.choice((len(body) // 4, len(body) // 4, 0, 1, 0xFFFF, rnd.randrange(65536)))
        kind = rnd.choice((200, 201, 202, 203, 204, 205, 206, 207, rnd.randrange(256)))
        packet += bytes([0x80 | rnd.randrange(64), kind]) + words.to_bytes(2, "big") + body
    return packet if rnd.random() < 0.9 else packet[: rnd.randrange(len(packet) + 1)] or b"x"


def outside(rnd: random.Random, me: str, to: str) -> Iterator[bytes]:
    """Write messages that belong to no call, spoilt."""
    while True:
        yield mutate(Dialog(rnd, me, to).any(rnd.choice(OUTSIDE)), rnd)


def stream(rnd: random.Random, dialog: Dialog, count: int) -> Iterator[bytes]:
    """Write *count* messages, right and spoilt, as pieces of a stream that are seldom whole messages."""
    kept = b""
    for _ in range(count):
        packet = dialog.any(rnd.choice((*OUTSIDE, "OPTIONS", "INVITE"))).replace(
            b"SIP/2.0/UDP", b"SIP/2.0/TCP"
        )
        kind = rnd.random()
        if kind < 0.5:
            packet = mutate(packet, rnd)
        elif kind < 0.6:
            wrong = rnd.choice((b"0", b"1", b"99999", b"-1", b"4294967297", b"x", b"", b"007"))
            packet = packet.replace(b"Content-Length: ", b"Content-Length: " + wrong)
        elif kind < 0.65:
            packet = b"\r\n" * rnd.choice((1, 2, 50)) + packet
        kept += packet
        way = rnd.random()
        if way < 0.25:
            continue  # Several in a segment.
        if way < 0.3:
            yield from (bytes([one]) for one in kept[:3000])  # Byte by byte.
        elif way < 0.7:
            while kept:
                size = rnd.choice((1, 2, 7, 40, 300, 1460))
                yield kept[:size]
                kept = kept[size:]
        else:
            yield kept
        kept = b""
    if kept and rnd.random() < 0.5:
        yield kept[: rnd.randrange(1, len(kept) + 1)]  # It ends within one.
