"""Text messages in virtual time: who takes them, what becomes of them, and what phones write.

A message takes the same steps as on a server (`messages.letter`), and what comes in is taken by the same
rules.  The network is one that never fails unless it is told to: a message is sent after `SENT`, and has
reached its phone after `DELIVERED`.  What the server itself answers (to STOP, to HELP) is not simulated.
"""

from collections.abc import Callable, Iterable, Mapping

from attrs import define, evolve, field

from ringful.interpreter import effects, events
from ringful.interpreter.calls.e164 import bare, e164
from ringful.interpreter.messages import replies
from ringful.interpreter.messages.letter import Letter
from ringful.interpreter.messages.prices import Prices
from ringful.interpreter.messages.words import Wish, keyword_of, wish_of
from ringful.messages.segments import split
from ringful.simulation.cases.case import PhoneBlock, SmsAnswer
from ringful.simulation.cases.texting import ReplyLine, Texting
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.world import same_number
from ringful.store.port import Entry, Message

OURS = "+15125550000"
"""What a message is sent from where nothing says another number."""
SENT = 0.5
"""Seconds after which the network has taken a message."""
DELIVERED = 2.0
"""Seconds after which it has reached its phone."""
MOST_REPLIES = 100
"""So many times one phone answers: two that answer each other would go on for ever."""
KEY = "key"
"""Whose money is spent."""
_COUNTRY = "US"
_WISHES: Mapping[Wish, str] = {"stop": "opts out", "start": "opts in", "help": "asks for help"}


def kept_number(written: str) -> str:
    """Give a number as the server keeps it: ``+E.164`` where it is a phone number."""
    return e164(bare(written), _COUNTRY) or written


@define(eq=False)
class _Reader:
    """The phone of one number, as far as messages go."""

    texting: Texting
    replies: list[ReplyLine]
    replied: int = 0

    def reply(self, text: str) -> ReplyLine | None:
        """Give what it answers to *text*, once."""
        found = next((one for one in self.replies if one.to in text), None)
        if found is None or self.replied >= MOST_REPLIES:
            return None
        if not found.each:
            self.replies.remove(found)
        self.replied += 1
        return found


