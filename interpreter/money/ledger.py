"""What each key has spent, and what its live legs may still: pure, exact, and without a clock.

A leg pays ahead: from the moment that it is rung its connection and its first increment are reserved, and
at the end of each increment that it has paid (its *border*) it pays the next one, or ends there.  So at any
moment what was spent and what live legs have paid is together no more than the cap, and no leg ends that
could have paid.  Nothing is counted from second to second: what a leg has paid follows from the time, and
the one border at which some leg cannot pay is found by halving.

Times are Unix seconds for callers, and whole microseconds here, since borders must meet exactly.
"""

import math
from collections.abc import Iterator
from decimal import Decimal

from attrs import define, field, frozen

from ringful.interpreter.money.amounts import amount_of, plain, units_of, whole_units
from ringful.interpreter.money.rates import Rate

_SECOND = 1_000_000
_NEAR = 10 * _SECOND
"""So near, the border at which money runs out is looked for; else it is enough that it is not nearer."""
_HORIZON = 10 * 366 * 24 * 3600 * _SECOND
"""A leg that can pay for ten years is left in peace."""


def _instant(at: float) -> int:
    return round(at * _SECOND)


@frozen
class Exhausted:
    """That *leg* has come to the border of its paid time and cannot pay what follows."""

    key: str
    leg: str
    seconds: int
    """What it has paid for."""
    spent: Decimal
    """By the key in all, what is paid for live legs among it."""
    cap: Decimal


