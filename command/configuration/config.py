"""The configuration: `ringful.toml`, and `RINGFUL_SECTION__KEY` in the environment over it.

Every value is checked when it is read, and a wrong one is refused with its key's name, what was
found, and what would do.  With no file at all everything has a default that works on loopback.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from attrs import Attribute, evolve, field, fields, frozen

from ringful.command.configuration import messages, readers, trunks
from ringful.command.configuration.mail import mail
from ringful.command.configuration.tables import between
from ringful.command.errors import CommandError
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.money.rows import flaws
from ringful.interpreter.money.sheet import Sheet, read_sheet
from ringful.media.trunks import Credentials, Transport, Trunk
from ringful.messages.mail_settings import MailSettings
from ringful.messages.smpp.connection import SmppConnection


def _key(default: Any, read: Callable[[Any], Any]) -> Any:
    return field(default=default, metadata={"read": read})


@frozen
class Http:
    """The façade."""

    bind: str = _key("127.0.0.1:8080", readers.http_address)
    public_url: str = _key("", readers.public_url)
    """What recordings' URLs begin with; empty: ``http://`` and *bind*."""
    max_connections: int = _key(500, readers.whole)
    """How many clients may be connected at a time: each takes one of the server's open files."""
    metrics_allow: tuple[readers.Network, ...] = _key((), readers.networks)
    """Networks that `/metrics` and `/ready` are told beside this machine."""
    metrics_queues: tuple[str, ...] = _key((), readers.queues)
    """Names of queues that have a line of their own in the metrics: nobody else can make one."""


@frozen
class Log:
    """What is said on standard error."""

    format: str = _key("text", readers.one_of("text", "json"))
    level: str = _key("info", readers.one_of("debug", "info", "warning", "error"))


_DEFAULT_TRUNK = "sip:127.0.0.1:5070"


@frozen
class Sip:
    """Telephony's network side."""

    bind: str = _key("127.0.0.1:5060", readers.address)
    """The first worker's address; the next workers take the next ports."""
    front: str = _key("auto", readers.one_of("auto", "kamailio", "none"))
    public_address: str = _key("", trunks.public_address)
    """What others know us by; empty: the address of *bind*."""
    trunk: str = _key(_DEFAULT_TRUNK, readers.trunk)
    """The only one, in short: *username*, *password*, *transport* and *from_number* are its."""
    username: str = _key("", readers.text)
    password: str = _key("", readers.text)
    transport: str = _key("udp", readers.one_of("udp", "tcp"))
    from_number: str = _key("", readers.phone_number)
    country: str = _key("US", readers.country)
    """Where national numbers are, and where keys without prefixes may call."""
    allow_sip_uris: bool = _key(False, readers.boolean)
    front_folder: Path | None = _key(None, readers.path)  # noqa: RUF009
    """Where the front keeps what it is told; None: a folder of its own below the runtime folder."""
    worker_ports: tuple[int, int] = _key((25_100, 25_499), readers.ports)
    """The first and the last UDP port on 127.0.0.1 of workers behind a front."""
    tls_port: int = _key(0, between(0, 65535))
    """Where the front takes TLS; 0: the port after that of *bind*."""
    tls_certificate: Path | None = _key(None, readers.path)  # noqa: RUF009
    tls_key: Path | None = _key(None, readers.path)  # noqa: RUF009
    tls_authorities: Path = _key(Path("/etc/ssl/certs/ca-certificates.crt"), readers.path)  # noqa: RUF009
    """Those that the certificates of trunks must follow from."""
    options: bool = _key(True, readers.boolean)
    """Whether the trunk is asked, by OPTIONS at the start, whether it is there."""
    trunks: tuple[Trunk, ...] = _key((), trunks.trunks)
    """Several, by name, instead of *trunk*."""

    def __attrs_post_init__(self) -> None:
        short = (self.trunk, self.username, self.password, self.transport, self.from_number)
        if self.trunks and short != (_DEFAULT_TRUNK, "", "", "udp", ""):
            keys = "trunk, username, password, transport and from_number"
            raise CommandError(f"sip.trunks: where there are tables, sip has no keys {keys}", 2)

    @property
    def ways(self) -> tuple[Trunk, ...]:
        """The trunks that there are, however they were written."""
        found = self.trunks
        if not found:
            ours = Credentials(self.username, self.password)
            transport: Transport = "tcp" if self.transport == "tcp" else "udp"
            found = (trunks.one_trunk(self.trunk, transport, ours, self.from_number),)
        return tuple(evolve(trunk, country=trunk.country or self.country) for trunk in found)


