"""A web server that answers as none should: raw bytes on a socket, and what becomes of the connection."""

import gzip
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio
from attrs import define, field

Then = Callable[[trio.SocketStream], Awaitable[None]]


async def close(stream: trio.SocketStream) -> None:
    """End the connection as it ought to be ended."""


async def hold(stream: trio.SocketStream) -> None:
    """Say nothing more, until the client has gone."""
    while await stream.receive_some():
        pass


async def reset(stream: trio.SocketStream) -> None:
    """Break the connection off."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def drip(stream: trio.SocketStream) -> None:
    """Send a byte now and then, sooner than anybody gives up waiting for one."""
    while True:
        await trio.sleep(0.02)
        await stream.send_all(b"x")


async def flood(stream: trio.SocketStream, piece: bytes = b"x" * 65536) -> None:
    """Send for as long as anybody takes it."""
    while True:
        await stream.send_all(piece)


@define
class Answer:
    """What is sent, and what then; *early*: before the request has been read."""

    data: bytes = b""
    then: Then = close
    early: bool = False


@define(eq=False)
class Web:
    """A server at *port*; it gives *answer* to everybody."""

    answer: Answer
    port: int = 0
    asked: int = 0
    open: int = 0
    _left: trio.Event = field(factory=trio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/x"

    async def serve(self, stream: trio.SocketStream) -> None:
        self.asked += 1
        self.open += 1
        try:
            if not self.answer.early:
                await read_request(stream)
            data = self.answer.data.replace(b"{port}", str(self.port).encode())
            await stream.send_all(data)
            await self.answer.then(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(stream)
            self.open -= 1
            self._left.set()

    async def until_left(self) -> None:
        """Return when no connection is open any more."""
        while self.open:
            self._left = trio.Event()
            await self._left.wait()


async def read_request(stream: trio.SocketStream) -> None:
    """Read a request to its end."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        data = await stream.receive_some()
        if not data:
            return
        seen += data
    head, _, body = seen.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += await stream.receive_some()


@asynccontextmanager
async def hostile_web(answer: Answer) -> AsyncIterator[Web]:
    """Serve *answer* on a free port."""
    web = Web(answer)
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, web.serve, 0, host="127.0.0.1"))
        web.port = listener.socket.getsockname()[1]
        yield web
        nursery.cancel_scope.cancel()


