"""The far end of `ringful bench media`: SIP as text, and the process as it runs."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ringful.bench.media import sip
from ringful.bench.media.answering import open_far_end
from ringful.ground.complaint import Complaint
from ringful.media.trunking.exchange import Place, exchange, options

OFFER = """v=0\r
o=- 1 1 IN IP4 192.0.2.7\r
s=-\r
c=IN IP4 192.0.2.7\r
t=0 0\r
m=audio 4002 RTP/AVP 0 8 120\r
a=rtpmap:120 telephone-event/8000\r
"""


def request(method: str, call: str = "c1", body: str = "", to: str = "<sip:talk-3@127.0.0.1>") -> bytes:
    lines = [
        f"{method} sip:talk-3@127.0.0.1:5060;ob SIP/2.0",
        "v: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK2",
        "Via: SIP/2.0/UDP 192.0.2.8:5060;branch=z9hG4bK1",
        "From: <sip:a@192.0.2.7>;tag=x",
        f"To: {to}",
        f"Call-ID: {call}",
        f"CSeq: 1 {method}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


def test_a_request_is_read_and_answered():
    found = sip.read(request("INVITE", body=OFFER))
    assert found is not None
    assert (found.method, found.user, found.within) == ("INVITE", "talk-3", False)
    assert found.headers["via"] == [
        f"SIP/2.0/UDP 192.0.2.{n}:5060;branch=z9hG4bK{b}" for n, b in ((7, 2), (8, 1))
    ]
    assert sip.offer_in(found.body) == sip.Offer("192.0.2.7", 4002, 120)
    told = sip.response(found, "200 OK", "me", "sip:here", sip.answer("127.0.0.1", 9000, 9001, 120)).decode()
    head, _, body = told.partition("\r\n\r\n")
    assert head.startswith("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK2\r\nVia: ")
    assert "To: <sip:talk-3@127.0.0.1>;tag=me\r\n" in told
    assert f"Content-Length: {len(body)}" in head
    assert sip.offer_in(body) == sip.Offer("127.0.0.1", 9000, 120)
    within = sip.read(request("BYE", to="<sip:b@h>;tag=me"))
    assert within is not None
    assert within.within
    assert sip.response(within, "200 OK", "me").decode().count("tag=me") == 1


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"\xff\x00", b"INVITE sip:x SIP/3.0"]
)
def test_what_is_no_request_is_none(data):
    assert sip.read(data) is None


def test_an_offer_without_sound_is_none():
    assert sip.offer_in("") is None
    assert sip.offer_in(OFFER.replace("m=audio", "m=video")) is None


@pytest.fixture
def far() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "ringful.bench.media.far_end", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


async def test_the_process_answers_calls_and_tells_of_them(far):
    port = int(far.stdout.readline())
    answer = await exchange(options(f"127.0.0.1:{port}", "udp"), Place("127.0.0.1", port))
    assert answer.status == 200
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.settimeout(10)
        ours.connect(("127.0.0.1", port))

        def ask(data: bytes, answers: int = 1) -> list[str]:
            ours.send(data)
            return [ours.recv(65536).decode().split("\r\n")[0][8:] for _ in range(answers)]

        ours.send(b"\r\n\r\n")
        assert ask(request("BYE", "nobody's")) == ["481 Call/Transaction Does Not Exist"]
        assert ask(request("INVITE", "empty")) == ["488 Not Acceptable Here"]
        assert ask(request("INVITE", body=OFFER), 2) == ["180 Ringing", "200 OK"]
        assert ask(request("INVITE", body=OFFER)) == ["200 OK"], "the same again is no second call"
        assert ask(request("INVITE", "c2", OFFER)) == ["486 Busy Here"]
        assert ours.recv(65536).decode().startswith("SIP/2.0 200 OK"), "sent again until there is an ACK"
        ours.send(request("ACK"))
        assert ask(request("CANCEL")) == ["200 OK"]
        assert ask(request("INVITE", body=OFFER, to="<sip:b@h>;tag=me")) == ["488 Not Acceptable Here"]
        assert ask(request("BYE", to="<sip:b@h>;tag=me")) == ["200 OK"]
        assert ask(request("INVITE", "c3", OFFER), 2) == ["180 Ringing", "200 OK"]
    told, _ = far.communicate()
    heard = json.loads(told)
    assert [(one["name"], one["over"], one["packets"]) for one in heard["heard"]] == [
        ("talk-3", True, 0),
        ("talk-3", False, 0),
    ]
    assert heard["late"]["p99"] <= heard["late"]["most"]


async def test_a_far_end_that_has_died_is_told():
    async with open_far_end(1) as far:
        far.process.kill()
        with pytest.raises(Complaint, match="the far end has died"):
            await far.close()
