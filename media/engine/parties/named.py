"""Parties as SIP writes them: a name for people to read, a URI, and parameters.  Pure.

Nothing here refuses: what cannot be read is empty, and the rest is read all the same.
"""

import re
from collections.abc import Iterator
from typing import Self
from urllib.parse import unquote

from attrs import frozen

_URI = re.compile(r"sips?:([^@>;?\s]*)(;[^@>\s]*)?@|tel:([^>;?\s]*)(;[^>?\s]*)?", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[0-9]{1,15})(?![^;>\s])", re.IGNORECASE)
"""What a local number begins with (RFC 3966, 5.1.5); where it is a domain, it says nothing of the number."""
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_BRACKETS = re.compile(r"<[^<>]*>")
_BETWEEN = re.compile(r'[^",<]+')
_USER = re.compile(r"[\w.+*#-]{1,64}", re.ASCII)
MOST_NAME = 80
"""Characters of a name."""
MOST_LISTED = 20
"""Parties of one header."""


@frozen
class Party:
    """Somebody, as a header names him."""

    name: str = ""
    """In one line, and without what cannot be printed."""
    user: str = ""
    """A number without the marks that only please the eye, or a name of letters and digits."""
    rest: str = ""
    """All of it but the name: the URI, and the parameters."""

    @classmethod
    def of(cls, written: str) -> Self:
        """Read one value of a header."""
        rest = unquoted(written)
        before = written.partition("<")[0] if "<" in rest else ""
        quoted = _QUOTED.match(written.strip())
        said = re.sub(r"\\(.)", r"\1", quoted[0][1:-1]) if quoted else before.replace('"', "")
        # A name that was never closed leaves nothing of the URI to be read as a name.
        return cls(_plain(said) if "<" in rest else "", _user(rest), rest)


def parties(value: str) -> Iterator[Party]:
    """Read all that a header lists, several lines of it joined by commas."""
    for number, one in enumerate(listed(value)):
        if number == MOST_LISTED:
            return
        yield Party.of(one)


def listed(value: str) -> Iterator[str]:
    """Split *value* at its commas; those within quotes and brackets divide nothing."""
    part = ""
    for piece in _pieces(value):
        if piece == ",":
            if part.strip():
                yield part.strip()
            part = ""
        else:
            part += piece
    if part.strip():
        yield part.strip()


def unquoted(value: str) -> str:
    """Give *value* without what stands in quotes."""
    return "".join(piece for piece in _pieces(value) if piece[0] != '"' or piece == '"')


def _pieces(value: str) -> Iterator[str]:
    """Give what is in quotes, what is in brackets, commas, and what is between; each place is read once."""
    at, quotes = 0, True
    while at < len(value):
        one = value[at]
        found = _QUOTED.match(value, at) if one == '"' and quotes else None
        if one == '"' and not found:
            quotes = False  # It is closed nowhere, and so is no other.
        found = found or (_BRACKETS.match(value, at) if one == "<" else None) or _BETWEEN.match(value, at)
        piece = found[0] if found else one
        at += len(piece)
        yield piece


def _plain(name: str) -> str:
    """Give *name* in one line."""
    # What is no UTF-8 has come as what its bytes stand for: older exchanges write Latin-1.
    whole = re.sub("[\udc80-\udcff]", lambda one: chr(ord(one[0]) - 0xDC00), name)
    printed = "".join(one if one.isprintable() else " " for one in whole)
    return " ".join(printed.split())[:MOST_NAME].strip()


def _user(written: str) -> str:
    """Give the user of the first URI in *written*."""
    found = _URI.search(written)
    user = unquote(found[1] or found[3] or "") if found else ""
    if re.fullmatch(r"[+0-9().\s-]+", user):
        user = re.sub(r"[().\s-]", "", user)
        context = _CONTEXT.search((found[2] or found[4] or "") if found else "")
        if context and user.isdecimal():
            user = context[1] + user
    return user if _USER.fullmatch(user) else ""
