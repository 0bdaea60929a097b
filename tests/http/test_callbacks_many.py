"""Many callbacks: for a receiver that is away, for one that says nothing, and for one that is back."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import trio
from attrs import define, evolve, field

from ringful.http.outward.callbacks import GIVE_UP, PAGE, Deliverer
from ringful.http.outward.lanes import (
    AWAY_AFTER,
    MOST_PER_RECEIVER,
    PER_RECEIVER,
    PROMPT,
    Lane,
    Receiver,
    Turn,
    host_of,
)
from ringful.http.outward.posting import open_poster
from ringful.store.open import open_store
from ringful.store.port import Post, PostState, Store, Write
from tests.http.test_callbacks import Hurry
from tests.server import PATIENCE, TRUSTED, free_port, nobody

MANY = 10_000
URL = "http://h.example/a"


def post(url: str, n: int, call_id: str = "c1", key: str = "k") -> Post:
    return Post(f"{call_id}-{n}-{host_of(url)}", key, call_id, n, url, {"n": str(n)}, time.time())


# Who may go, without any network.


def lane(receiver: Receiver, call_id: str, url: str = URL, attempts: int = 0) -> Lane:
    made = receiver.lane(call_id, url)
    made.turns.append(Turn(PostState(post(url, 1, call_id), "pending", attempts, 0.0)))
    receiver.push(made, 0.0)
    return made


def away(receiver: Receiver, now: float = 0.0) -> Lane:
    """Let a host be away; give the lane that has found it."""
    found = lane(receiver, "first")
    for _ in range(AWAY_AFTER):
        assert receiver.next(now) is found
        news = receiver.landed(found, "unreached", now)
        receiver.push(found, now)
    assert news == [True]
    return found


def test_a_receiver_has_no_more_than_its_connections() -> None:
    receiver = Receiver("h.example")
    lanes = [lane(receiver, f"c{i}") for i in range(PER_RECEIVER + 2)]
    assert [receiver.next(0.0) for _ in lanes] == [*lanes[:PER_RECEIVER], None, None]
    receiver.landed(lanes[3], "answered", 0.0)
    assert receiver.next(0.0) is lanes[PER_RECEIVER]


def take_all(receiver: Receiver, most: int = MOST_PER_RECEIVER) -> list[Lane]:
    return list(iter(lambda: receiver.next(0.0, most), None))


def test_who_is_prompt_and_busy_gets_more_connections_and_who_is_not_loses_them() -> None:
    receiver = Receiver("far.example")
    flying = [lane(receiver, f"c{i}") for i in range(500)] and take_all(receiver)
    assert len(flying) == PER_RECEIVER
    for landed in range(1, MOST_PER_RECEIVER + 20):
        receiver.landed(flying.pop(0), "answered", 0.0, took=PROMPT / 2)
        flying += take_all(receiver)
        assert receiver.flying == min(PER_RECEIVER + landed, MOST_PER_RECEIVER)
    # Where others need the connections, it has the first ones and no more.
    for _ in range(MOST_PER_RECEIVER - PER_RECEIVER + 1):
        assert receiver.next(0.0, PER_RECEIVER) is None
        receiver.landed(flying.pop(0), None, 0.0)
    assert len(take_all(receiver, PER_RECEIVER)) == 1
    # An answer that took its time, or that tells of trouble, halves them.
    receiver.landed(flying.pop(0), "answered", 0.0, took=PROMPT * 2)
    assert receiver.room == MOST_PER_RECEIVER // 2
    receiver.landed(flying.pop(0), "trouble", 0.0)
    receiver.landed(flying.pop(0), "trouble", 0.0)
    assert receiver.room == PER_RECEIVER


def test_who_is_prompt_and_has_little_to_be_told_keeps_its_connections() -> None:
    receiver = Receiver("near.example")
    for i in range(100):
        one = lane(receiver, f"c{i}")
        assert receiver.next(0.0) is one
        receiver.landed(one, "answered", 0.0, took=0.001)
    assert receiver.room == PER_RECEIVER


def test_while_a_host_is_away_one_scouts_for_all() -> None:
    receiver = Receiver("h.example")
    away(receiver)
    others = [lane(receiver, f"c{i}", f"http://h.example/{i}") for i in range(5)]
    assert receiver.next(0.5) is None
    scout = receiver.next(1.0)
    assert scout is not None
    assert receiver.next(1.0) is None
    receiver.landed(scout, "unreached", 1.0)
    scout.turns[0].state = evolve(scout.turns[0].state, attempts=1)
    receiver.push(scout, 3600.0)
    # Another one scouts next, and later.
    assert receiver.next(2.9) is None
    second = receiver.next(3.0)
    assert second in {*others} - {scout}
    assert receiver.landed(second, "answered", 3.0) == [False]
    receiver.drop(second)
    # All go now, those too that were in a long pause of their own.
    going = []
    while found := receiver.next(3.0):
        going.append(found)
    assert len(going) == 5


def test_a_scout_that_is_dropped_leaves_it_to_the_next() -> None:
    receiver = Receiver("h.example")
    first = away(receiver)
    other = lane(receiver, "c2")
    assert receiver.next(1.0) is first
    assert receiver.next(1.0) is None
    receiver.landed(first, "unreached", 1.0)
    receiver.drop(first)
    assert receiver.next(10.0) is other


def test_a_place_in_trouble_holds_no_other_place() -> None:
    receiver = Receiver("h.example")
    bad = [lane(receiver, f"c{i}", f"http://h.example/bad?call={i}") for i in range(20)]
    for _ in range(AWAY_AFTER):
        going = receiver.next(0.0)
        assert going is not None
        receiver.landed(going, "silent", 0.0)
        receiver.push(going, 0.0)
    good = [lane(receiver, f"g{i}", "http://h.example/good") for i in range(3)]
    gone = [found for _ in range(30) if (found := receiver.next(100.0))]
    assert gone[0] in bad
    assert gone[1:] == good


def test_one_bad_answer_between_good_ones_holds_nobody() -> None:
    receiver = Receiver("h.example")
    lanes = [lane(receiver, f"c{i}") for i in range(4)]
    for _ in range(10):
        for one in lanes:
            assert receiver.next(0.0) is one
            receiver.landed(one, "trouble" if one is lanes[0] else "answered", 0.0)
            receiver.push(one, 0.0)


def test_held_posts_that_are_too_old_are_given_up() -> None:
    receiver = Receiver("h.example")
    first = away(receiver)
    others = [lane(receiver, f"c{i}") for i in range(5)]
    receiver.next(0.0)
    assert [one for one, _ in receiver.overdue(time.time() + 1)] == others
    assert receiver.next(1.0) is first


def test_the_queue_does_not_grow() -> None:
    receiver = Receiver("h.example")
    one = lane(receiver, "c1")
    for _ in range(10_000):
        receiver.push(one, 1e9)
    assert len(receiver._queue) < 1000


# Real sockets.


@define
class Web:
    """A receiver that knows who came in what order, and how many at once."""

    got: list[tuple[str, int]] = field(factory=list)
    at_once: int = 0
    most: int = 0
    mute: bool = False
    port: int = 0
    arrived: trio.Event = field(factory=trio.Event)

    async def take(self, stream: trio.SocketStream) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            while chunk := await stream.receive_some():
                while b"event=" not in chunk:
                    chunk += await stream.receive_some()
                call_id, n, _ = chunk.rpartition(b"event=")[2].decode().split("-", 2)
                self.got.append((call_id, int(n)))
                self.arrived.set()
                if not self.mute:
                    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except trio.BrokenResourceError:
            pass
        finally:
            self.at_once -= 1
            await stream.aclose()


async def secret_of(_: str) -> str | None:
    return None


@asynccontextmanager
async def delivering(store: Store, **settings: Callable[[], float]) -> AsyncIterator[Deliverer]:
    async with (
        open_poster([ip_network("127.0.0.0/8")], trusted=TRUSTED) as poster,
        trio.open_nursery() as nursery,
    ):
        yield Deliverer(store, poster, secret_of, nursery, **settings)
        nursery.cancel_scope.cancel()


async def test_ten_thousand_wait_for_a_receiver_that_is_away_and_are_taken_up(tmp_path: Path) -> None:
    """The server is started with 10,000 posts for a host where nobody listens; another host is well."""
    port, web = free_port(), Web()
    nowhere = f"http://127.0.0.1:{port}/a"
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, trio.open_nursery() as nursery:
        posts = [post(nowhere, n, f"c{i}") for i in range(MANY // 2) for n in (1, 2)]
        await store.submit(Write(posts=posts)).wait()
        async with delivering(store) as deliverer:
            await deliverer.take_up()
            assert deliverer.waiting == PAGE
            (listener,) = await nursery.start(partial(trio.serve_tcp, web.take, 0, host="127.0.0.1"))
            well = post(f"http://127.0.0.1:{listener.socket.getsockname()[1]}/b", 1, "other")
            await store.submit(Write(posts=[well])).wait()
            deliverer.deliver(well)
            with trio.fail_after(PATIENCE):
                await web.arrived.wait()
                while deliverer.waiting < MANY:  # noqa: ASYNC110
                    await trio.sleep(0.01)
            tasks = trio.lowlevel.current_statistics().tasks_living
            assert tasks < 100
            # They scout, and no more: not each of 5,000 calls for itself.
            assert 1 <= deliverer.failed_attempts < 3 * PER_RECEIVER
            assert web.got == [("other", 1)]
        nursery.cancel_scope.cancel()


async def test_when_it_is_back_all_come_in_order_and_not_at_once(tmp_path: Path) -> None:
    port, web = free_port(), Web()
    url, calls = f"http://127.0.0.1:{port}/a", 300
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, trio.open_nursery() as nursery:
        posts = [post(url, n, f"c{i}") for n in (1, 2, 3) for i in range(calls)]
        await store.submit(Write(posts=posts)).wait()
        async with delivering(store, steady=Hurry(10_000.0)) as deliverer:
            for one in posts:
                deliverer.deliver(one)
            with trio.fail_after(PATIENCE):
                while deliverer.failed_attempts < 20:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                await nursery.start(partial(trio.serve_tcp, web.take, port, host="127.0.0.1"))
                await deliverer.until_idle()
        assert deliverer.delivered == len(posts)
        assert web.most <= MOST_PER_RECEIVER
        assert Counter(web.got) == Counter((one.call_id, one.n) for one in posts)
        for i in range(calls):
            assert [n for call_id, n in web.got if call_id == f"c{i}"] == [1, 2, 3]
        nursery.cancel_scope.cancel()


async def test_many_for_a_receiver_that_is_prompt_go_over_more_connections(tmp_path: Path) -> None:
    web, calls = Web(), 300
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, web.take, 0, host="127.0.0.1"))
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/a"
        posts = [post(url, n, f"c{i}") for n in (1, 2) for i in range(calls)]
        await store.submit(Write(posts=posts)).wait()
        # A clock that stands still: every answer is prompt, however slow this machine is.
        async with delivering(store, steady=lambda: 5.0) as deliverer:
            for one in posts:
                deliverer.deliver(one)
            with trio.fail_after(PATIENCE):
                await deliverer.until_idle()
        assert PER_RECEIVER < web.most <= MOST_PER_RECEIVER
        for i in range(calls):
            assert [n for call_id, n in web.got if call_id == f"c{i}"] == [1, 2]
        nursery.cancel_scope.cancel()


async def test_who_waits_for_a_scout_for_a_day_is_parked_without_an_attempt(tmp_path: Path) -> None:
    late = [0.0, 0.0]
    with nobody() as address:
        await _who_waits_is_parked(f"http://{address}/a", late, tmp_path)


async def _who_waits_is_parked(nowhere: str, late: list[float], tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store:
        posts = [post(nowhere, n, f"c{i}") for i in range(50) for n in (1, 2)]
        await store.submit(Write(posts=posts)).wait()
        async with delivering(
            store, steady=lambda: trio.current_time() + late[0], clock=lambda: time.time() + late[1]
        ) as deliverer:
            await deliverer.take_up()
            with trio.fail_after(PATIENCE):
                while deliverer.failed_attempts < PER_RECEIVER:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                assert (deliverer.waiting, deliverer.parked) == (len(posts), 0)
                late[1] = GIVE_UP + 1
                # Whoever is not yet held when the time of a sweep has come is found by the next one.
                while deliverer.parked < len(posts) / 2:
                    late[0] += 61.0
                    deliverer.look_for_resends()
                    await trio.sleep(0.1)
        untried = [one for one in await store.parked_posts(limit=1000) if not one.attempts]
        assert untried
        assert untried[0].last_error.startswith("its receiver was away for too long: 127.0.0.1:")


async def test_a_receiver_that_says_nothing_delays_no_other_one(tmp_path: Path) -> None:
    mute, well = Web(mute=True), Web()
    async with open_store(f"sqlite:///{tmp_path}/s.db") as store, trio.open_nursery() as nursery:
        for web in (mute, well):
            (listener,) = await nursery.start(partial(trio.serve_tcp, web.take, 0, host="127.0.0.1"))
            web.port = listener.socket.getsockname()[1]
        async with delivering(store) as deliverer:
            for i in range(MANY):
                # Also from other customers, at the same host.
                deliverer.deliver(post(f"http://127.0.0.1:{mute.port}/{i}", 1, f"c{i}", key=f"k{i % 3}"))
            with trio.fail_after(PATIENCE):
                await mute.arrived.wait()
                goods = [post(f"http://127.0.0.1:{well.port}/b", 1, f"g{i}") for i in range(50)]
                await store.submit(Write(posts=goods)).wait()
                for one in goods:
                    deliverer.deliver(one)
                while deliverer.delivered < len(goods):  # noqa: ASYNC110
                    await trio.sleep(0.01)
            # None of the others has come to anything yet: nobody waited for it.
            assert deliverer.failed_attempts == 0
            assert mute.at_once == 3 * PER_RECEIVER
        nursery.cancel_scope.cancel()
