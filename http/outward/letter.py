"""What a callback says, and how it is signed: pure."""

import hmac
import string
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping

_PLAIN = "-._~" + string.ascii_letters + string.digits
_CODED = {n: chr(n) if chr(n) in _PLAIN else f"%{n:02X}" for n in range(256)} | {ord(" "): "+"}
"""What each byte of a field is told as."""


def form(fields: Mapping[str, str]) -> bytes:
    """Encode *fields* as a form, as `urllib.parse.urlencode` does, in one go.  Raises UnicodeError."""
    # Bytes as characters: those can be translated without a function for each.
    said = [
        (name.encode().decode("latin-1"), text.encode().decode("latin-1")) for name, text in fields.items()
    ]
    return "&".join([f"{name.translate(_CODED)}={text.translate(_CODED)}" for name, text in said]).encode()


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a callback by the Standard Webhooks convention, once with each of the blank-separated secrets.

    A *secret* is base64.
    """
    message = f"{event_id}.{timestamp}.".encode() + body
    digests = [hmac.digest(a2b_base64(one), message, "sha256") for one in secret.split()]
    return " ".join("v1," + b2a_base64(digest, newline=False).decode() for digest in digests)
