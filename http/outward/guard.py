"""Which addresses the server may connect to on a customer's behalf.

Announcements and callbacks name hosts that customers choose.  The check is made on the address that
is connected to, after the name was resolved and again for every redirect, so neither a name that
resolves to an inner address nor one that changes between two look-ups gets by.
"""

import os
import ssl
from collections.abc import Awaitable, Callable, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeAlias

import httpcore2
import httpx2
import trio
from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream

from ringful.http.outward.addresses import REFUSED, Networks, literal, permitted

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]


CONNECT_SECONDS, STEP_SECONDS = 5.0, 10.0
"""Until a connection stands, by itself and by TLS; until each piece of a request or an answer passed."""
TIMEOUT = httpx2.Timeout(STEP_SECONDS, connect=CONNECT_SECONDS)


class AddressRefused(OSError):
    """A host is, or resolves to, an address that must not be reached.

    *for_good* says that it is that address by itself: no look-up will ever give another.
    """

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


async def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of *host*, as the system resolves it."""
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Stream(AsyncNetworkStream):
    """A connection that is closed where its TLS handshake is cut off: else it stays until it is collected."""

    def __init__(self, inner: AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface has it)
    ) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface has it)
    ) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface has it)
    ) -> AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            with trio.CancelScope(shield=True):
                await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


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
        except (OSError, ValueError) as error:  # A UnicodeError is what a name gives that is none.
            raise httpcore2.ConnectError(f"the host {host} cannot be resolved") from error
        refused = [address for address in addresses if not permitted(address, self._allow)]
        if refused or not addresses:
            at = "" if refused == [host] else f" is at {', '.join(refused) or 'no address'}"
            raise AddressRefused(f"{host}{at}, {REFUSED}", for_good=literal(host) is not None)
        last: Exception | None = None
        for address in addresses:
            try:
                return _Stream(
                    await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        if isinstance(last, httpcore2.ConnectTimeout):
            raise last
        raise httpcore2.ConnectError(_unconnected(host, port, last)) from last

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


def _unconnected(host: str, port: int, error: BaseException | None) -> str:
    """Say why no address of *host* could be connected to."""
    while error is not None:
        if isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        match error:
            case ConnectionRefusedError():
                return f"{host}:{port} refuses the connection"
            case OSError(errno=int() as number):
                return f"{host}:{port} cannot be reached: {os.strerror(number)}"
        error = error.__cause__ or error.__context__
    return f"{host}:{port} cannot be reached"


def guarded_client(
    allow: Networks,
    resolver: Resolve = resolve,
    *,
    timeout: httpx2.Timeout = TIMEOUT,
    trusted: ssl.SSLContext | None = None,
) -> httpx2.AsyncClient:
    """Make a client that all requests on behalf of customers go through; it keeps no cookies.

    It believes certificates as *trusted* says, or as the system does: to read that takes a while.
    """
    context = trusted or ssl.create_default_context()
    transport = httpx2.AsyncHTTPTransport(verify=context, trust_env=False)
    transport._pool = httpcore2.AsyncConnectionPool(  # the transport has no argument for it
        ssl_context=context,
        max_connections=200,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        network_backend=GuardedBackend(allow, resolver),
    )
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=timeout,
        # What is decoded is decoded within bounds, in `outbound`: it is better not asked for.
        headers={"User-Agent": "ringful", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )
