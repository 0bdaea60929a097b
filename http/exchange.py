"""A request and its answer, as those see them who make the answer.

Neither knows of a connection: a request is whole before anybody is asked about it, and an answer is given
away whole, or as the part of a file that it is.
"""

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from pathlib import Path
from urllib.parse import unquote

from attrs import frozen

PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
CSV = "text/csv; charset=utf-8"
NO_HEADERS: Mapping[str, str] = {}


@frozen
class Request:
    """What is asked for."""

    method: str
    path: str
    """As it was sent, and signed: percent-encoded, without the query."""
    query: bytes = b""
    headers: Mapping[str, str] = NO_HEADERS
    """By names in lower case; what is given several times, with commas."""
    body: bytes = b""
    peer: str = ""
    """The address of whoever sent it."""
    keep: bool = True
    """Whether another one may come by the same connection."""
    old: bool = False
    """Whether it is HTTP/1.0."""

    @property
    def wants_json(self) -> bool:
        """Say whether the client asked for JSON."""
        return "json" in self.headers.get("accept", "")

    @property
    def kind(self) -> str:
        """What the body is said to be, in lower case and without more; empty: nothing is said."""
        said = self.headers.get("content-type")
        return said.partition(";")[0].strip().lower() if said else ""

    @property
    def places(self) -> list[str]:
        """Give what stands between the slashes of the path, decoded."""
        found = self.path[1:].split("/")
        return [unquote(place) for place in found] if "%" in self.path else found

    @property
    def plain_path(self) -> str:
        """Give the path as it reads."""
        return unquote(self.path) if "%" in self.path else self.path


@frozen
class Part:
    """What is sent of a file: from byte *begin* up to *end*, which does not belong to it."""

    file: Path
    begin: int
    end: int


@frozen
class Response:
    """What is answered."""

    body: str | bytes = b""
    status: int = 200
    kind: str = PLAIN
    headers: Mapping[str, str] = NO_HEADERS
    part: Part | None = None
    """Sent instead of the body."""


def written(response: Response, request: Request, *, keep: bool) -> bytes:
    """Give *response* as it is sent to whoever sent *request*, but for the part of a file.

    *keep* says that the connection takes another request.
    """
    body = response.body.encode() if isinstance(response.body, str) else response.body
    part = response.part
    head = (
        f"HTTP/1.1 {response.status} {responses[response.status]}\r\n"
        f"content-type: {response.kind}\r\n"
        f"content-length: {part.end - part.begin if part else len(body)}\r\n"
        f"date: {_date(int(time.time()))}\r\n"
    )
    for name, value in response.headers.items():
        head += f"{name.lower()}: {value}\r\n"
    if not keep:
        head += "connection: close\r\n"
    elif request.old:
        head += "connection: keep-alive\r\n"
    return f"{head}\r\n".encode("latin-1") + (b"" if request.method == "HEAD" else body)


@lru_cache(1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
