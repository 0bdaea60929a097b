"""What becomes of a SIP message before the library sees it: one case for each thing that it does not bear."""

import random
import re

import pytest

from ringful.media.engine.filter import sdp
from ringful.media.engine.filter.gate import masked
from ringful.media.engine.filter.judge import Answer, Drop, Hand, Verdict, judge
from ringful.media.engine.filter.message import Unfit
from ringful.media.engine.filter.pace import CALLS, SECONDS, Pace
from tests.fuzz import sip

AUDIO = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def request(method: str = "INVITE", *more: str, kind: str = "", body: str = "", **changed: str) -> bytes:
    """Write a request; *changed* headers by their names, with `_` for `-`; empty: left out."""
    headers = {
        "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport",
        "Max-Forwards": "70",
        "From": "<sip:+15125550100@192.0.2.1>;tag=1",
        "To": "<sip:18005550000@192.0.2.9>",
        "Call-ID": "c",
        "CSeq": f"1 {method}",
        "Contact": "<sip:far@192.0.2.1>",
        "Content-Type": kind,
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value]
    head = "\r\n".join([f"{method} sip:18005550000@192.0.2.9 SIP/2.0", *lines, *more])
    return f"{head}\r\n\r\n{body}".encode("latin-1")


def judged(packet: bytes) -> Verdict:
    return judge(packet, "192.0.2.1", 5060, Pace())


def handed(packet: bytes) -> str:
    verdict = judged(packet)
    assert isinstance(verdict, Hand), verdict
    return verdict.packet.decode("latin-1")


def status(packet: bytes) -> int:
    verdict = judged(packet)
    assert isinstance(verdict, Answer), verdict
    return int(verdict.packet[8:11])


def test_a_disabled_line_without_an_address_has_one() -> None:
    """The library asserts that each media line has an address, although a line that is off needs none."""
    written = AUDIO.replace("c=IN IP4 192.0.2.1\r\n", "") + "c=IN IP4 192.0.2.1\r\nm=video 0 RTP/AVP 34\r\n"
    clean = sdp.clean(written, "192.0.2.1").split("\r\n")
    assert clean[clean.index("m=video 0 RTP/AVP 34") + 1] == "c=IN IP4 0.0.0.0"
    assert "m=audio 4000 RTP/AVP 0" in clean


def test_an_ack_without_a_tag_is_left_alone() -> None:
    """The library asserts that an ACK has a tag in To."""
    assert isinstance(judged(request("ACK")), Drop)
    assert "ACK" in handed(request("ACK", To="<sip:x@192.0.2.9>;tag=2"))


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", "Signal=5", "5"),
        ("application/dtmf-relay", "Signal= 5\r\nDuration= 250\r\n", "5"),
        ("application/dtmf-relay", "Signal=11\r\nDuration=160", "#"),
        ("application/dtmf-relay", "signal=10", "*"),
        ("application/dtmf", "7", "7"),
        ("application/dtmf", "d", "D"),
    ],
)
def test_keys_are_written_as_the_library_reads_them(kind: str, body: str, key: str) -> None:
    """Without a line end behind the key the library reads beyond the body, and asserts."""
    mended = handed(request("INFO", kind=kind, body=body, To="<sip:x@192.0.2.9>;tag=2"))
    assert re.search(rf"\r\n\r\nSignal={re.escape(key)}\r\nDuration=[0-9]+\r\n$", mended)


@pytest.mark.parametrize("body", ["Signal=" + "9" * 300, "Signal=", "", "\0", "Signal=%s%s%n"])
def test_an_info_without_a_key_has_no_body(body: str) -> None:
    relay = "application/dtmf-relay"
    assert handed(request("INFO", kind=relay, body=body, To="<sip:x@y>;tag=2")).endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("a=ice-ufrag:" + "u" * 600, False),
        ("a=candidate:1 1 UDP 1 host.invalid 9 typ host", False),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40, True),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 600, False),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", False),
        ("a=ptime:20", True),
        ("a=ptime:65535", False),
        ("a=ptime:0", False),
        ("a=maxptime:1", False),
        ("a=rtpmap:0 PCMU/8000", True),
        ("a=rtpmap:0 PCMU/0", False),
        ("a=rtpmap:999 X/8000", False),
        ("a=rtcp:99999 IN IP4 host.invalid", False),
        ("a=rtcp:4001", True),
        ("a=fmtp:0 " + "x" * 900, False),
        ("a=fingerprint:sha-256 00", False),
        ("b=AS:99999999999", False),
        ("a=sendonly", True),
    ],
)
def test_lines_of_sdp(line: str, kept: bool) -> None:
    assert (line in sdp.clean(f"{AUDIO}{line}\r\n", "192.0.2.1").split("\r\n")) == kept


