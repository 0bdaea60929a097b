"""Callbacks to a real receiver: order, signatures, retries, restarts.  No pause is waited for."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl

import pytest
import trio
from attrs import define, field

from ringful.http.outward.callbacks import Deliverer, judge
from ringful.http.outward.posting import open_poster
from ringful.store.open import open_store
from ringful.store.port import Post, PostState, Store, Write
from tests.server import PATIENCE, TRUSTED

SECRET = "abcdefghABCDEFGH01234567ijklmnop"


@define
class Web:
    """A receiver that answers each path as it is told to: a list of statuses, the last of which stays."""

    answers: dict[str, list[int]] = field(factory=dict)
    got: list[tuple[str, dict[str, str]]] = field(factory=list)
    headers: list[dict[str, str]] = field(factory=list)
    bodies: list[bytes] = field(factory=list)
    url: str = ""


@pytest.fixture
def web() -> "AsyncIterator[Web]":
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append((self.path, dict(parse_qsl(body.decode()))))
            state.headers.append(dict(self.headers.items()))
            state.bodies.append(body)
            statuses = state.answers.get(self.path, [200])
            self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


class Hurry:
    """A clock that is always as late as anybody waits for, so that pauses take no time."""

    def __init__(self, step: float) -> None:
        self.at, self.step = 1_000_000.0, step

    def __call__(self) -> float:
        self.at += self.step
        return self.at


@asynccontextmanager
async def delivering(store: Store, *, hurry: float = 400.0) -> AsyncIterator[Deliverer]:
    async def secret_of(_: str) -> str:
        return SECRET

    async with (
        open_poster([ip_network("127.0.0.0/8")], trusted=TRUSTED) as poster,
        trio.open_nursery() as nursery,
    ):
        clock = {"clock": Hurry(hurry), "steady": Hurry(10_000.0)} if hurry else {}
        yield Deliverer(store, poster, secret_of, nursery, **clock)
        nursery.cancel_scope.cancel()


def post(web: Web, n: int, path: str = "/a", call_id: str = "c1") -> Post:
    return Post(
        f"e{n}-{call_id}", "k", call_id, n, web.url + path, {"action": f"Number{n}", "n": str(n)}, 1_000_000.0
    )


async def send(store: Store, deliverer: Deliverer, *posts: Post) -> None:
    await store.submit(Write(posts=posts)).wait()
    for one in posts:
        deliverer.deliver(one)
    with trio.fail_after(PATIENCE):
        await deliverer.until_idle()


def order(web: Web) -> list[str]:
    return [f"{path} {fields['n']}" for path, fields in web.got]


async def states(store: Store, call_id: str = "c1") -> list[str]:
    return [one.state for one in await store.posts(call_id)]


async def test_a_callback_is_signed_by_the_standard_webhooks_convention(web: Web, tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store, hurry=0) as deliverer:
        await send(store, deliverer, post(web, 1))
    headers, body = {name.lower(): value for name, value in web.headers[0].items()}, web.bodies[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert dict(parse_qsl(body.decode())) == {"action": "Number1", "n": "1", "event": "e1-c1"}
    assert headers["webhook-id"] == "e1-c1"


async def test_the_order_of_a_call_holds_across_its_urls(web: Web, tmp_path: Path) -> None:
    paths = ["/a", "/b", "/a", "/c", "/b", "/a"]
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store, hurry=0) as deliverer:
        await send(store, deliverer, *(post(web, n, path) for n, path in enumerate(paths, 1)))
        assert await states(store) == ["delivered"] * 6
    assert order(web) == [f"{path} {n}" for n, path in enumerate(paths, 1)]


async def test_a_receiver_that_is_down_loses_nothing_and_delays_no_one(web: Web, tmp_path: Path) -> None:
    web.answers["/down"] = [500, 503, 500, 200]
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store) as deliverer:
        await send(store, deliverer, post(web, 1, "/down"), post(web, 2, "/well"), post(web, 3, "/down"))
        assert await states(store) == ["delivered"] * 3
    got = order(web)
    assert [one for one in got if one.startswith("/down")] == ["/down 1"] * 4 + ["/down 3"]
    assert got.index("/well 2") < got.index("/down 3")


@pytest.mark.parametrize("refusals", [[404, 401], [302, 400, 403], [500, 503, 429], [408, 425, 501]])
async def test_a_receiver_that_refuses_is_asked_again(web: Web, tmp_path: Path, refusals: list[int]) -> None:
    web.answers["/a"] = [*refusals, 200]
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store) as deliverer:
        await send(store, deliverer, post(web, 1), post(web, 2))
        assert await states(store) == ["delivered", "delivered"]
    assert order(web) == ["/a 1"] * (len(refusals) + 1) + ["/a 2"]


async def test_a_url_that_is_gone_is_asked_no_more(web: Web, tmp_path: Path) -> None:
    web.answers["/a"] = [410]
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store) as deliverer:
        await send(store, deliverer, post(web, 1), post(web, 2), post(web, 3, "/b"))
        assert await states(store) == ["parked", "parked", "delivered"]
    assert sorted(order(web)) == ["/a 1", "/b 3"]


async def test_a_restart_goes_on_where_it_was(web: Web, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    async with open_store(url) as store:
        await store.submit(Write(posts=[post(web, 1), post(web, 2), post(web, 1, call_id="c2")])).wait()
        await store.submit(Write(post_states=[PostState(post(web, 1), "delivered", 1, 0.0)])).wait()
    async with open_store(url) as store, delivering(store) as deliverer:
        await deliverer.take_up()
        with trio.fail_after(PATIENCE):
            await deliverer.until_idle()
        assert await states(store) == ["delivered"] * 2
    assert sorted(fields["event"] for _, fields in web.got) == ["e1-c2", "e2-c1"]


async def test_after_a_day_a_post_is_parked(web: Web, tmp_path: Path) -> None:
    web.answers["/a"] = [500]
    async with (
        open_store(f"sqlite:///{tmp_path}/s.db") as store,
        delivering(store, hurry=7200.0) as deliverer,
    ):
        await send(store, deliverer, post(web, 1))
        assert await states(store) == ["parked"]
    assert 2 < len(web.got) < 30


async def test_a_forbidden_address_is_not_posted_to(web: Web, tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, delivering(store) as deliverer:
        inner = Post("e1", "k", "c1", 1, "http://10.1.2.3/x", {"action": "A"}, 0.0)
        await send(store, deliverer, inner)
        (parked,) = await store.parked_posts()
        assert "10.1.2.3, which must not be reached" in parked.last_error


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (302, "retry"),
        (404, "retry"),
        (408, "retry"),
        (410, "gone"),
        (429, "retry"),
        (503, "retry"),
    ],
)
def test_what_an_answer_means(status: int, verdict: str) -> None:
    assert judge(status) == verdict


def test_the_secret_is_what_verifiers_expect() -> None:
    assert len(base64.b64decode(SECRET)) == 24
