"""What name servers say of services: NAPTR (RFC 3403) and SRV (RFC 2782), asked by dnspython."""

import math
import re
from collections.abc import Sequence
from typing import Any, Protocol

import trio
from attrs import define, field, frozen

_MOST = 16
"""Records of an answer that are looked at."""
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


@frozen
class Srv:
    """Where a service is; *host* is empty where it is said to be nowhere (``.``)."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0


@frozen
class Naptr:
    """What a domain offers, and the name whose SRV says where."""

    service: str
    replacement: str
    order: int = 0
    preference: int = 0


@frozen
class Answered:
    """The records of an answer, which may be none, and the seconds for which they hold."""

    records: Sequence[Any] = ()
    seconds: float = math.inf


class Records(Protocol):
    """Who can be asked."""

    async def srv(self, name: str) -> Answered:
        """Give the `Srv` of *name*.  Raises OSError where nobody answers."""

    async def naptr(self, name: str) -> Answered:
        """Give the `Naptr` of *name* that lead to SRV.  Raises OSError where nobody answers."""


@define
class NameServers:
    """Those of this machine, or *servers* at *port*."""

    servers: Sequence[str] = ()
    port: int = 53
    _resolver: Any = field(default=None, init=False)

    async def srv(self, name: str) -> Answered:
        """See `Records.srv`."""
        found = await self._ask(name, "SRV")
        kept = [
            Srv(_host(one.target), one.port, one.priority, one.weight)
            for one in found.records
            if (_host(one.target) and one.port) or str(one.target) == "."
        ]
        return Answered(kept, found.seconds)

    async def naptr(self, name: str) -> Answered:
        """See `Records.naptr`."""
        found = await self._ask(name, "NAPTR")
        kept = [
            Naptr(_text(one.service).upper(), _host(one.replacement), one.order, one.preference)
            for one in found.records
            if _text(one.flags).lower() == "s" and _host(one.replacement)
        ]
        return Answered(kept, found.seconds)

    async def _ask(self, name: str, kind: str) -> Answered:
        # Most nodes know their trunks by addresses, and need none of it.
        import dns.asyncbackend
        import dns.exception
        import dns.resolver

        try:
            answer = await self._asked().resolve(
                f"{name}.", kind, raise_on_no_answer=False, backend=dns.asyncbackend.get_backend("trio")
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Answered()
        except (dns.exception.DNSException, UnicodeError, trio.BrokenResourceError) as error:
            raise OSError(str(error) or type(error).__name__) from error
        if answer.rrset is None:
            return Answered()
        return Answered(list(answer.rrset)[:_MOST], float(answer.rrset.ttl))

    def _asked(self) -> Any:
        import dns.asyncresolver
        import dns.exception

        if self._resolver is None:
            try:
                self._resolver = dns.asyncresolver.Resolver(configure=not self.servers)
            except dns.exception.DNSException as error:
                raise OSError(str(error)) from error
            if self.servers:
                self._resolver.nameservers, self._resolver.port = list(self.servers), self.port
            self._resolver.timeout = 1.0
        return self._resolver


def _host(name: object) -> str:
    """Give *name* without its last dot; empty where it is no name that we would ask for."""
    written = str(name).rstrip(".")
    return written if _NAME.fullmatch(written) and len(written) < 254 else ""


def _text(written: bytes) -> str:
    return written.decode("ascii", "replace")
