"""A query or a form as it is written: all but unreserved characters percent-encoded (RFC 3986, 2.1).

By one pattern and one table: `urllib.parse` calls several functions for each name.  Pure.
"""

import re
from collections.abc import Iterable

_RESERVED = re.compile(r"[^A-Za-z0-9._~-]")


class _Coded(dict[int, str]):
    """What each character is written as."""

    def __missing__(self, character: int) -> str:
        one = chr(character)
        return "".join(f"%{byte:02X}" for byte in one.encode()) if _RESERVED.match(one) else one


_CODED = _Coded()
_CODED |= {n: _CODED[n] for n in range(128)}


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Write *pairs* as a query.  Raises UnicodeError."""
    return "&".join([f"{_coded(name)}={_coded(value)}" for name, value in pairs])


def _coded(text: str) -> str:
    return text.translate(_CODED) if _RESERVED.search(text) else text
