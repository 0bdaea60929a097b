"""What stands between a server and the network, and whether that is a SIP front."""

from collections.abc import Iterator
from ipaddress import ip_address

from ringful.command.configuration.address import is_private, split_address
from ringful.command.configuration.config import Config
from ringful.command.errors import CommandError
from ringful.media.front.process import installed

_MAKE_ONE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout key.pem -out cert.pem -subj /CN=ringful"
)
_INSTALL = "apt-get install kamailio kamailio-tls-modules"


def exposure(config: Config) -> tuple[str, ...]:
    """Say what stands between this server and the network; each line is worth a log line.

    A worker must not face an open network alone, since packets can end it.  Raises CommandError
    where the configuration would have it do so without having said ``front = "none"``, or wants a front
    that cannot be had.
    """
    sip = config.sip
    host, _ = split_address(sip.bind)
    try:
        ip_address(host)
    except ValueError:
        raise CommandError(f"sip.bind: expected an IP address, not {host}", 2) from None
    if is_fronted(config):
        _fit_for_a_front(config, host)
    elif sip.front == "kamailio":
        raise CommandError(f"sip.front: kamailio is not installed; {_INSTALL}", 2)
    elif needs := _only_a_front_does(config):
        raise CommandError(f"{needs} wants a SIP front; {_how_to_have_one(config)}", 2)
    elif sip.front == "auto" and not is_private(host):
        message = (
            f"sip.bind: {host} faces an open network and there is no SIP front; {_how_to_have_one(config)}"
        )
        more = 'bind to a private address, or say front = "none" if something else stands in front'
        raise CommandError(f"{message}, {more}", 2)
    return tuple(_warnings(config, host))


def is_fronted(config: Config) -> bool:
    """Say whether a SIP front is to run: where it is wanted, and can be."""
    sip = config.sip
    if sip.front == "none" or not installed():
        return False
    if sip.front == "kamailio":
        return True
    host, _ = split_address(sip.bind)
    return not host.startswith("127.") or bool(sip.public_address) or bool(_only_a_front_does(config))


def _how_to_have_one(config: Config) -> str:
    return _INSTALL if config.sip.front == "auto" else 'say front = "kamailio"'


def _only_a_front_does(config: Config) -> str:
    """Give the key that asks for what workers cannot do; empty where none does."""
    for trunk in config.sip.ways:
        if trunk.transport == "tls":
            return f"sip.trunks.{trunk.name}.transport: tls"
        if trunk.theirs.username:
            return f"sip.trunks.{trunk.name}.their_username"
    return "sip.tls_certificate" if config.sip.tls_certificate else ""


def _fit_for_a_front(config: Config, host: str) -> None:
    sip = config.sip
    if ip_address(host).version != 4:
        raise CommandError("sip.bind: expected an address of IPv4: the workers have no other", 2)
    if ip_address(host).is_unspecified and not sip.public_address:
        message = "a front tells others where we are: set sip.public_address, or bind to one address"
        raise CommandError(f"sip.bind: {host} is every address of this machine; {message}", 2)
    if not sip.worker_ports[1] or sip.worker_ports[1] - sip.worker_ports[0] < 100:
        raise CommandError("sip.worker_ports: expected at least 101 ports, such as 25100-25499", 2)
    by_tls = next((trunk.name for trunk in sip.ways if trunk.transport == "tls"), "")
    if by_tls and not (sip.tls_certificate and sip.tls_key):
        message = f"sip.trunks.{by_tls}.transport: tls wants sip.tls_certificate and sip.tls_key"
        raise CommandError(f"{message}; where the trunk asks for none, this makes both: {_MAKE_ONE}", 2)
    if bool(sip.tls_certificate) != bool(sip.tls_key):
        raise CommandError("sip.tls_key: expected both sip.tls_certificate and sip.tls_key, or neither", 2)
    for key, file in (
        ("tls_certificate", sip.tls_certificate),
        ("tls_key", sip.tls_key),
        ("tls_authorities", sip.tls_authorities if sip.tls_certificate else None),
    ):
        if file and not file.is_file():
            raise CommandError(f"sip.{key}: there is no file {file}", 2)


def _warnings(config: Config, sip_host: str) -> Iterator[str]:
    if is_fronted(config):
        pass
    elif config.sip.front == "auto":
        yield "no SIP front: calls come in and go out on loopback or a private trunk only"
    elif not is_private(sip_host):
        yield f'sip.bind: {sip_host} faces an open network, and front = "none" says that this is meant'
    http_host, _ = split_address(config.http.bind)
    if http_host != "localhost" and not is_private(http_host):
        yield f"http.bind: {http_host} faces an open network, and HTTP is not encrypted: put TLS in front"
