"""What a key has to pay, by days and by months (UTC), exactly.  Pure."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from attrs import evolve, frozen

from ringful.interpreter.money.amounts import plain, plain_if
from ringful.store.port import Cost, DayBill, Key

By: TypeAlias = Literal["day", "month"]
EPOCH = date(1970, 1, 1).toordinal()


@frozen
class Bill:
    """What a key has to pay for a *span*: a day, ``2026-01-31``, or a month, ``2026-01``."""

    span: str
    legs: Cost
    messages: Cost
    earlier: Cost
    """Whole calls of before there were records of legs."""

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.legs.bill + self.messages.bill + self.earlier.bill

    def __add__(self, other: "Bill") -> "Bill":
        """Take both together, as a bill of this one's span."""
        return evolve(
            self,
            legs=self.legs + other.legs,
            messages=self.messages + other.messages,
            earlier=self.earlier + other.earlier,
        )


def bills(days: Iterable[DayBill], by: By) -> tuple[Bill, ...]:
    """Give the bills of *days*, which are in their order."""
    found: dict[str, Bill] = {}
    for one in days:
        span = _span(one.day, by)
        bill = Bill(span, one.legs, one.messages, one.earlier)
        found[span] = found[span] + bill if span in found else bill
    return tuple(found.values())


def _span(day: int, by: By) -> str:
    written = date.fromordinal(EPOCH + day).isoformat()
    return written if by == "day" else written[:7]


def whole(bills: Iterable[Bill]) -> Bill:
    """Give all *bills* as one."""
    return sum(bills, start=Bill("total", Cost(), Cost(), Cost()))


def bill_as_json(bill: Bill, by: By) -> dict[str, Any]:
    """Show a bill."""
    return {by: bill.span, **amounts(bill)}


def amounts(bill: Bill) -> dict[str, Any]:
    """Show what a bill is made of; whole calls of earlier are told only where there are any."""
    earlier = {"earlierCalls": bill.earlier.count, "earlierBill": plain(bill.earlier.bill)}
    return {
        "legs": bill.legs.count,
        "legsBill": plain(bill.legs.bill),
        "messages": bill.messages.count,
        "messagesBill": plain(bill.messages.bill),
        **(earlier if bill.earlier.count else {}),
        "billAmount": plain(bill.total),
    }


BILL_COLUMNS = (
    "span",
    "legs",
    "legsBill",
    "messages",
    "messagesBill",
    "earlierCalls",
    "earlierBill",
    "billAmount",
)


def bill_row(bill: Bill) -> dict[str, Any]:
    """Give a bill as a row of a table."""
    none = {"earlierCalls": 0, "earlierBill": "0"}
    return {"span": bill.span} | none | amounts(bill)


def bill_as_text(bill: Bill) -> str:
    """Show a bill in one line."""
    parts = [bill.span, _counted(bill.legs, "leg"), _counted(bill.messages, "message")]
    if bill.earlier.count:
        parts.append(_counted(bill.earlier, "earlier call"))
    return "  ".join([*parts, plain(bill.total)])


def _counted(cost: Cost, what: str) -> str:
    return f"{cost.count} {what}{'' if cost.count == 1 else 's'} {plain(cost.bill)}"


def left(key: Key, spent: Decimal) -> Decimal | None:
    """Give what *key* can still spend: nothing less than nothing; None: there is no cap."""
    return None if key.spending_cap is None else max(Decimal(0), key.spending_cap - spent)


def purse_as_json(key: Key, spent: Decimal) -> dict[str, Any]:
    """Show what *key* has spent, and may."""
    return {
        "spent": plain(spent),
        "cap": plain_if(key.spending_cap),
        "left": plain_if(left(key, spent)),
        "mostCost": plain_if(key.most_cost),
    }
