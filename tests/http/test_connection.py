"""What a client sees of its connection: whole answers in one piece, and when it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from quart import Response
from quart_trio import QuartTrio

from ringful.http import connection
from ringful.http.serve import serve
from tests.server import PATIENCE

app = QuartTrio(__name__)
release = trio.Event()


@app.route("/short")
async def short() -> str:
    return "here"


@app.route("/empty")
async def empty() -> tuple[str, int]:
    return "", 204


@app.route("/long")
async def long() -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await release.wait()
        yield b"two"

    return Response(parts(), content_type="text/plain")


@asynccontextmanager
async def served(ended: trio.Event) -> AsyncIterator[trio.SocketStream]:
    async with trio.open_nursery() as nursery:
        (url,) = await nursery.start(serve, app, "127.0.0.1:0", ended.wait)
        async with await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2])) as stream:
            with trio.fail_after(PATIENCE):
                yield stream
        nursery.cancel_scope.cancel()


async def ask(stream: trio.SocketStream, path: str, *, whole: int = 1) -> None:
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * whole)


async def until(stream: trio.SocketStream, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        part = await stream.receive_some()
        assert part, got
        got += part
    return got


async def test_an_answer_comes_in_one_piece() -> None:
    async with served(trio.Event()) as stream:
        for _ in range(3):
            await ask(stream, "/short")
            head, _, body = (await stream.receive_some()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert body == b"here"


async def test_an_answer_of_no_told_length_is_not_held_back() -> None:
    async with served(trio.Event()) as stream:
        await ask(stream, "/long")
        assert b"one" in await until(stream, b"one\r\n")
        release.set()
        assert b"two" in await until(stream, b"0\r\n\r\n")


async def test_answers_without_a_body_and_requests_behind_each_other() -> None:
    async with served(trio.Event()) as stream:
        await stream.send_all(b"HEAD /short HTTP/1.1\r\nHost: h\r\n\r\n")
        got = await until(stream, b"\r\n\r\n")
        assert b"content-length: 4" in got.lower()
        await ask(stream, "/empty")
        assert (await until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        await ask(stream, "/short", whole=3)
        got = b""
        while got.count(b"here") < 3:
            got += await stream.receive_some()
        assert got.count(b"HTTP/1.1 200") == 3


async def test_a_connection_that_is_idle_for_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_SECONDS", 0.05)
    async with served(trio.Event()) as stream:
        assert await stream.receive_some() == b""
    async with served(trio.Event()) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\n")  # It never ends.
        assert await stream.receive_some() == b""
    monkeypatch.setattr(connection, "FIRST_SECONDS", PATIENCE)
    monkeypatch.setattr(connection, "NEXT_SECONDS", 0.05)
    async with served(trio.Event()) as stream:
        await ask(stream, "/short")
        assert (await stream.receive_some()).endswith(b"here")
        assert await stream.receive_some() == b""


async def test_the_end_of_the_server_ends_idle_connections_and_lets_an_answer_out() -> None:
    ended = trio.Event()
    async with served(ended) as stream:
        await ask(stream, "/short")
        await stream.receive_some()
        ended.set()
        assert await stream.receive_some() == b""


async def test_what_is_no_http_is_told_so_in_one_piece() -> None:
    async with served(trio.Event()) as stream:
        await stream.send_all(b"\x00\x01 nonsense\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 400")
        assert await stream.receive_some() == b""
