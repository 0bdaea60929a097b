"""The till: it looks when money runs out, by one timer for a key, and not otherwise."""

import math
from decimal import Decimal

import pytest
import structlog
from attrs import define, field

from ringful.interpreter import events
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.money.till import Till

RATES = RateTable((Rate(per_minute=Decimal("0.6")), Rate("44", per_minute=Decimal(0))))
T = 1_767_225_600.0


@define(eq=False)
class Time:
    """A clock that is set by hand, and what is to be done when."""

    now: float = T
    waiting: dict[int, tuple[float, object]] = field(factory=dict)
    set: int = 0

    def after(self, seconds, action):
        self.set += 1
        number = self.set
        self.waiting[number] = (self.now + seconds, action)
        return lambda: self.waiting.pop(number, None)

    def go(self, until):
        while self.waiting:
            number, (at, action) = min(self.waiting.items(), key=lambda one: one[1][0])
            if at > until:
                break
            del self.waiting[number]
            self.now = max(self.now, at)
            action()
        self.now = until


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def till(time):
    return Till(RATES, lambda: time.now, time.after)


def up(till, key, leg, told, number="1512"):
    assert till.reserve(key, leg, number, "outbound") == ""
    till.listen(leg, told.append)
    return till.start(key, leg, till.rate(number, "outbound", till.clock()), till.clock())


def test_a_key_without_a_cap_has_no_timer(till, time):
    for n in range(5):
        up(till, "k", f"l{n}", [])
    assert (time.set, till.soonest) == (0, math.inf)
    till.set_cap("k", Decimal(1000))
    assert len(time.waiting) == 1
    till.set_cap("k", None)
    assert (len(time.waiting), till.soonest) == (0, math.inf)


def test_one_timer_waits_for_a_key_however_many_legs_it_has(till, time):
    told = []
    for key in ("k", "o"):
        till.set_cap(key, Decimal("1"))
        for n in range(4):
            up(till, key, f"{key}{n}", told)
    assert len(time.waiting) == 2
    # A hundred cents, four a second: twenty-five seconds, and each leg is told once.
    time.go(T + 24.9)
    assert told == []
    time.go(T + 60)
    assert sorted((one.leg, one.seconds) for one in told) == [(f"{k}{n}", 25) for k in "ko" for n in range(4)]
    assert {(one.spent, one.cap) for one in told} == {("1", "1")}
    assert (len(time.waiting), till.soonest) == (0, math.inf)
    assert time.set < 40


def test_money_that_lasts_long_is_not_looked_at_often(till, time):
    till.set_cap("k", Decimal(100))
    told = []
    up(till, "k", "a", told)
    time.go(T + 20_000)
    assert [(one.leg, one.seconds) for one in told] == [("a", 10_000)]
    assert time.set < 6


def test_what_is_due_is_told_before_anything_else_that_happens_then(till, time):
    till.set_cap("k", Decimal("0.05"))
    told = []
    up(till, "k", "a", told)
    # The timer is late, and something else is on time.
    time.now = T + 7
    till.look(time.now)
    assert told == [events.Spent("a", 5, "0.05", "0.05")]
    time.go(T + 100)
    assert len(told) == 1


def test_a_leg_that_is_settled_leaves_no_timer(till, time):
    till.set_cap("k", Decimal(1))
    up(till, "k", "a", [])
    till.stop("k", "a", T + 3)
    till.settle("k", "a", Decimal("0.03"))
    assert (len(time.waiting), till.soonest) == (0, math.inf)
    assert till.ledger.committed("k", T + 50) == Decimal("0.03")


def test_a_look_that_fails_is_repeated(till, time, monkeypatch):
    till.set_cap("k", Decimal("0.05"))
    told = []
    up(till, "k", "a", told)
    usual = till.ledger.advance

    def fails(_at):
        monkeypatch.setattr(till.ledger, "advance", usual)
        raise RuntimeError("thrown in")

    monkeypatch.setattr(till.ledger, "advance", fails)
    with structlog.testing.capture_logs() as logged:
        time.go(T + 60)
    assert [line["event"] for line in logged] == ["a fault of ringful itself"]
    assert [one.seconds for one in told] == [5]


def test_messages_and_calls_spend_the_same_money(till, time):
    till.set_cap("k", Decimal("0.05"))
    told = []
    up(till, "k", "a", told)
    assert till.take("k", Decimal("0.02"), T) == ""
    assert till.take("k", Decimal("0.03"), T) == (
        "this key has 0.02 left of its cap of 0.05, and this message costs 0.03 at least"
    )
    assert till.take("k", Decimal("0.01"), T + 1) == ""
    time.go(T + 60)
    assert [one.seconds for one in told] == [2]
    till.give_back("k", Decimal("0.03"))
    assert till.take("k", Decimal("0.03"), T + 61) == ""


def test_a_call_is_refused_while_nothing_is_left_and_one_that_comes_in_for_nothing_is_not(till):
    till.open("k", Decimal(3), Decimal(3))
    said = "this key has spent 3, and its cap is 3"
    assert till.cannot_call("k", "1512") == till.cannot_call("k", None) == till.cannot_call("k", "44") == said
    assert till.reserve("k", "a", "44", "outbound") == said
    assert till.reserve("k", "b", "+1800", "inbound") == ""