@define(eq=False)
class Texts:
    """All messages of a simulation; *write* takes the lines of their journals, *begin* what begins a run."""

    _agenda: Agenda
    _phones: Iterable[PhoneBlock]
    _answers: list[SmsAnswer]
    _write: Callable[[Entry], None]
    _begin: Callable[[events.Arrival], bool]
    prices: Prices
    sent: dict[str, Message] = field(factory=dict)
    """Those that we sent, by ID, as they stand."""
    _readers: dict[str, _Reader | None] = field(factory=dict)
    _wanted: dict[tuple[str, str], bool] = field(factory=dict)
    """Who has written STOP (or START) to which of our numbers."""
    _received: int = 0
    pending: int = 0
    """How much is still to come of messages."""
    _refusing: bool = False
    _receipts: bool = True

    def open(self) -> None:
        """Let the phones send what they send."""
        for phone in self._phones:
            at = 0.0
            for one in phone.texting.texts:
                at = at + one.after if one.at is None else one.at
                self._at(at, self._coming(kept_number(phone.number), kept_number(one.number), one.text))

    def _at(self, seconds: float, action: Callable[[], None]) -> None:
        def act() -> None:
            self.pending -= 1
            action()

        self.pending += 1
        self._agenda.at(seconds, act)

    # What we send

    def take(self, call_id: str, effect: effects.SendMessage) -> events.MessageTaken | events.MessageRefused:
        """Take a message of the run *call_id*, or refuse it."""
        own, number = kept_number(effect.sender or OURS), kept_number(effect.number)
        if refused := self._refusal(effect, own, number):
            return refused
        try:
            # An e-mail gateway takes a text as it is, and tells of it no more.
            segments = 1 if effect.operator else len(split(effect.text).parts)
        except ValueError as error:
            return events.MessageRefused(effect.message, "invalid", str(error))
        bill = self.prices.outgoing(number, segments)
        if spent := self.prices.pay(KEY, bill):
            return events.MessageRefused(effect.message, "spent", spent)
        message = Message(
            effect.message,
            KEY,
            False,
            number,
            own,
            effect.text,
            self._agenda.now,
            "queued",
            self._agenda.now,
            segments=segments,
            carrier="mail" if effect.operator else "smpp",
            operator=effect.operator,
            notify=effect.notify,
            call_id=call_id,
            bill=bill,
        )
        self._keep(Letter(message).queued())
        self._at(SENT, lambda: self._send(effect.message))
        return events.MessageTaken(effect.message, segments)

    def _refusal(self, effect: effects.SendMessage, own: str, number: str) -> events.MessageRefused | None:
        if self._refusing:
            return events.MessageRefused(effect.message, "unavailable", "no messages are sent here")
        if e164(bare(effect.number), _COUNTRY) is None:
            wrong = f"{effect.number[:40]!r} is no number that a message can go to"
            return events.MessageRefused(effect.message, "invalid", wrong)
        said = self._answer(number)
        if said and said.reason:
            return events.MessageRefused(effect.message, said.reason, said.detail)
        reader = self._reader(number)
        if not self._wanted.get((own, number), reader is None or reader.texting.wanted):
            return events.MessageRefused(effect.message, "optedout", f"{number} wants no messages from {own}")
        return None

    def _answer(self, number: str) -> SmsAnswer | None:
        """Give what the case says of the next message to *number*; the last that it says holds on."""
        for own in (number, "*"):
            said = [one for one in self._answers if same_number(own, one.number)]
            if len(said) > 1:
                self._answers.remove(said[0])
            if said:
                return said[0]
        return None

    def _reader(self, number: str) -> _Reader | None:
        if number not in self._readers:
            own = [one for one in self._phones if one.number != "*" and same_number(one.number, number)]
            found = own or [one for one in self._phones if one.number == "*"]
            texting = Texting()
            for one in found:
                texting = texting.joined(one.texting)
            self._readers[number] = _Reader(texting, list(texting.replies)) if found else None
        return self._readers[number]

    def _letter(self, message_id: str) -> Letter:
        return Letter(self.sent[message_id])

    def _keep(self, letter: Letter) -> None:
        self.sent[letter.message.message_id] = letter.message
        for entry in letter.entries:
            self._write(entry)

    def _send(self, message_id: str) -> None:
        message, now = self.sent[message_id], self._agenda.now
        if message.over:
            return
        if not self._wanted.get((message.own, message.number), True):
            self._fail(message_id, "its receiver has asked for no more messages")
            return
        if self._reader(message.number) is None:
            self._fail(message_id, f"there is no phone {message.number}")
            return
        self._keep(self._letter(message_id).sending(now))
        for part in range(1, message.segments + 1):
            self._keep(self._letter(message_id).taken(part, message.segments, now))
        self._at(DELIVERED - SENT, lambda: self._deliver(message_id))

    def _deliver(self, message_id: str) -> None:
        message, now = self.sent[message_id], self._agenda.now
        reader = self._reader(message.number)
        if message.over or reader is None:
            return
        refuses = reader.texting.refuses
        if reader.texting.receipts and self._receipts and not message.operator:
            for part in range(1, message.segments + 1):
                self._keep(self._letter(message_id).receipted(part, refuses is None, refuses or "", now))
        if refuses is None and (reply := reader.reply(message.text)):
            self._at(reply.after, self._coming(message.number, message.own, reply.text))

    # What comes in

    def _coming(self, sender: str, number: str, text: str) -> Callable[[], None]:
        return lambda: self._receive(sender, number, text)

    def _receive(self, sender: str, number: str, text: str) -> None:
        self._received += 1
        now = self._agenda.now
        came = Message(f"text-{self._received}", KEY, True, sender, number, text, now, "received", now)
        answers = replies.answered(self.sent.values(), number, sender, now)
        if wish := wish_of(text):
            self._grant(came, wish, answers)
        elif answers:
            self._note(Letter(came).arrived(now), f"answers {answers.message_id}")
            self._keep(Letter(answers).answered(came, now))
        elif not self._begin(events.Arrival(came.message_id, sender, number, text, keyword_of(text))):
            self._note(Letter(came).arrived(now), "nobody takes it")

    def _grant(self, came: Message, wish: Wish, answers: Message | None) -> None:
        if wish != "help":
            self._wanted[came.own, came.number] = wish == "start"
        letter = Letter(evolve(came, notify=answers.notify if answers else None))
        self._note(letter.wished(wish, self._agenda.now), _WISHES[wish])

    def _note(self, letter: Letter, what: str) -> None:
        """Write the journal of a text that came in: *what* becomes of it is said with its first line."""
        first, *rest = letter.entries
        for entry in (first._replace(data={**first.data, "what": what}), *rest):
            self._write(entry)

    # What can go wrong

    @property
    def open_ones(self) -> list[str]:
        """The IDs of the messages of which something is still to come."""
        waiting = ("queued", "sent") if self._receipts else ("queued",)
        return [one.message_id for one in self.sent.values() if one.state in waiting] if self.pending else []

    def refuse(self) -> None:
        """Take no message from now on."""
        self._refusing = True

    def fail(self, message_id: str) -> None:
        """Let a message fail now, if it can still."""
        if message_id in self.open_ones:
            self._fail(message_id, "the network could not deliver it")

    def _fail(self, message_id: str, reason: str) -> None:
        message = self.prices.unsent(self.sent[message_id])
        self._keep(Letter(message).refused(reason, self._agenda.now))

    def lose_receipts(self) -> None:
        """Let no receipt come from now on."""
        self._receipts = False
