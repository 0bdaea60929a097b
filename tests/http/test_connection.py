"""What a client sees of its connection: whole answers in one piece, in their order, and when it ends."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import structlog.testing
import trio
import trio.testing

from ringful.http import connection, serve
from ringful.http.app import shown
from ringful.http.exchange import Part, Request, Response
from ringful.http.problems import Problem
from tests.server import PATIENCE

ROOM = 1000
HOST = b"Host: h\r\n"


class App:
    """Answers what each path says, and remembers what was asked."""

    def __init__(self, file: Path = Path("/nowhere")) -> None:
        self.file = file
        self.asked: list[Request] = []
        self.release = trio.Event()
        self.cut = trio.Event()
        self.kept = trio.Event()
        self.given_way = 0

    def room_for(self, path: str) -> int:
        return ROOM

    def can_be_left(self, request: Request) -> bool:
        return request.path != "/kept"

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        match request.path:
            case "/kept":
                await self.release.wait()
                self.kept.set()
            case "/slow":
                try:
                    await self.release.wait()
                except trio.Cancelled:
                    self.cut.set()
                    raise
            case "/file":
                return Response(part=Part(self.file, 1, self.file.stat().st_size))
            case "/long":
                return Response("x" * 20_000_000)
        return Response(request.body or request.path)

    def refuse(self, problem: Problem) -> Response:
        return shown(problem, as_json=False)

    def gave_way(self) -> None:
        self.given_way += 1


@asynccontextmanager
async def served(app: App, ended: trio.Event | None = None, *, most: int = 100) -> AsyncIterator[int]:
    """Serve *app* to so many clients at a time; give the port."""
    async with trio.open_nursery() as nursery:
        until_then = trio.sleep_forever if ended is None else ended.wait
        (url,) = await nursery.start(partial(serve.serve, most=most), app, "127.0.0.1:0", until_then)
        with trio.fail_after(PATIENCE):
            yield int(url.rpartition(":")[2])
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def client(app: App, ended: trio.Event | None = None) -> AsyncIterator[trio.SocketStream]:
    async with served(app, ended) as port, await trio.open_tcp_stream("127.0.0.1", port) as stream:
        yield stream


async def ask(stream: trio.SocketStream, path: str, *, times: int = 1) -> None:
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * times)


async def until(stream: trio.SocketStream, end: bytes) -> bytes:
    got = b""
    while not got.endswith(end):
        part = await stream.receive_some()
        assert part, got
        got += part
    return got


async def to_the_end(stream: trio.SocketStream) -> bytes:
    got = b""
    while part := await stream.receive_some():
        got += part
    return got


async def test_an_answer_comes_in_one_piece() -> None:
    async with client(App()) as stream:
        for _ in range(3):
            await ask(stream, "/short")
            head, _, body = (await stream.receive_some()).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\ncontent-length: 6\r\n" in head
            assert body == b"/short"


async def test_a_connection_takes_any_number_of_requests() -> None:
    app = App()
    async with client(app) as stream:
        for _ in range(1100):
            await ask(stream, "/a")
            assert (await stream.receive_some()).endswith(b"\r\n\r\n/a")
    assert len(app.asked) == 1100


async def test_an_answer_to_head_has_no_body() -> None:
    async with client(App()) as stream:
        await stream.send_all(b"HEAD /short HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"content-length: 6" in await until(stream, b"\r\n\r\n")
        await ask(stream, "/next")
        assert (await until(stream, b"/next")).startswith(b"HTTP/1.1 200")


async def test_requests_behind_each_other_are_answered_in_their_order() -> None:
    app = App()
    async with client(app) as stream:
        await ask(stream, "/slow")
        await ask(stream, "/a", times=3)
        await ask(stream, "/b")
        while not app.asked:
            await trio.lowlevel.checkpoint()
        assert [one.path for one in app.asked] == ["/slow"]
        app.release.set()
        got = await until(stream, b"/b")
    bodies = [one.rpartition(b"\r\n\r\n")[2] for one in got.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"/slow", b"/a", b"/a", b"/a", b"/b"]


async def test_a_request_that_comes_byte_by_byte() -> None:
    app = App()
    sent = b"POST /x?a=%20b HTTP/1.1\r\nHost: h\r\nAccept: a\r\nAccept: b\r\nContent-Length: 3\r\n\r\nabc"
    async with client(app) as stream:
        for mark in sent:
            await stream.send_all(bytes([mark]))
        assert (await until(stream, b"abc")).startswith(b"HTTP/1.1 200")
    (request,) = app.asked
    assert (request.method, request.path, request.query) == ("POST", "/x", b"a=%20b")
    assert (request.headers["accept"], request.body, request.peer) == ("a, b", b"abc", "127.0.0.1")


async def test_a_body_in_chunks_and_what_stands_behind_it() -> None:
    app = App()
    async with client(app) as stream:
        await stream.send_all(
            b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
        )
        await until(stream, b"abcde")
        await ask(stream, "/next")
        await until(stream, b"/next")
    assert app.asked[0].body == b"abcde"
    assert "x-forwarded-for" not in app.asked[0].headers


async def test_who_waits_for_a_word_before_the_body_is_given_it() -> None:
    async with client(App()) as stream:
        head = b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        await stream.send_all(head % 3)
        assert await stream.receive_some() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await stream.send_all(b"abc")
        assert (await until(stream, b"abc")).startswith(b"HTTP/1.1 200")
        await stream.send_all(head % (ROOM + 1))
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("head", "connection"),
    [
        (b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"connection: close"),
        (b"GET /a HTTP/1.0\r\n\r\n", b"connection: close"),
        (b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", b"connection: close"),
    ],
)
async def test_the_last_answer_says_that_it_is_and_ends_the_connection(
    head: bytes, connection: bytes
) -> None:
    async with client(App()) as stream:
        await stream.send_all(head + b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
        got = await to_the_end(stream)
    assert got.count(b"HTTP/1.1 ") == 1
    assert got.endswith(b"\r\n\r\n/a")
    assert connection in got


async def test_a_client_of_the_old_kind_that_wants_to_stay_is_told_that_it_may() -> None:
    async with client(App()) as stream:
        for _ in range(2):
            await stream.send_all(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"\r\nconnection: keep-alive\r\n" in await until(stream, b"/a")


GET = b"GET / HTTP/1.1\r\nHost: h\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKS = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ODD = {
    "nonsense": (b"\x00\x01 nonsense\r\n\r\n", 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "sip": (b"OPTIONS sip:h SIP/2.0\r\n\r\n", 400),
    "an answer": (b"HTTP/1.1 200 OK\r\n\r\n", 400),
    "http 2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "http 2": (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
    "http 0.9": (b"GET /\r\n\r\n", 505),
    "http 1.2": (b"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 400),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a small method": (b"get / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: i\r\n\r\n", 400),
    "two hosts in one": (b"GET / HTTP/1.1\r\nHost: h, i\r\n\r\n", 400),
    "a bare line feed": (b"GET / HTTP/1.1\nHost: h\n\n", 400),
    "a bare line feed in a header": (b"GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400),
    "a bare return": (GET + b"A: b\rc\r\n\r\n", 400),
    "a folded line": (GET + b"A: b\r\n c\r\n\r\n", 400),
    "a blank before the first header": (b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
    "a blank before the colon": (GET + b"A : b\r\n\r\n", 400),
    "no colon": (GET + b"A b\r\n\r\n", 400),
    "no name": (GET + b": b\r\n\r\n", 400),
    "a nul in a header": (GET + b"A: b\0c\r\n\r\n", 400),
    "a nul in the path": (b"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a byte beyond ASCII in the path": (b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a blank in the path": (b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a path without a slash": (b"GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "length and chunks": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "the same length twice": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 2\r\n\r\nabc", 400),
    "lengths in one": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "a length with a sign": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "a negative length": (POST + b"Content-Length: -3\r\n\r\nabc", 400),
    "a length in hex": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "an empty length": (POST + b"Content-Length:\r\n\r\nabc", 400),
    "a length without end": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "too long a body": (POST + b"Content-Length: 1001\r\n\r\n" + b"a" * 1001, 413),
    "too long a body that is only said": (POST + b"Content-Length: 999999999\r\n\r\n", 413),
    "too long a body in chunks": (CHUNKS + b"258\r\n" + b"a" * 600 + b"\r\n258\r\n" + b"a" * 600, 413),
    "chunks that are nothing but their ends": (CHUNKS + b"1;" + b"x" * 200_000, 413),
    "another coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "a coding that is none": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "chunks of the old kind": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a chunk of no size": (CHUNKS + b"zz\r\nabc\r\n", 400),
    "a chunk that is longer than it says": (CHUNKS + b"3\r\nabcd\r\n0\r\n\r\n", 400),
    "chunks with bare line feeds": (CHUNKS + b"3\nabc\n0\n\n", 400),
    "too long a path": (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 431),
    "too long a header": (GET + b"A: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    "a header without end": (GET + b"A: " + b"a" * 200_000, 431),
    "too many headers": (GET + b"A: b\r\n" * 100 + b"\r\n", 431),
    "half a request": (b"GET / HTTP/1.1\r\nHost: h\r\n", 400),
    "half a body": (POST + b"Content-Length: 3\r\n\r\nab", 400),
}


@pytest.mark.parametrize("what", ODD)
async def test_what_is_odd_is_refused_in_words_and_ends_the_connection(what: str) -> None:
    sent, status = ODD[what]
    app = App()
    async with client(app) as stream:
        await ask(stream, "/before")
        await until(stream, b"/before")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "LINGER_SECONDS", PATIENCE)
            await stream.send_all(sent)
            await stream.send_eof()
            got = await to_the_end(stream)
    assert got.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\ncontent-type: text/plain" in got
    assert b"\r\nconnection: close\r\n" in got
    code = {413: b"body.large: ", 431: b"head.large: "}.get(status, b"request.invalid: ")
    assert got.partition(b"\r\n\r\n")[2].startswith(code)
    assert [one.path for one in app.asked] == ["/before"]


async def test_what_stood_before_an_odd_request_is_answered() -> None:
    async with client(App()) as stream:
        await stream.send_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + ODD["a folded line"][0])
        got = await to_the_end(stream)
    assert got.count(b"HTTP/1.1 200") == got.count(b"HTTP/1.1 400") == 1
    assert got.index(b"HTTP/1.1 200") < got.index(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("target", "path", "places"),
    [
        (b"http://other/a/b?c", "/a/b", ["a", "b"]),
        (b"http://other?c", "/", [""]),
        (b"/a/../b", "/a/../b", ["a", "..", "b"]),
        (b"/a%2fb", "/a%2fb", ["a/b"]),
        (b"/%zz%", "/%zz%", ["%zz%"]),
        (b"/%c3%28", "/%c3%28", ["\ufffd("]),
        (b"//a", "//a", ["", "a"]),
        (b"*", "*", [""]),
    ],
)
async def test_odd_paths_are_what_they_are(target: bytes, path: str, places: list[str]) -> None:
    app = App()
    async with client(app) as stream:
        await stream.send_all(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
        await stream.receive_some()
    assert (app.asked[0].path, app.asked[0].places) == (path, places)


async def test_the_answer_to_what_is_too_long_comes_before_it_was_sent() -> None:
    async with client(App()) as stream, trio.open_nursery() as nursery:
        await stream.send_all(POST + b"Content-Length: 5000000\r\n\r\n")
        nursery.start_soon(stream.send_all, b"a" * 5_000_000)
        assert (await until(stream, b"1000 bytes\n")).startswith(b"HTTP/1.1 413")


@pytest.fixture
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("_looks_often")
async def test_a_connection_that_is_idle_for_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_SECONDS", 0.05)
    async with client(App()) as stream:
        assert await stream.receive_some() == b""
    monkeypatch.setattr(connection, "FIRST_SECONDS", PATIENCE)
    monkeypatch.setattr(connection, "NEXT_SECONDS", 0.05)
    async with client(App()) as stream:
        await ask(stream, "/short")
        assert (await stream.receive_some()).endswith(b"/short")
        assert await stream.receive_some() == b""


@pytest.mark.usefixtures("_looks_often")
async def test_a_request_that_trickles_is_ended_and_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, sent in (("FIRST_SECONDS", GET), ("BODY_SECONDS", POST + b"Content-Length: 3\r\n\r\na")):
        with monkeypatch.context() as patch:
            patch.setattr(connection, name, 0.05)
            async with client(App()) as stream:
                await stream.send_all(sent)  # It never ends.
                assert (await to_the_end(stream)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("_looks_often")
async def test_a_client_that_takes_nothing_of_its_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.05)
    ended, run = trio.Event(), connection.Connection.run

    async def run_to_the_end(self: connection.Connection) -> None:
        await run(self)
        ended.set()

    monkeypatch.setattr(connection.Connection, "run", run_to_the_end)
    async with client(App()) as stream:
        await ask(stream, "/long")
        await ended.wait()


@pytest.mark.usefixtures("_looks_often")
async def test_who_goes_away_is_worked_for_no_longer() -> None:
    app = App()
    async with served(app) as port:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await ask(stream, "/slow")
            while not app.asked:
                await trio.lowlevel.checkpoint()
        await app.cut.wait()


@pytest.mark.usefixtures("_looks_often")
async def test_what_must_not_be_left_is_done_although_its_client_goes_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, looks, look = App(), [0], serve._Connections.look

    def looked(self: serve._Connections, now: float) -> None:
        look(self, now)
        looks.append(len(self.open))

    monkeypatch.setattr(serve._Connections, "look", looked)
    async with served(app) as port:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await ask(stream, "/kept")
            while not app.asked:
                await trio.lowlevel.checkpoint()
        begun = len(looks)
        while len(looks) < begun + 3:
            await trio.lowlevel.checkpoint()
        assert looks[-1] == 1
        app.release.set()
        await app.kept.wait()
        while looks[-1]:
            await trio.lowlevel.checkpoint()


async def test_what_must_not_be_left_outlasts_the_grace_when_the_server_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve, "GRACE_SECONDS", 0.05)
    ended, app = trio.Event(), App()
    async with (
        served(app, ended) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as kept,
        await trio.open_tcp_stream("127.0.0.1", port) as left,
    ):
        await ask(kept, "/kept")
        await ask(left, "/slow")
        while len(app.asked) < 2:
            await trio.lowlevel.checkpoint()
        ended.set()
        assert await left.receive_some() == b""
        assert app.cut.is_set()
        app.release.set()
        assert (await to_the_end(kept)).endswith(b"\r\n\r\n/kept")


async def test_a_part_of_a_file_is_sent_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_PIECE", 1000)
    file = tmp_path / "a"
    file.write_bytes(bytes(range(256)) * 100)
    async with client(App(file)) as stream:
        for _ in range(2):
            await ask(stream, "/file")
            got = await until(stream, file.read_bytes()[-1000:])
            assert got.partition(b"\r\n\r\n")[2] == file.read_bytes()[1:]


async def test_the_end_of_the_server_ends_idle_connections_and_lets_an_answer_out() -> None:
    ended, app = trio.Event(), App()
    async with served(app, ended) as port:
        async with (
            await trio.open_tcp_stream("127.0.0.1", port) as idle,
            await trio.open_tcp_stream("127.0.0.1", port) as asking,
        ):
            await ask(idle, "/short")
            await until(idle, b"/short")
            await ask(asking, "/slow")
            while len(app.asked) < 2:
                await trio.lowlevel.checkpoint()
            ended.set()
            assert await idle.receive_some() == b""
            app.release.set()
            got = await to_the_end(asking)
            assert got.endswith(b"/slow")
            assert b"\r\nconnection: close\r\n" in got
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", port)


async def test_what_is_under_way_for_too_long_is_cut_when_the_server_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve, "GRACE_SECONDS", 0.05)
    ended, app = trio.Event(), App()
    async with client(app, ended) as stream:
        await ask(stream, "/slow")
        while not app.asked:
            await trio.lowlevel.checkpoint()
        ended.set()
        assert await stream.receive_some() == b""
        assert app.cut.is_set()


async def test_who_opens_many_connections_pushes_out_his_own() -> None:
    app = App()
    async with served(app, most=10) as port, AsyncExitStack() as stack:

        async def connected() -> trio.SocketStream:
            return await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))

        # A hundred who ask nothing, idle behind an answer, or never send all of their body.
        for number in range(100):
            stream = await connected()
            if number % 3:
                await ask(stream, "/short")
                await until(stream, b"/short")
            if number % 3 == 2:
                await stream.send_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf")
        assert app.given_way == 90
        # Customers who have all connected before any of them asks.
        customers = [await connected() for _ in range(9)]
        for stream in customers:
            await ask(stream, "/customer")
        for stream in customers:
            await until(stream, b"/customer")
    assert app.given_way == 99


@pytest.mark.parametrize("how", ["end", "give_way"])
async def test_a_request_that_comes_as_its_connection_ends_is_answered_whole_or_not_begun(how: str) -> None:
    """Both become known in one round of the loop, in either order."""
    app, found = App(), set()
    for _ in range(60):
        app.asked, app.release, app.kept = [], trio.Event(), trio.Event()
        ours, theirs = socket.socketpair()
        for one in (ours, theirs):
            one.setblocking(False)
        taken = connection.Connection(app, ours, "h")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(taken.run)
            await trio.testing.wait_all_tasks_blocked()
            bell, rings = socket.socketpair()
            bell.setblocking(False)
            with bell, rings, theirs:
                theirs.send(b"GET /kept HTTP/1.1\r\nHost: h\r\n\r\n")
                rings.send(b"!")
                await trio.lowlevel.wait_readable(bell)
                if how == "end" or not taken.busy:
                    getattr(taken, how)()
                app.release.set()
                with trio.fail_after(PATIENCE):
                    while not ours.fileno() < 0:
                        await trio.lowlevel.checkpoint()
                        if how == "give_way" and taken.busy is False and app.kept.is_set():
                            taken.end()
                got = theirs.recv(10_000)
        assert bool(app.asked) == app.kept.is_set()
        assert got.startswith(b"HTTP/1.1 200 " if app.asked else b"HTTP/1.1 503 "), got
        found.add(bool(app.asked))
    assert False in found


async def test_who_has_sent_half_a_request_is_told_that_he_gave_way(monkeypatch: pytest.MonkeyPatch) -> None:
    came, feed = trio.Event(), connection.Incoming.feed

    def noticed(self: connection.Incoming, data: bytes) -> None:
        feed(self, data)
        came.set()

    monkeypatch.setattr(connection.Incoming, "feed", noticed)
    async with served(App(), most=1) as port, await trio.open_tcp_stream("127.0.0.1", port) as slow:
        await slow.send_all(GET)
        await came.wait()
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await ask(stream, "/short")
            await until(stream, b"/short")
        got = await to_the_end(slow)
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 1\r\n" in got
    assert got.partition(b"\r\n\r\n")[2].startswith(b"server.connections: ")


def _pair(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Give both ends of a connection of TCP."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    theirs = stack.enter_context(socket.create_connection(listener.getsockname()))
    return stack.enter_context(listener.accept()[0]), theirs


async def test_who_has_sent_what_was_not_read_yet_does_not_give_way() -> None:
    """Where the loop is late the silent one may be the server."""
    app = App()
    there = serve._Connections(app, most=2)
    with ExitStack() as stack:
        first, second = _pair(stack), _pair(stack)
        waits, later = (there.added(ours, "h") for ours, _ in (first, second))
        waits.since -= 10.0
        first[1].send(GET)
        assert there.make_room()
        assert there.open == {waits}
        assert later.scope.cancel_called
        there.open.add(later)
        second[1].send(GET)
        assert not there.make_room()
    assert app.given_way == 1


async def test_where_all_wait_for_the_server_another_one_is_refused_until_one_has_gone() -> None:
    app = App()
    async with (
        served(app, most=2) as port,
        await trio.open_tcp_stream("127.0.0.1", port) as first,
        await trio.open_tcp_stream("127.0.0.1", port) as second,
    ):
        for stream in (first, second):
            await ask(stream, "/slow")
        while len(app.asked) < 2:
            await trio.lowlevel.checkpoint()
        with structlog.testing.capture_logs() as lines:
            for _ in range(3):
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    got = await to_the_end(stream)
                assert got.startswith(b"HTTP/1.1 503 ")
                assert b"\r\nconnection: close\r\n" in got
                assert got.partition(b"\r\n\r\n")[2].startswith(b"server.connections: ")
        assert [one["event"] for one in lines] == ["as many connections are open as may be"]
        app.release.set()
        for stream in (first, second):
            await until(stream, b"/slow")
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await ask(stream, "/short")
            await until(stream, b"/short")
    assert app.given_way == 1


async def test_an_address_that_another_has_is_told() -> None:
    async with served(App()) as port:
        with pytest.raises(OSError, match="in use"):
            await serve.serve(App(), f"127.0.0.1:{port}", trio.sleep_forever, most=1)


async def test_an_address_of_the_sixth_version() -> None:
    async with trio.open_nursery() as nursery:
        (url,) = await nursery.start(partial(serve.serve, most=1), App(), "[::1]:0", trio.sleep_forever)
        assert url.startswith("http://[::1]:")
        nursery.cancel_scope.cancel()
