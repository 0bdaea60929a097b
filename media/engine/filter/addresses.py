"""URIs, and the headers that hold them: what can be read is written anew, the rest is refused.

The library reads a URI by its own narrow rules, and leaves out a header that does not follow them: an
INVITE would have no answer then.  Names of hosts are kept, and noted: they mean the address that the
message came from, since nobody asks a name server for what a stranger wrote.
"""

import ipaddress
import re
from collections.abc import Callable

from attrs import define, field

from ringful.media.engine.filter.message import TOKEN, Unfit, printable, split

MOST_URI = 230
"""Characters of a URI: the library has room for 256 in many places, and asserts where that is too little."""
_URI = re.compile(
    r"(?P<scheme>sips?|tel):(?:(?P<user>[^@\s<>\"]*)@)?(?P<rest>[^\s<>\"]*)", re.IGNORECASE | re.ASCII
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.\-_]{0,253}))(?::([0-9]{1,5}))?", re.ASCII)
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/:]|%[0-9A-Fa-f]{2})*", re.ASCII)
_USED = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-_.!~*'()&=+$,;?/:%]")
_PARAMETER = re.compile(
    rf"({TOKEN})(?:\s*=\s*({TOKEN}|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-.:\[\]/&+$%]+|\"(?:[^\"\\]|\\.)*\"))?"
)
_TEL = re.compile(r"[+0-9A-Fa-f*#().\-]{1,64}")
_PLACED = ("maddr", "ttl", "method", "lr")
"""Parameters of a URI that would send messages elsewhere, or that are written anew."""


@define
class Names:
    """The names of hosts in a message."""

    source: str
    """Where it came from: an address and a port."""
    found: set[str] = field(factory=set)

    def host(self, written: str) -> str:
        """Note *written*, a host with its port or without; give it so that it can be reached."""
        matched = _HOST.fullmatch(written)
        if not matched or int(matched[2] or 1) not in range(1, 65536):
            raise Unfit(400, "Bad Host")
        if matched[1].startswith("["):
            return self.source  # There is no IPv6 in the library.
        if not is_address(matched[1]):
            if re.fullmatch(r"[0-9.]+", matched[1]):
                return self.source
            self.found.add(matched[1])
        return written


def is_address(written: str) -> bool:
    """Whether it is an IPv4 address."""
    try:
        ipaddress.IPv4Address(written)
    except ValueError:
        return False
    return True


