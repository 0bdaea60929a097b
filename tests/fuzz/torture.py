"""The messages of RFC 4475, written anew from their descriptions, and descriptions that are as odd."""

from collections.abc import Iterator
from zlib import crc32

from tests.fuzz.sip import SDP

_LONG = "very" + "long" * 60
_LINES = {
    "a short tortuous INVITE (3.1.1.1)": {
        "To": "\r\n  <{uri}>  ",
        "From": '"J Rosenberg \\\\\\""       <sip:j@{me}>\r\n  ;\r\n  tag = 98asjd8',
        "CSeq": "0009\r\n  INVITE",
        "Max-Forwards": "0068",
        "NewFangledHeader": "newfangled value\r\n continued newfangled value",
        "Unknown": ";;,,;;,;",
        "Route": "\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
        "v": "SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8",
        "m": '"Quoted \\"\\"" <sip:x@example.com> ; newparam =\r\n  newvalue ;\r\n  q = 0.33',
    },
    "escaped nulls (3.1.1.4)": {"From": "sip:null-%00-null@{me};tag=8394", "Contact": "<sip:%00@{me}>"},
    "no space before a bracket (3.1.1.6)": {"From": "caller<sip:caller@{me}>;tag=323"},
    "long values (3.1.1.7)": {"To": f'"{_LONG}" <{{uri}};p={_LONG}>', "Call-ID": _LONG, f"X-{_LONG}": _LONG},
    "transports (3.1.1.10)": {
        "v": "SIP/2.0/SCTP t2.example.com;branch=z9hG4bK1, SIP/2.0/X t3;branch=z9hG4bK2"
    },
    "extraneous separators (3.1.2.1)": {"To": '"Joe" <{uri}>;;;;', "Contact": '"Joe" <sip:joe@{me}>;;;;'},
    "a length that is too long (3.1.2.2)": {"Content-Length": "9999"},
    "a negative length (3.1.2.3)": {"Content-Length": "-999"},
    "scalars that overflow (3.1.2.4)": {"CSeq": "36893488147419103232 INVITE", "Expires": "1" + "0" * 40},
    "unbalanced quotes (3.1.2.6)": {"To": '"Mr. J. User <{uri}>'},
    "a date that is none (3.1.2.12)": {"Date": "Fri, 01 Jan 2010 16:00:00 EST"},
    "spaces in a URI (3.1.2.14)": {"To": '"Watson, Thomas" < {uri} >'},
    "no token in a display name (3.1.2.15)": {"From": "Bell, Alexander <sip:a@{me}>;tag=43"},
    "CSeq of another method (3.1.2.17)": {"CSeq": "8 OPTIONS"},
    "a branch of nothing (3.2.1)": {"Via": "SIP/2.0/UDP {me};branch=z9hG4bK"},
    "no From (3.3.1)": {"From": ""},
    "unknown schemes in headers (3.3.5)": {"To": "isbn:2983792873", "From": "<http://x>;tag=3"},
    "unknown extensions (3.3.7)": {"Require": "nothingSupportsThis", "Proxy-Require": "noProxiesSupportThis"},
    "an unknown type (3.3.6)": {"Content-Type": "application/unknownformat"},
    "headers twice (3.3.8)": {"f": "<sip:o@x>;tag=1", "t": "<sip:p@y>", "i": "other", "Cseq": "59 INVITE"},
    "no hops left (3.3.11)": {"Max-Forwards": "0"},
    "an RFC 2543 INVITE (3.3.16)": {"Via": "SIP/2.0/UDP {me}", "From": "sip:t@{me}", "Max-Forwards": ""},
    "reliable": {"Require": "100rel", "Supported": "100rel"},
    "a session of no time": {"Session-Expires": "0", "Min-SE": "99999999999"},
    "in place of nobody": {"Replaces": "x;to-tag=1;from-tag=2"},
}
_FIRST = {
    "strange methods (3.1.1.2)": "!interesting-Method0123456789_*+`.%in'~ sip:1_odd~(a)&b@{to} SIP/2.0",
    "an escaped method (3.1.1.5)": "RE%47IST%45R sip:{to} SIP/2.0",
    "brackets (3.1.2.7)": "INVITE <{uri}> SIP/2.0",
    "spaces (3.1.2.9)": "INVITE  {uri}  SIP/2.0",
    "escaped headers (3.1.2.11)": "INVITE {uri}?Route=%3Csip:example.com%3E SIP/2.0",
    "a version of the future (3.1.2.16)": "INVITE {uri} SIP/7.0",
    "an unknown scheme (3.3.2)": "INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0",
    "a scheme of others (3.3.4)": "INVITE soap.beep://192.0.2.103:3002 SIP/2.0",
    "an odd reason (3.1.1.12)": "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe",
    "no reason (3.1.1.13)": "SIP/2.0 100 ",
    "a status that is none (3.1.2.19)": "SIP/2.0 4294967301 better not break the receiver",
}
_BODIES = {
    "no media": "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n",
    "no address": SDP.format(port=40100).replace("c=IN IP4 127.0.0.1\r\n", ""),
    "no such port": SDP.format(port=99999999),
    "no such format": SDP.format(port=40100).replace("AVP 0 8", "AVP 999 4294967296"),
    "no format": SDP.format(port=40100).replace("AVP 0 8 101", "AVP"),
    "IPv6": SDP.format(port=40100).replace("IP4 127.0.0.1", "IP6 ::1"),
    "many lines": SDP.format(port=40100) + "m=video 1 RTP/AVP 31\r\n" * 40,
    "odd maps": SDP.format(port=40100)
    + "a=rtpmap:\r\na=rtpmap:0\r\na=rtpmap:999 X/0/0\r\na=fmtp:\r\na=ptime:0\r\n",
    "line ends": SDP.format(port=40100).replace("\r\n", "\n"),
    "nulls": "v=0\r\n\0\0\0",
    "no text": "\xff\xfe" * 100,
    "keys": SDP.format(port=40100) + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "x" * 600 + "\r\n",
    "ICE": SDP.format(port=40100)
    + "a=ice-ufrag:"
    + "x" * 600
    + "\r\na=candidate:1 1 UDP 1 999 1 typ host\r\n",
}


