"""Ask a running server, as any client does: signed requests over HTTP."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from attrs import define

from ringful.command.asking.signing import base_of, find_key, next_seq
from ringful.command.configuration.settings import configuration
from ringful.command.errors import CommandError
from ringful.http.signing import NEWEST, canonical_query, sign

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
