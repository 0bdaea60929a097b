"""Headers, one rule for each kind: a value is given as the library can read it, or the header is left out.

What a message cannot be without (Via, From, To, Call-ID, CSeq, and Contact where a call begins) makes it
unfit where it cannot be read; all else is dropped alone, so that one bad header leaves no INVITE without
an answer.
"""

import re
from collections.abc import Callable

from attrs import evolve

from ringful.media.engine.filter.addresses import Names, address, addresses, via
from ringful.media.engine.filter.message import TOKEN, Header, Message, Unfit, printable, split

MOST_HEADERS = 120
MOST_VIAS = 20
MOST_ROUTES = 16
MOST_CONTACTS = 8
MOST_OTHER = 1500
"""Characters of a value that nobody here reads."""
_ONCE = frozenset(
    {"from", "to", "call-id", "cseq", "max-forwards", "content-type", "content-length", "expires", "event"}
    | {"min-expires", "session-expires", "min-se", "rack", "rseq", "replaces", "refer-to", "referred-by"}
    | {"retry-after", "subscription-state"}
)
_DROPPED = frozenset(
    {"route", "authorization", "proxy-authorization", "authentication-info", "content-encoding", "sip-etag"}
    | {"sip-if-match", "accept", "accept-encoding", "accept-language", "warning", "date", "timestamp"}
    | {"mime-version", "content-disposition", "content-language", "in-reply-to", "join", "target-dialog"}
)
"""Headers of which nothing here makes use, and that the library would read, or act on."""
_CALL_ID = re.compile(r"[\x21-\x7e]{1,200}")
_CSEQ = re.compile(rf"0*([0-9]{{1,10}})\s+({TOKEN})")
_CHALLENGE = re.compile(rf"({TOKEN})\s*=\s*(\"(?:[^\"\\]|\\.)*\"|{TOKEN})")
_ALGORITHMS = frozenset({"md5", "sha-256", "sha-512-256"})
_REPLACED = re.compile(rf"[^\s;<>\"]{{1,200}}(\s*;\s*{TOKEN}(=[^\s;,<>\"]{{1,128}})?)*", re.ASCII)

Rule = Callable[[str, Names], str]
"""Gives a value as it may stay; empty: the header is left out."""


def clean(message: Message, names: Names) -> Message:
    """Give *message* with headers that the library bears.  Raises Unfit."""
    vias = sum(value.count(",") + 1 for value in message.all("via"))
    if len(message.headers) > MOST_HEADERS or vias > MOST_VIAS:
        raise Unfit(400, "Too Many Headers")
    kept: list[Header] = []
    seen: set[str] = set()
    for one in message.headers:
        if one.key in _DROPPED or (one.key in _ONCE and one.key in seen) or one.key == "content-length":
            continue
        seen.add(one.key)
        if value := _rule_of(one.key)(one.value, names):
            kept.append(Header(one.name, value, one.key))
    kept = _lists(kept)
    cleaned = evolve(message, headers=kept)
    _complete(cleaned)
    return cleaned


def _lists(headers: list[Header]) -> list[Header]:
    """Bound what there may be several of."""
    most = {"record-route": MOST_ROUTES, "contact": MOST_CONTACTS}
    kept = []
    for one in headers:
        if one.key in most:
            most[one.key] -= len(split(one.value))
            if most[one.key] < 0:
                if one.key == "contact":
                    continue
                raise Unfit(400, "Too Many Hops")
        kept.append(one)
    return kept


def _complete(message: Message) -> None:
    """See that what no message may be without is there, and agrees."""
    for key in ("via", "from", "to", "call-id", "cseq"):
        if not message.one(key):
            raise Unfit(400, f"Missing {key.title()}")
    method = message.one("cseq").split()[1]
    if message.is_request and method != message.method:
        raise Unfit(400, "CSeq of Another Method")


def _vias(value: str, names: Names) -> str:
    return ", ".join(via(one, names) for one in split(value))


def _address(value: str, names: Names) -> str:
    return address(value, names)


def _call_id(value: str, names: Names) -> str:
    if not _CALL_ID.fullmatch(value):
        raise Unfit(400, "Bad Call-ID")
    return value


def _cseq(value: str, names: Names) -> str:
    found = _CSEQ.fullmatch(value)
    if not found or int(found[1]) >= 1 << 31:
        raise Unfit(400, "Bad CSeq")
    return f"{int(found[1])} {found[2]}"


