"""What those ask who watch the server: does it turn, is it ready for work, what does it measure.

`/health` answers whoever asks, as soon as the loop turns: for what starts a dead server again.
`/ready` looks at each part: for what sends work here or elsewhere.  Since customers reach the same
port, `/ready`, `/trunks` and `/metrics` are told to this machine and to *allow* only, and to nobody whose
request was passed on by a proxy: to all others they are not there.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import trio
from attrs import define, field, frozen

from ringful.ground.faults import fault
from ringful.ground.metrics import CONTENT_TYPE, Metrics
from ringful.http.exchange import JSON, PLAIN, Request, Response

Check = Callable[[], Awaitable[str]]
"""Say what is wrong with a part of the server; nothing where it is well."""

PATIENCE = 2.0
"""Seconds after which a part that says nothing is not well."""
KEPT = 1.0
"""Seconds for which an answer is given again, so that whoever asks often makes no work."""

PROBES = frozenset({"health", "ready", "trunks", "metrics"})
"""Where they ask."""

_PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


@define(eq=False)
class Readiness:
    """The parts of the server, each asked at most once a second whoever asks."""

    checks: Mapping[str, Check]
    about: Callable[[], Mapping[str, str]] = dict
    """What is told beside them, and makes nobody ready or not."""
    _found: dict[str, str] = field(factory=dict)
    _at: float = float("-inf")
    _asking: trio.Lock = field(factory=trio.Lock)

    async def find(self) -> Mapping[str, str]:
        """Say of each part what is wrong with it; nothing where it is well."""
        async with self._asking:
            if trio.current_time() - self._at >= KEPT:
                found: dict[str, str] = {}
                async with trio.open_nursery() as nursery:
                    for name, check in self.checks.items():
                        nursery.start_soon(_ask, name, check, found)
                self._found, self._at = {name: found[name] for name in self.checks}, trio.current_time()
            return self._found


async def _ask(name: str, check: Check, found: dict[str, str]) -> None:
    found[name] = f"no answer within {PATIENCE:g} s"
    with trio.move_on_after(PATIENCE):
        try:
            found[name] = await check()
        except OSError as error:
            found[name] = str(error) or type(error).__name__
        except Exception as error:
            found[name] = fault(f"looking whether {name} is well", error)


@frozen
class Probes:
    """What the probes need."""

    metrics: Metrics
    readiness: Readiness
    allow: Sequence[IPv4Network | IPv6Network] = ()
    """Networks that are told beside this machine."""
    trunks: Callable[[], Sequence[Mapping[str, object]]] = tuple
    """How each trunk stands."""

    def tells(self, place: str, request: Request) -> bool:
        """Say whether whoever asks may be told what is at *place*."""
        if place == "health":
            return True
        if any(name in request.headers for name in _PASSED_ON):
            return False
        try:
            address = ip_address(request.peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return address.is_loopback or any(
            address in network for network in self.allow if network.version == address.version
        )

    async def answer(self, place: str, request: Request) -> Response:
        """Answer who asks at *place*, one of `PROBES`."""
        match place:
            case "ready":
                found = await self.readiness.find()
                return shown(found, self.readiness.about(), as_json=request.wants_json)
            case "metrics":
                return Response(self.metrics.shown(), 200, CONTENT_TYPE)
            case "trunks":
                return Response(json.dumps(list(self.trunks())) + "\n", 200, JSON)
        return Response("ok\n")


def shown(found: Mapping[str, str], about: Mapping[str, str], *, as_json: bool) -> Response:
    """Show what was *found*, and *about* beside it: 200 where all is well, and 503 otherwise."""
    status = 503 if any(found.values()) else 200
    if as_json:
        parts = {name: {"ok": not why} | ({"why": why} if why else {}) for name, why in found.items()}
        body = json.dumps({"ready": status == 200, "checks": parts, **about}) + "\n"
        return Response(body, status, JSON)
    lines = [f"{name}: {why or 'ok'}\n" for name, why in found.items()]
    lines += [f"{name}: {what}\n" for name, what in about.items()]
    return Response("".join(lines), status, PLAIN)
