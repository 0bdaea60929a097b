"""Registration: what comes of each answer, and when we ask again.  No sockets."""

from itertools import count

import pytest
from attrs import evolve

from ringful.media.trunking.messages import Answer, answers, final
from ringful.media.trunking.registration import AWAY, REFUSED, SILENT, Registration
from ringful.media.trunks import Credentials, Trunk

TRUNK = Trunk("north", "sip.example.com", ours=Credentials("alice", "secret"), register=True)
MD5 = 'Digest realm="r", nonce="{}", qop="auth"'


def registration(trunk: Trunk = TRUNK) -> Registration:
    tokens = count()
    return Registration(trunk, "sip:alice@192.0.2.1:5060", lambda: f"t{next(tokens)}")


def challenged(nonce: str = "n", status: int = 401, *, stale: bool = False) -> Answer:
    name = "www-authenticate" if status == 401 else "proxy-authenticate"
    return Answer(status, headers={name: [MD5.format(nonce) + (", stale=true" if stale else "")]})


def well(contact: str = "<sip:alice@192.0.2.1:5060>;expires=300", **more: str) -> Answer:
    return Answer(200, headers={"contact": [contact], **{name: [value] for name, value in more.items()}})


def test_a_registration_that_is_challenged_and_refreshed() -> None:
    ours = registration()
    first = ours.request()
    assert (first.uri, first.to, first.contact) == (
        "sip:sip.example.com",
        "sip:alice@sip.example.com",
        "<sip:alice@192.0.2.1:5060>",
    )
    assert dict(first.more) == {"Expires": "300"}
    assert ours.heard(challenged()) == 0
    second = ours.request()
    assert (second.call_id, second.tag, second.number) == (first.call_id, first.tag, 2)
    assert "nc=00000001" in dict(second.more)["Authorization"]
    assert ours.heard(well()) == 255
    assert (ours.standing, ours.expires, ours.failures) == ("registered", 300, 0)
    # The nonce is used again, so that a refresh is one request where the trunk lets it be.
    assert "nc=00000002" in dict(ours.request().more)["Authorization"]
    assert ours.heard(challenged("new")) == 0
    assert 'nonce="new"' in dict(ours.request().more)["Authorization"]
    assert ours.heard(well()) == 255


def test_by_407_the_header_is_the_proxys() -> None:
    ours = registration()
    ours.request()
    ours.heard(challenged(status=407))
    assert "Proxy-Authorization" in dict(ours.request().more)


def test_a_wrong_password_is_not_tried_again_and_again() -> None:
    ours = registration()
    waits = []
    for _ in range(6):
        ours.request()
        assert ours.heard(challenged("a")) == 0
        ours.request()
        waits.append(ours.heard(challenged("b")))
    assert waits == [300, 600, 1200, 2400, 3600, 3600]
    assert (ours.standing, ours.failures) == ("refused", 6)


def test_a_stale_nonce_is_no_wrong_password_but_does_not_go_on_for_ever() -> None:
    ours = registration()
    for nonce in ("a", "b", "c"):
        ours.request()
        assert ours.heard(challenged(nonce, stale=True)) == 0
    ours.request()
    assert ours.heard(challenged("d", stale=True)) == REFUSED[0]


def test_too_short_a_time_is_asked_for_longer_once() -> None:
    ours = registration()
    ours.request()
    assert ours.heard(Answer(423, headers={"min-expires": ["1800"]})) == 0
    assert dict(ours.request().more)["Expires"] == "1800"
    assert ours.heard(Answer(423, headers={"min-expires": ["3600"]})) == REFUSED[0]
    again = registration()
    again.request()
    assert again.heard(Answer(423)) == REFUSED[0]


@pytest.mark.parametrize(
    ("answer", "standing", "wait"),
    [
        (None, "silent", SILENT[0]),
        (Answer(403), "refused", REFUSED[0]),
        (Answer(404), "refused", REFUSED[0]),
        (Answer(302), "refused", REFUSED[0]),
        (Answer(401), "refused", REFUSED[0]),
        (Answer(503), "away", AWAY[0]),
        (Answer(503, headers={"retry-after": ["120 (maintenance)"]}), "away", 120),
        (Answer(503, headers={"retry-after": ["999999"]}), "away", 3600),
        (well("<sip:alice@192.0.2.1:5060>;expires=0"), "refused", REFUSED[0]),
    ],
)
def test_what_comes_of_it(answer: Answer | None, standing: str, wait: float) -> None:
    ours = registration()
    ours.request()
    assert ours.heard(answer) == wait
    assert (ours.standing, ours.failures) == (standing, 1)


def test_silence_is_asked_again_soon_and_then_more_seldom() -> None:
    ours = registration()
    assert [ours.heard(None) for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]
    ours.heard(well())
    assert ours.heard(None) == 10


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (well("<sip:bob@x>;expires=9, <sip:alice@192.0.2.1:5060>;q=0.5;Expires=60"), 60),
        (well('"a, b" <sip:alice@198.51.100.7:1024>;expires="90"'), 90),
        (well("<sip:alice@192.0.2.1:5060;expires=7>", expires="120"), 120),
        (Answer(200), 300),
        (well("<sip:alice@192.0.2.1:5060>;expires=999999999"), 7 * 86400),
    ],
)
def test_how_long_it_holds(answer: Answer, seconds: int) -> None:
    ours = registration()
    ours.request()
    ours.heard(answer)
    assert ours.expires == seconds


def test_leaving() -> None:
    ours = registration(evolve(TRUNK, domain="example.org"))
    left = ours.request(leave=True)
    assert (left.uri, dict(left.more)["Expires"]) == ("sip:example.org", "0")


def test_answers_are_read_however_they_are_written() -> None:
    ours = registration()
    request = ours.request()
    text = (
        f"SIP/2.0 100 Trying\r\ni: {request.call_id}\r\nCSeq: 1 REGISTER\r\n\r\n"
        f"SIP/2.0 401\r\ni : {request.call_id}\r\nCSEQ:  1   REGISTER\r\n"
        "WWW-Authenticate: Digest a=b,\r\n  c=d\r\nm: <sip:x>\r\n\r\n"
    ).encode()
    answer = final(text, request)
    assert answer
    assert (answer.status, answer.all("www-authenticate"), answer.all("contact")) == (
        401,
        ["Digest a=b, c=d"],
        ["<sip:x>"],
    )
    assert final(text[:-2], request) is None
    assert final(text.replace(b"1   REG", b"2   REG"), request) is None
    for junk in (b"", b"\xff\x00", b"SIP/2.0 200 OK", b"SIP/2.0 200 OK\r\n\r\n", b"SIP/2.0 99 x\r\n\r\n"):
        assert final(junk, request) is None
    assert [one.status for one in answers(text)] == [100, 401]
