"""Who calls whom, as INVITEs say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.media.engine.invite import offer_of
from ringful.media.port import Offer


def invite(uri: str, *headers: str) -> str:
    lines = [
        f"INVITE {uri} SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1:5070",
        *headers,
        "",
        "v=0",
        "s=From: <sip:9@x>",
    ]
    return "\r\n".join(lines)


FROM = "From: <sip:+15125550100@trunk>;tag=1"


@pytest.mark.parametrize(
    ("uri", "headers", "offer"),
    [
        ("sip:+18005550000@h:5060", [FROM], Offer("+15125550100", "+18005550000")),
        (
            "sip:18005550000@h;user=phone",
            ['f: "Ann, <x>" <sip:15125550100@t>'],
            Offer("15125550100", "18005550000"),
        ),
        ("tel:+1-800-555-0000;phone-context=x", [FROM], Offer("+15125550100", "+18005550000")),
        ("sip:me@h", [FROM, "P-Called-Party-ID: <sip:18005550000@h>"], Offer("+15125550100", "18005550000")),
        ("sip:me@h", [FROM, "To: <sip:me@h>", "P-Called-Party-ID: <sip:x@h>"], Offer("+15125550100", "me")),
        (
            "sip:1@h",
            ["From: <sip:trunk@x>", 'Remote-Party-ID: "A, B" <sip:+15125550199@x>;party=calling;privacy=off'],
            Offer("+15125550199", "1"),
        ),
        (
            "sip:1@h",
            [FROM, "Remote-Party-ID: <sip:+15125550199@x>;party=calling;privacy=full"],
            Offer("", "1"),
        ),
        ("sip:1@h", [FROM, "Remote-Party-ID: <sip:+1@x>; Privacy = full ;screen=yes"], Offer("", "1")),
        ("tel:800-555-0000;phone-context=+1", [FROM], Offer("+15125550100", "+18005550000")),
        ("tel:5550000;phone-context=example.com", [FROM], Offer("+15125550100", "5550000")),
        ("sip:8005550000;phone-context=+1@h;user=phone", [FROM], Offer("+15125550100", "+18005550000")),
        ("tel:*98;phone-context=+1", [FROM], Offer("+15125550100", "*98")),
        ("tel:5550000;phone-context=+1x", [FROM], Offer("+15125550100", "5550000")),
        ("sip:%2B18005550000@h", [FROM], Offer("+15125550100", "+18005550000")),
        ("sip:account@h", [FROM, "To: <sip:+18005550000@h>"], Offer("+15125550100", "+18005550000")),
        ("sip:h", [FROM, "t: <sip:100@h>"], Offer("+15125550100", "100")),
        ("sip:1@h", ["From: sip:alice@h;tag=2"], Offer("alice", "1")),
        ("sip:1@h", ["From: <sip:anonymous@anonymous.invalid>"], Offer("", "1")),
        ("sip:1@h", ["From: <sip:h>"], Offer("", "1")),
        ("sip:1@h", [], Offer("", "1")),
        ("sip:1;rn=2@h", ['From: "sip:9@x, \\" y" <sip:+15125550100@t>'], Offer("+15125550100", "1")),
        ("sip:1@h", [FROM, "P-Asserted-Identity: <sip:a@h>, <tel:+15125550199>"], Offer("+15125550199", "1")),
        (
            "sip:1@h",
            ["From: <sip:anonymous@x>", "P-Asserted-Identity: <tel:+15125550199>", "Privacy: id"],
            Offer("", "1"),
        ),
        ("sip:1@h", [FROM, "Privacy: none"], Offer("+15125550100", "1")),
        ("sip:1@h", [FROM, "Privacy: none", "Privacy: id"], Offer("", "1")),
        ("sip:1@h", [FROM, "Privacy: critical;session", "privacy : none"], Offer("", "1")),
        ("sip:1@h", ["From: <sip:+1512555\r\n 0100@t>"], Offer("", "1")),
        ("sip:1@h", ["From: <sip:a%22%0d%0aX@t>"], Offer("", "1")),
    ],
)
def test_an_offer_is_read(uri: str, headers: list[str], offer: Offer) -> None:
    assert offer_of(invite(uri, *headers)) == offer


@given(st.text())
def test_whatever_comes_is_read(message: str) -> None:
    offer = offer_of(message)
    for number in (offer.caller, offer.called):
        assert number.isprintable()
        assert len(number) <= 64