def torture(me: str, to: str) -> Iterator[tuple[str, bytes]]:
    """Give each message by what it is; *me* and *to* are addresses with ports."""
    uri = f"sip:18005550000@{to}"
    for name, lines in _LINES.items():
        yield name, _message(me, uri, "INVITE {uri} SIP/2.0", lines, name)
    for name, first in _FIRST.items():
        yield name, _message(me, uri, first.replace("{to}", to), {}, name)
    for name, body in _BODIES.items():
        yield name, _message(me, uri, "INVITE {uri} SIP/2.0", {}, name, body)
    kinds = ("REGISTER", "SUBSCRIBE", "PUBLISH", "NOTIFY", "REFER", "UPDATE", "PRACK", "ACK", "BYE", "CANCEL")
    for method in kinds:
        lines = {"CSeq": f"9 {method}", "Event": "presence", "Expires": "0"}
        yield method, _message(me, uri, f"{method} {{uri}} SIP/2.0", lines, method, "")
    part = "--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n\r\n\0\x82\x01\r\n--b--\r\n"
    lines = {"CSeq": "9 MESSAGE", "Content-Type": "multipart/mixed;boundary=b"}
    yield "multipart (3.1.1.11)", _message(me, uri, "MESSAGE {uri} SIP/2.0", lines, "m", part)


def _message(
    me: str, uri: str, first: str, changed: dict[str, str], name: str, body: str = SDP.format(port=40100)
) -> bytes:
    number = crc32(name.encode())
    lines: dict[str, str] = {
        "Via": f"SIP/2.0/UDP {me};branch=z9hG4bK{number}",
        "Max-Forwards": "70",
        "From": f"<sip:t@{me}>;tag={number}",
        "To": "<{uri}>",
        "Call-ID": f"torture-{number}",
        "CSeq": "9 INVITE",
        "Contact": "<sip:t@{me}>",
        "Content-Type": "application/sdp" if body else "",
        "Content-Length": str(len(body)),
    } | changed
    written = [first, *(f"{key}: {value}" for key, value in lines.items() if value)]
    head = "\r\n".join(written).replace("{me}", me).replace("{uri}", uri)
    return f"{head}\r\n\r\n{body}".encode("latin-1")
