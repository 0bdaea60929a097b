"""Which URLs can be asked at all, and which addresses may be reached on a customer's behalf.

Pure: nothing is resolved here.  An address is public where IANA's registries of special-purpose
addresses leave it to the open Internet; one that carries an IPv4 address is that address too.
"""

import re
import socket
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import httpx2

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]
Address: TypeAlias = IPv4Address | IPv6Address

REFUSED = "which must not be reached: it is not public, and fetch.allow does not name it"

_INNER_4 = [
    IPv4Network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_GLOBAL_6 = IPv6Network("2000::/3")
"""The only part of IPv6 that is given out to the open Internet."""
# Teredo and the other protocols' own, documentation twice.
_INNER_6 = [IPv6Network(one) for one in ("2001::/23", "2001:db8::/32", "3fff::/20")]
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


def permitted(address: str, allow: Networks) -> bool:
    """Say whether *address* is a public one, or lies in one of the networks of *allow*.

    An address that carries an IPv4 address is allowed by either, and public only where both are.
    """
    found = ip_address(address.partition("%")[0])
    inner = _inner(found)
    faces = (found,) if inner is None else (found, inner)
    if any(face.version == network.version and face in network for face in faces for network in allow):
        return True
    if inner is not None and not _public(inner):
        return False
    # Both of these stand for the IPv4 address, and for nothing else.
    return _public(found) or (inner is not None and (_mapped(found) or found in _NAT64))


def _mapped(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address.ipv4_mapped is not None


def _inner(address: Address) -> IPv4Address | None:
    """Give the IPv4 address that *address* carries, where it carries one."""
    if not isinstance(address, IPv6Address):
        return None
    number = int(address)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if _mapped(address) or address in _NAT64 or (address in _COMPATIBLE and number > 1):
        return IPv4Address(number & 0xFFFFFFFF)
    if number >> 32 & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return None


def _public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INNER_4)
    return address in _GLOBAL_6 and not any(address in network for network in _INNER_6)


@lru_cache(1024)
def parsed(url: str) -> httpx2.URL:
    """Take *url* apart.  Raises httpx2.InvalidURL, or a ValueError or TypeError."""
    return httpx2.URL(url)


@lru_cache(1024)
def wrong(url: str) -> str:
    """Say why *url* can never be a web address; nothing where it may be one."""
    if re.search(r"[\s\x00-\x20\x7f]", url):
        return "it holds a blank or a control character"
    try:
        found = parsed(url)
        host, port, scheme = found.raw_host.decode("ascii"), found.port, found.scheme
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        return f"it cannot be read: {error}"
    if scheme not in ("http", "https"):
        return "it is no http or https URL"
    if port is not None and not 0 < port < 65536:
        return f"there is no port {port}"
    return _wrong_host(host)


def _wrong_host(host: str) -> str:
    if ":" in host:
        try:
            ip_address(host.partition("%")[0])
        except ValueError:
            return f"{host} is no IPv6 address"
        return ""
    bare = host.removesuffix(".")
    labels = bare.split(".")
    if not bare:
        return "it names no host"
    if len(bare) > 253:
        return "its host is longer than 253 characters"
    if any(len(label) > 63 for label in labels):
        return "its host has a part longer than 63 characters"
    if not all(labels):
        return "its host has an empty part"
    if stray := re.search(r"[^A-Za-z0-9._-]", bare):
        return f"no host has {stray[0]!r} in its name"
    return ""


def host_of(url: str) -> str:
    """Give the host and the port of *url* as they are written; nothing where it has none."""
    return re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]


@lru_cache(1024)
def literal(host: str) -> str | None:
    """Give the address that *host* is without asking anybody; None where it is a name.

    Resolvers take numbers of several bases and one to four of them for an IPv4 address.
    """
    host = host.removesuffix(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    if not re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}", host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def refusal(url: str, allow: Networks) -> str:
    """Say why *url*, which is not `wrong`, can never be reached here; nothing where it is a name's to say."""
    host = parsed(url).host
    address = literal(host)
    local = host.removesuffix(".").lower().endswith("localhost")
    if address is None or permitted(address, allow) or (local and permitted("::1", allow)):
        return ""
    at = "" if address == host else f" is at {address}"
    return f"{host}{at}, {REFUSED}"
