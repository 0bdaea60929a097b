"""The ledger: never more than the cap, and nobody ends who could have paid."""

import math
from decimal import Decimal

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from ringful.interpreter.money.amounts import amount_of, units_of, whole_units
from ringful.interpreter.money.ledger import Exhausted, Ledger
from ringful.interpreter.money.rates import FREE, Rate

T = 1_767_225_600.0
CENT = Rate(per_minute=Decimal("0.6"))
"""A cent a second."""
MINUTE = Rate(per_minute=Decimal("0.10"), connection=Decimal("0.05"), first=60, following=60)


def ledger(cap, spent="0"):
    made = Ledger()
    made.open("k", Decimal(spent), None if cap is None else Decimal(cap))
    return made


def up(made, leg, rate=CENT, at=T):
    assert made.reserve("k", leg, rate, at) == ""
    made.start(leg, rate, at)


def test_a_leg_ends_at_the_border_of_what_is_paid():
    made = ledger("0.05")
    up(made, "a")
    assert made.due("k") == T + 5
    assert made.advance(T + 4.999999) == []
    assert made.advance(T + 5) == [Exhausted("k", "a", 5, Decimal("0.05"), Decimal("0.05"))]
    assert (made.due("k"), made.advance(T + 9), made.committed("k", T + 9)) == (math.inf, [], Decimal("0.05"))
    made.settle("a", Decimal("0.05"))
    assert made.exhausted("k") == "this key has spent 0.05, and its cap is 0.05"


def test_a_look_that_comes_late_finds_the_border_all_the_same():
    made = ledger("0.05")
    up(made, "a")
    assert [gone.seconds for gone in made.advance(T + 3600)] == [5]


def test_long_increments_are_paid_ahead():
    made = ledger("0.30")
    up(made, "a", MINUTE)
    assert made.committed("k", T) == Decimal("0.15")
    assert made.committed("k", T + 59.999) == Decimal("0.15")
    assert made.committed("k", T + 60) == Decimal("0.25")
    assert [(gone.seconds, gone.spent) for gone in made.advance(T + 500)] == [(120, Decimal("0.25"))]


def test_two_legs_cannot_spend_the_same_money():
    made = ledger("0.05")
    up(made, "a")
    up(made, "b", at=T + 0.5)
    # 0: a; 0.5: b; 1: a; 1.5: b; 2: a; 2.5: b could not pay.
    assert [(one.leg, one.seconds) for one in made.advance(T + 60)] == [("b", 2), ("a", 3)]
    assert made.committed("k", T + 60) == Decimal("0.05")


def test_at_one_instant_the_leg_that_began_first_pays_first():
    made = ledger("0.05")
    for leg in ("b", "a"):
        up(made, leg)
    assert [(one.leg, one.seconds) for one in made.advance(T + 60)] == [("a", 2), ("b", 3)]


def test_a_leg_that_rings_holds_what_it_costs_at_least():
    made = ledger("0.20")
    assert made.reserve("k", "a", MINUTE, T) == ""
    assert made.reserve("k", "b", MINUTE, T) == (
        "this key has 0.05 left of its cap of 0.20, and this call costs 0.15 at least"
    )
    assert made.due("k") == math.inf
    made.settle("a", Decimal(0))
    assert made.reserve("k", "b", MINUTE, T) == ""


def test_a_leg_that_hangs_up_gives_back_what_it_did_not_use():
    made = ledger("0.25")
    up(made, "a", MINUTE)
    made.stop("a", T + 60)
    made.advance(T + 90)
    assert made.committed("k", T + 90) == Decimal("0.15")
    made.settle("a", Decimal("0.15"))
    assert made.reserve("k", "b", MINUTE, T + 90) != ""
    assert made.reserve("k", "c", CENT, T + 90) == ""


def test_what_costs_nothing_is_never_refused_and_never_ends():
    made = ledger("0", "5")
    up(made, "a", FREE)
    assert (made.due("k"), made.advance(T + 1e6)) == (math.inf, [])
    assert made.exhausted("k") == "this key has spent 5, and its cap is 0"


def test_a_cap_that_is_lowered_holds_from_the_next_border_on():
    made = ledger(None)
    up(made, "a")
    assert (made.due("k"), made.advance(T + 10.5)) == (math.inf, [])
    assert made.set_cap("k", Decimal("0.05"), T + 10.5) == []
    assert [one.seconds for one in made.advance(T + 11)] == [11]
    up2 = ledger("0.05")
    up(up2, "a")
    up2.set_cap("k", Decimal("0.07"), T + 4.5)
    assert [one.seconds for one in up2.advance(T + 60)] == [7]


def test_a_dearer_rate_at_the_answer_counts_if_it_can_be_paid():
    for cap, paid in (("0.20", MINUTE), ("0.01", CENT)):
        made = ledger(cap)
        assert made.reserve("k", "a", CENT, T) == ""
        assert made.start("a", MINUTE, T + 5) == paid


