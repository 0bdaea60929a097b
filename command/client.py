"""Ask a running server, as any client does: signed requests over HTTP."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import trio
from attrs import define

from ringful.command.config import Config
from ringful.command.errors import CommandError
from ringful.command.settings import configuration
from ringful.http.signing import canonical_query, sign
from ringful.store.open import open_store
from ringful.store.port import Key

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
    _newest: int = 0

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
                # Another client of this key took the same millisecond.
                if error.code != 409 or "seq.used" not in said:
                    raise CommandError(_detail(said, error.code)) from error
                time.sleep(0.002)
            except (URLError, TimeoutError, ConnectionError) as error:
                why = getattr(error, "reason", None) or error
                raise NotReached(f"no server answers at {self.base}: {why}", 2) from error

    def _signed(self, method: str, parameters: Mapping[str, str], data: bytes | None) -> Request:
        self._newest = max(self._newest + 1, time.time_ns() // 1_000_000)
        pairs = [*parameters.items(), ("seq", str(self._newest))]
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
    if key is None or secret is None:
        found = trio.run(find_key, settings.store.url, key)
        key, secret = found.key, secret or found.secret
    return Client(base_of(settings, url), key, secret)


def base_of(settings: Config, url: str | None) -> str:
    """Give the server's address."""
    base = url or settings.http.public_url or f"http://{settings.http.bind}"
    if urlsplit(base).scheme not in ("http", "https"):
        raise CommandError(f"{base!r}: expected an address such as http://127.0.0.1:8080", 2)
    return base.rstrip("/")


async def find_key(store_url: str, wanted: str | None) -> Key:
    """Find a key in the store, the newest one where none is named.  Raises CommandError."""
    async with open_store(store_url, make=False) as store:
        keys = [key for key in await store.keys() if key.revoked is None and wanted in (None, key.key)]
    if not keys:
        raise CommandError("there is no such key; make one: ringful keys add NAME")
    return max(keys, key=lambda known: known.created)
