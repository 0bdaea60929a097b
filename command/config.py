"""The configuration: `ringful.toml`, and `RINGFUL_SECTION__KEY` in the environment over it.

Every value is checked when it is read, and a wrong one is refused with its key's name, what was
found, and what would do.  With no file at all everything has a default that works on loopback.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, TypeAlias

from attrs import Attribute, field, fields, frozen

from ringful.command.errors import CommandError
from ringful.interpreter.rates import Rate, RateTable

Network: TypeAlias = IPv4Network | IPv6Network


class _Wrong(Exception):
    """A value is not what its key wants; the message says what that is."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("a text")
    return value


def _address(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not re.fullmatch(r"[^\s:]+:\d{1,5}", value)
        or int(value.rpartition(":")[2]) > 65535
    ):
        raise _Wrong("an address such as 127.0.0.1:5060")
    return value


def _boolean(value: Any) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise _Wrong("true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _Wrong("a whole number of at least 1")
    return value


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = 0.0
    if isinstance(value, bool) or found <= 0:
        raise _Wrong("a number above 0")
    return found


def _seconds(value: Any) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value) if isinstance(value, str) else None
    if not found:
        raise _Wrong("a duration such as 60s, 2m or 4h")
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[found[2]]


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Wrong("a list of texts")
    return tuple(value)


def _paths(value: Any) -> tuple[Path, ...]:
    return tuple(Path(one) for one in _texts(value))


def _networks(value: Any) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(one, strict=False) for one in _texts(value))
    except ValueError:
        raise _Wrong("a list of networks such as 127.0.0.0/8") from None


def _trunk(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"sip:[\w.-]+(:\d{1,5})?(;[\w=;.-]+)?", value):
        raise _Wrong("a SIP URI such as sip:127.0.0.1:5070")
    return value


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in known:
            raise _Wrong(f"one of {', '.join(known)}")
        return str(value)

    return read


