"""Reading the values of the configuration: each reader takes one kind of value, and refuses all others.

A reader takes what TOML made of the text: nothing is coerced, so that ``"false"`` is never true and
``"5"`` is no number.  The environment holds texts only; `from_text` finds the value that is meant.
"""

import math
import re
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from ringful.interpreter.money import rows
from ringful.interpreter.money.rates import Rate
from ringful.interpreter.money.rows import rate_of

Network: TypeAlias = IPv4Network | IPv6Network
T = TypeVar("T")

_TRUNK = re.compile(r"sip:[\w.-]+(:\d{1,5})?(;[\w=;.-]+)?", re.ASCII)
_SIZES = {"": 1, "k": 1000, "M": 1000_000, "G": 1000_000_000}
MOST_QUEUES = 100
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Unfit(Exception):
    """A value is not what its key wants: it should be *wanted*.

    Where the value is a list or a table, *at* says which part of it is meant, and *found* is that part, or
    what stands for it where it is better not shown.
    """

    def __init__(self, wanted: str, at: str = "", found: Any = None) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.at = at
        self.found = found


def from_text(text: str, read: Callable[[Any], T]) -> T:
    """Read a variable of the environment: a bare text, a TOML value, or a list with commas.

    Raises Unfit.
    """
    refused = None
    for meant in _meanings(text):
        try:
            return read(meant)
        except Unfit as unfit:
            # What is wrong within a list or a table says more than that another meaning is wrong as a whole.
            refused = refused if refused and refused.at else unfit
    assert refused
    raise refused


def _meanings(text: str) -> Iterator[Any]:
    yield text
    try:
        made = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except tomllib.TOMLDecodeError:
        pass
    else:
        # A line end in the text could begin another key.
        if len(made) == 1:
            yield made["value"]
    yield [part.strip() for part in text.split(",") if part.strip()]


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise Unfit("a text")
    return value


def path(value: Any) -> Path:
    """Read a path; relative ones are of the folder that the server was started in."""
    if not isinstance(value, str) or not value:
        raise Unfit("a path")
    return Path(value)


def boolean(value: Any) -> bool:
    """Read a boolean."""
    if not isinstance(value, bool):
        raise Unfit("true or false")
    return value


def whole(value: Any) -> int:
    """Read a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Unfit("a whole number of at least 1")
    return value


def size(value: Any) -> int:
    """Read a number of bytes, or a text such as 100MB."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = re.fullmatch(r"(\d+)\s?([kMG]?)B?", value, re.ASCII) if isinstance(value, str) else None
    if not found:
        raise Unfit("a size such as 100MB or 2GB")
    return int(found[1]) * _SIZES[found[2]]


def number(value: Any) -> float:
    """Read a number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < float(value) < math.inf:
        raise Unfit("a number above 0")
    return float(value)


def seconds(value: Any) -> float:
    """Read a duration."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value, re.ASCII) if isinstance(value, str) else None
    if not found:
        raise Unfit("a duration such as 60s, 2m or 4h")
    return float(found[1]) * _UNITS[found[2]]


def keeping(value: Any) -> float | None:
    """Read how long something is kept: a duration, which may be of days, or off for ever."""
    if value == "off":
        return None
    days = re.fullmatch(r"(\d+(?:\.\d+)?)d", value, re.ASCII) if isinstance(value, str) else None
    try:
        return float(days[1]) * 86400 if days and float(days[1]) else some_seconds(value)
    except Unfit:
        raise Unfit("off, or a duration such as 90d or 12h") from None


def some_seconds(value: Any) -> float:
    """Read a duration that is not nothing."""
    found = seconds(value)
    if found == 0:
        raise Unfit("a duration above 0")
    return found


def seconds_or_off(value: Any) -> float | None:
    """Read a duration of at least a second, or that there is none."""
    try:
        found = None if value == "off" else seconds(value)
    except Unfit:
        found = 0.0
    if found is not None and found < 1:
        raise Unfit('"off", or a duration of at least 1s')
    return found


def address(value: Any) -> str:
    """Read a host and a port."""
    found = re.fullmatch(r"[^\s:/]+:(\d{1,5})", value, re.ASCII) if isinstance(value, str) else None
    if not found or int(found[1]) > 65535:
        raise Unfit("an address such as 127.0.0.1:5060")
    return found[0]


