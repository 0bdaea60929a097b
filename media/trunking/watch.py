"""Trunks watched by the node: does each live (OPTIONS), and are we registered where we ought to be.

A trunk that does not live, or does not have us registered, is passed over for new calls while another can
take them, and asked again all the time.  Each change is a line in the log, once.
"""

import math
import time
from collections.abc import Awaitable, Callable, Iterable
from secrets import token_hex

import structlog
import trio

from ringful.ground.faults import Tasks
from ringful.media.trunking.exchange import Place, exchange, options, own_address
from ringful.media.trunking.messages import Answer, Request
from ringful.media.trunking.places import Places
from ringful.media.trunking.registration import Registration
from ringful.media.trunking.standing import NotResolved, Standing, Surroundings, unreachable
from ringful.media.trunks import Trunk

log = structlog.get_logger()

PATIENCE = 2.0
"""Seconds within which a trunk ought to answer OPTIONS."""
REGISTERING = 8.0
"""Seconds within which it ought to answer REGISTER."""
AGAIN = 10.0
"""Seconds until a trunk that does not live is asked again, at most."""
LEAVING = 2.0
"""Seconds that the end of a registration may take."""
_PROBED = 3
"""Places of a trunk that are asked by OPTIONS until one answers."""
_WELL = frozenset({*range(200, 300), 404, 405, 480, 481, 484, 486, 501, 604})
"""What a trunk answers to OPTIONS that is there, whether or not it takes OPTIONS."""
_ILL = frozenset({408, 500, 502, 503, 504})
"""What it answers where it can take no call now."""


