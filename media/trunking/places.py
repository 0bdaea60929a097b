"""Where a trunk is: its address, or all that its name leads to by NAPTR, SRV and A (RFC 3263, 4).

Who names a port, or an address, means that and nothing else.  What was found is kept for as long as its
records say, within limits, and is better than none for an hour where nobody can say better.  A place that
was of no use is asked last for a while.
"""

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

import trio
from attrs import define, field, frozen

from ringful.media.trunking.names import BELIEVED, Names, is_address
from ringful.media.trunking.records import NameServers, Records, Srv
from ringful.media.trunks import Transport

Spot: TypeAlias = tuple[str, int]
"""An address and a port."""
PATIENCE = 2.0
"""Seconds that name servers have for NAPTR and SRV together."""
SHUNNED = 30.0
"""Seconds for which a place that failed is asked last."""
KEPT = (5.0, 3600.0)
"""The fewest and the most seconds for which records are kept, whatever their TTL."""
NONE_KEPT = 60.0
"""Seconds for which it is believed that a name has none."""
_MOST = 12
"""Places of a name that are ever asked."""
_MOST_NAMES = 1000
_SERVICES: dict[Transport, tuple[str, str, int]] = {
    "udp": ("SIP+D2U", "_sip._udp", 5060),
    "tcp": ("SIP+D2T", "_sip._tcp", 5060),
    "tls": ("SIPS+D2T", "_sips._tcp", 5061),
}
"""Of each transport: its service in NAPTR, what SRV names begin with, and the port where none is said."""


@frozen
class _Found:
    good: float
    """Until when its records said that they hold."""
    until: float
    """When it is asked for again."""
    records: tuple[Srv, ...]
    """None: the name itself is where it is."""


