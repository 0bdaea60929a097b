"""A query or a form as it is written: all but unreserved characters percent-encoded (RFC 3986, 2.1).

By one pattern and one table: `urllib.parse` calls several functions for each name.  Pure.
"""

import re
from collections.abc import Iterable

_coded = re.compile(r"[^A-Za-z0-9._~-]").sub


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Write *pairs* as a query.  Raises UnicodeError."""
    return "&".join([f"{_coded(_written, name)}={_coded(_written, value)}" for name, value in pairs])


def _written(reserved: re.Match[str]) -> str:
    one = reserved[0]
    return _ASCII.get(one) or _percent(one)


def _percent(one: str) -> str:
    return "".join([f"%{byte:02X}" for byte in one.encode()])


_ASCII = {one: _percent(one) for one in map(chr, range(128))}
