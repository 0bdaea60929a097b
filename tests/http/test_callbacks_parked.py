"""Callbacks that are parked, that are gone, and that are sent again; answers that cannot be read."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import pytest
import structlog
import trio
from attrs import define, field

from ringful.http.outward.callbacks import GONE, Deliverer
from ringful.http.outward.posting import open_poster
from ringful.store.open import open_store
from ringful.store.port import Post, PostState, Store, Write
from tests.http.test_callbacks import Hurry
from tests.server import PATIENCE, TRUSTED

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"


@define
class Raw:
    """A receiver of raw answers: one for each request, the last of which stays."""

    answers: list[bytes]
    stays: bool = False
    """It keeps the connection, for whatever comes next."""
    url: str = ""
    got: list[bytes] = field(factory=list)

    async def take(self, stream: trio.SocketStream) -> None:
        try:
            while True:
                request = b""
                while not request.endswith(b"}"):  # The last field of every post here.
                    chunk = await stream.receive_some()
                    if not chunk:
                        return
                    request += chunk.replace(b"%7D", b"}")
                self.got.append(request)
                await stream.send_all(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                if not self.stays:
                    return
        except trio.BrokenResourceError:
            pass
        finally:
            await stream.aclose()


@asynccontextmanager
async def receiving(raw: Raw) -> AsyncIterator[Raw]:
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, raw.take, 0, host="0.0.0.0"))
        raw.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        yield raw
        nursery.cancel_scope.cancel()


async def secret_of(_: str) -> str | None:
    return None


@asynccontextmanager
async def delivering(
    store: Store, secret: Callable[[str], Awaitable[str | None]] = secret_of, day: float = 0.0
) -> AsyncIterator[Deliverer]:
    """Deliver without pauses; *day* is how much later it is whenever somebody looks."""
    clock = Hurry(day)
    clock.at = time.time()
    async with (
        open_poster([ip_network("127.0.0.0/8")], trusted=TRUSTED) as poster,
        trio.open_nursery() as nursery,
    ):
        yield Deliverer(store, poster, secret, nursery, steady=Hurry(10_000.0), clock=clock)
        nursery.cancel_scope.cancel()


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something has come about that tells nobody."""
    with trio.fail_after(PATIENCE):
        while not await done():  # noqa: ASYNC110
            await trio.sleep(0.01)


def post(url: str, n: int, call_id: str = "c1") -> Post:
    """Make a post; its last field ends it."""
    fields = {"action": f"Number{n}", "n": str(n)}
    return Post(f"{call_id}-e{n}}}", "k", call_id, n, url, fields, time.time())


async def send(store: Store, deliverer: Deliverer, *posts: Post) -> None:
    await store.submit(Write(posts=posts)).wait()
    for one in posts:
        deliverer.deliver(one)
    await idle(deliverer)


async def idle(deliverer: Deliverer) -> None:
    with trio.fail_after(PATIENCE):
        await deliverer.until_idle()


async def is_delivered(deliverer: Deliverer, many: int) -> bool:
    return deliverer.delivered == many


async def states(store: Store, call_id: str = "c1") -> list[str]:
    return [one.state for one in await store.posts(call_id)]


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nno gzip!",
        OK + b"Content-Encoding: br, gzip, x-strange\r\nContent-Length: 3\r\n\r\nabc",
        OK + b"Content-Length: 1000000000000\r\n\r\n" + b"x" * 200_000,
        OK + b"Content-Length: 10\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nno length\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 299 Strange\r\n\r\n",
    ],
)
@pytest.mark.parametrize("stays", [False, True])
async def test_a_2xx_is_delivery_whatever_its_body(tmp_path: Path, answer: bytes, stays: bool) -> None:
    async with (
        receiving(Raw([answer], stays)) as raw,
        open_store(f"sqlite:///{tmp_path}/s.db") as store,
        delivering(store) as deliverer,
    ):
        # At hosts of their own: what a server says out of turn spoils its connection for the next.
        other = raw.url.replace("127.0.0.1", "127.0.0.2") + "/a"
        await send(store, deliverer, post(raw.url + "/a", 1), post(other, 2))
        assert await states(store) == ["delivered", "delivered"]
        assert len(raw.got) == 2
        assert (deliverer.waiting, deliverer.delivered, deliverer.failed_attempts) == (0, 2, 0)


async def test_an_exception_that_nobody_expected_is_a_failed_attempt(tmp_path: Path) -> None:
    faults: list[Exception] = [
        RuntimeError("one"),
        UnicodeError("two"),
        RecursionError("three"),
        MemoryError(),
    ]

    async def failing(_: str) -> str | None:
        if faults:
            raise faults.pop(0)
        return None

    async with (
        receiving(Raw([OK + EMPTY])) as raw,
        open_store(f"sqlite:///{tmp_path}/s.db") as store,
        delivering(store, failing) as deliverer,
    ):
        with structlog.testing.capture_logs() as logs:
            await send(store, deliverer, post(raw.url + "/a", 1), post(raw.url + "/a", 2))
        assert await states(store) == ["delivered", "delivered"]
        assert deliverer.failed_attempts == 4
        told = [one for one in logs if one["event"] == "a fault of ringful itself"]
        assert [one["call"] for one in told] == ["c1"] * 4


