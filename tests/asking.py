"""Requests with bodies, signed as a client signs them."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from attrs import frozen

from ringful.http.signing import canonical_query, sign
from tests.server import PATIENCE, Server


@frozen
class Answer:
    """What the server answered."""

    status: int
    text: str
    kind: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def code(self) -> str:
        """The code of an error that was told as text."""
        return self.text.split(":")[0]


def ask(
    ringful: Server,
    method: str,
    body: str | bytes | dict[str, Any] | None = None,
    *,
    accept: str = "text/plain",
    kind: str = "",
    **query: str,
) -> Answer:
    """Ask with *query*; a dict as *body* goes as JSON, a text as text, and none is a GET."""
    ringful.seq += 1
    query["seq"] = str(ringful.seq)
    path = f"/{method}/apikey/{ringful.key}"
    if isinstance(body, dict):
        body, kind = json.dumps(body), kind or "application/json"
    data = body.encode() if isinstance(body, str) else body
    verb = "GET" if data is None else "POST"
    query["sig"] = sign(ringful.secret, verb, path, query.items(), data or b"")
    url = f"{ringful.base}{path}?{canonical_query(query.items())}&sig={query['sig']}"
    headers = {"Accept": accept} | ({"Content-Type": kind or "text/plain"} if data is not None else {})
    return fetch(Request(url, data=data, headers=headers))


def fetch(request: Request) -> Answer:
    """Send *request*; an error is an answer like any other."""
    try:
        with urlopen(request, timeout=PATIENCE) as found:
            return Answer(found.status, found.read().decode(), found.headers["Content-Type"])
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers["Content-Type"])


def ask_json(ringful: Server, method: str, body: Any = None, **query: str) -> dict[str, Any]:
    """Ask for JSON; the answer must be a good one."""
    answer = ask(ringful, method, body, accept="application/json", **query)
    assert answer.status == 200, answer.text
    return answer.json


def within_a_second(wanted: int, url: Callable[[], str], *status: int) -> None:
    """Wait until asking *url*'s maker answers as *wanted*."""
    deadline = time.monotonic() + PATIENCE
    while (found := fetch(Request(url())).status) != wanted:
        assert found in status
        assert time.monotonic() < deadline