def test_messages_are_paid_at_once():
    made = ledger("0.10")
    assert made.take("k", Decimal("0.06"), T) == ""
    assert made.take("k", Decimal("0.06"), T) == (
        "this key has 0.04 left of its cap of 0.10, and this message costs 0.06 at least"
    )
    made.give_back("k", Decimal("0.06"))
    assert made.take("k", Decimal("0.10"), T) == ""
    assert made.take("k", Decimal("0.01"), T) == "this key has spent 0.1, and its cap is 0.10"
    assert made.take("other", Decimal("999"), T) == ""


def test_what_came_before_an_account_is_opened_is_counted_too():
    made = Ledger()
    assert made.take("k", Decimal("0.02"), T) == ""
    assert not made.knows("k")
    made.open("k", Decimal("0.05"), Decimal("0.07"))
    made.open("k", Decimal(100), None)
    assert made.knows("k")
    assert made.exhausted("k") == "this key has spent 0.07, and its cap is 0.07"


def test_what_is_booked_takes_nothing_back_that_legs_have_paid():
    made = ledger("2")
    up(made, "a")
    # Nobody has looked for a hundred seconds: there was no need to.
    assert made.book("k", Decimal("1.50"), T + 100.5) == []
    assert [gone.seconds for gone in made.advance(T + 200)] == [101]


def test_a_clock_that_was_set_back_while_nothing_was_up_gives_no_time_away():
    made = ledger("0.05")
    made.set_cap("k", Decimal("0.05"), T + 3600)
    up(made, "a")
    assert made.due("k") == T + 5
    assert [gone.seconds for gone in made.advance(T + 60)] == [5]


@given(st.decimals(0, 10**6, places=7))
def test_units_never_give_away_money(amount):
    assert abs(amount_of(units_of(amount)) - amount) <= Decimal("0.00005")
    assert amount_of(whole_units(amount)) <= amount <= amount_of(-whole_units(-amount))


rates = st.builds(
    Rate,
    per_minute=st.sampled_from(["0", "0.6", "0.011", "0.00007", "3"]).map(Decimal),
    connection=st.sampled_from(["0", "0.01", "0.00004"]).map(Decimal),
    first=st.sampled_from([1, 6, 60]),
    following=st.sampled_from([1, 6, 30]),
)
quarters = st.integers(0, 400).map(lambda n: n / 4)


@define
class Simple:
    """The same, as a person would do it: from quarter to quarter, leg by leg."""

    cap: Decimal
    spent: Decimal = Decimal(0)
    rate: dict[str, Rate] = field(factory=dict)
    began: dict[str, float] = field(factory=dict)
    paid: dict[str, int] = field(factory=dict)

    def committed(self) -> Decimal:
        return self.spent + sum((self.rate[leg].price(self.paid[leg]) for leg in self.rate), Decimal(0))

    def ring(self, leg: str, rate: Rate) -> bool:
        if rate.price(0) and self.committed() + rate.price(0) > self.cap:
            return False
        self.rate[leg], self.paid[leg] = rate, rate.first
        return True

    def tick(self, at: float) -> list[tuple[str, int]]:
        gone = []
        for leg in sorted(self.began, key=lambda one: (self.began[one], int(one))):
            if at - self.began[leg] < self.paid[leg]:
                continue
            rate, paid = self.rate[leg], self.paid[leg]
            more = rate.price(paid + 1) - rate.price(paid)
            if more and self.committed() + more > self.cap:
                gone.append((leg, paid))
                del self.began[leg]
            else:
                self.paid[leg] = paid + rate.following
        return gone

    def hang_up(self, leg: str, at: float) -> Decimal:
        began = self.began.pop(leg, None)
        seconds = self.paid[leg] if began is None else min(self.paid[leg], math.ceil(at - began))
        del self.paid[leg]
        bill = self.rate.pop(leg).price(seconds)
        self.spent += bill
        return bill


legs = st.lists(st.tuples(rates, quarters, quarters, quarters), max_size=6)


@settings(max_examples=150, deadline=None)
@given(legs, st.sampled_from(["0.00", "0.01", "0.10", "0.5", "2", "9.99999"]).map(Decimal))
def test_it_does_what_a_person_would(legs, cap):
    made, simple = ledger(cap), Simple(cap)
    happen = [
        (at, kind, str(n), rate)
        for n, (rate, rings, rang, lasted) in enumerate(legs)
        for at, kind in ((rings, 2), (rings + rang, 3), (rings + rang + lasted + 0.25, 1))
    ]
    happen.sort(key=lambda one: one[:3])
    known: set[str] = set()
    now = 0.0
    while now <= 310:
        found = [(one.leg, one.seconds) for one in made.advance(T + now)]
        assert found == simple.tick(now), now
        for at, kind, leg, rate in happen:
            if at != now:
                continue
            if kind == 2:
                could = simple.ring(leg, rate)
                assert (made.reserve("k", leg, rate, T + now) == "") == could
                known |= {leg} if could else set()
            elif leg in known and kind == 3:
                simple.began[leg] = now
                made.start(leg, rate, T + now)
            elif leg in known:
                made.stop(leg, T + now)
                made.settle(leg, simple.hang_up(leg, now))
        assert made.committed("k", T + now) == simple.committed()
        assert simple.committed() <= max(cap, simple.spent)
        now += 0.25
    assert simple.spent <= cap