def uri(written: str, names: Names) -> str:
    """Give a URI as the library can read it.  Raises Unfit."""
    if len(written) > MOST_URI:
        raise Unfit(414, "Request-URI Too Long")
    found = _URI.fullmatch(written)
    if not found:
        raise Unfit(416 if re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", written) else 400, "Bad URI")
    rest, parameters = found["rest"].partition("?")[0].split(";")[0], found["rest"].partition("?")[0]
    kept = uri_parameters(parameters.split(";")[1:])
    if found["scheme"].lower() == "tel":
        if found["user"] or not _TEL.fullmatch(rest):
            raise Unfit(400, "Bad Telephone Number")
        return f"tel:{rest.replace('#', '%23')}{kept}"
    user = ""
    if found["user"] is not None:
        user = _USED.sub(lambda one: f"%{ord(one[0]):02X}", found["user"])
        if not _USER.fullmatch(user) or "%00" in user or not user:
            raise Unfit(400, "Bad User in URI")
        user += "@"
    return f"{found['scheme'].lower()}:{user}{names.host(rest)}{kept}"


def uri_parameters(written: list[str]) -> str:
    """Give the parameters of a URI that may stay."""
    kept = []
    for one in written:
        found = _PARAMETER.fullmatch(one.strip())
        name = found[1].lower() if found else ""
        if name == "lr":
            kept.append("lr")
        elif found and name not in _PLACED and len(one) <= 100 and "%00" not in one:
            kept.append(one.strip())
    return "".join(f";{one}" for one in kept[:10])


def parameters(written: str, allowed: Callable[[str, str], bool] = lambda name, value: True) -> str:
    """Give the parameters of a header that can be read, each once."""
    kept: dict[str, str] = {}
    for one in _semicolons(written):
        found = _PARAMETER.fullmatch(one)
        if found and len(one) <= 200:
            name, value = found[1].lower(), found[2] or ""
            if name not in kept and allowed(name, value) and value.isascii():
                kept[name] = f";{found[1]}={value}" if value else f";{found[1]}"
    return "".join(list(kept.values())[:16])


def _semicolons(written: str) -> list[str]:
    return [one.strip() for one in re.findall(r"(?:\"(?:[^\"\\]|\\.)*\"|[^;\"])+", written)]


_NAMED = re.compile(r"(?P<name>\"(?:[^\"\\]|\\.)*\"\s*|[^<\"]*)<(?P<uri>[^<>]*)>(?P<rest>.*)")
_BROKEN = re.compile(r"[^<>]*<([^<>\"]*)>\s*((?:;[^<>\"]*)?)")
_TAG = re.compile(TOKEN)


def address(written: str, names: Names) -> str:
    """Give the value of From, To, Contact and the like: a name, a URI and parameters.  Raises Unfit."""
    found = _NAMED.fullmatch(written)
    if found:
        name, where, rest = (found[one].strip() for one in ("name", "uri", "rest"))
        if rest and not rest.startswith(";"):
            raise Unfit(400, "Bad Address")
    elif broken := _BROKEN.fullmatch(written):
        # A name that is not closed, or is twice in quotes, is a name that nobody needs.
        (where, rest), name = broken.groups(), ""
    elif "<" in written or '"' in written:
        raise Unfit(400, "Bad Address")
    else:
        (where, _, rest), name = written.partition(";"), ""
        where = where.strip()
    shown = _display(name)
    return f"{shown}<{uri(where, names)}>{parameters(rest, _is_fit)}"


def _is_fit(name: str, value: str) -> bool:
    if name == "tag":
        return bool(_TAG.fullmatch(value)) and len(value) <= 128
    if name == "expires":
        return value.isdigit() and len(value) < 10
    return name not in ("maddr", "q") or bool(re.fullmatch(r"[01](\.[0-9]{1,3})?", value))


def _display(name: str) -> str:
    """Give a display name in quotes, so that anything may stand in it; one that is absurd is left out."""
    bare = name[1:-1] if name.startswith('"') else re.sub(r'([\\"])', r"\\\1", name)
    bare = printable(_utf8(bare), 1000)
    if not bare.strip() or len(bare) > 128 or re.search(r"(?<!\\)(?:\\\\)*\\$", bare):
        return ""
    return f'"{bare}" '


def _utf8(text: str) -> str:
    """Give *text*, of bytes as Latin-1, as UTF-8: what is none is Latin-1, which older exchanges write."""
    try:
        text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text.encode().decode("latin-1")
    return text


def addresses(written: str, names: Names, most: int) -> list[str]:
    """Give the addresses that *written* lists, but for those that cannot be read."""
    kept = []
    for one in split(written)[:most]:
        try:
            kept.append(address(one, names))
        except Unfit:
            continue
    return kept


_VIA = re.compile(
    rf"SIP\s*/\s*2\.0\s*/\s*({TOKEN})\s+([^\s;,]+)\s*((?:;.*)?)", re.IGNORECASE | re.ASCII | re.DOTALL
)


def via(written: str, names: Names) -> str:
    """Give one value of Via.  Raises Unfit."""
    found = _VIA.fullmatch(written)
    if not found or len(written) > 500:
        raise Unfit(400, "Bad Via")
    host = _HOST.fullmatch(re.sub(r"\s", "", found[2]))
    if not host or int(host[2] or 1) not in range(1, 65536):
        raise Unfit(400, "Bad Via")
    kept = parameters(found[3], _is_fit_for_via)
    return f"SIP/2.0/{found[1].upper()} {host[0]}{kept}"


def _is_fit_for_via(name: str, value: str) -> bool:
    match name:
        case "rport":
            return value == "" or (value.isdigit() and 0 < int(value[:9]) < 65536)
        case "received":
            return is_address(value)
        case "branch":
            return bool(_TAG.fullmatch(value.replace("=", "").replace("/", "").replace(":", "") or " "))
        case "maddr" | "ttl":
            return False
    return True
