"""Reading trunks: the short form of one (`sip.trunk`), and several by name (`[sip.trunks.NAME]`)."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from ringful.command.configuration import readers
from ringful.command.configuration.readers import Unfit
from ringful.command.configuration.tables import Keys, between, table
from ringful.media.trunks import Credentials, Transport, Trunk

MOST = 30
"""Trunks of a server: each is watched, and each worker may have to know any of them."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_HOST = re.compile(r"([\w-]+(?:\.[\w-]+)*)(?::(\d{1,5}))?", re.ASCII)


def trunks(value: Any) -> tuple[Trunk, ...]:
    """Read the tables of trunks, by name, in the order of the file."""
    if not isinstance(value, Mapping):
        raise Unfit("tables, each headed [sip.trunks.NAME]")
    if len(value) > MOST:
        raise Unfit(f"at most {MOST} trunks", found=len(value))
    return tuple(_trunk(name, one) for name, one in value.items())


def _trunk(name: str, value: Any) -> Trunk:
    if not _NAME.fullmatch(name):
        raise Unfit("a name of at most 32 small letters, digits, - and _", ", a name", name)
    read = table(value, f".{name}", _KEYS, ("address",))
    host, at_port = read.pop("address")
    ours, theirs = _credentials(read, f".{name}."), _credentials(read, f".{name}.", "their_")
    made = Trunk(name, host, at_port, ours=ours, theirs=theirs, **read)
    if made.register and not ours.username:
        raise Unfit("a username, where we register", f".{name}.register", True)
    return made


def _credentials(read: dict[str, Any], at: str, whose: str = "") -> Credentials:
    username, password = read.pop(f"{whose}username", ""), read.pop(f"{whose}password", "")
    if bool(username) != bool(password):
        lacking = "password" if username else "username"
        raise Unfit("both a username and a password, or neither", f"{at}{whose}{lacking}", "")
    return Credentials(username, password)


def one_trunk(uri: str, transport: Transport, ours: Credentials, from_number: str) -> Trunk:
    """Give the trunk of the short form; *uri* has been read by `readers.trunk`."""
    place, _, options = uri.removeprefix("sip:").partition(";")
    host, _, at_port = place.partition(":")
    said = "tcp" if "transport=tcp" in options else transport
    return Trunk("trunk", host, int(at_port or 0), said, ours=ours, from_number=from_number)


def public_address(value: Any) -> str:
    """Read the address that others know us by: one of IPv4, or nothing."""
    try:
        # A number is an address to Python.
        return str(IPv4Address(readers.text(value))) if value != "" else ""
    except (Unfit, ValueError):
        raise Unfit("an address of IPv4 such as 203.0.113.5") from None


def _address(value: Any) -> tuple[str, int]:
    found = _HOST.fullmatch(value) if isinstance(value, str) else None
    if not found or int(found[2] or 1) not in range(1, 65536):
        raise Unfit("a host such as sip.example.com or 203.0.113.5:5080")
    return found[1], int(found[2] or 0)


def _domain(value: Any) -> str:
    if value == "":
        return ""
    found = _HOST.fullmatch(value) if isinstance(value, str) else None
    if not found or found[2]:
        raise Unfit("a domain such as example.com")
    return found[0]


def _prefixes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Unfit('a list of prefixes such as ["1", "44"], or [""] for all numbers')
    for n, one in enumerate(value, 1):
        if not isinstance(one, str) or not re.fullmatch(r"\d{0,15}", one, re.ASCII):
            raise Unfit("digits of a number without + such as 44", f" #{n}", one)
    return tuple(value)


def _password(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 128:
        raise Unfit("a text of at most 128 characters that can be printed")
    return value


def _username(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\w.!~*'()&=+$,;?/@%-]{0,64}", value, re.ASCII):
        raise Unfit("a user such as alice or +15125550000, of at most 64 characters")
    return value


def _register_every(value: Any) -> float:
    found = readers.seconds(value)
    if not 30 <= found <= 86400:
        raise Unfit("a duration from 30s to 24h")
    return found


def _answer_within(value: Any) -> float:
    found = readers.seconds(value)
    if not 1 <= found <= 8:
        raise Unfit("a duration from 1s to 8s")
    return found


def _ring_within(value: Any) -> float:
    found = readers.seconds(value)
    if found and not 2 <= found <= 180:
        raise Unfit('a duration from 2s to 3m, or "0s" for any time')
    return found


def _country(value: Any) -> str:
    return "" if value == "" else readers.country(value)


_KEYS: Keys = {
    "address": _address,
    "transport": readers.one_of("udp", "tcp", "tls"),
    "domain": _domain,
    "prefixes": _prefixes,
    "order": between(0, 1000),
    "networks": readers.networks,
    "username": _username,
    "password": _password,
    "their_username": _username,
    "their_password": _password,
    "register": readers.boolean,
    "register_every": _register_every,
    "from_number": readers.phone_number,
    "country": _country,
    "numbers": readers.one_of("+e164", "e164", "00", "national"),
    "asserted": readers.boolean,
    "diversion": readers.one_of("none", "diversion", "history-info", "both"),
    "srtp": readers.one_of("off", "optional", "required"),
    "redirects": between(0, 5),
    "answer_within": _answer_within,
    "ring_within": _ring_within,
    "options_every": readers.seconds,
}
