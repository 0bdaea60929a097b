"""API keys as text: all about them but their secrets."""

from collections.abc import Iterator
from decimal import Decimal

from ringful.interpreter.money.amounts import plain
from ringful.interpreter.money.bills import left
from ringful.interpreter.tell import stamp
from ringful.store.keys import ANYWHERE, old_until
from ringful.store.port import Key


def in_a_line(key: Key, spent: Decimal, now: float) -> str:
    """Show what is worth knowing of *key*, and what it has *spent*, in a list."""
    return "  ".join([key.key, key.name, *_notes(key, spent, now)])


def _notes(key: Key, spent: Decimal, now: float) -> Iterator[str]:
    if key.revoked is not None:
        yield "revoked"
    if not key.signing:
        yield "UNSIGNED requests are taken"
    if key.prefixes:
        yield f"may call {_reach(key)}"
    if key.calls_per_second is not None:
        yield f"{key.calls_per_second:g} calls/s"
    if key.concurrent is not None:
        yield f"{key.concurrent} calls at once"
    if spent or key.spending_cap is not None:
        yield _purse(key, spent)
    if key.most_cost is not None:
        yield f"a script may cost {plain(key.most_cost)}"
    if (until := old_until(key, now)) is not None:
        yield f"its old secret holds until {stamp(until)}"


def in_full(key: Key, spent: Decimal, newest: int, now: float) -> str:
    """Show all of *key*, a line for each thing; *newest* is its newest seq, 0 before the first."""
    own = "the configuration's"
    until = old_until(key, now)
    told = {
        "key": key.key,
        "name": key.name,
        "created": stamp(key.created),
        "revoked": stamp(key.revoked) if key.revoked is not None else "no",
        "signing": "yes" if key.signing else "no: UNSIGNED requests are taken",
        "may call": _reach(key),
        "calls per second": own if key.calls_per_second is None else f"{key.calls_per_second:g}",
        "calls at once": own if key.concurrent is None else str(key.concurrent),
        "spent": _purse(key, spent).removeprefix("spent "),
        "a script may cost": "anything" if key.most_cost is None else f"{plain(key.most_cost)} at most",
        "newest seq": str(newest or "none was used"),
        "old secret": "none holds" if until is None else f"holds until {stamp(until)}",
    }
    return "".join(f"{name}: {value}\n" for name, value in told.items())


def _purse(key: Key, spent: Decimal) -> str:
    rest = left(key, spent)
    if key.spending_cap is None or rest is None:
        return f"spent {plain(spent)}"
    return f"spent {plain(spent)} of {plain(key.spending_cap)}, {plain(rest)} left"


def _reach(key: Key) -> str:
    if key.prefixes == ANYWHERE:
        return "anywhere"
    return ",".join(key.prefixes) or "the server's own country"
