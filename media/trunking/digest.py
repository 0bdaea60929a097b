"""Showing who we are by digest (RFC 3261, 22; RFC 8760 for SHA-256).  Pure."""

import hashlib
import re
from collections.abc import Callable, Iterable

from attrs import frozen

from ringful.media.trunks import Credentials

_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "md5": hashlib.md5,
    "sha-256": hashlib.sha256,
    "sha-512-256": lambda data: hashlib.new("sha512_256", data),
}
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')


@frozen
class Challenge:
    """What somebody wants to be shown."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """As it was written."""
    qop: bool = False
    """Whether ``qop=auth`` is among what would do."""
    opaque: str | None = None
    stale: bool = False
    """Whether only the nonce was too old: the password was right."""


def challenge(values: Iterable[str]) -> Challenge | None:
    """Give the topmost challenge that we can answer (RFC 8760, 2.4); None if there is none.

    *values* are those of WWW-Authenticate or of Proxy-Authenticate, in order.
    """
    return next((found for value in values if (found := _read(value))), None)


def _read(value: str) -> Challenge | None:
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    given = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(rest)
    }
    algorithm = given.get("algorithm") or "MD5"
    qops = {one.strip().lower() for one in given.get("qop", "").split(",")} - {""}
    if algorithm.lower().removesuffix("-sess") not in _HASHES or not given.get("nonce"):
        return None
    if qops and "auth" not in qops:
        return None
    stale = given.get("stale", "").lower() == "true"
    return Challenge(
        given.get("realm", ""), given["nonce"], algorithm, bool(qops), given.get("opaque"), stale
    )


def authorization(
    asked: Challenge, who: Credentials, method: str, uri: str, *, cnonce: str, count: int = 1
) -> str:
    """Give the value of Authorization, or of Proxy-Authorization, that answers the challenge *asked*.

    *count* says how often its nonce has been used, this time included.
    """
    make = _HASHES[asked.algorithm.lower().removesuffix("-sess")]

    def digest(text: str) -> str:
        return make(text.encode()).hexdigest()

    secret = digest(f"{who.username}:{asked.realm}:{who.password}")
    if asked.algorithm.lower().endswith("-sess"):
        secret = digest(f"{secret}:{asked.nonce}:{cnonce}")
    used = f"{count:08x}:{cnonce}:auth:" if asked.qop else ""
    response = digest(f"{secret}:{asked.nonce}:{used}{digest(f'{method}:{uri}')}")
    given = [
        f"username={_quoted(who.username)}",
        f"realm={_quoted(asked.realm)}",
        f"nonce={_quoted(asked.nonce)}",
        f"uri={_quoted(uri)}",
        f'response="{response}"',
        f"algorithm={asked.algorithm}",
    ]
    if asked.opaque is not None:
        given.append(f"opaque={_quoted(asked.opaque)}")
    if asked.qop or asked.algorithm.lower().endswith("-sess"):
        given.append(f"cnonce={_quoted(cnonce)}")
    if asked.qop:
        given.append(f"qop=auth, nc={count:08x}")
    return "Digest " + ", ".join(given)


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'
