"""What stands between a server and the network."""

from collections.abc import Iterator
from ipaddress import ip_address

from ringful.command.configuration.address import is_private, split_address
from ringful.command.configuration.config import Config
from ringful.command.errors import CommandError


def exposure(config: Config) -> tuple[str, ...]:
    """Say what stands between this server and the network; each line is worth a log line.

    A worker must not face an open network alone, since packets can end it.  Raises CommandError
    where the configuration would have it do so without having said ``front = "none"``.
    """
    host, _ = split_address(config.sip.bind)
    try:
        ip_address(host)
    except ValueError:
        raise CommandError(f"sip.bind: expected an IP address, not {host}", 2) from None
    if config.sip.front == "kamailio":
        raise CommandError("sip.front: kamailio cannot be run by this version yet; use auto or none", 2)
    if by_tls := next((trunk.name for trunk in config.sip.ways if trunk.transport == "tls"), ""):
        raise CommandError(
            f"sip.trunks.{by_tls}.transport: tls wants a SIP front, which this version lacks; use tcp", 2
        )
    if config.sip.front == "auto" and not is_private(host):
        message = (
            f"sip.bind: {host} faces an open network and there is no SIP front; bind to a private address"
        )
        raise CommandError(f'{message}, or say front = "none" if something else stands in front', 2)
    return tuple(_warnings(config, host))


def _warnings(config: Config, sip_host: str) -> Iterator[str]:
    if config.sip.front == "auto":
        yield "no SIP front: calls come in and go out on loopback or a private trunk only"
    elif not is_private(sip_host):
        yield f'sip.bind: {sip_host} faces an open network, and front = "none" says that this is meant'
    http_host, _ = split_address(config.http.bind)
    if http_host != "localhost" and not is_private(http_host):
        yield f"http.bind: {http_host} faces an open network, and HTTP is not encrypted: put TLS in front"
