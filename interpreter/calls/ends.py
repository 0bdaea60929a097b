"""The end of a leg as it is kept: one record for each, whatever ended it.

It is made of the leg as its run left it, once, and never changes afterwards.  A leg that was never rung has
one as well, and so has a call that came in and that nothing was begun for.
"""

from collections.abc import Sequence
from decimal import Decimal

from ringful.ground.faults import fault
from ringful.interpreter.hearing import billed_seconds
from ringful.interpreter.leg import Leg
from ringful.interpreter.run import Run
from ringful.media import port
from ringful.store.port import CallRecord, LegRecord

_BY: dict[str, str] = {
    "far end": "far end",
    "script": "script",
    "script failed": "script",
    "the script's own leg has ended": "script",
    "api": "request",
    "the conference has ended": "request",
    "shutdown": "server",
    "a fault of the server": "server",
    "the journal cannot be written": "server",
    "no answer": "ring timeout",
    "max duration": "max duration",
    "spending cap": "spending cap",
    "transferred": "transfer",
}


_REFUSED_BY: dict[str, str] = {"unreachable": "trunk", "capacity": "server", "notallowed": "server"}


def who(leg: Leg, ended_by: str | None) -> str:
    """Say who ended *leg*: ``far end``, ``script``, ``request``, ``server``, ``lost`` and some more."""
    if ended_by == "lost":
        return "lost"
    if leg.refused in _REFUSED_BY:
        return _REFUSED_BY[leg.refused]
    if leg.closing in (None, "far end") or (ended_by == "callee" and leg.closing != "transferred"):
        return "far end"
    return _BY.get(leg.closing or "", "server")


def outcome_of(leg: Leg) -> str:
    """Say what became of *leg*: ``completed``, ``lost``, or why it was never answered."""
    if leg.answered_at is None:
        return leg.refused or ("lost" if leg.ended_by == "lost" else "unreachable")
    return "lost" if leg.ended_by == "lost" else "completed"


def take(run: Run, key: str) -> Sequence[LegRecord]:
    """Give the records of the legs of *run*, of *key*, that are over since the last time."""
    legs, run.over = run.over, []
    return [record_of(run, leg, key) for leg in legs]


def record_of(run: Run, leg: Leg, key: str) -> LegRecord:
    """Give the record of *leg*, which is over."""
    ended = leg.ended_at or run.now
    offer, origin, quality = run.started.offer, run.started.origin, leg.quality
    return LegRecord(
        leg.name,
        run.call_id,
        key,
        leg.inbound,
        leg.number,
        (offer.called if offer and leg.inbound else leg.caller_id) or "",
        leg.created_at,
        ended,
        outcome_of(leg),
        who(leg, leg.ended_by),
        run.price(leg),
        rung=leg.ringing_at,
        answered=leg.answered_at,
        seconds=billed_seconds(leg, ended),
        sip_status=leg.sip_status,
        label=run.started.label or None,
        script=origin.name if origin else None,
        version=origin.version if origin else None,
        conferences=leg.conferences,
        packets=quality.packets if quality else None,
        lost=quality.lost if quality else None,
        jitter_ms=quality.jitter_ms if quality else None,
        trunk=leg.trunk or None,
    )


def cut(run: Run, key: str, at: float) -> Sequence[LegRecord]:
    """Give what is known of the legs of *run* that have no record yet, of which nothing can be made any more.

    They ended *at* that time at the latest, and are not billed.
    """
    waiting, run.over = run.over, []
    found = []
    for leg in [*waiting, *(leg for leg in run.legs.values() if leg.state != "over" and not leg.room)]:
        try:
            found.append(_cut(run, leg, key, at))
        except Exception as error:
            fault("keeping what is known of a leg", error, call=run.call_id, leg=leg.name)
    return found


def _cut(run: Run, leg: Leg, key: str, at: float) -> LegRecord:
    if leg.state != "over":
        leg.state, leg.ended_by, leg.ended_at = "over", "lost", at
        if leg.membership and leg.membership.joined:
            leg.note_conference(leg.membership.reference)
    leg.paid = 0
    leg.rate = None
    return record_of(run, leg, key)


def turned_away(
    call_id: str, offer: port.Offer, key: str, outcome: port.RefusalReason, at: float
) -> LegRecord:
    """Give the record of a call that came in, and that nothing was begun for."""
    own, by = (offer.caller, offer.called), "server"
    trunk = offer.trunk or None
    return LegRecord(call_id, call_id, key, True, *own, at, at, outcome, by, Decimal(0), trunk=trunk)


def of_record(record: CallRecord, ended: float, seconds: int | None, bill: Decimal) -> LegRecord:
    """Give what is known of the leg of a call of which there is nothing but its *record* any more."""
    inbound = record.caller is not None
    return LegRecord(
        record.call_id,
        record.call_id,
        record.key,
        inbound,
        record.caller if record.caller is not None else record.callee,
        record.callee if inbound else "",
        record.created,
        ended,
        "lost",
        "lost",
        bill,
        answered=record.answered,
        seconds=seconds,
        label=record.label,
        trunk=record.trunk,
    )
