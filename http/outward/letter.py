"""What a callback says, and how it is signed: pure."""

import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping

from ringful.http.percent import encoded


def form(fields: Mapping[str, str]) -> bytes:
    """Encode *fields* as a form, as `urllib.parse.urlencode` does.  Raises UnicodeError."""
    return encoded(fields.items()).replace("%20", "+").encode()


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a callback by the Standard Webhooks convention, once with each of the blank-separated secrets.

    A *secret* is base64.
    """
    message = f"{event_id}.{timestamp}.".encode() + body
    # `hmac.digest` would let other threads run meanwhile, and wait for them.
    digests = [hmac.new(a2b_base64(one), message, "sha256").digest() for one in secret.split()]
    return " ".join("v1," + b2a_base64(digest, newline=False).decode() for digest in digests)
