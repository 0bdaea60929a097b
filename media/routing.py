"""Which trunk a call goes by, and when the next one is tried instead.  Pure."""

from collections.abc import Collection, Sequence

from ringful.media import port
from ringful.media.trunks import Trunk

_OTHERS_MAY = frozenset({401, 402, 403, 405, 407, 408, 415, 488, 606})
"""What a trunk says of itself, of us, or of nothing heard in time: another one may say otherwise."""


def ways(trunks: Sequence[Trunk], number: str, dead: Collection[str] = ()) -> tuple[Trunk, ...]:
    """Give the trunks that take *number* (``+E.164``), the one that is asked first in front.

    The longest prefix counts, then the trunk's order, then the order of the configuration; those whose
    names are among the *dead* are asked when nobody else is left.
    """
    digits = number.lstrip("+")

    def fits(trunk: Trunk) -> int:
        return max((len(one) for one in trunk.prefixes if digits.startswith(one)), default=-1)

    able = [trunk for trunk in trunks if fits(trunk) >= 0]
    return tuple(sorted(able, key=lambda one: (one.name in dead, -fits(one), one.order)))


def is_worth_another_place(end: port.Refused, *, rang: bool) -> bool:
    """Say whether a call that ended so may be tried at another place of the same trunk (RFC 3263, 4.3)."""
    return is_worth_another(end, rang=rang) and end.sip_status in (None, 408, 503)


def is_worth_another(end: port.Refused, *, rang: bool) -> bool:
    """Say whether a call that ended so may be tried by the next trunk.

    A callee that is busy, declines or is not there is so by every way, and one whose phone rang is
    not rung twice.
    """
    if rang or end.reason in ("capacity", "cancelled", "notallowed"):
        return False
    status = end.sip_status
    return status is None or status in _OTHERS_MAY or 500 <= status < 600
