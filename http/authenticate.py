"""Who asks: the key, the signature, the seq.

A seq is reserved while its request is worked on, and given back when the request is refused.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field, frozen

from ringful.http.problems import Problem
from ringful.http.reading.parameters import BadParameter, sequence
from ringful.http.signing import string_to_sign, verify, without_signature
from ringful.interpreter.calls.switchboard import Refusal
from ringful.store.port import Key, Store, StoreError
from ringful.store.window import SeqUsed, SeqWindow


@frozen
class Asked:
    """A request as it came in: query and form apart, since they are signed apart."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """All parameters but those that authenticate."""
        return tuple(pair for pair in self.query + self.form if pair[0] not in ("sig", "seq"))

    def one(self, name: str) -> str | None:
        """Give a parameter of the query or the form.  Raises BadParameter where it is repeated."""
        values = [value for known, value in self.query + self.form if known == name]
        if len(values) > 1:
            raise BadParameter(name, "repeated", f"{name} is given {len(values)} times; give it once")
        return values[0] if values else None


@define
class Authenticator:
    """Check requests against the store's keys."""

    store: Store
    _windows: dict[str, SeqWindow] = field(factory=dict)

    async def key_of(self, key: str, asked: Asked) -> Key:
        """Give the key that signed *asked*.  Raises Problem."""
        known = await self.store.key(key)
        if known is None or known.revoked is not None:
            raise Problem(401, "key.unknown", "the API key in the path is not known here, or was revoked")
        signature = asked.one("sig")
        if signature is None and not known.signing:
            return known
        if signature is None:
            raise Problem(401, "sig.missing", "sig is missing: sign the request with the key's secret")
        body = without_signature(asked.body) if any(name == "sig" for name, _ in asked.form) else asked.body
        message = string_to_sign(asked.method, asked.path, asked.query, body)
        if not verify(known.secret, signature, message):
            detail = "sig does not match; compare what you signed with `signed` (docs/api.md, Signing)"
            raise Problem(401, "sig.wrong", detail, extra={"signed": message})
        return known

    @asynccontextmanager
    async def seq_of(self, key: Key, asked: Asked) -> AsyncIterator[int | None]:
        """Hold the request's seq while it is worked on: used when that succeeds, free again when it fails."""
        written = asked.one("seq")
        if written is None and not key.signing:
            yield None
            return
        if written is None:
            raise BadParameter("seq", "missing", "seq is missing; give a number that was not used before")
        seq = sequence("seq", written)
        window = await self._window(key.key)
        try:
            window.reserve(seq)
        except SeqUsed as used:
            raise Problem(409, "seq.used", str(used)) from used
        try:
            yield seq
        except (Problem, BadParameter, Refusal, StoreError):
            window.release(seq)
            raise
        except BaseException:
            # The client went away, or a fault of ours: what was asked for may have been done.
            window.commit(seq)
            raise
        window.commit(seq)

    async def _window(self, key: str) -> SeqWindow:
        if key not in self._windows:
            used = await self.store.used_seqs(key)
            self._windows.setdefault(key, SeqWindow(used))
        return self._windows[key]
