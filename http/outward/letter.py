"""What a callback says, and how it is signed: pure."""

import hmac
import string
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping

_PLAIN = "-._~" + string.ascii_letters + string.digits


class _Coded(dict[int, str]):
    """What each character of a field is told as."""

    def __missing__(self, character: int) -> str:
        return "".join(f"%{byte:02X}" for byte in chr(character).encode())


_CODED = _Coded({ord(one): one for one in _PLAIN} | {ord(" "): "+"})
_CODED |= {n: _CODED[n] for n in range(128)}


def form(fields: Mapping[str, str]) -> bytes:
    """Encode *fields* as a form, as `urllib.parse.urlencode` does, which calls functions for each of them.

    Raises UnicodeError.
    """
    said = [f"{name.translate(_CODED)}={text.translate(_CODED)}" for name, text in fields.items()]
    return "&".join(said).encode()


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Sign a callback by the Standard Webhooks convention, once with each of the blank-separated secrets.

    A *secret* is base64.
    """
    message = f"{event_id}.{timestamp}.".encode() + body
    digests = [hmac.digest(a2b_base64(one), message, "sha256") for one in secret.split()]
    return " ".join("v1," + b2a_base64(digest, newline=False).decode() for digest in digests)