@define(eq=False)
class Places:
    """Places that were asked for."""

    names: Names = field(factory=Names)
    records: Records = field(factory=NameServers)
    chance: Callable[[], float] = random.random
    """Gives a number from 0 to 1."""
    _found: dict[tuple[str, Transport], _Found] = field(factory=dict)
    _asking: dict[tuple[str, Transport], trio.Event] = field(factory=dict)
    _failed: dict[Spot, float] = field(factory=dict)

    async def of(self, host: str, at_port: int, transport: Transport, *, spread: bool = False) -> list[Spot]:
        """Give all places of *host*, the one to ask first in front; *at_port* 0: it was not named.

        *spread*: those of one priority are asked by chance, as their weights say; else the heaviest first.
        Raises OSError, whose text says why there is none.
        """
        host = host.rstrip(".")
        targets: Sequence[Srv] = ()
        if not at_port and "." in host and not is_address(host):
            targets = await self._services(host, transport)
        if targets and not any(one.host for one in targets):
            raise OSError(f"it says by SRV that it has no SIP by {transport}")
        targets = targets or (Srv(host, at_port or _SERVICES[transport][2]),)
        ordered = in_order(targets, self.chance if spread else None)
        return self._last(await self._addresses([one for one in ordered if one.host]))

    def known(self, host: str, transport: Transport) -> frozenset[str]:
        """Give the addresses of *host* as far as they are known already."""
        found = self._found.get((host.lower(), transport))
        hosts = (host, *(one.host for one in (found.records if found else ())))
        return frozenset(address for one in hosts for address in self.names.known(one))

    async def offered(self, host: str) -> list[Transport]:
        """Give the transports that *host* offers by NAPTR, best first; nothing where it says nothing."""
        if "." not in host or is_address(host):
            return []
        services = {service: transport for transport, (service, _, _) in _SERVICES.items()}
        try:
            with trio.move_on_after(PATIENCE):
                found = sorted(
                    (await self.records.naptr(host)).records, key=lambda one: (one.order, one.preference)
                )
                known = (services.get(one.service) for one in found)
                return list(dict.fromkeys(one for one in known if one))
        except OSError:
            pass  # It is only a hint.
        return []

    def failed(self, spot: Spot) -> None:
        """Take it that *spot* was of no use just now."""
        self._failed[spot] = trio.current_time() + SHUNNED

    async def _addresses(self, targets: Sequence[Srv]) -> list[Spot]:
        spots: list[Spot] = []
        why: OSError | None = None
        for one in targets:
            try:
                spots += [(address, one.port) for address in await self.names.addresses(one.host)]
            except OSError as error:
                why = error
            if len(spots) >= _MOST:
                break
        if not spots:
            raise why or OSError("it has no address")
        return list(dict.fromkeys(spots))[:_MOST]

    def _last(self, spots: list[Spot]) -> list[Spot]:
        now = trio.current_time()
        self._failed = {spot: until for spot, until in self._failed.items() if until > now}
        return sorted(spots, key=lambda spot: spot in self._failed)

    async def _services(self, host: str, transport: Transport) -> tuple[Srv, ...]:
        """Give the SRV records of *host* for *transport*; nothing where it has none."""
        key = host.lower(), transport
        if not (found := self._kept(key)):
            await self._ask(key)
            found = self._kept(key)
        return found.records if found else ()

    def _kept(self, key: tuple[str, Transport]) -> _Found | None:
        found = self._found.get(key)
        return found if found and found.until > trio.current_time() else None

    async def _ask(self, key: tuple[str, Transport]) -> None:
        """Ask once, however many wait for it."""
        if key in self._asking:
            await self._asking[key].wait()
            return
        if len(self._found) > _MOST_NAMES:
            self._found.clear()
        asked = self._asking[key] = trio.Event()
        records: Sequence[Srv] | None = None
        seconds = NONE_KEPT
        try:
            with trio.move_on_after(PATIENCE):
                records, seconds = await self._looked_up(*key)
        except OSError:
            pass  # Whether it has any is not known: its name may do, and what it had before.
        finally:
            self._note(key, records, seconds)
            del self._asking[key]
            asked.set()

    def _note(self, key: tuple[str, Transport], records: Sequence[Srv] | None, seconds: float) -> None:
        now, before = trio.current_time(), self._found.get(key)
        if records is None:
            if before and now - before.good < BELIEVED:
                self._found[key] = _Found(before.good, now + NONE_KEPT, before.records)
            else:
                self._found[key] = _Found(now, now + NONE_KEPT, ())
        else:
            kept = min(max(seconds, KEPT[0]), KEPT[1]) if records else NONE_KEPT
            self._found[key] = _Found(now + kept, now + kept, tuple(records))

    async def _looked_up(self, host: str, transport: Transport) -> tuple[Sequence[Srv], float]:
        service, begins, _ = _SERVICES[transport]
        offers = await self.records.naptr(host)
        ours = sorted(
            (one for one in offers.records if one.service == service),
            key=lambda one: (one.order, one.preference),
        )
        for name in [one.replacement for one in ours] or [f"{begins}.{host}"]:
            found = await self.records.srv(name)
            if found.records:
                return found.records, min(found.seconds, offers.seconds if ours else found.seconds)
        return (), NONE_KEPT


def in_order(targets: Sequence[Srv], chance: Callable[[], float] | None) -> list[Srv]:
    """Give *targets* by priority; those of one by weight, or by *chance* as their weights say (RFC 2782)."""
    ordered: list[Srv] = []
    for priority in sorted({one.priority for one in targets}):
        left = sorted((one for one in targets if one.priority == priority), key=lambda one: -one.weight)
        while left:
            ordered.append(left.pop(_drawn(left, chance) if chance else 0))
    return ordered


def _drawn(left: Sequence[Srv], chance: Callable[[], float]) -> int:
    # One of weight 0 has a very small chance, and no more than that.
    weights = [one.weight or 0.01 for one in left]
    mark = chance() * sum(weights)
    for number, weight in enumerate(weights):
        mark -= weight
        if mark < 0:
            return number
    return len(left) - 1
