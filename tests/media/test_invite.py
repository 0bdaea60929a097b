"""Who calls whom, as INVITEs say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringful.media.engine.parties.invite import offer_of
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
            Offer("15125550100", "18005550000", "Ann, <x>"),
        ),
        ("tel:+1-800-555-0000;phone-context=x", [FROM], Offer("+15125550100", "+18005550000")),
        ("sip:me@h", [FROM, "P-Called-Party-ID: <sip:18005550000@h>"], Offer("+15125550100", "18005550000")),
        ("sip:me@h", [FROM, "To: <sip:me@h>", "P-Called-Party-ID: <sip:x@h>"], Offer("+15125550100", "me")),
        (
            "sip:1@h",
            ["From: <sip:trunk@x>", 'Remote-Party-ID: "A, B" <sip:+15125550199@x>;party=calling;privacy=off'],
            Offer("+15125550199", "1", "A, B"),
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
        (
            "sip:1;rn=2@h",
            ['From: "sip:9@x, \\" y" <sip:+15125550100@t>'],
            Offer("+15125550100", "1", 'sip:9@x, " y'),
        ),
        ("sip:1@h", [FROM, "P-Asserted-Identity: <sip:a@h>, <tel:+15125550199>"], Offer("+15125550199", "1")),
        (
            "sip:1@h",
            ["From: <sip:anonymous@x>", "P-Asserted-Identity: <tel:+15125550199>", "Privacy: id"],
            Offer("", "1"),
        ),
        ("sip:1@h", [FROM, "Privacy: none"], Offer("+15125550100", "1")),
        ("sip:1@h", [FROM, "Privacy: none", "Privacy: id"], Offer("", "1")),
        # That privacy matters is no wish for any.
        ("sip:1@h", [FROM, "Privacy: critical;session", "privacy : none"], Offer("+15125550100", "1")),
        ("sip:1@h", [FROM, "Privacy: critical"], Offer("+15125550100", "1")),
        ("sip:1@h", [FROM, "Privacy: id;critical"], Offer("", "1")),
        ("sip:1@h", ["From: <sip:+1512555\r\n 0100@t>"], Offer("", "1")),
        ("sip:1@h", ["From: <sip:a%22%0d%0aX@t>"], Offer("", "1")),
    ],
)
def test_an_offer_is_read(uri: str, headers: list[str], offer: Offer) -> None:
    assert offer_of(invite(uri, *headers)) == offer


def named(*headers: str) -> tuple[str, str]:
    offer = offer_of(invite("sip:1@h", *headers))
    return offer.caller, offer.name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"Ann Lee" <sip:+15125550100@t>;tag=1', "Ann Lee"),
        ("Ann Lee <sip:+15125550100@t>", "Ann Lee"),
        ("Ann<sip:+15125550100@t>", "Ann"),
        ('"Lee; Ann, \\"A\\" <x>" <sip:+15125550100@t>', 'Lee; Ann, "A" <x>'),
        ('"Zoë Müller 漢字" <sip:+15125550100@t>', "Zoë Müller 漢字"),
        ('"M\udcfcller" <sip:+15125550100@t>', "Müller"),  # Latin-1, as bytes that are no UTF-8 come.
        ('"" <sip:+15125550100@t>', ""),
        ('"+1 512 555-0100" <sip:+15125550100@t>', ""),
        ('"Anonymous" <sip:+15125550100@t>', ""),
        ('"a\tb\x07\u202ec" <sip:+15125550100@t>', "a b c"),
        ('"' + "n" * 3000 + '" <sip:+15125550100@t>', "n" * 80),
        ('"Ann <sip:+15125550100@t>', "Ann"),
        ('Ann" <sip:+15125550100@t>', "Ann"),
        ('"Ann\\" <sip:+15125550100@t>', "Ann\\"),
        ("sip:+15125550100@t;tag=3", ""),
        ("<sip:+15125550100@t>", ""),
        ('"<sip:9@x>" <sip:+15125550100@t>', "<sip:9@x>"),
        ("A%22%0d%0aB <sip:+15125550100@t>", "A%22%0d%0aB"),
    ],
)
def test_the_name_of_a_caller_is_read(written: str, name: str) -> None:
    assert named(f"From: {written}") == ("+15125550100", name)


def test_whose_name_it_is() -> None:
    said = 'From: "Said" <sip:+15125550100@t>'
    asserted = 'P-Asserted-Identity: "Known, A" <sip:a@h>, <tel:+15125550199>'
    assert named(said, asserted) == ("+15125550199", "Known, A")
    assert named(said, "P-Asserted-Identity: <tel:+15125550199>") == ("+15125550199", "Said")
    older = 'Remote-Party-ID: "Old" <sip:+15125550188@t>'
    assert named(said, older) == ("+15125550188", "Old")
    assert named(said, f"{older};privacy=name") == ("+15125550188", "")
    assert named(said, f"{older};privacy=uri") == ("", "")
    assert named(said, asserted, "Privacy: id") == ("", "")
    assert named('From: "Ann" <sip:anonymous@anonymous.invalid>', asserted) == ("", "")


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        (["Diversion: <sip:+18005550001@h>;reason=no-answer;counter=1"], "+18005550001"),
        (["Diversion: tel:+1-800-555-0001"], "+18005550001"),
        (['Diversion: "Desk, 1" <tel:+18005550001>;reason="user-busy"'], "+18005550001"),
        (["Diversion: <sip:2@h>, <sip:1@h>"], "2"),
        (["Diversion: <sip:2@h>;reason=unknown", "Diversion: <sip:1@h>"], "2"),
        (["diversion:<sip:desk@h>"], "desk"),
        (["Diversion: <sip:%2B18005550001@h>"], "+18005550001"),
        (["Diversion: <sip:+18005550001@h>;privacy=full;reason=unknown"], ""),
        (["Diversion: <sip:+18005550001@h>;privacy=off;reason=unknown"], "+18005550001"),
        (["Diversion: garbage, <sip:1@h>"], "1"),
        (["Diversion: "], ""),
        (["Diversion: <sip:@h>"], ""),
        (['Diversion: "<sip:9@x>'], "9"),
        (["Diversion: <sip:+18005550001@h"], "+18005550001"),
        (["Diversion: <sip:" + "1" * 3000 + "@h>"], ""),
        (["Diversion: " + ",".join(["<x>"] * 800)], ""),
        (["Diversion: <sip:2@h>", "History-Info: <sip:3@h>;index=1, <sip:1@h>;index=2"], "2"),
        # RFC 7044, appendix B: Bob forwards to Carol.
        (
            [
                "History-Info: <sip:bob@h>;index=1, <sip:1@h;cause=302>;index=1.1;mp=1",
                "Privacy: none",
            ],
            "bob",
        ),
        (["History-Info: <sip:3@h>;index=1", "History-Info: <sip:1@h;cause=486>;index=1.1"], "3"),
        (["History-Info: <sip:1@h;cause=486>;index=1.1, <sip:3@h>;index=1"], "3"),
        (["History-Info: <sip:3@h?Reason=SIP%3Bcause%3D486>;index=1, <sip:1@h>;index=2"], "3"),
        (
            ['History-Info: "Desk" <sip:3@h?Reason=SIP;cause=302;text="Gone">;index=1,<sip:1@h>;index=1.1'],
            "3",
        ),
        (
            [
                "History-Info: <sip:4@h>;index=1,<sip:3@h;cause=408>;index=1.1;mp=1",
                "History-Info: <sip:1@h;cause=302>;index=1.1.1",
                "History-Info: <sip:1@h;cause=302>;index=1.1.1",
            ],
            "3",
        ),
        (["History-Info: <sip:3@h>;index=1, <sip:1@h>;index=1.1"], "3"),
        (["History-Info: <sip:1@h>;index=1, <sip:1@g>;index=1.1;rc=1"], ""),
        (["History-Info: <sip:1@h>;index=1"], ""),
        (["History-Info: <sip:3@h?Privacy=history>;index=1, <sip:1@h;cause=302>;index=1.1"], ""),
        (["History-Info: <sip:3@h>;index=1, <sip:1@h;cause=302>;index=1.1", "Privacy: history"], ""),
        (["History-Info: <sip:3@h>;index=x, <sip:1@h;cause=302>;index="], ""),
        (["History-Info: <sip:1@h;cause=302>;index=1;mp=9"], ""),
        (["History-Info: <sip:3@h?%zz%00>;index=1, <sip:1@h?" + "x" * 900 + ">;index=2"], "3"),
        (["History-Info: " + ",".join(f"<sip:{n}@h;cause=302>;index=1.{n}" for n in range(90))], "18"),
        (["History-Info: ;index=1,;index=2;mp=1"], ""),
        (["History-Info: <sip:3@h>;index=1" + ".1" * 60 + ", <sip:1@h>;index=2"], ""),
    ],
)
def test_who_sent_a_call_on_is_read(headers: list[str], number: str) -> None:
    offer = offer_of(invite("sip:1@h", FROM, *headers))
    assert (offer.caller, offer.called, offer.diverted_from) == ("+15125550100", "1", number)


@given(st.text())
def test_whatever_comes_is_read(message: str) -> None:
    offer = offer_of(message)
    for number in (offer.caller, offer.called, offer.diverted_from):
        assert number.isprintable()
        assert len(number) <= 64
    assert offer.name.isprintable()
    assert len(offer.name) <= 80


@given(
    st.lists(
        st.sampled_from(['"', "\\", "<", ">", ",", ";", "sip:1@h", ";index=1", ";mp=1", "?", "A", "\x00"])
    )
)
def test_whatever_stands_in_these_headers_is_read(pieces: list[str]) -> None:
    value = "".join(pieces)
    headers = ("From", "P-Asserted-Identity", "Remote-Party-ID", "Diversion", "History-Info", "Privacy")
    offer = offer_of(invite("sip:1@h", *(f"{name}: {value}" for name in headers)))
    assert offer.called == "1"
    assert offer.name.isprintable()
