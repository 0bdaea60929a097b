"""Who calls whom, as an INVITE says it.  Pure.

The far end may write anything: what is not plainly a number or a name becomes nothing.
"""

import re
from collections.abc import Iterator, Sequence

from ringful.media.engine.parties.diversion import diverted_from
from ringful.media.engine.parties.named import Party, parties, unquoted
from ringful.media.port import Offer

_OLDER_PRIVACY = re.compile(r";\s*privacy\s*=\s*\"?(full|uri|name)\b", re.IGNORECASE)
"""What is hidden (draft-ietf-sip-privacy-04): the number, the name, or both."""
_SHORT = {"f": "from", "t": "to"}
"""Compact forms of headers (RFC 3261, 7.3.3)."""
_WITHHELD = frozenset({"anonymous", "private", "restricted", "unavailable", "unknown", "withheld"})
_MOST = 4000
"""Characters of a header, all its lines together: the library holds no more of a whole message."""


def offer_of(message: str) -> Offer:
    """Read the INVITE *message*.

    *called* is the user of the request's URI, or, where that is no number, as with a trunk that
    registers, of ``P-Called-Party-ID`` (RFC 7315) or ``To``.  *caller* is what the trunk asserts (RFC
    3325, or ``Remote-Party-ID`` as older ones do), else ``From``; it is empty where the caller wants
    privacy, or gives no name that could be one.  *name* is for people to read; it is hidden with the
    number.  *diverted_from* is who sent the call on to us (RFC 5806, RFC 7044).
    """
    first, headers = _split(message)
    asked = Party.of(first.split(" ")[1] if " " in first else "").user
    others = (_user(headers, key) for key in ("p-called-party-id", "to"))
    called = next((one for one in (asked, *others) if is_number(one)), asked)
    wants = _privacy(headers)
    caller, name = _caller(headers, wants)
    hidden = "history" in wants
    sent = diverted_from(headers.get("diversion", ""), "" if hidden else headers.get("history-info", ""))
    return Offer(caller, called, name, sent)


def is_number(user: str) -> bool:
    """Say whether *user* can be dialled."""
    return bool(re.fullmatch(r"\+?[0-9*#]{1,32}", user))


def _user(headers: dict[str, str], key: str) -> str:
    return next((one.user for one in parties(headers.get(key, ""))), "")


def _privacy(headers: dict[str, str]) -> frozenset[str]:
    """Give what is to be hidden (RFC 3323, 4.2); ``critical`` says only how much that is meant."""
    # A second line of the header stands behind a comma.
    return frozenset(part.strip() for part in re.split("[;,]", headers.get("privacy", "").lower()))


def _caller(headers: dict[str, str], wants: frozenset[str]) -> tuple[str, str]:
    """Give the number and the name of who calls; empty where they are withheld."""
    said = next(iter(parties(headers.get("from", ""))), Party())
    if wants & {"id", "user", "header"} or said.user.lower() in _WITHHELD:
        return "", ""
    older = headers.get("remote-party-id", "")
    hides = {one.lower() for one in _OLDER_PRIVACY.findall(unquoted(older))}
    if hides & {"full", "uri"}:
        return "", ""
    known = [*parties(headers.get("p-asserted-identity", "")), *parties(older)]
    number = next((one.user for one in known if is_number(one.user)), said.user)
    return number, "" if "name" in hides else _name((*known, said), number)


def _name(several: Sequence[Party], number: str) -> str:
    """Give the first name that is more than a number again, or a word for having none."""
    names = (one.name for one in several)
    real = (one for one in names if not re.fullmatch(r"[+0-9().\s-]*", one) and one != number)
    found = next(real, "")
    return "" if found.lower() in _WITHHELD else found


def _split(message: str) -> tuple[str, dict[str, str]]:
    first, _, rest = message.partition("\n")
    headers: dict[str, str] = {}
    for name, value in _lines(rest):
        key = name.strip().lower()
        key = _SHORT.get(key, key)
        whole = f"{headers[key]},{value}" if key in headers else value
        headers[key] = whole[:_MOST]
    return first.strip(), headers


def _lines(text: str) -> Iterator[tuple[str, str]]:
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    for line in re.sub(r"\r?\n[ \t]+", " ", head).splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()
