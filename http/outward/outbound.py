"""Fetch announcements, and put questions to the web, through the guarded client.

Sizes, times and redirects are bounded.  Every failure is an `OutboundError` (an OSError) whose
message is for the customer who named the URL.
"""

import json
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import urljoin

import httpcore2
import httpx2
import trio
from attrs import frozen

from ringful.http.outward.guard import AddressRefused

MAX_REDIRECTS = 5
MAX_ANSWER = 64 * 1024
"""Bytes of an answer to `ask`."""
FETCH_SECONDS = 60.0
ASK_SECONDS = 60.0
"""The interpreter has the author's own limit; this one only keeps a socket from staying for ever."""


class OutboundError(OSError):
    """A request on a customer's behalf failed; the message says why."""


@frozen
class Fetched:
    """What a GET gave: *status*, *headers* in lower case, and the whole *body*."""

    status: int
    headers: Mapping[str, str]
    body: bytes


FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, httpcore2.ConnectError, OSError, trio.TooSlowError)
"""All that can go wrong with a request before there is an answer; see `reason_of`."""


def reason_of(error: Exception) -> str:
    """Say why a request failed, in words for the one who named the URL."""
    match error:
        case AddressRefused() | OutboundError():
            return str(error)
        case httpx2.TimeoutException() | httpcore2.TimeoutException() | trio.TooSlowError():
            return "no answer in time"
        case _:
            return str(error) or type(error).__name__


class Outbound:
    """Requests on behalf of customers."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def fetch(self, url: str, headers: Mapping[str, str], limit: int) -> Fetched:
        """GET *url*, of *limit* bytes at most, following redirects.  Raises OutboundError."""
        try:
            with trio.fail_after(FETCH_SECONDS):
                for _ in range(MAX_REDIRECTS + 1):
                    fetched = await self._get(url, headers, limit)
                    place = fetched.headers.get("location")
                    if fetched.status not in (301, 302, 303, 307, 308) or not place:
                        return fetched
                    url = urljoin(url, place)
                    if not url.startswith(("http://", "https://")):
                        raise OutboundError(f"it redirects to {url}, which is no web address")
        except FAILURES as error:
            raise OutboundError(reason_of(error)) from error
        raise OutboundError(f"it redirects more than {MAX_REDIRECTS} times")

    async def _get(self, url: str, headers: Mapping[str, str], limit: int) -> Fetched:
        async with self._client.stream("GET", url, headers=dict(headers)) as response:
            body = await read_bounded(response, limit)
            return Fetched(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)

    async def ask(self, url: str, fields: Mapping[str, str], want: str) -> Any:
        """POST *fields* as a form and give the answer: JSON as plain values, or a script's text.

        Raises OutboundError.
        """
        accept = "application/json" if want == "json" else "text/plain"
        try:
            with trio.fail_after(ASK_SECONDS):
                request = self._client.build_request(
                    "POST", url, data=dict(fields), headers={"Accept": accept}
                )
                response = await self._client.send(request, stream=True)
                try:
                    body = await read_bounded(response, MAX_ANSWER)
                finally:
                    await response.aclose()
        except FAILURES as error:
            raise OutboundError(reason_of(error)) from error
        if not 200 <= response.status_code < 300:
            raise OutboundError(f"it answered {response.status_code}")
        try:
            return json.loads(body) if want == "json" else body.decode()
        except ValueError as error:
            raise OutboundError(f"its answer is no {'JSON' if want == 'json' else 'UTF-8 text'}") from error


async def read_bounded(response: httpx2.Response, limit: int) -> bytes:
    """Read the whole body.  Raises OutboundError where it is larger than *limit* bytes."""
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise OutboundError(f"it is larger than {limit} bytes")
    body = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise OutboundError(f"it is larger than {limit} bytes")
    return bytes(body)