@pytest.mark.parametrize(
    ("was", "now", "media"),
    [
        ("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0", "audio 4000"),
        ("c=IN IP4 192.0.2.1", "c=IN IP4 host.invalid", "audio 4000"),
        ("c=IN IP4 192.0.2.1", "c=IN IP4 999.1.1.1", "audio 0"),
        ("c=IN IP4 192.0.2.1", "c=IN IP4 224.0.0.1/127", "audio 0"),
        ("c=IN IP4 192.0.2.1", "c=IN IP6 ::1", "audio 0"),
        ("c=IN IP4 192.0.2.1", "a=none", "audio 0"),
        ("audio 4000", "audio 99999", "audio 0"),
        ("AVP 0", "AVP 999", "audio 0"),
        ("AVP 0", "AVP", "audio 0"),
        ("AVP 0", "AVP 18", "audio 4000"),
    ],
)
def test_a_line_that_cannot_be_is_off(was: str, now: str, media: str) -> None:
    assert f"m={media} " in sdp.clean(AUDIO.replace(was, now), "192.0.2.1")


def test_a_name_in_sdp_is_where_it_came_from() -> None:
    """The library asks a name server, and stands still for up to 20 s."""
    assert "c=IN IP4 198.51.100.7" in sdp.clean(AUDIO.replace("192.0.2.1", "host.invalid"), "198.51.100.7")


@pytest.mark.parametrize("written", ["", "v=0\r\n", "\0\xff", AUDIO + "m=video 1 RTP/AVP 31\r\n" * 40])
def test_what_is_no_description_is_refused(written: str) -> None:
    with pytest.raises(Unfit):
        sdp.clean(written, "192.0.2.1")
    if written:
        assert status(request(kind="application/sdp", body=written)) == 488


def test_names_of_hosts_mean_where_it_came_from() -> None:
    verdict = judged(request(Contact="<sip:far@host.invalid;maddr=other.invalid;lr>"))
    assert isinstance(verdict, Hand)
    assert verdict.names == ("host.invalid",)
    assert b"maddr" not in verdict.packet


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"CSeq": "4294967296 INVITE"}, 400),
        ({"CSeq": "1 BYE"}, 400),
        ({"Call_ID": ""}, 0),
        ({"Contact": ""}, 400),
        ({"Contact": "<sip:x@host:99999>"}, 400),
        ({"From": '"x <sip:y@z;tag=1'}, 400),
        ({"To": "<sip:" + "x" * 400 + "@y>"}, 414),
        ({"To": "<isbn:1>"}, 416),
        ({"From": "<sip:%00@y>;tag=1"}, 400),
        ({"Via": "nothing"}, 0),
        ({"Record_Route": "<sip:"}, 400),
        ({"Replaces": ";;"}, 400),
        ({"Content_Length": "999"}, 400),
    ],
)
def test_what_no_message_can_be_without(changed: dict[str, str], answer: int) -> None:
    packet = request(**changed)
    assert (status(packet) if answer else type(judged(packet))) == (answer or Drop)


@pytest.mark.parametrize(
    "line",
    [
        "Session-Expires: x",
        "Expires: 99999999999999",
        "RSeq: 99999999999",
        "X-Long: " + "x" * 3000,
        "Content-Type: multipart/mixed;boundary=x",
        "P-Other: \0\1",
        ": no name",
        "no colon",
        "Route: <sip:host.invalid;lr>",
        "Event: ;;;",
    ],
)
def test_one_bad_header_leaves_no_invite_without_an_answer(line: str) -> None:
    assert line not in handed(request("INVITE", line))


@pytest.mark.parametrize(
    ("written", "mended"),
    [
        ('"Ann <sip:1@192.0.2.1>;tag=1', "<sip:1@192.0.2.1>;tag=1"),
        ('Ann" "B" <sip:1@192.0.2.1>;tag=1', "<sip:1@192.0.2.1>;tag=1"),
        ('"M\xfcller" <sip:1@192.0.2.1>;tag=1', '"M\xc3\xbcller" <sip:1@192.0.2.1>;tag=1'),
        ('"Zo\xc3\xab" <sip:1@192.0.2.1>;tag=1', '"Zo\xc3\xab" <sip:1@192.0.2.1>;tag=1'),
    ],
)
def test_a_bad_name_costs_no_call(written: str, mended: str) -> None:
    assert f"From: {mended}\r\n" in handed(request(From=written))


def test_who_calls_is_handed_on_also_where_all_else_is_too_long() -> None:
    kept = ["Diversion: <sip:2@h>", "History-Info: <sip:3@h>;index=1", "Privacy: id"]
    mended = handed(request("INVITE", *kept, *(f"X-{n}: {'x' * 900}" for n in range(5))))
    assert "X-1" not in mended
    assert all(f"{one}\r\n" in mended for one in kept)


def test_there_may_be_only_so_much() -> None:
    assert status(request("INVITE", *["X-A: b"] * 200)) == 400
    assert status(request("INVITE", *["Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2"] * 30)) == 400
    assert handed(request("INVITE", "Allow: " + ", ".join(["INVITE"] * 80))).count("INVITE") < 30


