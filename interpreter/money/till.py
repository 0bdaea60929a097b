"""The till of a node: what live legs cost, paid from their keys' accounts while they are up.

`Ledger` knows what can be paid, and `Till` when to look: one timer for each key whose money will run out, and
none for the others.  `Purse` is a run's side of it: every leg is rung, heard and settled by way of it, on
a server as in a simulation.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from attrs import define, field

from ringful.ground.faults import fault
from ringful.interpreter import events
from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.ledger import Exhausted, Ledger
from ringful.interpreter.money.rates import FREE, Direction, Rate, RateTable
from ringful.interpreter.run import Run
from ringful.media import port

Cancel: TypeAlias = Callable[[], None]

_SOON = 1e-6
"""Seconds: an agenda that counts microseconds must come on."""
_AGAIN = 1.0
"""Seconds until a look that failed is repeated."""


@define(eq=False)
class Till:
    """See the module's docstring."""

    rates: RateTable
    clock: Callable[[], float]
    after: Callable[[float, Callable[[], None]], Cancel]
    """Call something in so many seconds; what is given takes it back."""
    ledger: Ledger = field(factory=Ledger)
    soonest: float = math.inf
    """When the money of some key runs out."""
    _armed: dict[str, tuple[float, Cancel]] = field(factory=dict)
    """By key, when its money runs out."""
    _told: dict[str, Callable[[events.Event], None]] = field(factory=dict)
    """By leg, who is told that it cannot pay any more."""

    def look(self, at: float) -> None:
        """See that every leg whose money has run out by *at* is told so, before anything else is."""
        if at >= self.soonest:
            self._advance(at)

    def _advance(self, at: float) -> bool:
        """Tell all that cannot pay any more by *at*; say whether that went well."""
        try:
            self._tell(self.ledger.advance(at))
        except Exception as error:
            # Whoever looks is no party to it, and what it was about is looked at again.
            fault("looking whose money has run out", error)
            return False
        return True

    def _tell(self, gone: list[Exhausted]) -> None:
        for key in dict.fromkeys(one.key for one in gone):
            self._arm(key)
        for one in gone:
            if tell := self._told.get(one.leg):
                tell(events.Spent(one.leg, one.seconds, plain(one.spent), plain(one.cap)))

    def _arm(self, key: str) -> None:
        """See that the timer of *key* fires when its money runs out, or before: then it is set again."""
        due = self.ledger.due(key)
        armed = self._armed.get(key)
        if (armed is None and due == math.inf) or (armed and armed[0] <= due < math.inf):
            return
        if armed:
            del self._armed[key]
            armed[1]()
        if due < math.inf:
            self._set(key, due, max(_SOON, due - self.clock()))
        self.soonest = min((one[0] for one in self._armed.values()), default=math.inf)

    def _set(self, key: str, due: float, seconds: float) -> None:
        self._armed[key] = (due, self.after(seconds, lambda: self._ring(key, due)))

    def _ring(self, key: str, due: float) -> None:
        if key not in self._armed or self._armed[key][0] != due:
            return  # It was taken back as it fired.
        del self._armed[key]
        if self._advance(self.clock()):
            self._arm(key)  # Also where the timer came before its time.
        else:
            self._set(key, due, _AGAIN)

    # Keys

    def knows(self, key: str) -> bool:
        """Say whether it is known what *key* has spent."""
        return self.ledger.knows(key)

    def open(self, key: str, spent: Decimal, cap: Decimal | None) -> None:
        """Begin with what *key* has spent before anything of it was up here."""
        self.ledger.open(key, spent, cap)

    def set_cap(self, key: str, cap: Decimal | None) -> None:
        """Hold *key* to *cap* from now on."""
        self._tell(self.ledger.set_cap(key, cap, self.clock()))
        self._arm(key)

    def take(self, key: str, amount: Decimal, at: float) -> str:
        """Spend *amount* of *key* at once, for a message; give why it cannot be paid (nothing: it is)."""
        self.look(at)
        why = self.ledger.exhausted(key) or self.ledger.take(key, amount, at)
        self._arm(key)
        return why

    def cannot_take(self, key: str, amount: Decimal) -> str:
        """Say why *key* cannot spend *amount* now; nothing if it can."""
        now = self.clock()
        self.look(now)
        return self.ledger.exhausted(key) or self.ledger.cannot_take(key, amount, now)

    def book(self, key: str, amount: Decimal) -> None:
        """Spend *amount* of *key* whether or not it can be paid, for what came in."""
        self._tell(self.ledger.book(key, amount, self.clock()))
        self._arm(key)

    def give_back(self, key: str, amount: Decimal) -> None:
        """Take back what was spent for a message that was never sent."""
        self.ledger.give_back(key, amount)
        self._arm(key)

    def cannot_call(self, key: str, number: str | None) -> str:
        """Say why *key* cannot pay for a call to *number* (None: for any) now; nothing if it can."""
        now = self.clock()
        self.look(now)
        if why := self.ledger.exhausted(key):
            return why
        if number is None:
            return ""
        return self.ledger.cannot_pay(key, self.rate(number, "outbound", now), now)

    # Legs

    def rate(self, number: str, direction: Direction, at: float) -> Rate:
        """Give the rate of a leg that is rung, or answered, *at* that time."""
        return self.rates.find(number, direction, "call", at) or FREE

    def reserve(self, key: str, leg: str, number: str, direction: Direction) -> str:
        """Reserve what *leg* costs at least, or say why it cannot be paid.

        A call that comes in for nothing is taken also where all is spent.
        """
        now = self.clock()
        self.look(now)
        spent = self.ledger.exhausted(key) if direction == "outbound" else ""
        why = spent or self.ledger.reserve(key, leg, self.rate(number, direction, now), now)
        self._arm(key)
        return why

    def listen(self, leg: str, tell: Callable[[events.Event], None]) -> None:
        """Tell *tell* when *leg* cannot pay any more."""
        self._told[leg] = tell

    def start(self, key: str, leg: str, rate: Rate, at: float) -> Rate:
        """Let *leg*, which is answered, pay from now on; give the rate that it pays by."""
        found = self.ledger.start(leg, rate, at)
        self._arm(key)
        return found

    def stop(self, key: str, leg: str, at: float) -> None:
        """Let *leg*, which is over, pay no more."""
        self.ledger.stop(leg, at)
        self._arm(key)

    def settle(self, key: str, leg: str, bill: Decimal) -> None:
        """Put *bill* in the place of what *leg* has paid."""
        self._told.pop(leg, None)
        self.ledger.settle(leg, bill)
        self._arm(key)