def said(status: str = "200 OK", *headers: str, body: bytes = b"{}", length: int | None = -1) -> bytes:
    """Give an answer; *length* -1 is the true one, None none."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def encoded(kind: str, body: bytes) -> Answer:
    return Answer(said("200 OK", f"Content-Encoding: {kind}", body=body))


def redirect(place: str, status: str = "302 Found") -> Answer:
    return Answer(said(status, f"Location: {place}", body=b""))


def chunked(*pieces: bytes, then: Then = close) -> Answer:
    return Answer(said("200 OK", "Transfer-Encoding: chunked", body=b"".join(pieces), length=None), then)


def deflated(megabytes: int) -> bytes:
    """Give zeros as deflate has them.  One block serves for all: to press all of them takes seconds."""
    press = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = press.compress(bytes(1_000_000)) + press.flush(zlib.Z_FULL_FLUSH)
    return block * megabytes + press.flush()


def gzipped(megabytes: int) -> bytes:
    """Give zeros as gzip has them (RFC 1952)."""
    total, block = 0, bytes(1_000_000)
    for _ in range(megabytes):
        total = zlib.crc32(block, total)
    ending = struct.pack("<II", total, 1_000_000 * megabytes)
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + deflated(megabytes) + ending


SQUEEZED = gzipped(100)
BOMB = gzip.compress(gzipped(200))
RAW_BOMB = deflated(100)

ANSWERS: dict[str, dict[str, Answer]] = {
    "encodings": {
        "gzip that is none": encoded("gzip", b"this is no gzip"),
        "gzip cut short": encoded("gzip", gzip.compress(b"{}" * 1000)[:-9]),
        "gzip with a false sum": encoded("gzip", gzip.compress(b"{}")[:-8] + bytes(8)),
        "gzip with more behind": encoded("gzip", gzip.compress(b"{}") + b"more"),
        "a gzip bomb": encoded("gzip", SQUEEZED),
        "a bomb in a bomb": encoded("gzip, gzip", BOMB),
        "a deflate bomb": encoded("deflate", RAW_BOMB),
        "deflate that is none": encoded("deflate", b"\xff\xff\xff\xff"),
        "brotli": encoded("br", b"\x0b\x01\x80{}\x03"),
        "an unknown encoding": encoded("rot13", b"{}"),
        "an encoding that is odd": encoded("\xff\xfe", b"{}"),
    },
    "lengths": {
        "a length too long": Answer(said(body=b"{}", length=1000)),
        "a length too short": Answer(said(body=b"{}" * 100, length=1)),
        "a length that is huge": Answer(said(body=b"{}", length=10**30)),
        "a length that is negative": Answer(said("200 OK", "Content-Length: -5", length=None)),
        "a length that is no number": Answer(said("200 OK", "Content-Length: many", length=None)),
        "two lengths": Answer(said("200 OK", "Content-Length: 1", "Content-Length: 2", length=None)),
        "a length and chunks": Answer(
            said("200 OK", "Transfer-Encoding: chunked", body=b"0\r\n\r\n", length=99)
        ),
        "no length and no end": Answer(said(length=None), flood),
        "a length, then nothing": Answer(said(body=b"", length=50), hold),
    },
    "chunks": {
        "a chunk without a size": chunked(b"hello\r\n"),
        "a chunk of negative size": chunked(b"-1\r\nx\r\n0\r\n\r\n"),
        "a chunk shorter than it says": chunked(b"5\r\nab\r\n0\r\n\r\n"),
        "a chunk of huge size": chunked(b"ffffffffffffffffffff\r\nx", then=hold),
        "a chunk's size without end": chunked(b"1" * 300_000),
        "no last chunk": chunked(b"2\r\n{}\r\n"),
        "chunks without end": chunked(then=partial(flood, piece=b"4\r\nabcd\r\n" * 5000)),
        "an unknown transfer encoding": Answer(said("200 OK", "Transfer-Encoding: gzip", length=None)),
    },
    "statuses": {
        "101": Answer(
            said("101 Switching Protocols", "Upgrade: x", "Connection: Upgrade", body=b"raw"), hold
        ),
        "204 with a body": Answer(said("204 No Content", body=b"body")),
        "205": Answer(said("205 Reset Content", body=b"")),
        "206": Answer(said("206 Partial Content", "Content-Range: bytes 0-1/99", body=b"{}")),
        "304 that nobody asked for": Answer(said("304 Not Modified", body=b"", length=None)),
        "300 with choices": Answer(said("300 Multiple Choices", "Location: /y", body=b"")),
        "407": Answer(said("407 Proxy Authentication Required", "Proxy-Authenticate: Basic", body=b"")),
        "999": Answer(said("999 Odd", body=b"")),
        "000": Answer(said("000 Odd", body=b"")),
        "a status of four digits": Answer(said("2000 OK")),
        "a status that is no number": Answer(said("OK OK")),
        "many 100s": Answer(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + said("503 No", body=b"")),
        "100s without end": Answer(b"", partial(flood, piece=b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    },
    "heads": {
        "a flood of headers": Answer(said("200 OK", *(f"X-{n}: {n}" for n in range(20_000)))),
        "a header without end": Answer(b"HTTP/1.1 200 OK\r\nX: ", flood),
        "headers without end": Answer(b"HTTP/1.1 200 OK\r\n", partial(flood, piece=b"X: y\r\n" * 1000)),
        "a NUL in a header": Answer(said("200 OK", "X: a\0b")),
        "a header without a colon": Answer(said("200 OK", "nonsense")),
        "a header without a name": Answer(said("200 OK", ": x")),
        "a folded header": Answer(said("200 OK", "X: a\r\n b")),
        "lone line feeds": Answer(b"HTTP/1.1 404 No\nContent-Length: 0\n\n"),
        "HTTP/9.9": Answer(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        "HTTP/0.9": Answer(b"<html>hello</html>"),
        "HTTP/2": Answer(b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d", hold),
        "another protocol": Answer(b"220 mail.example ESMTP\r\n", hold),
        "a TLS alert": Answer(b"\x15\x03\x01\x00\x02\x02\x28"),
        "noise": Answer(bytes(range(256)) * 100),
        "NULs": Answer(bytes(1000)),
    },
    "redirects": {
        "a redirect in a circle": redirect("/x"),
        "a redirect to half an address": redirect("http://[::1"),
        "a redirect to a file": redirect("file:///etc/passwd"),
        "a redirect to gopher": redirect("gopher://127.0.0.1:{port}/x"),
        "a redirect to a script": redirect("javascript:alert(1)"),
        "a redirect to data": redirect("data:audio/wav;base64,AAAA"),
        "a redirect to no host": redirect("//"),
        "a redirect to no host either": redirect("http:///x"),
        "a redirect to nowhere": redirect(""),
        "a redirect without a place": Answer(said("302 Found", body=b"")),
        "a redirect to a long label": redirect(f"http://{'a' * 70}.example/"),
        "a redirect to an empty label": redirect("http://a..b/"),
        "a redirect to port 0": redirect("http://127.0.0.1:0/"),
        "a redirect to port 99999": redirect("http://127.0.0.1:99999/"),
        "a redirect to port x": redirect("http://127.0.0.1:x/"),
        "a redirect to bytes": redirect("http://\xff\xfe.example/\xff"),
        "a redirect to a blank": redirect("http://a b/"),
        "a redirect inside": redirect("http://10.0.0.1/"),
        "a redirect inside in disguise": redirect("http://[64:ff9b::a00:1]/"),
        "a redirect to a number": redirect("http://167772161/"),
        "a redirect to the cloud's own": redirect("http://169.254.169.254/latest/"),
        "a redirect to a closed port": redirect("http://127.0.0.1:1/"),
        "a redirect to TLS where none is": redirect("https://127.0.0.1:{port}/"),
        "a redirect that is endless": redirect("http://127.0.0.1:{port}/" + "a" * 90_000),
        "a redirect that never ends its body": Answer(said("301 M", "Location: /x", length=None), hold),
    },
    "connections": {
        "nothing at all": Answer(b"", hold),
        "nothing, and the end": Answer(b""),
        "the end before the request": Answer(b"", early=True),
        "an answer before the request": Answer(
            said("503 No", "Connection: close", body=b""), hold, early=True
        ),
        "a byte now and then": Answer(said(body=b"", length=100_000), drip),
        "a head, a byte now and then": Answer(b"HTTP/1.1 200 OK\r\nX: ", drip),
        "a reset at once": Answer(b"", reset, early=True),
        "a reset after the request": Answer(b"", reset),
        "a reset in the head": Answer(b"HTTP/1.1 200 OK\r\nCont", reset),
        "a reset in the body": Answer(said(body=b"{", length=10), reset),
        "a reset in a chunk": chunked(b"5\r\nab", then=reset),
        "half a status line": Answer(b"HTTP/1."),
        "two answers": Answer(said("500 No", body=b"") + said("200 OK")),
    },
    "documents": {
        "JSON that is too deep": Answer(said(body=b"[" * 30_000 + b"]" * 30_000)),
        "JSON that is deep": Answer(said(body=b"[" * 200 + b"]" * 200)),
        "JSON with half a character": Answer(said(body=b'{"a": "\\ud800"}')),
        "JSON with infinities": Answer(said(body=b'{"a": 1e999}')),
        "JSON with NaN": Answer(said(body=b"NaN")),
        "JSON with a number of 5000 digits": Answer(said(body=b"1" * 5000)),
        "JSON that is bytes": Answer(said(body=bytes(range(128, 256)))),
        "an empty body": Answer(said(body=b"")),
    },
}
