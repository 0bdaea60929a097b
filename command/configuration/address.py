"""Addresses of the configuration: their parts, and who can reach them."""

from ipaddress import ip_address


def split_address(address: str) -> tuple[str, int]:
    """Give the host, without brackets, and the port of an address."""
    host, _, at_port = address.rpartition(":")
    return host.strip("[]"), int(at_port)


def is_private(host: str) -> bool:
    """Say whether *host* is an address that no open network leads to."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # The unspecified address listens on every interface, public ones too, although Python calls it private.
    return address.is_private and not address.is_unspecified
