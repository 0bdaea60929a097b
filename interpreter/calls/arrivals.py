"""Calls that come in: who takes each, and how its run begins.

Who takes it is decided at once, since a phone rings.  What runs is read from the database, which
takes a moment: what happens on the leg meanwhile is kept, and enters the run behind its beginning.
"""

from decimal import Decimal
from typing import Protocol

import structlog
from attrs import define, evolve, field

from ringful.ground.faults import Tasks, fault
from ringful.interpreter import events
from ringful.interpreter.calls.ends import turned_away
from ringful.interpreter.calls.node import Switchboard
from ringful.interpreter.calls.switchboard import Refusal
from ringful.media import port
from ringful.store.port import Key, Number, StoreError, Write

log = structlog.get_logger()


class Lines(Protocol):
    """The numbers of this server."""

    def known(self, written: str, trunk: str = "") -> str:
        """Give a number, as *trunk* writes it, as it is kept here."""

    def at(self, written: str, trunk: str = "") -> Number | None:
        """Give what takes the calls of a number, as *trunk* writes it; None where nobody has bound it."""


class Reader(Protocol):
    """Read what runs when a call comes in."""

    async def __call__(self, key: Key, number: Number) -> events.Started:
        """Raises Refusal where it cannot be run."""
        ...


@define(eq=False)
class _Ear:
    """Where the events of a leg go: kept, until there is a run."""

    kept: list[port.Event] = field(factory=list)
    sink: port.Sink | None = None

    def hear(self, event: port.Event) -> None:
        """Take *event*."""
        if self.sink:
            self.sink(event)
        else:
            self.kept.append(event)

    def pour(self, sink: port.Sink) -> None:
        """Give what was kept to *sink*, and all that comes."""
        self.sink = sink
        for event in self.kept:
            sink(event)


class Arrivals:
    """The desk of a node: `take` is what `port.Phones.open` is given."""

    def __init__(self, switchboard: Switchboard, lines: Lines, read: Reader, nursery: Tasks) -> None:
        self._switchboard, self._lines, self._read = switchboard, lines, read
        self._nursery = nursery

    def take(self, offer: port.Offer) -> port.Taken | port.RefusalReason:
        """Say who takes *offer*, or why nobody does."""
        number = self._lines.at(offer.called, offer.trunk)
        if number is None:
            log.warning("a call for a number that nobody has bound", called=offer.called, caller=offer.caller)
            return "unreachable"
        if self._switchboard.draining or self._switchboard.full:
            log.warning("a call that came in finds no room", called=number.number)
            self._turn_away(number, self._switchboard.new_id(), self._known(offer, number), "capacity")
            return "capacity"
        call_id, ear = self._switchboard.new_id(), _Ear()
        offer = self._known(offer, number)
        self._nursery.start_soon(self._begin, number, offer, call_id, ear)
        return port.Taken(call_id, ear.hear)

    def _known(self, offer: port.Offer, number: Number) -> port.Offer:
        """Give *offer*, for *number*, with its numbers as they are kept here."""
        caller, sent = (
            self._lines.known(one, offer.trunk) if one else "" for one in (offer.caller, offer.diverted_from)
        )
        # Some trunks name the number that was called itself: nobody sent such a call on.
        sent = "" if sent == number.number else sent
        return evolve(offer, caller=caller, called=number.number, diverted_from=sent)

    def _turn_away(
        self, number: Number, call_id: str, offer: port.Offer, outcome: port.RefusalReason
    ) -> None:
        """Keep that a call came in for *number*, and that nothing was begun for it.

        Nobody waits for that: a phone that is turned away is told at once, and the writer says in the log
        what it cannot keep.
        """
        house = self._switchboard.house
        house.store.submit(Write(legs=[turned_away(call_id, offer, number.key, outcome, house.clock())]))

    async def _begin(self, number: Number, offer: port.Offer, call_id: str, ear: _Ear) -> None:
        try:
            await self._run(number, offer, call_id, ear)
        except (Refusal, StoreError) as error:
            log.error("a call that came in cannot be taken", number=number.number, why=str(error))
            self._give_up(number, call_id, offer)
        except Exception as error:
            fault("taking a call that came in", error, call=call_id)
            self._give_up(number, call_id, offer)

    def _give_up(self, number: Number, call_id: str, offer: port.Offer) -> None:
        self._switchboard.house.phones.hang_up(call_id)
        if call_id not in self._switchboard.live:
            self._turn_away(number, call_id, offer, "unreachable")

    async def _run(self, number: Number, offer: port.Offer, call_id: str, ear: _Ear) -> None:
        switchboard, phones = self._switchboard, self._switchboard.house.phones
        key = await switchboard.house.store.key(number.key)
        if key is None or key.revoked is not None:
            raise Refusal("the key that bound the number was revoked")
        await switchboard.know(key)
        started = evolve(await self._read(key, number), offer=offer)
        if busy := switchboard.busy(key):
            log.warning("a call that came in finds the line busy", number=number.number, why=busy)
            phones.reject(call_id, port.BUSY)
            self._turn_away(number, call_id, offer, "busy")
            return
        if unpaid := switchboard.till.reserve(key.key, call_id, offer.called, "inbound"):
            log.warning("a call that came in cannot be paid", number=number.number, why=unpaid)
            phones.reject(call_id, port.DECLINED)
            self._turn_away(number, call_id, offer, "rejected")
            return
        try:
            call, commit = switchboard.begin(key, call_id, started)
        except Exception:
            switchboard.till.settle(key.key, call_id, Decimal(0))
            raise
        if call_id not in call.run.legs:
            # Its script failed before it had a leg; that has been told.
            phones.hang_up(call_id)
            self._turn_away(number, call_id, offer, "unreachable")
        ear.pour(call.purse.hear)
        await switchboard.durable(commit, call)
