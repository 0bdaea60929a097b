"""Who calls whom, as an INVITE says it.  Pure.

The far end may write anything: what is not plainly a number or a name becomes nothing.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from ringful.media.port import Offer

_URI = re.compile(r"sips?:([^@>;?\s]*)(;[^@>\s]*)?@|tel:([^>;?\s]*)(;[^>?\s]*)?", re.IGNORECASE)
_CONTEXT = re.compile(r";phone-context=(\+[0-9]{1,15})(?![^;>\s])", re.IGNORECASE)
"""What a local number begins with (RFC 3966, 5.1.5); where it is a domain, it says nothing of the number."""
_OLDER_PRIVACY = re.compile(r";\s*privacy\s*=\s*\"?(full|uri|name)\b", re.IGNORECASE)
"""What hides the number (draft-ietf-sip-privacy-04)."""
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
"""A name for people to read: anything may stand in it."""
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_NAME = re.compile(r"[\w.+*#-]{1,64}", re.ASCII)
_WITHHELD = frozenset({"anonymous", "private", "restricted", "unavailable", "unknown", "withheld"})
_SHORT = {"f": "from", "t": "to"}
"""Compact forms of headers (RFC 3261, 7.3.3)."""


def offer_of(message: str) -> Offer:
    """Read the INVITE *message*.

    *called* is the user of the request's URI, or, where that is no number, as with a trunk that
    registers, of ``P-Called-Party-ID`` (RFC 7315) or ``To``.  *caller* is what the trunk asserts (RFC
    3325, or ``Remote-Party-ID`` as older ones do), else ``From``; it is empty where the caller wants
    privacy, or gives no name that could be one.
    """
    first, headers = _split(message)
    asked = _user(first.split(" ")[1] if " " in first else "")
    others = (_user(headers.get(key, "")) for key in ("p-called-party-id", "to"))
    called = next((one for one in (asked, *others) if _NUMBER.fullmatch(one)), asked)
    return Offer(_caller(headers), called)


def _caller(headers: dict[str, str]) -> str:
    # A second line of the header stands behind a comma.
    wants = {part.strip() for part in re.split("[;,]", headers.get("privacy", "").lower())}
    said = _user(headers.get("from", ""))
    if wants & {"id", "user", "header", "critical"} or said.lower() in _WITHHELD:
        return ""
    older = headers.get("remote-party-id", "")
    if _OLDER_PRIVACY.search(older):
        return ""
    known = (*headers.get("p-asserted-identity", "").split(","), *older.split(","))
    asserted = map(_user, known)
    return next((one for one in asserted if _NUMBER.fullmatch(one)), said)


def _user(written: str) -> str:
    """Give the user of the first URI in *written*, without the marks that only please the eye."""
    found = _URI.search(written)
    user = unquote(found[1] or found[3] or "") if found else ""
    if re.fullmatch(r"[+0-9().\s-]+", user):
        user = re.sub(r"[().\s-]", "", user)
        context = _CONTEXT.search((found[2] or found[4] or "") if found else "")
        if context and user.isdecimal():
            user = context[1] + user
    return user if _NAME.fullmatch(user) else ""


def _split(message: str) -> tuple[str, dict[str, str]]:
    first, _, rest = message.partition("\n")
    headers: dict[str, str] = {}
    for name, value in _lines(rest):
        key = name.strip().lower()
        key = _SHORT.get(key, key)
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return first.strip(), headers


def _lines(text: str) -> Iterator[tuple[str, str]]:
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    for line in re.sub(r"\r?\n[ \t]+", " ", head).splitlines():
        name, _, value = line.partition(":")
        yield name, _QUOTED.sub("", value).strip()