class TrunkWatch:
    """All trunks of a node."""

    def __init__(self, trunks: Iterable[Trunk], places: Places, surroundings: Surroundings) -> None:
        self.standings = {trunk.name: Standing(trunk) for trunk in trunks}
        self._places, self._surroundings = places, surroundings

    @property
    def avoided(self) -> frozenset[str]:
        """The trunks that are asked for calls when no other can take them."""
        return frozenset(
            name for name, one in self.standings.items() if one.alive is False or one.unregistered
        )

    def why_useless(self) -> str:
        """Say why no trunk takes calls; nothing where one may."""
        if not self.standings or not all(one.lost for one in self.standings.values()):
            return ""
        return "; ".join(f"{name}: {one.words}" for name, one in self.standings.items())

    def words(self) -> str:
        """Say how each of them stands, in a line."""
        return "; ".join(f"{name}: {one.words}" for name, one in self.standings.items())

    def start(self, tasks: Tasks) -> None:
        """Watch until cancelled, which ends registrations as well."""
        for one in self.standings.values():
            if one.trunk.options_every and self._surroundings.options:
                tasks.start_soon(self._watch_life, one)
            if one.trunk.register:
                tasks.start_soon(self._keep_registered, one)

    # Life

    async def _watch_life(self, one: Standing) -> None:
        every = one.trunk.options_every
        while True:
            alive, why, rtt = await self.probe(one.trunk)
            if not alive and one.alive:
                # A packet may be lost, and a server may start anew.
                await trio.sleep(min(1.0, every))
                alive, why, rtt = await self.probe(one.trunk)
            self._note_life(one, alive, why, rtt)
            await trio.sleep(every if alive else min(every, AGAIN))

    async def probe(self, trunk: Trunk) -> tuple[bool, str, float | None]:
        """Ask by OPTIONS; give whether it lives, what is wrong with it, and how many seconds it took.

        One of its places that answers as it ought to is enough.
        """
        try:
            places = await self.places(trunk)
        except OSError as error:
            return False, unreachable(trunk, error), None
        found = await self._probe(trunk, places[0])
        for place in places[1:_PROBED]:
            if found[0] and not found[1]:
                break
            found = await self._probe(trunk, place)
        return found

    async def _probe(self, trunk: Trunk, place: Place) -> tuple[bool, str, float | None]:
        host = f"{trunk.host}:{trunk.port}" if trunk.port else trunk.host
        asked = options(host, trunk.transport, trunk.ours.username or "ringful")
        began = time.monotonic()
        why = (
            f"no answer to OPTIONS within {PATIENCE:g} s: calls fail unless it answers only those; "
            "see that sip.trunk is right, that it is up, and that no firewall is between"
        )
        try:
            with trio.move_on_after(PATIENCE):
                answer = await self._asks(trunk)(asked, place)
                alive = answer.status not in _ILL
                self._note_place(place, well=alive)
                why = "" if self._is_well(trunk, answer) else self._meaning(trunk, answer)
                return alive, why, time.monotonic() - began
        except OSError as error:
            why = unreachable(trunk, error)
        self._note_place(place, well=False)
        return False, why, None

    def _note_place(self, place: Place, *, well: bool) -> None:
        if not well:
            self._places.failed(place.there or (place.address, place.port))

    def _meaning(self, trunk: Trunk, answer: Answer) -> str:
        return self._surroundings.meaning(answer.status, trunk.ours.username)

    def _is_well(self, trunk: Trunk, answer: Answer) -> bool:
        return answer.status in _WELL or (answer.status in (401, 407) and bool(trunk.ours.username))

    def _note_life(self, one: Standing, alive: bool, why: str, rtt: float | None) -> None:
        why = self._surroundings.in_keys(one.trunk, why)
        before, one.alive, one.rtt = one.why, alive, rtt
        one.why, one.lived = why, one.lived or alive
        one.missed += not alive
        host = f"{one.trunk.host}:{one.trunk.at_port}"
        if why and why != before:
            log.warning("the trunk does not answer as it ought to", trunk=one.trunk.name, host=host, why=why)
        elif before and not why:
            log.info("the trunk answers again", trunk=one.trunk.name, host=host)

    def _asks(self, trunk: Trunk) -> Callable[[Request, Place], Awaitable[Answer]]:
        """Say how requests go to *trunk*: OPTIONS keep open for calls what NAT opened for REGISTER."""
        return self._surroundings.exchange if trunk.register else exchange

    # Where it is

    async def places(self, trunk: Trunk) -> list[Place]:
        """Give where requests to *trunk* go, best first.  Raises OSError where its name leads nowhere."""
        around = self._surroundings
        try:
            spots = await self._places.of(trunk.host, trunk.port, trunk.transport)
        except OSError as error:
            raise NotResolved(str(error)) from error
        if around.front:
            return [around.front(trunk, spot) for spot in spots]
        return [
            Place(*spot, trunk.transport, name=trunk.host, authorities=around.authorities) for spot in spots
        ]

    async def place(self, trunk: Trunk) -> Place:
        """Give the best of them.  Raises OSError."""
        return (await self.places(trunk))[0]

    # Registrations

    async def _keep_registered(self, one: Standing) -> None:
        try:
            while True:
                wait = await self._register(one)
                await trio.sleep(wait)
        finally:
            if one.registered:
                with trio.CancelScope(shield=True), trio.move_on_after(LEAVING):
                    await self._leave(one)

    async def _register(self, one: Standing) -> float:
        """Send the next request; give the seconds until the one after it is due."""
        try:
            place = await self.place(one.trunk)
            registration = await self._registration(one, place)
        except OSError as error:
            self._note(one, unreachable(one.trunk, error))
            return AGAIN
        if registration is None:
            self._note(one, "no worker of ours takes calls that come in")
            return 1.0
        answer, why = None, ""
        request = registration.request()
        asked = trio.current_time()
        try:
            with trio.move_on_after(REGISTERING):
                answer = await self._asks(one.trunk)(request, place)
        except OSError as error:
            why = unreachable(one.trunk, error)
        wait = registration.heard(answer)
        self._note_place(place, well=answer is not None and answer.status not in _ILL)
        if wait == 0:
            return wait
        if registration.standing == "registered":
            one.valid_until = asked + registration.expires
        elif registration.standing == "refused":
            one.valid_until = -math.inf
        self._note(one, self._why_not(registration, why))
        return wait

    async def _registration(self, one: Standing, place: Place) -> Registration | None:
        if found := self._surroundings.entrance(one.trunk):
            host, _, at_port = found.rpartition(":")
            here = f"{host or await own_address(place)}:{at_port}"
            more = "" if one.trunk.transport == "udp" else f";transport={one.trunk.transport}"
            contact = f"sip:{one.trunk.ours.username}@{here}{more}"
            if one.registration is None:
                one.registration = Registration(one.trunk, contact, lambda: token_hex(8))
            one.registration.contact = contact
        return one.registration

    def _why_not(self, registration: Registration, why: str) -> str:
        """Say why we are not registered; nothing where we are."""
        if registration.standing == "registered":
            return ""
        if why:
            return why
        answer = registration.answer
        if answer is None:
            return (
                f"no answer to REGISTER within {REGISTERING:g} s: see that sip.trunk is right, "
                "that it is up, and that no firewall is between"
            )
        if answer.status == 404:
            return f"it does not know us, {registration.trunk.ours.username}@{registration.domain} (404)"
        if answer.status < 300:
            return "it took our registration for no time at all"
        return self._meaning(registration.trunk, answer)

    def _note(self, one: Standing, why: str) -> None:
        why = self._surroundings.in_keys(one.trunk, why)
        before, one.why_not_registered = one.why_not_registered, why
        about = {"trunk": one.trunk.name, "domain": one.trunk.domain or one.trunk.host}
        if why and why != before:
            sip = one.registration.answer.status if one.registration and one.registration.answer else None
            log.warning("a trunk does not have us registered", **about, sip=sip, why=why)
        elif not why and (before or not one.told):
            one.told = True
            log.info("registered with a trunk", **about, seconds=round(one.expires))

    async def _leave(self, one: Standing) -> None:
        assert one.registration
        one.valid_until = -math.inf
        with_answer: Request | None = one.registration.request(leave=True)
        while with_answer:
            try:
                answer = await self._asks(one.trunk)(with_answer, await self.place(one.trunk))
            except OSError:
                return
            again = answer.status in (401, 407) and one.registration.heard(answer) == 0
            with_answer = one.registration.request(leave=True) if again else None