def _routes(value: str, names: Names) -> str:
    found = split(value)
    kept = addresses(value, names, MOST_ROUTES + 1)
    if len(kept) != len(found):
        raise Unfit(400, "Bad Record-Route")
    # The way back must be as it was: who wrote it without lr gets it without.
    return ", ".join(kept)


def _contacts(value: str, names: Names) -> str:
    return ", ".join(addresses(value, names, MOST_CONTACTS))


def _spare_address(value: str, names: Names) -> str:
    """An address that nobody needs: left out where it cannot be read."""
    try:
        return address(value, names)
    except Unfit:
        return ""


def _number(most: int) -> Rule:
    def rule(value: str, names: Names) -> str:
        found = re.match(r"[0-9]{1,10}(?![0-9])", value)
        return found[0] if found and int(found[0]) <= most else ""

    return rule


def _hops(value: str, names: Names) -> str:
    return value if re.fullmatch(r"[0-9]{1,4}", value) and int(value) <= 255 else "70"


def _session(value: str, names: Names) -> str:
    found = re.fullmatch(r"([0-9]{1,9})\s*((?:;.*)?)", value)
    if not found or not int(found[1]):
        return ""
    who = re.search(r"refresher\s*=\s*(uac|uas)\b", found[2])
    return f"{int(found[1])};refresher={who[1]}" if who else str(int(found[1]))


def _acked(value: str, names: Names) -> str:
    found = re.fullmatch(rf"([0-9]{{1,10}})\s+([0-9]{{1,10}})\s+({TOKEN})", value)
    return value if found and max(int(found[1]), int(found[2])) < 1 << 31 else ""


def _tokens(value: str, names: Names) -> str:
    kept = [one for one in split(value) if re.fullmatch(TOKEN, one) and len(one) <= 40]
    return ", ".join(kept[:24])


def _event(value: str, names: Names) -> str:
    found = re.fullmatch(rf"({TOKEN})((?:\s*;\s*{TOKEN}(?:=[^\s;,<>\"]{{1,64}})?)*)", value)
    return value if found and len(value) <= 200 else ""


def _replaces(value: str, names: Names) -> str:
    if not _REPLACED.fullmatch(value):
        raise Unfit(400, "Bad Replaces")
    return value


def _challenge(value: str, names: Names) -> str:
    """A digest challenge (RFC 7616): its answer is built in a room of fixed size (CVE-2026-40892)."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "digest":
        return ""
    kept: dict[str, str] = {}
    for one in split(rest):
        found = _CHALLENGE.fullmatch(one)
        if found and found[1].lower() in ("realm", "nonce", "opaque", "algorithm", "qop", "stale"):
            kept.setdefault(found[1].lower(), found[2])
    if (
        any(len(one) > 200 or not one.isascii() for one in kept.values())
        or not {"realm", "nonce"} <= kept.keys()
    ):
        return ""
    if kept.get("algorithm", "MD5").strip('"').lower() not in _ALGORITHMS:
        return ""
    return "Digest " + ", ".join(f"{name}={one}" for name, one in kept.items())


def _other(value: str, names: Names) -> str:
    if len(value) > MOST_OTHER:
        return ""
    return printable(value, MOST_OTHER)


def _type(value: str, names: Names) -> str:
    return value if re.fullmatch(rf"{TOKEN}/{TOKEN}(\s*;[\x20-\x7e]*)?", value) and len(value) < 300 else ""


_RULES: dict[str, Rule] = {
    "via": _vias,
    "from": _address,
    "to": _address,
    "call-id": _call_id,
    "cseq": _cseq,
    "contact": _contacts,
    "record-route": _routes,
    "max-forwards": _hops,
    "content-type": _type,
    "expires": _number((1 << 31) - 1),
    "min-expires": _number((1 << 31) - 1),
    "retry-after": _number((1 << 31) - 1),
    "session-expires": _session,
    "min-se": _number((1 << 31) - 1),
    "rseq": _number((1 << 31) - 1),
    "rack": _acked,
    "allow": _tokens,
    "supported": _tokens,
    "require": _tokens,
    "proxy-require": _tokens,
    "unsupported": _tokens,
    "allow-events": _tokens,
    "event": _event,
    "subscription-state": _event,
    "refer-to": _spare_address,
    "referred-by": _spare_address,
    "replaces": _replaces,
    "www-authenticate": _challenge,
    "proxy-authenticate": _challenge,
}


def _rule_of(key: str) -> Rule:
    return _RULES.get(key, _other)