@pytest.mark.parametrize("url", ["http://[::1", "http://" + "a" * 64 + ".example/", "http:///", "nonsense"])
async def test_a_url_that_is_none_is_parked_at_once(tmp_path: Path, url: str) -> None:
    async with (
        open_store(f"sqlite:///{tmp_path}/s.db") as store,
        delivering(store, day=7200.0) as deliverer,
    ):
        with structlog.testing.capture_logs():
            await send(store, deliverer, post(url, 1))
        (parked,) = await store.parked_posts()
        assert parked.attempts == 1
        assert "is no web address" in parked.last_error


async def test_what_is_gone_stays_gone_also_later_and_after_a_restart(tmp_path: Path) -> None:
    gone = b"HTTP/1.1 410 Gone\r\n" + EMPTY
    async with receiving(Raw([gone, OK + EMPTY])) as raw:
        first, second, third, other = (
            post(raw.url + path, n) for n, path in enumerate(("/a", "/a", "/a", "/b"), 1)
        )
        async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store) as deliverer:
            with structlog.testing.capture_logs() as logs:
                await send(store, deliverer, first)
                await send(store, deliverer, second)
            assert await states(store) == ["parked", "parked"]
            assert [one["call"] for one in logs if one["event"] == "a callback was parked"] == ["c1", "c1"]
            await store.submit(Write(posts=[third, other])).wait()
        async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store) as deliverer:
            await deliverer.take_up()
            await idle(deliverer)
            assert await states(store) == ["parked", "parked", "parked", "delivered"]
            assert {one.last_error for one in await store.parked_posts()} == {GONE}
            assert deliverer.parked == 3
            assert len(raw.got) == 2
            # Another call is told at the same URL.
            await send(store, deliverer, post(raw.url + "/a", 1, "c2"))
            assert await states(store, "c2") == ["delivered"]


async def test_parked_posts_are_sent_again_in_their_order(tmp_path: Path) -> None:
    refuses = b"HTTP/1.1 404 Not Found\r\n" + EMPTY
    url = f"sqlite:///{tmp_path}/s.db"
    async with receiving(Raw([refuses])) as raw, open_store(url) as store:
        posts = [post(raw.url + "/a", n) for n in (1, 2, 3)]
        await store.submit(Write(posts=posts)).wait()
        await store.submit(
            Write(post_states=[PostState(one, "parked", 35, 0.0, "it answered 404") for one in posts])
        ).wait()
        raw.answers[:] = [OK + EMPTY]
        async with delivering(store) as deliverer, open_store(url) as other:
            await deliverer.take_up()
            assert (deliverer.parked, deliverer.waiting) == (3, 0)
            # As another process asks.
            await other.submit(Write(resend=[posts[2], posts[0], posts[1]])).wait()
            deliverer.look_for_resends()
            await until(lambda: is_delivered(deliverer, 3))
            await idle(deliverer)
            found = await store.posts("c1")
            assert [(one.state, one.attempts) for one in found] == [("delivered", 1)] * 3
            assert all(one.resent for one in found)
            assert deliverer.parked == 0
        assert [one.rpartition(b"event=")[2][:5] for one in raw.got] == [b"c1-e1", b"c1-e2", b"c1-e3"]


async def test_a_url_that_was_gone_is_asked_when_it_is_sent_again(tmp_path: Path) -> None:
    async with (
        receiving(Raw([b"HTTP/1.1 410 Gone\r\n" + EMPTY, OK + EMPTY])) as raw,
        open_store(f"sqlite:///{tmp_path}/s.db") as store,
        delivering(store) as deliverer,
    ):
        await deliverer.take_up()
        await send(store, deliverer, post(raw.url + "/a", 1), post(raw.url + "/a", 2))
        await store.submit(Write(resend=[post(raw.url + "/a", 2)])).wait()
        await until(lambda: is_delivered(deliverer, 1))  # Nobody tells it: it looks by itself.
        await idle(deliverer)
        await send(store, deliverer, post(raw.url + "/a", 3))
        assert await states(store) == ["parked", "delivered", "delivered"]


async def test_what_is_not_parked_is_not_sent_again(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        one = post("http://127.0.0.1:1/a", 1)
        await store.submit(Write(posts=[one])).wait()
        await store.submit(Write(post_states=[PostState(one, "delivered", 1, 0.0)])).wait()
        await store.submit(Write(resend=[one])).wait()
        assert await states(store) == ["delivered"]


async def test_the_day_counts_anew_when_it_is_sent_again(tmp_path: Path) -> None:
    async with (
        receiving(Raw([b"HTTP/1.1 500 Oh\r\n" + EMPTY])) as raw,
        open_store(f"sqlite:///{tmp_path}/s.db") as store,
        delivering(store, day=7200.0) as deliverer,
    ):
        await deliverer.take_up()
        await send(store, deliverer, post(raw.url + "/a", 1))
        (first,) = await store.parked_posts()
        await store.submit(Write(resend=[first.post])).wait()

        async def parked_again() -> bool:
            (found,) = await store.posts("c1")
            return found.resent is not None and found.state == "parked" and found.attempts > 1

        await until(parked_again)


async def test_waiting_posts_are_seen_with_their_age(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store, day=60.0) as deliverer:
        assert deliverer.lag == 0
        deliverer.deliver(post("http://127.0.0.1:1/a", 1))
        assert deliverer.waiting == 1
        assert deliverer.lag >= 60
