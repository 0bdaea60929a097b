"""Which addresses the server may connect to on a customer's behalf.

Announcements and callbacks name hosts that customers choose.  The check is made on the address that
is connected to, after the name was resolved and again for every redirect, so neither a name that
resolves to an inner address nor one that changes between two look-ups gets by.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

import httpcore2
import httpx2
import trio
from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream

Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]


class AddressRefused(OSError):
    """A host is, or resolves to, an address that must not be reached."""


def permitted(address: str, allow: Networks) -> bool:
    """Say whether *address* is a public one, or lies in one of the networks of *allow*."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if any(parsed.version == network.version and parsed in network for network in allow):
        return True
    return parsed.is_global and not parsed.is_multicast


async def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of *host*, as the system resolves it."""
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(AsyncNetworkBackend):
    """Connect to permitted addresses only."""

    def __init__(self, allow: Networks, resolver: Resolve = resolve) -> None:
        self._allow, self._resolve = allow, resolver
        self._inner: AsyncNetworkBackend = httpcore2.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface has it)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Resolve *host*, refuse it if it leads anywhere inside, and connect to what was checked."""
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"the host {host} cannot be resolved") from error
        refused = [address for address in addresses if not permitted(address, self._allow)]
        if refused or not addresses:
            raise AddressRefused(
                f"{host} is at {', '.join(refused) or 'no address'}, which must not be reached"
            )
        last: Exception | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                last = error
        raise httpcore2.ConnectError(f"{host}:{port} refuses the connection: {last}")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface has it)
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Refuse: no customer has a socket in our file system."""
        raise AddressRefused(f"{path}: a file is no host")

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await trio.sleep(seconds)


def guarded_client(allow: Networks, resolver: Resolve = resolve) -> httpx2.AsyncClient:
    """Make a client that all requests on behalf of customers go through."""
    transport = httpx2.AsyncHTTPTransport(trust_env=False)
    transport._pool = httpcore2.AsyncConnectionPool(  # the transport has no argument for it
        ssl_context=ssl.create_default_context(),
        max_connections=200,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        network_backend=GuardedBackend(allow, resolver),
    )
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(10.0, connect=5.0),
        headers={"User-Agent": "ringful"},
    )
