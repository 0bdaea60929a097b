"""Addresses that cannot be listened on: which key of the configuration names them, and who has them."""

import errno
import socket

from ringful.command.configuration.address import split_address
from ringful.command.errors import CommandError
from ringful.ground.holder import holder_of
from ringful.media import ranges


def not_bound(key: str, address: str, error: OSError, *, udp: bool = False) -> CommandError:
    """Say why *address*, the value of *key*, cannot be listened on."""
    _, at_port = split_address(address)
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(at_port, udp=udp)
        by = f" by {holder}" if holder else ""
        return CommandError(f"{key}: {address} is in use{by}; end that, or choose another port", 2)
    if error.errno == errno.EADDRNOTAVAIL:
        return CommandError(f"{key}: {address} is no address of this machine", 2)
    if error.errno == errno.EACCES:
        return CommandError(f"{key}: {address} may not be used: ports below 1024 are for root", 2)
    return CommandError(f"{key}: {address} cannot be used: {error.strerror or error}", 2)


def enough_for_sound(ports: tuple[int, int], max_calls: int) -> None:
    """See that there is a range of *ports* for each worker that *max_calls* can want.

    Raises CommandError (code 2).
    """
    first, last = ports
    needed = ranges.needed(max_calls)
    if last and ranges.units_of(first, last) * ranges.UNIT < needed:
        message = f"media.ports: {first}-{last} is too small for media.max_calls = {max_calls}"
        raise CommandError(f"{message}: {needed} ports are wanted, as {first}-{first + needed + 1}", 2)


def usable_sip(address: str) -> None:
    """See that workers can listen on the host of *address*.  Raises CommandError (code 2).

    That its port is taken ends nothing: the next one is tried, and the log says so.
    """
    host, _ = split_address(address)
    check_udp("sip.bind", f"{host}:0", shown=address)


def check_udp(key: str, address: str, *, shown: str = "") -> None:
    """See that UDP at *address* is free.  Raises CommandError (code 2)."""
    host, at_port = split_address(address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, at_port))
        except socket.gaierror:
            raise CommandError(f"{key}: the name {host} cannot be resolved", 2) from None
        except OSError as error:
            raise not_bound(key, shown or address, error, udp=True) from error
