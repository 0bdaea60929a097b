"""A trunk tried without a call: is its name known, does it answer, does it take our password?

REGISTER without a Contact only asks who is registered (RFC 3261, 10.2.3): it shows whether our credentials
are right, and changes nothing of what a running server has registered.
"""

from collections.abc import AsyncIterator, Sequence
from secrets import token_hex

import trio
from attrs import evolve, frozen

from ringful.media.trunking.exchange import Place, exchange
from ringful.media.trunking.messages import Answer
from ringful.media.trunking.places import Places
from ringful.media.trunking.registration import Registration
from ringful.media.trunking.standing import Surroundings, unreachable
from ringful.media.trunking.watch import REGISTERING, TrunkWatch
from ringful.media.trunks import Trunk


@frozen
class Said:
    """What one step came to."""

    what: str
    found: str
    well: bool = True


async def trial(trunk: Trunk, places: Places, around: Surroundings) -> AsyncIterator[Said]:
    """Try *trunk*, and give what each step came to; the first that fails may be the last."""
    watch = TrunkWatch([trunk], places, around)
    try:
        found = await watch.places(trunk)
    except OSError as error:
        yield Said("name", around.in_keys(trunk, unreachable(trunk, error)), well=False)
        return
    yield Said("name", f"{trunk.host} is {_listed(found)}, {trunk.transport}")
    if not trunk.port and (offered := await places.offered(trunk.host)) and trunk.transport not in offered:
        what = f"it offers SIP by {' and '.join(offered)}, not by {trunk.transport}: set its transport"
        yield Said("NAPTR", what, well=False)
    alive, why, rtt = await watch.probe(trunk)
    answered = f"answered in {rtt * 1000:.0f} ms" if rtt is not None else ""
    told = "; ".join(one for one in (answered, around.in_keys(trunk, why)) if one)
    yield Said("OPTIONS", told, well=alive and not why)
    if rtt is None and "no answer" not in why:
        return
    if not trunk.ours.username:
        said = "none are configured: it must know us by our address"
        yield Said("credentials", said)
        return
    why = await _why_no_credentials(watch, trunk, around)
    user = f"{trunk.ours.username}@{trunk.domain or trunk.host}"
    yield Said("credentials", around.in_keys(trunk, why) or f"taken: {user}", well=not why)


def _listed(places: Sequence[Place]) -> str:
    return ", then ".join(f"{one.address}:{one.port}" for one in places)


async def _why_no_credentials(watch: TrunkWatch, trunk: Trunk, around: Surroundings) -> str:
    asking, asked = Registration(trunk, "sip:nobody", lambda: token_hex(8)), False
    answer: Answer | None = None
    try:
        place = await watch.place(trunk)
        with trio.move_on_after(REGISTERING):
            while True:
                request = asking.request()
                more = tuple(one for one in request.more if one[0] != "Expires")
                answer = await exchange(evolve(request, contact="", more=more), place)
                if answer.status not in (401, 407) or asking.heard(answer) != 0:
                    break
                asked = True
    except OSError as error:
        return unreachable(trunk, error)
    if answer is None:
        return f"no answer to REGISTER within {REGISTERING:g} s: it may take no registrations"
    if 200 <= answer.status < 300:
        return "" if asked else "it took a registration without asking who we are: it does not check them"
    if answer.status == 404:
        user = f"{trunk.ours.username}@{asking.domain}"
        return f"it does not know {user} (404): correct sip.username, or the domain"
    if answer.status in (405, 501):
        said = f"it takes no registrations ({answer.status})"
        return f"{said}, so only a call shows whether it takes our password"
    return around.meaning(answer.status, trunk.ours.username)
