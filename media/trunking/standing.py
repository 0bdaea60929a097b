"""How it stands with a trunk, and what the watch over it must know of where it is."""

import math
from collections.abc import Awaitable, Callable

import trio
from attrs import define, frozen

from ringful.media.trunking.exchange import Place, exchange
from ringful.media.trunking.messages import Answer, Request
from ringful.media.trunking.places import Spot
from ringful.media.trunking.registration import Registration
from ringful.media.trunks import Trunk


@frozen
class Surroundings:
    """What the watch must know of where it is."""

    meaning: Callable[[int, str], str]
    """Says in words what a trunk means by a final status, to somebody with that username (or none)."""
    in_keys: Callable[[Trunk, str], str] = lambda _, said: said
    """Names the keys of the trunk itself in what is said of ``sip.trunk``."""
    entrance: Callable[[Trunk], str | None] = lambda _: None
    """Gives the host (empty: the one that packets to the trunk come from) and port of calls that come in."""
    front: Callable[[Trunk, Spot], Place] | None = None
    """Gives where the SIP front takes requests to a trunk, whose place is given; None: straight there."""
    authorities: str = ""
    """The file of those whose certificates are believed, where a trunk is asked by TLS without a front."""
    options: bool = True
    """Whether trunks are asked by OPTIONS at all."""
    exchange: Callable[[Request, Place], Awaitable[Answer]] = exchange
    """How requests go to a trunk that we register with, and their answers come."""


@define(eq=False)
class Standing:
    """How it stands with one trunk."""

    trunk: Trunk
    alive: bool | None = None
    """None: it has not been asked."""
    lived: bool = False
    """Whether it has ever answered: some answer nothing but calls."""
    rtt: float | None = None
    """Seconds until it last answered OPTIONS."""
    why: str = ""
    """What is wrong with how it answers OPTIONS."""
    missed: int = 0
    """OPTIONS that it did not answer as one that lives, since the start."""
    registration: Registration | None = None
    valid_until: float = -math.inf
    """When its registration ends, by trio's clock."""
    why_not_registered: str = ""
    told: bool = False
    """Whether the log has told that we are registered."""

    @property
    def registered(self) -> bool:
        """Whether it knows where we are."""
        return trio.current_time() < self.valid_until

    @property
    def expires(self) -> float:
        """The seconds that our registration still holds."""
        return max(0.0, self.valid_until - trio.current_time())

    @property
    def unregistered(self) -> bool:
        """Whether it ought to know where we are, and does not, although it was asked."""
        return bool(self.registration and self.why_not_registered and not self.registered)

    @property
    def lost(self) -> bool:
        """Whether calls by it are known to fail: it lived and does so no more, or it does not have us."""
        return (self.alive is False and self.lived) or self.unregistered

    @property
    def words(self) -> str:
        """Say how it stands, in a line."""
        said = []
        if self.trunk.register:
            asked = self.why_not_registered or "is being asked"
            said.append("registered" if self.registered else f"not registered: {asked}")
        if self.why:
            said.append(self.why)
        elif self.alive and self.rtt is not None:
            said.append(f"answers in {self.rtt * 1000:.0f} ms")
        return "; ".join(said) or ("not asked" if self.alive is None else "ok")


class NotResolved(OSError):
    """A trunk's name leads nowhere."""


def unreachable(trunk: Trunk, error: OSError) -> str:
    """Say why a trunk was not reached."""
    if isinstance(error, NotResolved):
        return (
            f"its name cannot be resolved ({error}): correct sip.trunk, or see to this machine's name server"
        )
    what = error.strerror or str(error)
    return f"nothing listens there ({what}): correct sip.trunk, or see that it is up"