@define(eq=False)
class Meter:
    """What a leg costs: reserved while it rings, paid ahead while it is up."""

    key: str
    leg: str
    order: int
    """Legs that come to a border at one instant pay in this order."""
    rate: Rate
    began: int | None = None
    stopped: int | None = None
    paid: int | None = None
    """The seconds that it is held to, once it could pay no more."""
    slope: int = field(init=False)
    """Millionths of a unit that a second costs, and no less."""
    step: int = field(init=False)
    """Units that an increment costs, and no less."""
    _line: tuple[int, int, int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.price_by(self.rate)

    def price_by(self, rate: Rate) -> None:
        """Cost what *rate* says."""
        self.rate, self._line = rate, rate.line()
        _, b, c = self._line
        self.slope = -(-b * _SECOND // c)
        self.step = b * rate.following // c + 2

    @property
    def pays(self) -> bool:
        """Whether it will come to a border."""
        return self.began is not None and self.stopped is None and self.paid is None

    def seconds(self, at: int) -> int:
        """Give the seconds that are paid *at* that instant; at a border, the next increment among them."""
        if self.paid is not None:
            return self.paid
        first, following = self.rate.first, self.rate.following
        if self.began is None:
            return first
        if self.stopped is not None:
            return self.rate.billed(-((self.began - min(at, self.stopped)) // _SECOND))
        beyond = at - self.began - first * _SECOND
        return first if beyond < 0 else first + (beyond // (following * _SECOND) + 1) * following

    def owed(self, at: int) -> int:
        """Give in units what is paid *at* that instant."""
        a, b, c = self._line
        return (a + b * self.seconds(at)) // c


@define(eq=False)
class Account:
    """What one key has spent, with what its legs are about to."""

    key: str
    spent: int
    """In units: what is settled."""
    cap: Decimal | None = None
    is_open: bool = True
    """It is known what was spent before; else only what came since is counted."""
    meters: dict[str, Meter] = field(factory=dict)
    judged: int = 0
    """Up to when every border has been looked at."""
    _due: int | None = None
    _known: bool = False

    def committed(self, at: int) -> int:
        """Give in units what is spent and paid *at* that instant."""
        return self.spent + sum(meter.owed(at) for meter in self.meters.values())

    @property
    def most(self) -> int:
        """The cap in units."""
        return 0 if self.cap is None else whole_units(self.cap)

    def changed(self) -> None:
        """Forget when the cap is reached: something is otherwise now."""
        self._known = False

    @property
    def due(self) -> int | None:
        """The next border at which some leg cannot pay, or a time before it to look again; None: never."""
        if not self._known:
            self._due, self._known = self._next_due(), True
        return self._due

    def _next_due(self) -> int | None:
        if self.cap is None or not any(meter.pays for meter in self.meters.values()):
            return None
        # What is paid is paid, also where the cap was lowered since.
        committed = self.committed(self.judged)
        limit = max(self.most, committed)
        if (sure := self._sure(limit - committed)) > _NEAR:
            return None if sure > _HORIZON else self.judged + sure
        step = _SECOND
        while self.committed(self.judged + step) <= limit:
            step *= 2
            if step > _HORIZON:
                return None
        fine, over = self.judged + step // 2 if step > _SECOND else self.judged, self.judged + step
        while over - fine > 1:
            middle = (fine + over) // 2
            if self.committed(middle) > limit:
                over = middle
            else:
                fine = middle
        return over

    def _sure(self, left: int) -> int:
        """Give how long *left* lasts at least: a leg pays for no more than the time and an increment."""
        paying = [meter for meter in self.meters.values() if meter.pays]
        slope = sum(meter.slope for meter in paying)
        left -= sum(meter.step for meter in paying)
        if not slope:
            return 2 * _HORIZON
        return max(0, left) * _SECOND // slope * _SECOND

    def judge(self, until: int) -> Iterator[Exhausted]:
        """Let every leg pay, up to that instant, that can; give those that could not."""
        while (due := self.due) is not None and due <= until:
            yield from self._judge_border(due)
        self.judged = max(self.judged, until)

    def _judge_border(self, at: int) -> Iterator[Exhausted]:
        committed = self.committed(at - 1)
        limit = max(self.most, committed)
        for meter in sorted(self.meters.values(), key=lambda one: (one.began or 0, one.order)):
            if not meter.pays:
                continue
            more = meter.owed(at) - meter.owed(at - 1)
            if committed + more <= limit:
                committed += more
                continue
            meter.paid = meter.seconds(at - 1)
            assert self.cap is not None
            yield Exhausted(self.key, meter.leg, meter.paid, amount_of(committed), self.cap)
        self.judged = at
        self.changed()


class Ledger:
    """The accounts of all keys that are known here."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._meters: dict[str, Meter] = {}
        self._order = 0

    def knows(self, key: str) -> bool:
        """Say whether it is known what *key* had spent before."""
        return key in self._accounts and self._accounts[key].is_open

    def open(self, key: str, spent: Decimal, cap: Decimal | None) -> None:
        """Open the account of *key*, unless that was done."""
        account = self._account(key)
        if not account.is_open:
            account.is_open, account.cap = True, cap
            account.spent += -whole_units(-spent)
            account.changed()

    def set_cap(self, key: str, cap: Decimal | None, at: float) -> list[Exhausted]:
        """Hold *key* to *cap* (None: to none) from now on; give the legs that cannot pay any more."""
        account = self._account(key)
        gone = list(account.judge(_instant(at)))
        if account.cap != cap:
            account.cap = cap
            account.changed()
        return gone

    def exhausted(self, key: str) -> str:
        """Say that *key* has spent all that it may, whatever its live legs cost; nothing if it has not."""
        account = self._account(key)
        return _all_spent(account) if account.cap is not None and account.spent >= account.most else ""

    def cannot_pay(self, key: str, rate: Rate, at: float) -> str:
        """Say why *key* cannot pay the beginning of a call at *rate*; nothing if it can."""
        return self._cannot(key, Meter(key, "", 0, rate).owed(0), at, "this call")

    def _cannot(self, key: str, units: int, at: float, what: str) -> str:
        account = self._account(key)
        if account.cap is None or units == 0:
            return ""
        left = account.most - account.committed(_instant(at))
        if units <= left:
            return ""
        if account.spent >= account.most:
            return _all_spent(account)
        cap = plain(account.cap)
        return (
            f"this key has {plain(amount_of(max(0, left)))} left of its cap of {cap}, "
            f"and {what} costs {plain(amount_of(units))} at least"
        )

    def reserve(self, key: str, leg: str, rate: Rate, at: float) -> str:
        """Reserve what *leg* costs at least, or say why it cannot be paid."""
        account = self._account(key)
        self._order += 1
        meter = Meter(key, leg, self._order, rate)
        if why := self._cannot(key, meter.owed(0), at, "this call"):
            return why
        account.meters[leg] = self._meters[leg] = meter
        account.changed()
        return ""

    def start(self, leg: str, rate: Rate, at: float) -> Rate:
        """Let *leg* pay from now on, as it is answered; give the rate that it pays by.

        That is *rate*, the one that is in force, unless it is dearer than what was reserved and the key
        could not pay its beginning: then it is the one that was promised when the leg was rung.
        """
        meter = self._meters.get(leg)
        if meter is None:
            return rate
        account, promised = self._accounts[meter.key], meter.rate
        reserved, now = meter.owed(0), _instant(at)
        meter.price_by(rate)
        if meter.owed(0) > reserved and account.cap is not None and account.committed(now) > account.most:
            meter.price_by(promised)
        if not any(one.pays for one in account.meters.values()):
            # There was no border to look at; the clock may have been set back since the last one.
            account.judged = now
        meter.began = now
        account.changed()
        return meter.rate

    def stop(self, leg: str, at: float) -> None:
        """Let *leg* pay no more, since it is over."""
        if (meter := self._meters.get(leg)) and meter.stopped is None:
            meter.stopped = _instant(at)
            self._accounts[meter.key].changed()

    def settle(self, leg: str, bill: Decimal) -> str:
        """Put *bill* in the place of what *leg* has paid; give the key whose it is, if it is known."""
        meter = self._meters.pop(leg, None)
        if meter is None:
            return ""
        account = self._accounts[meter.key]
        del account.meters[leg]
        account.spent += units_of(bill)
        account.changed()
        return meter.key

    def take(self, key: str, amount: Decimal, at: float) -> str:
        """Spend *amount* at once (for a message), or say why it cannot be paid."""
        units = units_of(amount)
        why = self._cannot(key, units, at, "this message")
        if not why:
            self._account(key).spent += units
            self._account(key).changed()
        return why

    def cannot_take(self, key: str, amount: Decimal, at: float) -> str:
        """Say why *key* cannot spend *amount* at once; nothing if it can."""
        return self._cannot(key, units_of(amount), at, "this message")

    def book(self, key: str, amount: Decimal, at: float) -> list[Exhausted]:
        """Spend *amount* whether or not it can be paid, since it is owed; give the legs that ended before."""
        account = self._account(key)
        # What legs have paid until now is paid.
        gone = list(account.judge(_instant(at)))
        account.spent += units_of(amount)
        account.changed()
        return gone

    def give_back(self, key: str, amount: Decimal) -> None:
        """Take back what was spent for nothing."""
        self._account(key).spent -= units_of(amount)
        self._account(key).changed()

    def advance(self, at: float) -> list[Exhausted]:
        """Let every leg pay, up to *at*, that can; give those that could not, in order."""
        until = _instant(at)
        return [gone for account in self._accounts.values() for gone in account.judge(until)]

    def due(self, key: str) -> float:
        """Give when the next leg of *key* will be unable to pay; infinite: none will."""
        due = self._account(key).due
        return math.inf if due is None else due / _SECOND

    def committed(self, key: str, at: float) -> Decimal:
        """Give what *key* has spent, with what is paid and reserved *at* that time."""
        return amount_of(self._account(key).committed(_instant(at)))

    def _account(self, key: str) -> Account:
        if key not in self._accounts:
            self._accounts[key] = Account(key, 0, is_open=False)
        return self._accounts[key]


def _all_spent(account: Account) -> str:
    assert account.cap is not None
    return f"this key has spent {plain(amount_of(account.spent))}, and its cap is {plain(account.cap)}"
