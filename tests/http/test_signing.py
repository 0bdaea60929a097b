"""Signatures, against vectors that were computed in another way."""

import hashlib
import hmac
import subprocess
from urllib.parse import parse_qsl, quote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from ringful.http.signing import canonical_query, sign, signed_url, string_to_sign, verify, without_signature

PAIRS = [("seq", "7"), ("callee", "+1 512"), ("note", "a&b=c~ü"), ("sig", "gone")]


def test_the_string_to_sign() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    expected = f"GET\n/Call/apikey/K\ncallee=%2B1%20512&note=a%26b%3Dc~%C3%BC&seq=7\n{empty}"
    assert string_to_sign("get", "/Call/apikey/K", PAIRS) == expected


def test_openssl_agrees() -> None:
    message = string_to_sign("POST", "/Play/apikey/K", PAIRS, b"x=1")
    command = ["openssl", "dgst", "-sha256", "-hmac", "secret", "-r"]
    made = (
        subprocess.run(command, input=message.encode(), capture_output=True, check=True)
        .stdout.split()[0]
        .decode()
    )
    assert sign("secret", "POST", "/Play/apikey/K", PAIRS, b"x=1") == made
    assert verify("secret", made, message)
    assert not verify("secret", made.upper(), message)
    assert not verify("secret", "ü", message)


def test_a_signed_url_is_one_request_with_its_signature() -> None:
    url = urlsplit(signed_url("s", "GET", "http://h:1/", "/Call/apikey/K", PAIRS[:3]))
    given = dict(parse_qsl(url.query))
    signature = given.pop("sig")
    message = string_to_sign("GET", url.path, given.items())
    assert signature == hmac.new(b"s", message.encode(), hashlib.sha256).hexdigest()
    assert given == dict(PAIRS[:3])


def test_a_forms_signature_is_left_out_of_its_hash() -> None:
    assert without_signature(b"a=1&sig=abc&b=2") == b"a=1&b=2"
    assert without_signature(b"sig=abc") == b""


@given(st.lists(st.tuples(st.text(), st.text())))
def test_the_order_of_parameters_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    assert canonical_query(pairs) == canonical_query(reversed(pairs))


@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_is_signed_is_percent_encoded_as_the_library_does_it(pairs: list[tuple[str, str]]) -> None:
    kept = sorted(pair for pair in pairs if pair[0] != "sig")
    assert canonical_query(pairs) == "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in kept)
