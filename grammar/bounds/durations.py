"""How long each statement can take, as far as its text says; the interpreter's meaning, in figures."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import reduce
from math import ceil

from attrs import field, frozen

from ringful.grammar import nodes
from ringful.grammar.bounds.costs import Time, Ways, part, takes
from ringful.grammar.flows import Flows
from ringful.grammar.sounds import FASTEST, SLOWEST
from ringful.grammar.tones import known_patterns, literal


@frozen
class Limits:
    """What holds where a script does not say; milliseconds."""

    ring: int = 60_000
    maximum: int = 4 * 3_600_000
    """The longest duration of a call."""
    first_key: int = 10_000
    between_keys: int = 5_000
    tries: int = 3
    record: int = 3_600_000
    ask: int = 10_000
    announcement: int = 60_000
    """Assumed for an announcement whose length is not known."""
    letter: int = 100
    """Assumed for a letter or a blank that is spoken."""
    sign: int = 600
    """Assumed for any other character that is spoken: a digit is a word."""
    spoken: int = 10_000
    """Assumed for a value in a text that is spoken."""
    tone: int = 300
    """Assumed for a tone that is sent."""
    tones: int = 32
    """Assumed for how many tones are sent, where that is not known."""
    sounds: Mapping[str, int] = field(factory=dict)
    """The lengths of announcements that are known, by address or name."""
    segments: Callable[[str], int] | None = field(default=None, eq=False, repr=False)
    """In how many segments a text is sent at most; None: it is estimated, rather too many than too few."""


_MOST_WAITING = 4
"""Chains of legs that wait for one another are followed so far: it bounds the recursion."""

HELD = "what an `on tone` plays holds it, as often as the caller likes"
STEERED = "it is paused, or gone back in, as often as the script says so"
_TURNS = "how often is worked out as the call goes"


class Durations:
    """The times of the statements of one script, which places *calls*."""

    def __init__(
        self,
        flows: Flows,
        limits: Limits,
        calls: Iterable[nodes.Call],
        *,
        held: str = "",
        slowed: bool = False,
    ) -> None:
        """*held*: why what is heard may last as long as it likes; *slowed*: it may become slower."""
        self._limits = limits
        self._held, self._slowed = held, slowed
        self._calls: dict[str, list[nodes.Call]] = {}
        for call in calls:
            if call.name:
                self._calls.setdefault(call.name, []).append(call)
        self._ready: dict[str, Time | None] = {}
        self._waiting = 0
        self._flows: dict[str, Ways] = {}
        for name in flows.order:
            flow = flows.by_name[name]
            if name in flows.recursive:
                self._flows[name] = takes(part(flow.span, f"flow {name}", None, "it leads back to itself"))
            else:
                self._flows[name] = self.block(flow.block).apart()

    def block(self, block: nodes.Block | None) -> Ways:
        """Give the ways through *block*."""
        ways = Ways()
        for statement in block.statements if block else ():
            if ways.on is None:
                break
            ways = ways.then(self.statement(statement))
        return ways

    def statement(self, statement: nodes.Statement) -> Ways:
        """Give the ways through *statement*."""
        match statement:
            case nodes.Hangup(leg=None) | nodes.Reject():
                return Ways(None, Time())
            case nodes.Break():
                return Ways(None, None, Time())
            case nodes.Return():
                return Ways(None, None, None, Time())
            case nodes.Again() | nodes.Back():
                return Ways(
                    None,
                    part(
                        statement.span, type(statement).__name__.lower(), None, "as often as the caller likes"
                    ),
                )
            case nodes.Until(block=block) | nodes.UntilEvent(block=block):
                return self.block(block).either(Ways())
            case nodes.Stay(None):
                return Ways(None, part(statement.span, "stay", None))
            case nodes.If(_, then, otherwise):
                return self.block(then).either(self.block(otherwise))
            case nodes.Repeat() | nodes.For():
                return self._loop(statement)
            case nodes.Do(flow):
                return self._flows.get(flow, Ways())
            case nodes.Menu():
                return self._menu(statement)
            case nodes.Gather():
                return self._gather(statement)
            case nodes.WaitTone(limit=limit, otherwise=otherwise):
                waited = takes(self._limit(statement, "wait tone", limit, None))
                return waited.then(self.block(otherwise).either(Ways()))
            case nodes.Ask(limit=limit, otherwise=otherwise):
                asked = takes(self._limit(statement, "ask", limit, self._limits.ask))
                return asked.then(self.block(otherwise).either(Ways()))
            case nodes.Follow(limit=limit, otherwise=otherwise):
                asked = takes(self._limit(statement, "follow", limit, self._limits.ask))
                answer = takes(part(statement.span, "follow", None, "the application says what runs"))
                return asked.then(self.block(otherwise).either(answer))
            case nodes.Connect(_, limit, otherwise):
                connected = takes(self._limit(statement, "connect", limit, None))
                ready = [self._until_ready(leg, statement) for leg in statement.legs]
                longest = max(ready, key=lambda time: (time.endless, time.milliseconds))
                return takes(longest).then(self.block(otherwise).either(connected))
            case nodes.WaitEvent(limit=limit, otherwise=otherwise):
                waited = takes(self._limit(statement, "wait event", limit, None))
                return waited.then(self.block(otherwise).either(Ways()))
            case nodes.ConnectTo(limit=limit, otherwise=otherwise):
                connected = takes(self._limit(statement, "connect to", limit, None))
                rings = self.ringing(statement.call)
                rung = part(statement.span, "connect to, until somebody answers", rings)
                return takes(rung).then(self.block(otherwise).either(connected))
            case nodes.Queue(limit=limit):
                # However long it waits, the talk that comes after has no bound of its own.
                return takes(part(statement.span, "queue", None, "whoever serves it says when it is over"))
            case nodes.Serve(within=within, limit=limit, otherwise=otherwise):
                waited = takes(self._limit(statement, "serve, until somebody waits", within, None))
                talk = takes(self._limit(statement, "serve", limit, None))
                return waited.then(self.block(otherwise).either(talk))
            case nodes.WaitCall(limit=limit, otherwise=otherwise):
                over = takes(self._limit(statement, "wait call", limit, None))
                return over.then(self.block(otherwise).either(Ways()))
            case _:
                return takes(self._plain(statement))

    def _plain(self, statement: nodes.Statement) -> Time:
        """Give the time of a statement that only goes on."""
        limits, span = self._limits, statement.span
        match statement:
            case nodes.Wait(duration):
                return self._limit(statement, "wait", duration, None)
            case nodes.Play(audio, _, times, _, False):
                return self._play(statement, audio, times)
            case nodes.Say() if self._held:
                return part(span, "say", None, self._held)
            case nodes.Say(text):
                length = self._paced(self._speech(text), statement)
                return part(span, "say", length, "assumed: as long as it is read aloud")
            case nodes.Record(_, limit):
                return self._limit(statement, "record", limit, limits.record)
            case nodes.Tone(tones):
                said = literal(tones)
                note = "" if said is not None else "assumed: how many is worked out as the call goes"
                return part(span, "tone", limits.tone * (limits.tones if said is None else len(said)), note)
            case nodes.Stay(limit):
                return self._limit(statement, "stay", limit, None)
            case nodes.Join(background=False, limit=None):
                return part(span, "join", None, "the conference says when it is over")
            case nodes.Join(background=False, limit=limit):
                return self._limit(statement, "join", limit, None)
            case nodes.Transfer():
                return part(span, "transfer", limits.ring)
            case _:
                return Time()

    def _limit(
        self, statement: nodes.Statement, what: str, limit: nodes.Expression | None, otherwise: int | None
    ) -> Time:
        match limit:
            case nodes.Duration(milliseconds):
                return part(statement.span, what, milliseconds)
            case None:
                return part(statement.span, what, otherwise, "by default" if otherwise else "it has no `for`")
            case _:
                return part(statement.span, what, None, "how long is worked out as the call goes")

    def _play(self, statement: nodes.Play, audio: nodes.Expression, times: nodes.Expression | None) -> Time:
        if self._held:
            return part(statement.span, "play", None, self._held)
        known = self._limits.sounds.get(literal(audio) or "")
        length = self._paced(self._limits.announcement if known is None else known, statement)
        note = "assumed: its length is not known" if known is None else ""
        match times:
            case None:
                return part(statement.span, "play", length, note)
            case nodes.Number(count):
                return part(statement.span, "play", length, note).times(int(count))
            case _:
                return part(statement.span, "play", None, _TURNS)

    def _paced(self, length: int, statement: nodes.Play | nodes.Say) -> int:
        """Give how long a sound of *length* lasts at most, at the speed that it is heard at."""
        slowest = SLOWEST if self._slowed else Decimal(1)
        match statement.speed:
            case None:
                pass
            case nodes.Number(value) if not self._slowed:
                slowest = min(max(Decimal(value), SLOWEST), FASTEST)
            case _:
                slowest = SLOWEST
        return ceil(length / slowest)

    def _speech(self, text: nodes.Expression) -> int:
        limits = self._limits
        total = 0
        for one in text.parts if isinstance(text, nodes.Text) else (text,):
            if isinstance(one, str):
                letters = sum(mark.isspace() or (mark.isascii() and mark.isalpha()) for mark in one)
                total += letters * limits.letter + (len(one) - letters) * limits.sign
            else:
                total += limits.spoken
        return total

    def _until_ready(self, leg: str, statement: nodes.Connect) -> Time:
        """Give how long *leg* can take to answer, and to do what its own block says."""
        if leg not in self._ready and self._waiting < _MOST_WAITING:
            # Two legs whose blocks wait for each other have no bound.
            self._ready[leg] = None
            self._waiting += 1
            times = [
                part(statement.span, f"connect, until {leg} answers", self.ringing(call))
                + self.block(call.block).longest
                for call in self._calls.get(leg, ())
            ]
            unknown = part(statement.span, f"connect, until {leg} answers", self._limits.ring)
            self._ready[leg] = max(times, key=lambda time: (time.endless, time.milliseconds), default=unknown)
            self._waiting -= 1
        waiting = part(statement.span, f"connect, until {leg} answers", None, "they wait for each other")
        return self._ready.get(leg) or waiting

    def ringing(self, call: nodes.Call) -> int:
        """Give the milliseconds that *call* rings at most."""
        return call.ring.milliseconds if isinstance(call.ring, nodes.Duration) else self._limits.ring

    def _count(self, tries: nodes.Expression | None) -> int | None:
        match tries:
            case None:
                return self._limits.tries
            case nodes.Number(count):
                return int(count)
            case _:
                return None

    def _menu(self, menu: nodes.Menu) -> Ways:
        tries = self._count(menu.tries)
        waited = self._limit(menu, "menu", menu.limit, self._limits.first_key)
        longest = max(
            (len(one) for choice in menu.choices for one in known_patterns(choice.tones)), default=1
        )
        if longest > 1:
            waited += self._between(menu, waited).times(longest - 1)
        asked = self._prompt(menu.prompt).then(takes(waited))
        failed = asked.then(self.block(menu.timeout).either(self.block(menu.otherwise)))
        chosen = reduce(Ways.either, (self.block(choice.block) for choice in menu.choices), Ways(None))
        # The last try is the longest if those before it went on; if they cannot, it is the first.
        last = failed.either(asked.then(chosen))
        if tries is None:
            return takes(part(menu.span, "menu", None, _TURNS)).then(last)
        return last.either(failed.tried(tries - 1).then(last))

    def _gather(self, gather: nodes.Gather) -> Ways:
        limits = self._limits
        tries, most = self._count(gather.tries), gather.most or gather.least
        if tries is None or not isinstance(most, nodes.Number):
            return takes(part(gather.span, "gather", None, "how much is worked out as the call goes"))
        first = self._limit(gather, "gather, the first key", gather.limit, limits.first_key)
        rest = self._between(gather, first).times(max(0, int(most.value) - 1))
        return self._prompt(gather.prompt).then(takes(first + rest)).tried(tries)

    def _between(self, asked: nodes.Gather | nodes.Menu, first: Time) -> Time:
        """Give how long the next key may take, where the *first* one may take so long."""
        word = "gather" if isinstance(asked, nodes.Gather) else "menu"
        most = self._limits.between_keys
        shorter = most if first.endless else min(first.milliseconds, most)
        return self._limit(asked, f"{word}, the other keys", asked.between, shorter)

    def _prompt(self, prompt: nodes.Block) -> Ways:
        """Give the ways through a prompt: a key may cut it, so it always goes on too."""
        return self.block(prompt).apart().either(Ways())

    def _loop(self, loop: nodes.Repeat | nodes.For) -> Ways:
        body = self.block(loop.block)
        match loop:
            case nodes.Repeat(nodes.Number(count)):
                return body.looped(int(count))
            case nodes.For(_, nodes.List(items)):
                return body.looped(len(items))
            case _ if body.on is None or not body.on.made:
                # However often it runs, only its last turn takes time.
                return body.looped(2).either(Ways())
            case _:
                what = "repeat" if isinstance(loop, nodes.Repeat) else "for"
                endless = takes(part(loop.span, what, None, _TURNS))
                return endless.then(body.looped(1)).either(Ways())