def test_sdp_of_any_size_is_taken() -> None:
    """The library holds 4,000 bytes: what nobody here uses is left out before it counts."""
    body = AUDIO + "".join(f"a=candidate:{n} 1 UDP 1 192.0.2.1 9 typ host\r\n" for n in range(200))
    mended = handed(request(kind="application/sdp", body=body))
    assert len(mended) < 1000
    assert "m=audio 4000 RTP/AVP 0" in mended


def test_the_description_of_a_multipart_body_is_taken_out_of_it() -> None:
    """GHSA-x5pq-qrp4-fmrj: the library reads beyond a multipart body."""
    other = "--b\r\nContent-Type: application/isup\r\n\r\n\1\2\r\n"
    body = f"{other}--b\r\nContent-Type: application/sdp\r\n\r\n{AUDIO}"
    mended = handed(request(kind='multipart/mixed;boundary="b"', body=body + "\r\n--b--\r\n"))
    assert "Content-Type: application/sdp" in mended
    assert "isup" not in mended
    assert "multipart" not in handed(request(kind="multipart/mixed", body="--"))


@pytest.mark.parametrize(
    ("method", "within", "answer"),
    [
        ("SUBSCRIBE", False, 489),
        ("SUBSCRIBE", True, 489),
        ("PUBLISH", True, 489),
        ("REGISTER", False, 405),
        ("DANCE", True, 405),
        ("REFER", False, 603),
        ("REFER", True, 603),
        ("NOTIFY", False, 489),
        ("BYE", False, 481),
        ("INFO", False, 481),
    ],
)
def test_methods_that_the_library_has_no_part_in(method: str, within: bool, answer: int) -> None:
    to = "<sip:x@192.0.2.9>" + (";tag=2" if within else "")
    assert status(request(method, To=to, Refer_To="<sip:1@192.0.2.1>")) == answer


@pytest.mark.parametrize(
    ("challenge", "kept"),
    [
        ('Digest realm="far", nonce="n", algorithm=SHA-256, qop="auth"', True),
        ('Digest realm="' + "r" * 500 + '", nonce="n"', False),
        ('Digest realm="far", nonce="n", algorithm=AKAv1-MD5', False),
        ("Basic", False),
    ],
)
def test_challenges(challenge: str, kept: bool) -> None:
    """CVE-2026-40892: the answer to a challenge is built in a room of fixed size."""
    packet = sip.answer(random.Random(1), request(), "192.0.2.1:5060", 486, "t", 4000)
    packet = packet.replace(
        b"Content-Length", b"WWW-Authenticate: " + challenge.encode() + b"\r\nContent-Length"
    )
    assert ("WWW-Authenticate" in handed(packet)) == kept


def test_a_call_that_is_accepted_from_nowhere_is_where_it_came_from() -> None:
    packet = sip.answer(random.Random(1), request(), "192.0.2.1:5060", 200, "t", 4000)
    mended = handed(re.sub(rb"Contact: [^\r]*\r\n", b"", packet))
    assert "Contact: <sip:192.0.2.1:5060>" in mended


def test_calls_that_come_too_fast_are_told_to_come_again() -> None:
    now = 100.0
    pace = Pace(lambda: now)
    for number in range(CALLS):
        assert pace.admits((str(number), "", "1 INVITE"))
    assert not pace.admits(("more", "", "1 INVITE"))
    assert pace.admits(("0", "", "1 INVITE")), "it comes again, since its answer was lost"
    now += SECONDS + 0.01
    assert pace.admits(("more", "", "1 INVITE"))
    pace.closed = True
    verdict = judge(request(), "192.0.2.1", 5060, pace)
    assert isinstance(verdict, Answer)
    assert verdict.packet.startswith(b"SIP/2.0 503 ")
    assert b"Retry-After: 1\r\n" in verdict.packet


def test_whatever_is_handed_on_may_be_handed_on() -> None:
    """What has been mended is fit, is not too long, and has nothing that no line may have."""
    rnd = random.Random(7)
    for _ in range(1500):
        dialog = sip.Dialog(rnd, "192.0.2.1:5060", "192.0.2.9:5060", far_tag=rnd.choice(("", "t")))
        verdict = judged(sip.mutate(dialog.any(rnd.choice(sip.IN_DIALOG)), rnd))
        if isinstance(verdict, Hand):
            again = judged(verdict.packet)
            assert isinstance(again, Hand)
            assert len(again.packet) < 4000
            assert not re.search(rb"[\0\x7f]", verdict.packet.partition(b"\r\n\r\n")[0])


def test_a_packet_in_the_log_tells_no_number() -> None:
    assert masked(b"INVITE sip:+15125550100@x\r\n\xff") == "'INVITE sip:+1##########@x\\r\\n\\xff'"
