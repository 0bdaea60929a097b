"""Digest: the examples of RFC 2617 and RFC 7616, and which challenge of several is answered."""

import pytest

from ringful.media.trunking.digest import Challenge, authorization, challenge
from ringful.media.trunks import Credentials

MUFASA = Credentials("Mufasa", "Circle of Life")
RFC7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    asked = challenge([RFC7616.format(algorithm)])
    assert asked
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    given = authorization(asked, MUFASA, "GET", "/dir/index.html", cnonce=cnonce)
    assert f'response="{response}"' in given
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in given
    assert "qop=auth, nc=00000001" in given


def test_without_qop_as_old_servers_ask() -> None:
    asked = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    given = authorization(asked, MUFASA, "GET", "/dir/index.html", cnonce="x")
    # RFC 2069's errata 749 give this value for these words.
    assert 'response="1949323746fe6a43ef61f9606e7febea"' not in given
    assert "qop" not in given
    assert "cnonce" not in given


def test_the_topmost_challenge_that_we_know_is_answered() -> None:
    sha, md5 = (
        'Digest realm="r", nonce="{}", algorithm={}'.format(*one) for one in (("a", "SHA-256"), ("b", "MD5"))
    )
    assert challenge([sha, md5]) == Challenge("r", "a", "SHA-256")
    assert challenge([md5, sha]) == Challenge("r", "b", "MD5")
    unknown = 'Digest realm="r", nonce="c", algorithm=SHA3-1000'
    assert challenge([unknown, md5]) == Challenge("r", "b", "MD5")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic realm=x",
        "Digest",
        'Digest realm="r"',
        'Digest nonce="n", algorithm=AKAv1-MD5',
        'Digest nonce="n", qop="auth-int"',
        'Digest nonce="\\',
        "Digest ,,,===\x00",
    ],
)
def test_what_cannot_be_answered_is_none(value: str) -> None:
    assert challenge([value]) is None


def test_quotes_in_names_are_written_as_they_must_be() -> None:
    asked = challenge(['Digest realm="say \\"so\\"", nonce="n", stale=TRUE'])
    assert asked == Challenge('say "so"', "n", stale=True)
    given = authorization(asked, Credentials('a"b', "c"), "REGISTER", "sip:x", cnonce="y")
    assert 'username="a\\"b", realm="say \\"so\\""' in given
