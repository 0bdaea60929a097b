"""Ask a running server, as any client does: signed requests over HTTP."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import trio
from attrs import define, frozen

from ringful.command.config import Config
from ringful.command.errors import CommandError
from ringful.command.pick import usable
from ringful.command.settings import configuration
from ringful.http.signing import NEWEST, canonical_query, sign
from ringful.store.open import open_store
from ringful.store.window import seqs_of

_UNITS = (1_000_000, 1_000, 1)
"""Nanoseconds of what a seq may count: milliseconds, microseconds, nanoseconds."""
_DAY = 24 * 3600 * 1_000_000_000
PATIENCE = 40.0
"""Seconds that an answer may take; the server holds some back for a while."""


class NotReached(CommandError):
    """No server answers there."""


@define
class Client:
    """A client of the server at *base*."""

    base: str
    key: str
    secret: str
    newest: int = 0
    """The newest seq that is known to be used."""

    def ask(
        self, method: str, parameters: Mapping[str, str], *, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask, and give the JSON answer.  Raises NotReached, and CommandError where it was refused."""
        answer: dict[str, Any] = json.loads(self._send(method, parameters, "application/json", body))
        return answer

    def say(
        self, method: str, parameters: Mapping[str, str], *, body: Mapping[str, Any] | None = None
    ) -> str:
        """Ask, and give the answer as text; what is raised is as for `ask`."""
        return self._send(method, parameters, "text/plain", body).strip()

    def _send(
        self, method: str, parameters: Mapping[str, str], accept: str, body: Mapping[str, Any] | None
    ) -> str:
        data = None if body is None else json.dumps(body).encode()
        while True:
            request = self._signed(method, parameters, data)
            request.add_header("Accept", accept)
            try:
                with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE) as answer:
                    return str(answer.read().decode())
            except HTTPError as error:
                with error:
                    said = error.read().decode(errors="replace")
                    newest = error.headers.get(NEWEST)
                # Another client of this key took the same seq, or counts in another way.
                if error.code != 409 or newest is None:
                    raise CommandError(_detail(said, error.code)) from error
                self.newest = max(self.newest, int(newest))
            except (URLError, TimeoutError, ConnectionError) as error:
                why = getattr(error, "reason", None) or error
                raise NotReached(f"no server answers at {self.base}: {why}", 2) from error

    def _signed(self, method: str, parameters: Mapping[str, str], data: bytes | None) -> Request:
        self.newest = next_seq(self.newest)
        pairs = [*parameters.items(), ("seq", str(self.newest))]
        path = f"/{method}/apikey/{self.key}"
        signature = sign(self.secret, "GET" if data is None else "POST", path, pairs, data or b"")
        request = Request(f"{self.base}{path}?{canonical_query(pairs)}&sig={signature}", data=data)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        return request


def _detail(said: str, status: int) -> str:
    """Give what a refusal says: its text, or the detail of its JSON."""
    try:
        return str(json.loads(said)["detail"])
    except (ValueError, KeyError, TypeError):
        return said.strip() or f"the server answered {status}"


def client_of(config: Path | None, url: str | None, key: str | None, secret: str | None) -> Client:
    """Make a client; what is not given is the configuration's, or stands in its store."""
    settings = configuration(config)
    found = find_key(settings, key, secret)
    return Client(base_of(settings, url), found.key, found.secret, found.newest)


def next_seq(newest: int) -> int:
    """Give a seq above *newest*: the clock in the unit in which the key's clients count, where they do.

    It is above what two commands in a row took, also before the first of them was used.
    """
    now = time.time_ns()
    for unit in _UNITS:
        if newest <= (now + _DAY) // unit:
            return max(now // unit, newest + 1)
    return newest + 1


def base_of(settings: Config, url: str | None) -> str:
    """Give the server's address."""
    base = url or settings.http.public_url or f"http://{settings.http.bind}"
    if urlsplit(base).scheme not in ("http", "https"):
        raise CommandError(f"{base!r}: expected an address such as http://127.0.0.1:8080", 2)
    return base.rstrip("/")


@frozen
class Found:
    """A key to sign with, its secret, and the newest seq that is known to be used."""

    key: str
    secret: str
    newest: int = 0


def find_key(settings: Config, wanted: str | None, secret: str | None) -> Found:
    """Find what to sign with: what is given, or else RINGFUL_KEY and RINGFUL_SECRET, or as the store has it.

    A key of the store may be meant by its name; where none is, it is the only one.  Raises CommandError.
    """
    wanted = wanted or os.environ.get("RINGFUL_KEY") or None
    secret = secret or os.environ.get("RINGFUL_SECRET") or None
    if wanted is not None and secret is not None:
        return Found(wanted, secret)

    async def look() -> Found:
        async with open_store(settings.store.url, make=False) as store:
            key = usable(await store.keys(), wanted)
            used = await store.used_seqs(seqs_of(key))
            return Found(key.key, secret or key.secret, max(used, default=0))

    return trio.run(look)