def _rates(value: Any) -> tuple[Rate, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _Wrong("tables, each headed [[rates.table]]")
    return tuple(_rate(one) for one in value)


def _rate(row: dict[str, Any]) -> Rate:
    unknown = set(row) - {attribute.name for attribute in fields(Rate)}
    if unknown:
        raise _Wrong(
            f"known keys only (prefix, per_minute, connection, first, following), not {min(unknown)}"
        )
    made: dict[str, Any] = {}
    for name, value in row.items():
        try:
            if name == "prefix":
                made[name] = _text(value).lstrip("+")
            else:
                made[name] = _whole(value) if name in ("first", "following") else Decimal(str(value))
        except (_Wrong, InvalidOperation):
            raise _Wrong(f"a proper {name} in each table, not {value!r}") from None
    return Rate(**made)


def _key(default: Any, read: Callable[[Any], Any]) -> Any:
    return field(default=default, metadata={"read": read})


@frozen
class Http:
    """The façade."""

    bind: str = _key("127.0.0.1:8080", _address)
    public_url: str = _key("", _text)
    """What recordings' URLs begin with; empty: ``http://`` and *bind*."""


@frozen
class Sip:
    """Telephony's network side."""

    bind: str = _key("127.0.0.1:5060", _address)
    """The first worker's address; the next workers take the next ports."""
    front: str = _key("auto", _one_of("auto", "kamailio", "none"))
    trunk: str = _key("sip:127.0.0.1:5070", _trunk)
    username: str = _key("", _text)
    password: str = _key("", _text)
    transport: str = _key("udp", _one_of("udp", "tcp"))
    from_number: str = _key("", _text)
    country: str = _key("US", _text)
    """Where national numbers are, and where keys without prefixes may call."""
    allow_sip_uris: bool = _key(False, _boolean)


@frozen
class Media:
    """Calls and sound."""

    max_calls: int = _key(60, _whole)
    folders: tuple[Path, ...] = _key((Path("announcements"),), _paths)
    cache: Path = _key(Path("cache"), lambda value: Path(_text(value)))
    ring_timeout: float = _key(60.0, _seconds)
    max_duration: float = _key(4 * 3600.0, _seconds)


@frozen
class StoreSection:
    """What outlives the process."""

    url: str = _key("sqlite:///ringful.db", _text)
    recordings: Path = _key(Path("recordings"), lambda value: Path(_text(value)))


@frozen
class Fetching:
    """What may be fetched and posted to."""

    allow: tuple[Network, ...] = _key((), _networks)
    """Networks that may be reached although they are not public."""


@frozen
class Limits:
    """For each key, unless the key says otherwise."""

    calls_per_second: float = _key(1.0, _number)
    concurrent: int = _key(20, _whole)
    drain: float = _key(30.0, _seconds)
    """How long live calls go on when the server is told to end."""


@frozen
class Rates:
    """What calls cost."""

    currency: str = _key("USD", _text)
    table: tuple[Rate, ...] = _key((), _rates)

    @property
    def rates(self) -> RateTable:
        """The table."""
        return RateTable(self.table, self.currency)


@frozen
class Config:
    """The whole configuration."""

    http: Http = field(factory=Http)
    sip: Sip = field(factory=Sip)
    media: Media = field(factory=Media)
    store: StoreSection = field(factory=StoreSection)
    fetch: Fetching = field(factory=Fetching)
    limits: Limits = field(factory=Limits)
    rates: Rates = field(factory=Rates)


_SECTIONS: dict[str, type] = {
    "http": Http,
    "sip": Sip,
    "media": Media,
    "store": StoreSection,
    "fetch": Fetching,
    "limits": Limits,
    "rates": Rates,
}


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration.  Raises CommandError (code 2).

    *path* None means `ringful.toml` in the current folder, if it is there.
    """
    found = path or Path("ringful.toml")
    written: dict[str, Any] = {}
    if path or found.exists():
        try:
            written = tomllib.loads(found.read_text(), parse_float=Decimal)
        except OSError as error:
            raise CommandError(f"{found}: {error.strerror}", 2) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CommandError(f"{found}: {error}", 2) from error
    sections = {name: _section(str(found), name, written.pop(name, {})) for name in _SECTIONS}
    if written:
        known = ", ".join(_SECTIONS)
        raise CommandError(f"{found}: there is no section [{min(written)}]; there are: {known}", 2)
    for variable, value in environ.items():
        if variable.startswith("RINGFUL_") and "__" in variable:
            section, _, key = variable.removeprefix("RINGFUL_").lower().partition("__")
            if section not in sections:
                raise CommandError(f"{variable}: there is no section {section}", 2)
            sections[section] |= _section(variable, section, {key: value})
    return Config(**{name: _SECTIONS[name](**values) for name, values in sections.items()})


def _section(source: str, name: str, written: Any) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise CommandError(f"{source}: {name} must be a section, [{name}]", 2)
    known: dict[str, Attribute[Any]] = {attribute.name: attribute for attribute in fields(_SECTIONS[name])}
    values = {}
    for key, value in written.items():
        if key not in known:
            raise CommandError(f"{source}: there is no key {name}.{key}; there are: {', '.join(known)}", 2)
        try:
            values[key] = known[key].metadata["read"](value)
        except _Wrong as wrong:
            raise CommandError(f"{source}: {name}.{key}: expected {wrong}, not {value!r}", 2) from None
    return values


def split_address(address: str) -> tuple[str, int]:
    """Give the host and the port of an address."""
    host, _, at_port = address.rpartition(":")
    return host, int(at_port)


def exposure(config: Config) -> tuple[str, ...]:
    """Say what stands between the workers and the network; each line is worth a log line.

    A worker must not face an open network alone, since packets can end it.  Raises CommandError
    where the configuration would have it do so without having said ``front = "none"``.
    """
    host, _ = split_address(config.sip.bind)
    try:
        address = ip_address(host)
    except ValueError:
        raise CommandError(f"sip.bind: expected an IP address, not {host}", 2) from None
    if config.sip.front == "kamailio":
        raise CommandError("sip.front: kamailio cannot be run by this version yet; use auto or none", 2)
    private = (address.is_private or address.is_loopback) and not address.is_unspecified
    if config.sip.front == "auto" and not private:
        message = (
            f"sip.bind: {host} faces an open network and there is no SIP front; bind to a private address"
        )
        raise CommandError(f'{message}, or say front = "none" if something else stands in front', 2)
    if config.sip.front == "auto":
        return (
            "no SIP front: calls that come in are not taken, and SIP stays on loopback or a private trunk",
        )
    return ()
