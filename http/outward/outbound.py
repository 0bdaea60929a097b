"""Fetch announcements, and put questions to the web, through the guarded client.

Sizes, times and redirects are bounded.  Every failure is an `OutboundError` (an OSError) whose
message is for the customer who named the URL.
"""

import json
import math
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urljoin

import h11
import httpcore2
import httpx2
import trio
from attrs import define, field, frozen

from ringful.ground.faults import fault
from ringful.http.outward.addresses import host_of, wrong
from ringful.http.outward.guard import AddressRefused

MAX_REDIRECTS = 5
MAX_ANSWER = 64 * 1024
"""Bytes of an answer to `ask`."""
MAX_DEPTH = 50
"""Lists and maps within each other in an answer to `ask`."""
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


FAILURES = (
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    h11.ProtocolError,
    OSError,
    trio.TooSlowError,
)
"""All that can go wrong with a request before there is an answer; see `reason_of`."""
ENDED = "the connection ended before there was an answer"
BROKEN = "the connection broke off"


def reason_of(error: BaseException) -> str:
    """Say why a request failed, in words for the one who named the URL."""
    if isinstance(error, AddressRefused | OutboundError):
        return str(error)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"it does not speak TLS as it ought to: {cause.reason or cause}"
    match error:
        case httpx2.ConnectTimeout() | httpcore2.ConnectTimeout():
            return "no connection in time"
        case httpx2.TimeoutException() | httpcore2.TimeoutException() | trio.TooSlowError():
            return "no answer in time"
        case httpx2.RemoteProtocolError() if "disconnected" in str(error):
            return ENDED
        case httpx2.RemoteProtocolError() if "peer closed" in str(error):
            return "the connection ended before the answer did"
        case httpx2.RemoteProtocolError() | h11.ProtocolError():
            return f"its answer is no proper HTTP: {error}"
        case httpx2.NetworkError() if not isinstance(error, httpx2.ConnectError):
            return BROKEN
        case httpcore2.ReadError() | httpcore2.WriteError():
            return BROKEN
        case httpx2.ConnectError() | httpcore2.ConnectError() if not str(error):
            return "the connection broke off before it stood"
        case _:
            return str(error) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Outbound:
    """Requests on behalf of customers; *fetch_seconds* and *ask_seconds* bound each as a whole."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        *,
        fetch_seconds: float = FETCH_SECONDS,
        ask_seconds: float = ASK_SECONDS,
    ) -> None:
        self._client, self._fetch_seconds, self._ask_seconds = client, fetch_seconds, ask_seconds

    async def fetch(self, url: str, headers: Mapping[str, str], limit: int) -> Fetched:
        """GET *url*, of *limit* bytes at most, following redirects.  Raises OutboundError."""
        _hold(url)
        try:
            with trio.fail_after(self._fetch_seconds):
                for _ in range(MAX_REDIRECTS + 1):
                    fetched = await self._get(url, headers, limit)
                    place = fetched.headers.get("location")
                    if fetched.status not in (301, 302, 303, 307, 308) or not place:
                        return fetched
                    url = _redirected(url, place)
        except FAILURES as error:
            raise OutboundError(reason_of(error)) from error
        except Exception as error:
            raise OutboundError(fault("fetching an announcement", error, host=host_of(url))) from error
        raise OutboundError(f"it redirects more than {MAX_REDIRECTS} times")

    async def _get(self, url: str, headers: Mapping[str, str], limit: int) -> Fetched:
        async with self._client.stream("GET", url, headers=dict(headers)) as response:
            body = await read_bounded(response, limit)
            return Fetched(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)

    async def ask(self, url: str, fields: Mapping[str, str], want: str) -> Any:
        """POST *fields* as a form and give the answer: JSON as plain values, or a script's text.

        Raises OutboundError.
        """
        _hold(url)
        try:
            with trio.fail_after(self._ask_seconds):
                status, body = await self._post(url, fields, want)
            if not 200 <= status < 300:
                raise OutboundError(f"it answered {status}")
            return _meaning(body, want)
        except FAILURES as error:
            raise OutboundError(reason_of(error)) from error
        except Exception as error:
            raise OutboundError(fault("asking the web", error, host=host_of(url))) from error

    async def _post(self, url: str, fields: Mapping[str, str], want: str) -> tuple[int, bytes]:
        accept = "application/json" if want == "json" else "text/plain"
        request = self._client.build_request("POST", url, data=dict(fields), headers={"Accept": accept})
        response = await self._client.send(request, stream=True)
        try:
            return response.status_code, await read_bounded(response, MAX_ANSWER)
        finally:
            await response.aclose()


def _hold(url: str) -> None:
    if why := wrong(url):
        raise OutboundError(f"it is no web address: {why}")


def _redirected(url: str, place: str) -> str:
    """Give where *url* redirects to.  Raises OutboundError where that is nowhere."""
    shown = ascii(place[:100])
    try:
        target = urljoin(url, place)
    except ValueError as error:
        raise OutboundError(f"it redirects to {shown}, which is no web address: {error}") from error
    if why := wrong(target):
        raise OutboundError(f"it redirects to {shown}, which is no web address: {why}")
    return target


def _meaning(body: bytes, want: str) -> Any:
    try:
        return _held(json.loads(body)) if want == "json" else body.decode()
    except ValueError as error:
        raise OutboundError(f"its answer is no {'JSON' if want == 'json' else 'UTF-8 text'}") from error
    except RecursionError as error:
        raise OutboundError("its answer is nested too deeply") from error


def _held(found: Any, depth: int = 0) -> Any:
    """Give what JSON was read as, where all of it can be reckoned with, kept, and told.

    Raises ValueError for numbers that are none and halves of characters, OutboundError for the depth.
    """
    if depth > MAX_DEPTH:
        raise OutboundError("its answer is nested too deeply")
    match found:
        case float() if not math.isfinite(found):
            raise ValueError("not a number")
        case str():
            found.encode()
        case list():
            for one in found:
                _held(one, depth + 1)
        case dict():
            for name, one in found.items():
                name.encode()
                _held(one, depth + 1)
    return found


async def read_bounded(response: httpx2.Response, limit: int) -> bytes:
    """Read the whole body.  Raises OutboundError where it is larger than *limit* bytes, or mis-encoded."""
    larger = OutboundError(f"it is larger than {limit} bytes")
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and (len(announced) > 20 or int(announced) > limit):
        raise larger
    decoded, received, body = _decoder(response), 0, bytearray()
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            received += len(chunk)
            try:
                body += decoded.take(chunk, limit + 1 - len(body))
                if len(body) > limit or received > limit:
                    raise larger
                # What comes in very small chunks holds nobody up.
                await trio.lowlevel.checkpoint()
            except BaseException:
                with trio.CancelScope(shield=True):
                    await _leave(response, chunks)
                raise
    decoded.finish()
    return bytes(body)


async def _leave(response: httpx2.Response, chunks: AsyncIterator[bytes]) -> None:
    """Read no further: once it is closed, the generators below end by themselves, and none is collected."""
    await response.aclose()
    with suppress(httpx2.HTTPError):
        async for _ in chunks:
            pass


@define
class _Plain:
    """A body as it is."""

    def take(self, chunk: bytes, room: int) -> bytes:
        """Decode *chunk*, to *room* bytes at most; more than that is not made."""
        return chunk

    def finish(self) -> None:
        """Hold that nothing is missing.  Raises OutboundError."""


@define
class _Deflated(_Plain):
    """A body that is compressed by gzip, or deflate with or without its frame."""

    _zlib: Any = None
    _empty: bool = field(default=True, init=False)

    def take(self, chunk: bytes, room: int) -> bytes:
        """See `_Plain`.  A small chunk can stand for a very large body."""
        if self._empty:
            framed = chunk[:1] == b"\x1f" or chunk[0] & 0x0F == 8
            self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32 if framed else -zlib.MAX_WBITS)
            self._empty = False
        try:
            made: bytes = self._zlib.decompress(chunk, room)
        except zlib.error as error:
            raise OutboundError(f"its Content-Encoding is false: {error}") from error
        if self._zlib.unused_data:
            raise OutboundError("there is more behind its compressed body")
        return made

    def finish(self) -> None:
        """See `_Plain`."""
        if not self._empty and not self._zlib.eof:
            raise OutboundError("its compressed body breaks off")


def _decoder(response: httpx2.Response) -> _Plain:
    match response.headers.get("content-encoding", "").strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Deflated()
        case other:
            raise OutboundError(f"its Content-Encoding {other[:40]!a} was not asked for")
