"""The ways that calls go: which trunk is asked, how its address and the number are written, who failed.

`routing` decides; this knows what it decides by, and what the newest calls went by.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from attrs import frozen

from ringful.media import port
from ringful.media.numbers import as_written_there
from ringful.media.routing import ways
from ringful.media.trunking.places import Places, Spot
from ringful.media.trunks import UNHEARD, Transport, Trunk

SHUNNED = 30.0
"""Seconds for which a trunk that left an INVITE without an answer is asked last."""
_NAMED = re.compile("[a-z]", re.IGNORECASE)
_NOTED = 5000
"""Legs of which is kept by what they went."""


@frozen
class Target:
    """A place that a call goes to."""

    uri: str
    """Its host is an address."""
    spot: Spot


class Ways:
    """The trunks of a node, as its calls see them."""

    def __init__(self, trunks: Sequence[Trunk], *, fronted: bool = False) -> None:
        """*fronted*: a SIP front sends what workers give it, and is told where to."""
        self._trunks, self._fronted = trunks, fronted
        self.places = Places()
        self.avoided: Callable[[], Collection[str]] = frozenset
        """Gives the names of the trunks that are asked when no other can take a call."""
        self.went_by: dict[str, Trunk] = {}
        """By what the newest legs went last, those that have ended among them."""
        self.failures: Counter[str] = Counter()
        """Calls that a trunk did not take for a reason of its own, by its name."""
        self.last_failures: dict[str, str] = {}
        """The last of them, in words."""
        self._silent: dict[str, float] = {}
        """When a trunk left an INVITE without an answer last."""

    def of(self, number: str) -> tuple[Trunk, ...]:
        """Give the trunks that take *number*, the one that is asked first in front."""
        since = time.monotonic() - SHUNNED
        silent = {name for name, at in self._silent.items() if at > since}
        return ways(self._trunks, number, silent.union(self.avoided()))

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
        there = [one for one in self._trunks if host in self.places.known(one.host, one.transport)]
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
        if (end.detail or "").startswith(UNHEARD):
            self._silent[trunk.name] = time.monotonic()
        self.last_failures[trunk.name] = f"{end.sip_status or ''} {end.detail or ''}".strip() or "no answer"

    def address(self, number: str, trunk: Trunk | None) -> str:
        """Give the URI of *number*, its host as it was named."""
        if trunk is None:
            return number
        at_port = f":{trunk.port}" if trunk.port else ""
        return f"sip:{quote(as_written_there(number, trunk), safe='+*')}@{trunk.host}{at_port}"

    async def targets(self, number: str, trunk: Trunk | None) -> list[Target]:
        """Give where *number* is rung, the first to try in front; nothing where no name leads there.

        Hosts are resolved: the library would do it, and block.
        """
        user, _, place = self.address(number, trunk)[4:].rpartition("@")
        place, _, options = place.partition(";")
        host, _, at_port = place.partition(":")
        if trunk and trunk.transport != "udp":
            options = f"transport={trunk.transport if self._fronted else 'tcp'}"
        transport: Transport = "udp" if "transport=tcp" not in options.lower() else "tcp"
        if trunk:
            transport = trunk.transport
        try:
            spots = await self.places.of(host, _port(at_port), transport, spread=True)
        except OSError:
            return []
        before, behind = f"sip:{user}@" if user else "sip:", f";{options}" if options else ""
        return [Target(f"{before}{spot[0]}:{spot[1]}{behind}", spot) for spot in spots]

    def by(self, uri: str, trunk: Trunk | None) -> tuple[str, str]:
        """Give the URI that is asked for, and where the front sends it (empty: there).

        A trunk that is known by a name is asked by that name, as most want it.
        """
        named = (trunk.domain or trunk.host) if trunk else ""
        if not self._fronted or trunk is None or trunk.redirects or not _NAMED.search(named):
            return uri, ""
        user, _, place = uri[4:].rpartition("@")
        at_port = f":{trunk.port}" if trunk.port and not trunk.domain else ""
        return f"sip:{user}@{named}{at_port}", f"sip:{quote(trunk.host)}@{place}"


def _port(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 0


def is_uri(number: str) -> bool:
    """Say whether *number* is an address, which goes by no trunk."""
    return number.lower().startswith("sip:")


def order_by(trunk: Trunk | None, *, others: bool) -> dict[str, Any]:
    """Give what a worker has to know of *trunk*, which *others* may be asked after."""
    if trunk is None:
        return {"trunk": "", "redirects": 0, "networks": (), "answer_within": 0.0, "ring_within": 0.0}
    networks = [str(one) for one in trunk.networks if one.version == 4]
    return {
        "trunk": trunk.name,
        "redirects": trunk.redirects,
        "networks": networks,
        "answer_within": trunk.answer_within,
        "ring_within": trunk.ring_within if others else 0.0,
    }


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
