"""What becomes of a message, step by step: its state, the lines of its journal, what is told of it.

Pure.  A message that is sent is waited for by nobody, and may live for days: so it is no run, but the row
that the store has of it, and each step here makes the next row of that.  Steps come in any order, twice,
and late; whatever comes, *each outcome is told once* and a state that is final stays.  The simulation and
the server take the same steps.
"""

from collections.abc import Mapping
from decimal import Decimal
from uuid import uuid4

from attrs import evolve, frozen

from ringful.interpreter import effects, journal
from ringful.interpreter.money.amounts import plain
from ringful.interpreter.tell import stamp
from ringful.store.port import Entry, Message, Post

PAUSES = (0.0, 30.0, 300.0, 1800.0)
"""Seconds after which a message is sent again that may have arrived: after the first time, the second …"""


@frozen
class Letter:
    """A message after a step, and what that step wrote and told."""

    message: Message
    entries: tuple[Entry, ...] = ()
    posts: tuple[Post, ...] = ()

    def _noted(self, name: str, at: float, data: Mapping[str, object], kind: str = "event") -> "Letter":
        # Where what was kept of it has been removed for its age, there is something again.
        message = evolve(self.message, lines=self.message.lines + 1, pruned=None)
        entry = Entry(message.message_id, message.lines, at, kind, name, data)
        return evolve(self, message=message, entries=(*self.entries, entry))

    def _told(self, at: float, fields: Mapping[str, str]) -> "Letter":
        """Tell *fields* to whoever wants to know how the message fares."""
        url = self.message.notify
        if url is None:
            return self
        message = evolve(self.message, told=self.message.told + 1)
        label = {"label": message.label} if message.label else {}
        last = {"callId": message.call_id, "at": stamp(at), "n": str(message.told)}
        full = {**fields, **label, **last}
        post = Post(uuid4().hex, message.key, message.message_id, message.told, url, full, at)
        made = evolve(self, message=message, posts=(*self.posts, post))
        notify = effects.Notify(url, full, message.told)
        return made._noted("Notify", at, journal.encode(notify), "effect")

    def _status(self, at: float) -> "Letter":
        message = self.message
        reason = {"reason": message.reason} if message.state == "failed" else {}
        fields = {
            "action": "MessageStatus",
            "messageId": message.message_id,
            "callee": digits(message.number),
            "status": message.state,
            "segments": str(message.segments),
            "billAmount": plain(message.bill or Decimal(0)),
        }
        return self._told(at, fields | reason)

    # Steps

    def queued(self) -> "Letter":
        """It was taken into the outbox."""
        message, at = self.message, self.message.created
        data = {
            "number": message.number,
            "sender": message.own,
            "segments": message.segments,
            "carrier": message.carrier,
        }
        return self._noted("MessageQueued", at, data)._status(at)

    def sending(self, at: float) -> "Letter":
        """A transport has it from now on: it may arrive although nothing is heard of it."""
        return self._in("sending", at, attempts=self.message.attempts + 1)

    def again(self, why: str, at: float, pause: float = 0.0) -> "Letter":
        """It was not sent, and will be in *pause* seconds; *why* is noted where it is another reason."""
        if self.message.state not in ("queued", "sending"):
            return self
        new = why != self.message.reason
        made = self._in("queued", at, reason=why, next_at=at + pause)
        return made._noted("MessageDelayed", at, {"reason": why}) if new else made

    def unsure(self, part: int, why: str, at: float) -> "Letter":
        """Nobody knows whether *part* arrived: it is sent again, after pauses that grow, and may come twice.

        Where that has been so too often it is given up: who gets a text over and over wants that even less.
        """
        message = self.message
        if message.state not in ("queued", "sending"):
            return self
        made = evolve(self, message=evolve(message, twice=message.twice + 1))
        rounds = message.twice // message.segments
        if rounds >= len(PAUSES):
            return made.refused(f"it may have arrived: no answer came {rounds + 1} times; {why}", at)
        made = made._in("queued", at, reason=why, next_at=at + PAUSES[rounds])
        return made._noted("MessageUnsure", at, {"part": part, "reason": why})

    def taken(self, part: int, parts: int, at: float) -> "Letter":
        """The other side has taken a part; with the last of them, it is sent."""
        message = self.message
        known = _parts(message, parts)
        if message.over or known[part - 1]:
            return self
        known[part - 1] = "sent"
        if not all(known):
            return evolve(self, message=evolve(message, parts=tuple(known)))
        made = self._in("sent", at, parts=tuple(known), reason="")
        return made._noted("MessageSent", at, {})._status(at)

    def refused(self, reason: str, at: float) -> "Letter":
        """It will never be sent."""
        if self.message.over:
            return self
        return (
            self._in("failed", at, reason=reason)._noted("MessageFailed", at, {"reason": reason})._status(at)
        )

    def receipted(self, part: int, delivered: bool, reason: str, at: float) -> "Letter":
        """A part has reached its phone, or never will."""
        message = self.message
        if message.over:
            return self
        if not delivered:
            return self.refused(reason or "the network could not deliver it", at)
        known = _parts(message, max(len(message.parts), message.segments, part))
        known[part - 1] = "delivered"
        if any(one != "delivered" for one in known):
            return evolve(self, message=evolve(message, parts=tuple(known)))
        made = self._in("delivered", at, parts=tuple(known), reason="")
        return made._noted("MessageDelivered", at, {})._status(at)

    def answered(self, reply: Message, at: float) -> "Letter":
        """*reply* came in, and answers it: its URL is told, in the seed's words."""
        made = self._noted("MessageAnswered", at, {"from": reply.number, "message": reply.message_id})
        fields = {
            "from": digits(reply.number),
            "reply": reply.text,
            "to": digits(reply.own),
            "messageId": self.message.message_id,
            "replyId": reply.message_id,
        }
        return made._told(at, fields)

    # Of one that came in

    def arrived(self, at: float) -> "Letter":
        """It came in."""
        message = self.message
        data = {"from": message.number, "to": message.own, "text": message.text}
        return self._noted("MessageArrived", at, data)

    def received(self, keyword: str, at: float) -> "Letter":
        """It came in, and is told to whom its first word is for."""
        word = {"keyword": keyword} if keyword else {}
        return self.arrived(at)._told(at, self._of_text("MessageReceived") | word)

    def wished(self, wish: str, at: float) -> "Letter":
        """It came in, and wishes to hear no more (``stop``), or again, or for help: that is granted."""
        return self.arrived(at)._told(at, self._of_text("MessageReceived") | {"wish": wish})

    def _of_text(self, action: str) -> dict[str, str]:
        message = self.message
        return {
            "action": action,
            "messageId": message.message_id,
            "from": digits(message.number),
            "to": digits(message.own),
            "message": message.text,
        }

    def _in(self, state: str, at: float, **changes: object) -> "Letter":
        changed = {"state": state, "changed": at, **changes}
        return evolve(self, message=evolve(self.message, **changed))  # type: ignore[arg-type]


def _parts(message: Message, parts: int) -> list[str]:
    known = list(message.parts)
    return known + [""] * (parts - len(known))


def first_open(message: Message) -> int:
    """Give the first part (from 1) of *message* that the other side has not taken, as far as is known."""
    return next((n for n, known in enumerate(message.parts, 1) if not known), len(message.parts) + 1)


def digits(number: str) -> str:
    """Give a number as the API reference writes it: ``15125551234``, without a plus."""
    return number.removeprefix("+") if number[1:].isdigit() else number
