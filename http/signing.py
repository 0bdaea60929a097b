"""Signatures of requests: pure.

``sig`` is the lower-case hex HMAC-SHA256 with the key's secret over

    METHOD \\n PATH \\n CANONICAL_QUERY \\n SHA256_HEX(body)

where CANONICAL_QUERY is every query parameter but ``sig``, sorted by name and then value,
percent-encoded (RFC 3986, 2.1: all but unreserved characters) and joined by ``&``.  A form's fields
take part through the body's hash; where ``sig`` itself is a field of the form, the body is hashed as
it would be without it.
"""

import hashlib
import hmac
from collections.abc import Iterable

from ringful.http.percent import encoded

Parameters = Iterable[tuple[str, str]]

NEWEST = "Ringful-Newest-Seq"
"""The header of a 409 that says the newest seq that was used: one more works."""


def canonical_query(parameters: Parameters) -> str:
    """Give *parameters* in the form that is signed."""
    return encoded(sorted([pair for pair in parameters if pair[0] != "sig"]))


def string_to_sign(method: str, path: str, parameters: Parameters, body: bytes = b"") -> str:
    """Give what is signed; there is nothing secret in it."""
    digest = hashlib.sha256(body).hexdigest()
    return f"{method.upper()}\n{path}\n{canonical_query(parameters)}\n{digest}"


def sign(secret: str, method: str, path: str, parameters: Parameters, body: bytes = b"") -> str:
    """Give the signature of a request, in lower-case hex."""
    message = string_to_sign(method, path, parameters, body).encode()
    return _mac(secret, message)


def verify(secret: str, signature: str, message: str) -> bool:
    """Say whether *signature* is that of *message* (a `string_to_sign`), in constant time."""
    made = _mac(secret, message.encode())
    return hmac.compare_digest(made.encode(), signature.encode())


def _mac(secret: str, message: bytes) -> str:
    # `hmac.digest` would let other threads run meanwhile, and then wait for them, which takes far longer.
    return hmac.new(secret.encode(), message, "sha256").hexdigest()


def without_signature(body: bytes) -> bytes:
    """Give a form's *body* as it was before ``sig`` was added to it."""
    return b"&".join(field for field in body.split(b"&") if not field.startswith(b"sig="))


def signed_url(
    secret: str, method: str, base: str, path: str, parameters: Parameters, body: bytes = b""
) -> str:
    """Give the URL of a request, signed; *base* is scheme and host."""
    parameters = list(parameters)
    signature = sign(secret, method, path, parameters, body)
    query = canonical_query(parameters)
    return f"{base.rstrip('/')}{path}?{query}{'&' if query else ''}sig={signature}"
