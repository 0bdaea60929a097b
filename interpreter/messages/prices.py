"""What messages cost: paid when they are taken, given back where they were never sent."""

from decimal import Decimal

from attrs import evolve, frozen

from ringful.interpreter.money.till import Till
from ringful.store.port import Message


@frozen
class Prices:
    """The prices of *till*'s rates, paid from its accounts; without a till all messages are free."""

    till: Till | None = None

    def outgoing(self, number: str, segments: int) -> Decimal:
        """Give what a message to *number* costs now."""
        till = self.till
        return till.rates.message(number, segments, "outbound", till.clock()) if till else Decimal(0)

    def why_unpayable(self, key: str, amount: Decimal) -> str:
        """Say why *key* cannot pay *amount* now; nothing if it can."""
        return self.till.cannot_take(key, amount) if self.till else ""

    def pay(self, key: str, amount: Decimal) -> str:
        """Spend *amount*; say why *key* cannot, and then nothing is spent."""
        return self.till.take(key, amount, self.till.clock()) if self.till else ""

    def refund(self, key: str, amount: Decimal) -> None:
        """Give back what was paid for a message that was never sent."""
        if self.till and amount and self.till.knows(key):
            self.till.give_back(key, amount)

    def unsent(self, message: Message) -> Message:
        """Give *message*, which will not be sent, and is not paid unless a part of it was."""
        if any(message.parts) or not message.bill:
            return message
        self.refund(message.key, message.bill)
        return evolve(message, bill=Decimal(0))

    def incoming(self, key: str, own: str, segments: int) -> Decimal:
        """Book what a message that came in to *own* costs, whatever the key may still spend; give it."""
        till = self.till
        if till is None or not key:
            return Decimal(0)
        amount = till.rates.message(own, segments, "inbound", till.clock())
        till.book(key, amount)
        return amount