@define(eq=False)
class Purse:
    """What pays for the legs of *run*."""

    till: Till
    key: str
    run: Run
    _lines: dict[str, tuple[str, Direction]] = field(factory=dict)
    """The legs that are not settled: the number whose rate counts, and in which direction they go."""

    def __attrs_post_init__(self) -> None:
        if offer := self.run.started.offer:
            self._open(self.run.call_id, offer.called, "inbound")

    def ring(self, leg: str, number: str) -> str:
        """Reserve what a leg that is about to be rung costs at least, or say why it cannot be paid."""
        why = self.till.reserve(self.key, leg, number, "outbound")
        if not why:
            self._open(leg, number, "outbound")
        return why

    def _open(self, leg: str, number: str, direction: Direction) -> None:
        self._lines[leg] = (number, direction)
        self.till.listen(leg, self.run.post)

    def hear(self, event: port.Event) -> None:
        """Take an event of a leg, and before it what it costs, into the run's inbox."""
        at = self.till.clock()
        self.till.look(at)
        if line := self._lines.get(event.leg):
            if isinstance(event, port.Answered):
                rate = self.till.start(self.key, event.leg, self.till.rate(*line, at), at)
                self.run.post(events.priced(event.leg, rate), at)
            elif isinstance(event, port.HungUp | port.Refused):
                self.till.stop(self.key, event.leg, at)
        self.run.post(event, at)

    def settle(self) -> None:
        """Put the bills of legs that are over in the place of what they have paid."""
        # Asked after every turn of a run, and nearly always of legs that are up.
        for name in list(self._lines):
            leg = self.run.legs.get(name)
            if leg is None or leg.state == "over":
                del self._lines[name]
                self.till.settle(self.key, name, self.run.price(leg) if leg else Decimal(0))

    def give_up(self) -> None:
        """Settle what is left of a run of which nothing can be made any more: nothing is billed."""
        for name in list(self._lines):
            del self._lines[name]
            self.till.settle(self.key, name, Decimal(0))