@frozen
class Media:
    """Calls and sound."""

    max_calls: int = _key(60, readers.whole)
    ports: tuple[int, int] = _key((10_000, 20_000), readers.ports)
    """The first and the last UDP port for RTP; 0, 0: any that the kernel gives."""
    public_address: str = _key("", trunks.public_address)
    """Where far ends send sound to, as the SDP says it; empty: ``sip.public_address``, or where we listen."""
    folders: tuple[Path, ...] = _key((Path("announcements"),), readers.paths)
    cache: Path = _key(Path("cache"), readers.path)  # noqa: RUF009 (a Path cannot change)
    ring_timeout: float = _key(60.0, readers.some_seconds)
    max_duration: float = _key(4 * 3600.0, readers.some_seconds)
    silence_limit: float | None = _key(60.0, readers.seconds_or_off)
    """How long nothing may be heard from a far end until it counts as lost; None: for ever."""
    symmetric_rtp: bool = _key(True, readers.boolean)
    """Whether far ends send sound from the port that they hear at, and from no other (RFC 4961)."""


@frozen
class StoreSection:
    """What outlives the process."""

    url: str = _key("sqlite:///ringful.db", readers.text)
    recordings: Path = _key(Path("recordings"), readers.path)  # noqa: RUF009
    min_free: int = _key(100_000_000, readers.size)
    """Bytes that must be free on the disks of the database, the recordings and the cache."""
    keep: float | None = _key(None, readers.keeping)
    """Seconds after its end for which a call's journal and callbacks are kept."""


@frozen
class Recordings:
    """How long recordings are kept, and who may fetch them."""

    keep: float | None = _key(None, readers.keeping)
    public: bool = _key(True, readers.boolean)
    """Whoever knows its name may fetch a recording; otherwise its link is signed, and expires."""
    link_lifetime: float = _key(24 * 3600.0, readers.some_seconds)


@frozen
class Fetching:
    """What may be fetched and posted to."""

    allow: tuple[readers.Network, ...] = _key((), readers.networks)
    """Networks that may be reached although they are not public."""
    answer_timeout: float = _key(10.0, readers.some_seconds)
    """How long `ask` and `follow` wait where they do not say."""


@frozen
class Limits:
    """For each key, unless the key says otherwise."""

    calls_per_second: float = _key(1.0, readers.number)
    concurrent: int = _key(20, readers.whole)
    drain: float = _key(30.0, readers.seconds)
    """How long live calls go on when the server is told to end."""


@frozen
class Rates:
    """What calls and messages cost: the rows of *table* and those of *file*, together."""

    currency: str = _key("USD", readers.currency)
    table: tuple[Rate, ...] = _key((), readers.rates)
    file: Path | None = _key(None, readers.path)  # noqa: RUF009
    """A CSV file; it is read when it is needed."""

    @cached_property
    def rates(self) -> RateTable:
        """The table.  Raises CommandError (code 2) where it cannot be one."""
        sheet = self.sheet
        if sheet.flaws:
            more = f" (and {len(sheet.flaws) - 1} more: ringful rates check)" if sheet.flaws[1:] else ""
            raise CommandError(f"{sheet.flaws[0]}{more}", 2)
        return RateTable(sheet.rates, self.currency)

    @property
    def sheet(self) -> Sheet:
        """All rows, with everything that is wrong with them.  Raises CommandError."""
        if self.file is None:
            return Sheet(self.table, tuple(flaws(self.table)))
        return sheet_of(self.file, self.table)


