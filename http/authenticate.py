"""Who asks: the key, the signature, the seq; and what the same request was answered before.

A seq is reserved while its request is worked on, and given back when the request is refused.  The same
request again (the same signed bytes) waits for the first one, and is given its answer: whoever lost
the answer on the way loses nothing, and nothing is done twice.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import trio
from attrs import define, field, frozen

from ringful.http.problems import Problem
from ringful.http.reading.parameters import BadParameter, sequence
from ringful.http.signing import NEWEST, string_to_sign, verify, without_signature
from ringful.interpreter.calls.switchboard import Refusal
from ringful.store.port import Key, Store, StoreError, UsedSeq
from ringful.store.window import SeqUsed, SeqWindow, accepted, seqs_of

Answer: TypeAlias = tuple[str, Mapping[str, Any]]
"""As text, and as the members of a JSON object."""

_REFUSALS = (Problem, BadParameter, Refusal, StoreError)
"""What a request is refused with, and has done nothing."""


@frozen
class Asked:
    """A request as it came in: query and form apart, since they are signed apart."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    body: bytes

    given: tuple[tuple[str, str], ...] = field(init=False)
    """All parameters."""
    signed: str = field(init=False)
    """What is signed of it."""

    @given.default
    def _given(self) -> tuple[tuple[str, str], ...]:
        return self.query + self.form

    @signed.default
    def _signed(self) -> str:
        in_form = any(name == "sig" for name, _ in self.form)
        body = without_signature(self.body) if in_form else self.body
        return string_to_sign(self.method, self.path, self.query, body)

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """All parameters but those that authenticate."""
        return tuple([pair for pair in self.given if pair[0] not in ("sig", "seq")])

    def one(self, name: str) -> str | None:
        """Give a parameter of the query or the form.  Raises BadParameter where it is repeated."""
        values = [value for known, value in self.given if known == name]
        if len(values) > 1:
            raise BadParameter(name, "repeated", f"{name} is given {len(values)} times; give it once")
        return values[0] if values else None


@define
class Asking:
    """A request that is worked on: its seq, if it has one, and what it was answered before, if it was."""

    key: str
    """Whose seqs these are."""
    seq: int | None = None
    digest: str = ""
    again: UsedSeq | None = None
    """What is kept of the same request; None: it is new."""
    written: bool = False
    """Whether the seq was given away to be kept: from then on it may have been used."""
    done: trio.Event | None = None
    """Set when it is answered; None: nobody waits for that."""
    _window: SeqWindow | None = None
    """Where the seq is reserved; None: there is none to be used or given back."""
    _flights: dict[tuple[str, int], "Asking"] | None = None
    """Where it is found while it is worked on."""

    @property
    def before(self) -> Answer | None:
        """The first answer; None: there was none, or the request only asks, and is asked anew."""
        kept = self.again.answer if self.again else None
        return None if kept is None else (kept["text"], kept["members"])

    def take_off(self, window: SeqWindow, flights: dict[tuple[str, int], "Asking"]) -> None:
        """Be found by the same request, from now until it is answered."""
        assert self.seq is not None
        self._window, self._flights = window, flights
        flights[self.key, self.seq] = self

    def __enter__(self) -> "Asking":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Use the seq when the request succeeds, and give it back when it fails."""
        if self._window is None or self._flights is None or self.seq is None:
            return
        # Neither done nor refused: the client went away, or a fault of ours; it may have been done.
        if kind is None or (self.written and not issubclass(kind, _REFUSALS)):
            self._window.commit(self.seq)
        else:
            self._window.release(self.seq)
        del self._flights[self.key, self.seq]
        if self.done is not None:
            self.done.set()

    def used(self, answer: Answer | None = None) -> Sequence[UsedSeq]:
        """Give what is to be kept together with whatever the request does.

        *answer* is what the same request is given again; None: it only asks.
        """
        if self.seq is None or self.again:
            return ()
        self.written = True
        kept = None if answer is None else {"text": answer[0], "members": dict(answer[1])}
        return (UsedSeq(self.key, self.seq, self.digest, kept),)


@define
class Authenticator:
    """Check requests against the store's keys."""

    store: Store
    clock: Callable[[], float] = time.time
    _windows: dict[str, SeqWindow] = field(factory=dict)
    _flights: dict[tuple[str, int], Asking] = field(factory=dict)
    """The requests that are worked on."""

    async def key_of(self, key: str, asked: Asked) -> tuple[Key, str]:
        """Give the key that signed *asked*, and the name of the seqs of that secret.  Raises Problem."""
        known = await self.store.key(key)
        if known is None or known.revoked is not None:
            raise Problem(401, "key.unknown", "the API key in the path is not known here, or was revoked")
        signature = asked.one("sig")
        if signature is None and not known.signing:
            return known, seqs_of(known)
        if signature is None:
            raise Problem(401, "sig.missing", "sig is missing: sign the request with the key's secret")
        message = asked.signed
        for secret, seqs in accepted(known, self.clock()):
            if verify(secret, signature, message):
                return known, seqs
        detail = "sig does not match; compare what you signed with `signed` (docs/api.md, Signing)"
        raise Problem(401, "sig.wrong", detail, extra={"signed": message})

    async def asking(self, key: Key, seqs: str, asked: Asked) -> Asking:
        """Give what holds the request's seq while it is worked on: in a ``with`` at once.

        *seqs* is as `key_of` says.  Raises BadParameter, and Problem where the seq cannot be had.
        """
        written = asked.one("seq")
        if written is None and not key.signing:
            return Asking(seqs)
        if written is None:
            raise BadParameter("seq", "missing", "seq is missing; give a number that was not used before")
        seq = sequence("seq", written, self.clock())
        asking = Asking(seqs, seq, hashlib.sha256(asked.signed.encode()).hexdigest())
        window = await self._window(seqs)
        if await self._reserve(asking, seq, window):
            asking.take_off(window, self._flights)
        return asking

    async def _reserve(self, asking: Asking, seq: int, window: SeqWindow) -> bool:
        """Reserve *seq*; False where the same request was answered before, which *asking* then says."""
        while flight := self._flights.get((asking.key, seq)):
            if flight.digest != asking.digest:
                raise _used(f"seq {seq} is taken by another request; use each seq once", window)
            flight.done = trio.Event() if flight.done is None else flight.done
            await flight.done.wait()
        try:
            window.reserve(seq)
        except SeqUsed as used:
            kept = await self.store.used_seq(asking.key, seq)
            if kept is None or kept.digest != asking.digest:
                raise _used(str(used), window) from used
            asking.again = kept
            return False
        return True

    async def _window(self, key: str) -> SeqWindow:
        if key not in self._windows:
            used = await self.store.used_seqs(key)
            self._windows.setdefault(key, SeqWindow(used))
        return self._windows[key]


def _used(why: str, window: SeqWindow) -> Problem:
    newest = window.newest
    return Problem(409, "seq.used", why, {NEWEST: str(newest)}, extra={"newest": newest})
