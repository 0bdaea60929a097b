"""The ways that calls go: which trunk is asked, how its address and the number are written, who failed.

`routing` decides; this knows what it decides by, and what the newest calls went by.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from ringful.media import port
from ringful.media.numbers import as_written_there
from ringful.media.routing import ways
from ringful.media.trunking.names import Names
from ringful.media.trunks import Trunk

_NOTED = 5000
"""Legs of which is kept by what they went."""


class Ways:
    """The trunks of a node, as its calls see them."""

    def __init__(self, trunks: Sequence[Trunk]) -> None:
        self._trunks = trunks
        self.names = Names()
        self.avoided: Callable[[], Collection[str]] = frozenset
        """Gives the names of the trunks that are asked when no other can take a call."""
        self.went_by: dict[str, Trunk] = {}
        """By what the newest legs went last, those that have ended among them."""
        self.failures: Counter[str] = Counter()
        """Calls that a trunk did not take for a reason of its own, by its name."""
        self.last_failures: dict[str, str] = {}
        """The last of them, in words."""

    def of(self, number: str) -> tuple[Trunk, ...]:
        """Give the trunks that take *number*, the one that is asked first in front."""
        return ways(self._trunks, number, self.avoided())

    def note(self, leg: str, trunk: Trunk) -> None:
        """Take it that *leg* goes by *trunk* now."""
        self.went_by[leg] = trunk
        while len(self.went_by) > _NOTED:
            del self.went_by[next(iter(self.went_by))]

    def came_by(self, source: str) -> Trunk | None:
        """Give the trunk that *source*, ``ADDRESS:PORT``, is of; None where it is of none.

        Where several have one address the port tells them apart, or else the first is taken.
        """
        host, _, at_port = source.rpartition(":")
        there = [trunk for trunk in self._trunks if self.names.known(trunk.host) == host]
        exact = [trunk for trunk in there if str(trunk.at_port) == at_port]
        try:
            address = ip_address(host)
        except ValueError:
            return None
        wide = [trunk for trunk in self._trunks if any(address in network for network in trunk.networks)]
        return next(iter((*exact, *there, *wide)), None)

    def failed(self, trunk: Trunk, end: port.Refused) -> None:
        """Take it that *trunk* did not take a call, for a reason of its own."""
        self.failures[trunk.name] += 1
        self.last_failures[trunk.name] = f"{end.sip_status or ''} {end.detail or ''}".strip() or "no answer"

    def address(self, number: str, trunk: Trunk | None) -> str:
        """Give the URI of *number*."""
        if trunk is None:
            return number
        return f"sip:{quote(as_written_there(number, trunk), safe='+*')}@{trunk.host}:{trunk.at_port}"

    async def uri(self, number: str, trunk: Trunk | None) -> str | None:
        """Give the URI to ring, its host resolved: the library would resolve it and block."""
        user, _, host = self.address(number, trunk)[4:].rpartition("@")
        host, _, options = host.partition(";")
        name, _, at_port = host.partition(":")
        try:
            address = await self.names.address(name)
        except OSError:
            return None
        options = f";{options}" if options else ""
        if trunk and trunk.transport != "udp":
            options += ";transport=tcp"
        place = f"{address}:{at_port}" if at_port else str(address)
        return f"sip:{user}@{place}{options}" if user else f"sip:{place}{options}"


def is_uri(number: str) -> bool:
    """Say whether *number* is an address, which goes by no trunk."""
    return number.lower().startswith("sip:")


def order_by(trunk: Trunk | None) -> dict[str, Any]:
    """Give what a worker has to know of *trunk*."""
    if trunk is None:
        return {"trunk": "", "redirects": 0, "networks": ()}
    networks = [str(one) for one in trunk.networks if one.version == 4]
    return {"trunk": trunk.name, "redirects": trunk.redirects, "networks": networks}


def terms(trunks: Collection[Trunk]) -> dict[str, tuple[str, str, str]]:
    """Give what an account of a worker is made from, for the trunks that need one of their own."""
    # Where one wants it, calls that come in may be encrypted, and those to others need not be offered it.
    encrypted = any(trunk.srtp != "off" for trunk in trunks)
    return {
        trunk.name: (trunk.ours.username, trunk.ours.password, trunk.srtp)
        for trunk in trunks
        if encrypted or trunk.ours.username
    }


def parties(number: str, caller_id: str | None, shown: port.Shown, trunk: Trunk | None) -> dict[str, Any]:
    """Give who calls whom, as *trunk* wants it."""
    plain = {"name": shown.name, "withheld": shown.withheld}
    if trunk is None:
        there = {"domain": "", "called": "", "asserted": False, "diverted": "", "diversion": "none"}
        return plain | there | {"caller_id": caller_id}

    def written(one: str) -> str:
        return quote(as_written_there(one, trunk), safe="+*")

    caller = caller_id or trunk.from_number
    return plain | {
        "caller_id": written(caller) if caller else None,
        "domain": trunk.domain,
        "called": f"sip:{written(number)}@{trunk.domain}" if trunk.domain else "",
        "asserted": trunk.asserted,
        "diverted": written(shown.diverted_from) if shown.diverted_from else "",
        "diversion": trunk.diversion,
    }