def sheet_of(file: Path, above: tuple[Rate, ...] = ()) -> Sheet:
    """Read a table from *file*, joined to the rows *above*.  Raises CommandError (code 2)."""
    try:
        written = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", 2) from error
    return read_sheet(written, str(file), above)


@frozen
class Sms:
    """Text messages."""

    source: str = _key("", messages.sender)
    """Who they are from; empty: the SMSC decides."""
    transport: str = _key("none", readers.one_of("smpp", "sip", "none"))
    validity: float = _key(36_000.0, readers.some_seconds)
    """How long a message is tried."""
    window: float = _key(72 * 3600.0, readers.some_seconds)
    """How long a message is answerable."""
    stop_reply: str = _key(
        "You will get no more messages from this number. Reply START to get them again.", messages.reply
    )
    start_reply: str = _key("You will get messages from this number again.", messages.reply)
    help_reply: str = _key("Reply STOP to get no more messages from this number.", messages.reply)
    smpp: tuple[SmppConnection, ...] = _key((), messages.connections)
    mail: MailSettings | None = _key(None, mail)  # noqa: RUF009 (it is frozen)
    """The e-mail gateways of operators."""

    def __attrs_post_init__(self) -> None:
        if self.transport == "smpp" and not self.smpp:
            raise CommandError("sms.transport: smpp wants a connection: [sms.smpp], address and system_id", 2)


@frozen
class Config:
    """The whole configuration."""

    http: Http = field(factory=Http)
    sip: Sip = field(factory=Sip)
    media: Media = field(factory=Media)
    store: StoreSection = field(factory=StoreSection)
    recordings: Recordings = field(factory=Recordings)
    fetch: Fetching = field(factory=Fetching)
    limits: Limits = field(factory=Limits)
    rates: Rates = field(factory=Rates)
    sms: Sms = field(factory=Sms)
    log: Log = field(factory=Log)


_SECTIONS: dict[str, type] = {
    "http": Http,
    "sip": Sip,
    "media": Media,
    "store": StoreSection,
    "recordings": Recordings,
    "fetch": Fetching,
    "limits": Limits,
    "rates": Rates,
    "sms": Sms,
    "log": Log,
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
        raise _no_such(f"{found}: there is no section [{min(written)}]", _SECTIONS)
    for variable, value in environ.items():
        if variable.startswith("RINGFUL_") and "__" in variable:
            section, _, key = variable.removeprefix("RINGFUL_").lower().partition("__")
            if section not in sections:
                raise _no_such(f"{variable}: there is no section {section}", _SECTIONS)
            read = partial(readers.from_text, read=_reader(variable, section, key))
            sections[section][key] = _value(variable, value, read)
    return Config(**{name: _SECTIONS[name](**values) for name, values in sections.items()})


def _no_such(message: str, known: Iterable[str]) -> CommandError:
    return CommandError(f"{message}; there are: {', '.join(known)}", 2)


def _section(source: str, name: str, written: Any) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise CommandError(f"{source}: {name} must be a section, [{name}]", 2)
    return {
        key: _value(f"{source}: {name}.{key}", value, _reader(source, name, key))
        for key, value in written.items()
    }


def _reader(source: str, section: str, key: str) -> Callable[[Any], Any]:
    known: dict[str, Attribute[Any]] = {one.name: one for one in fields(_SECTIONS[section])}
    if key not in known:
        raise _no_such(f"{source}: there is no key {section}.{key}", known)
    read: Callable[[Any], Any] = known[key].metadata["read"]
    return read


def _value(place: str, value: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except readers.Unfit as unfit:
        found = value if unfit.found is None and not unfit.at else unfit.found
        shown = str(found) if isinstance(found, Decimal) else repr(found)
        raise CommandError(f"{place}{unfit.at}: expected {unfit.wanted}, not {shown}", 2) from None