def http_address(value: Any) -> str:
    """Read a host and a port for HTTP, where the host may be of IPv6, in brackets."""
    written = value if isinstance(value, str) else ""
    found = re.fullmatch(r"\[([^\s\[\]%]+)\]:(\d{1,5})|[^\s:/\[\]]+:(\d{1,5})", written, re.ASCII)
    if not found or int(found[2] or found[3]) > 65535 or (found[1] and not _is_ipv6(found[1])):
        raise Unfit("an address such as 127.0.0.1:8080 or [::1]:8080")
    return found[0]


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def ports(value: Any) -> tuple[int, int]:
    """Read a range of ports; ``any`` is 0, 0."""
    if value == "any":
        return 0, 0
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value, re.ASCII) if isinstance(value, str) else None
    if not found or not 1024 <= int(found[1]) < int(found[2]) <= 65535:
        raise Unfit('"any", or ports such as 10000-20000')
    return int(found[1]), int(found[2])


def trunk(value: Any) -> str:
    """Read the SIP URI of a trunk: a host, without a user."""
    if not isinstance(value, str) or not _TRUNK.fullmatch(value):
        raise Unfit("a SIP URI such as sip:127.0.0.1:5070")
    return value


def public_url(value: Any) -> str:
    """Read the URL that this server is reached at, or nothing."""
    if not isinstance(value, str) or not re.fullmatch(r"(https?://[^\s/?#]+[^\s?#]*)?", value, re.IGNORECASE):
        raise Unfit("a URL such as https://voice.example.com")
    return value


def phone_number(value: Any) -> str:
    """Read a number in E.164, or nothing."""
    if not isinstance(value, str) or not re.fullmatch(r"(\+?\d{3,15})?", value, re.ASCII):
        raise Unfit("a number such as +15125550000")
    return value


def country(value: Any) -> str:
    """Read a country's code of two letters."""
    from phonenumbers import (
        SUPPORTED_REGIONS,  # Few configurations name a country, and all commands read one.
    )

    if not isinstance(value, str) or value not in SUPPORTED_REGIONS:
        raise Unfit("a country's code of two letters such as US")
    return value


def currency(value: Any) -> str:
    """Read a currency's code."""
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise Unfit("a currency's code of three letters such as USD")
    return value


def one_of(*known: str) -> Callable[[Any], str]:
    """Make a reader of one of the *known* texts."""

    def read(value: Any) -> str:
        if value not in known:
            raise Unfit(f"one of {', '.join(known)}")
        return str(value)

    return read


def paths(value: Any) -> tuple[Path, ...]:
    """Read a list of paths."""
    return tuple(_each(value, path, 'a list of paths such as ["announcements"]'))


def networks(value: Any) -> tuple[Network, ...]:
    """Read a list of networks."""
    return tuple(_each(value, network, 'a list of networks such as ["127.0.0.0/8"]'))


def queues(value: Any) -> tuple[str, ...]:
    """Read a list of names of queues: a hundred at most, since each is a line of the metrics."""
    names = tuple(_each(value, text, 'a list of names, such as ["support"]'))
    if len(names) > MOST_QUEUES or len(set(names)) < len(names) or not all(names) or "other" in names:
        raise Unfit(f"up to {MOST_QUEUES} names, each once, and not other, which all others are")
    return names


def network(value: Any) -> Network:
    """Read a network."""
    try:
        return ip_network(text(value), strict=False)
    except (Unfit, ValueError):
        raise Unfit("a network such as 127.0.0.0/8") from None


def rates(value: Any) -> tuple[Rate, ...]:
    """Read the rate table."""
    if not isinstance(value, list):
        raise Unfit("tables, each headed [[rates.table]]")
    table = tuple(_rate(row, n) for n, row in enumerate(value, 1))
    known = set[tuple[str, str, float | None]]()
    for n, rate in enumerate(table, 1):
        if (key := (rate.prefix, rate.direction, rate.since)) in known:
            raise Unfit("a prefix that no table above has", f" #{n}, prefix", rate.prefix)
        known.add(key)
    return table


def _each(value: Any, read: Callable[[Any], T], wanted: str) -> Iterator[T]:
    if not isinstance(value, list):
        raise Unfit(wanted)
    for n, one in enumerate(value, 1):
        try:
            yield read(one)
        except Unfit as unfit:
            raise Unfit(unfit.wanted, f" #{n}{unfit.at}", unfit.found if unfit.at else one) from None


def _rate(row: Any, n: int) -> Rate:
    if not isinstance(row, dict):
        raise Unfit("a table", f" #{n}", row)
    try:
        return rate_of(row, "[[rates.table]] #", n)
    except rows.Unfit as unfit:
        raise Unfit(unfit.wanted, f" #{n}, {unfit.column}", unfit.found) from None
