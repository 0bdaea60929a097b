"""What nobody expected ends the one thing that it befell: thrown in everywhere, while a call is up.

One house with real workers and a real phone stands through it all; after each fault a call that was up
before the first of them plays an announcement to its end.
"""

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from functools import partial
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl

import pytest
import structlog
import trio
import trio.lowlevel
from attrs import define, evolve, field

from ringful.command.configuration.config import Config
from ringful.command.demonstration.sounds import melody
from ringful.command.serving.house import Joined, open_house
from ringful.grammar.reading.parser import parse, parse_statements
from ringful.ground.faults import Fence
from ringful.http.authenticate import Authenticator
from ringful.http.desks.numbers import NumberDesk
from ringful.http.exchange import Request, Response
from ringful.http.incoming import Incoming
from ringful.http.outward.callbacks import Deliverer
from ringful.http.outward.outbound import Outbound
from ringful.http.problems import Problem
from ringful.http.serve import serve
from ringful.interpreter.calls.live import LiveCall
from ringful.interpreter.calls.node import Switchboard
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.calls.switchboard import Unavailable
from ringful.interpreter.events import Interrupted, Started, TimerFired
from ringful.interpreter.money.ledger import Ledger
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.run import Run
from ringful.media import port
from ringful.media.library.announcements import Library
from ringful.media.library.converter import Converter
from ringful.media.pool import Pool
from ringful.media.ways import Ways
from ringful.media.worker_process import WorkerProcess
from ringful.media.workers import Workers
from ringful.store import rows
from ringful.store.change import Scribe
from ringful.store.port import Entry, Key, Number, Write
from tests.hostile import Answer, Web, hostile_web, said
from tests.inside import asked, text_of
from tests.server import PATIENCE, phone

ERRORS = (RuntimeError, ValueError, UnicodeError, MemoryError, RecursionError)
KEY = Key("k", "c2VjcmV0", "test", 0.0, signing=False, concurrent=1000, calls_per_second=1000.0)
BYSTANDER = "15125550000"
FAULT = "a fault of the server; its log has more under "


@define(eq=False)
class Ward:
    """The house under test, and what has happened in it."""

    house: Joined
    web: Web
    logged: list[dict[str, Any]]
    entries: list[Entry] = field(factory=list)
    happened: trio.Event = field(factory=trio.Event)
    bystander: str = ""
    played: int = 0

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.happened.set()
        self.happened = trio.Event()

    async def until(self, wanted: Callable[[Entry], bool]) -> Entry:
        """Wait for an entry, which may have come already."""
        with trio.fail_after(PATIENCE):
            while True:
                for entry in self.entries:
                    if wanted(entry):
                        return entry
                await self.happened.wait()

    async def told(self, call_id: str, action: str) -> dict[str, Any]:
        """Wait until *call_id* has told *action*."""
        entry = await self.until(lambda one: one.call_id == call_id and told_in(one).get("action") == action)
        return told_in(entry)

    async def ended(self, call_id: str) -> str:
        """Wait until *call_id* is gone, and its record says so; give the outcome."""
        with trio.fail_after(PATIENCE):
            call = self.house.switchboard.live.get(call_id)
            if call:
                await call.done.wait()
            await self.house.store.submit(Write()).wait()  # All that was given before is durable then.
        assert call_id not in self.house.switchboard.live
        record = await self.house.store.call(call_id)
        assert record
        assert record.state == "ended"
        return record.outcome

    async def place(self, text: str) -> str:
        with trio.fail_after(PATIENCE):
            call_id = self.house.switchboard.new_id()
            await self.house.switchboard.place(KEY, call_id, Started(parse(text)))
            return call_id

    async def hang_up(self) -> None:
        """End all calls but the bystander: a phone has so many lines."""
        for call_id, call in list(self.house.switchboard.live.items()):
            if call_id != self.bystander:
                call.run.post(Interrupted("hangup"))
                with trio.fail_after(PATIENCE):
                    await call.done.wait()

    async def goes_on(self) -> None:
        """Hold that the bystander is up, and hears an announcement to its end."""
        self.played += 1
        wanted = {"action": "PlayComplete", "reason": "end"}
        (play,) = parse_statements(f'play "short" notify "{self.web.url}/{self.played}"')
        with trio.fail_after(PATIENCE):
            await self.house.switchboard.queue(KEY, self.bystander, play)
        here = f"{self.web.url}/{self.played}"
        await self.until(lambda one: one.data.get("url") == here and wanted.items() <= told_in(one).items())

    def fault(self) -> dict[str, Any]:
        """Take the line that the log has of the fault, with its traceback and its ID."""
        lines = [line for line in self.logged if line["event"] == "a fault of ringful itself"]
        assert lines, self.logged
        self.logged.clear()
        assert all(line["fault"] and line["exc_info"] for line in lines)
        return lines[0]


def told_in(entry: Entry) -> dict[str, Any]:
    """Give the fields of a callback; none where *entry* is none."""
    return dict(entry.data["fields"]) if entry.name == "Notify" else {}


@define
class Thrower:
    """Raises *error* where it is told to."""

    monkeypatch: pytest.MonkeyPatch
    error: type[Exception]
    thrown: int = 0

    def at(
        self, owner: Any, name: str, when: Callable[..., bool] = lambda *_, **__: True, times: int = 1
    ) -> None:
        """Raise it in place of calling *name* of *owner*, the first *times* that *when* holds."""
        usual = getattr(owner, name)

        def throwing(*args: Any, **more: Any) -> Any:
            if self.thrown < times and when(*args, **more):
                self.thrown += 1
                raise self.error("thrown in")
            return usual(*args, **more)

        self.monkeypatch.setattr(owner, name, throwing)


@define
class Stage:
    """Where the house runs: a thread of its own."""

    token: trio.lowlevel.TrioToken | None = None
    ward: Ward | None = None
    ready: Event = field(factory=Event)
    over: trio.Event | None = None

    async def run(self, folder: Path, trunk: str) -> None:
        sounds = folder / "announcements"
        sounds.mkdir()
        (sounds / "short.wav").write_bytes(melody([440], 0.05))
        self.token, self.over = trio.lowlevel.current_trio_token(), trio.Event()
        with structlog.testing.capture_logs() as logged:
            async with hostile_web(Answer(said(body=melody([523], 0.05)))) as web:
                entries: list[Callable[[Entry], None]] = []
                async with open_house(
                    config(folder, trunk), watchers=(lambda one: entries[0](one),)
                ) as house:
                    self.ward = Ward(house, web, logged)  # type: ignore[arg-type]
                    entries.append(self.ward.note)
                    await house.store.put_key(KEY)
                    self.ward.bystander = await self.ward.place(f'call "{BYSTANDER}"\nstay\n')
                    await self.ward.until(lambda one: one.name == "Answered")
                    self.ready.set()
                    await self.over.wait()

    def do(self, act: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Do *act* in the house's thread."""
        trio.from_thread.run(act, self.ward, *args, trio_token=self.token)


def config(folder: Path, trunk: str) -> Config:
    usual = Config()
    return evolve(
        usual,
        http=evolve(usual.http, bind="127.0.0.1:0"),
        sip=evolve(usual.sip, bind="127.0.0.1:0", trunk=f"sip:{trunk}"),
        media=evolve(usual.media, folders=(folder / "announcements",), cache=folder / "cache"),
        store=evolve(usual.store, url=f"sqlite:///{folder}/s.db", recordings=folder / "recordings"),
        fetch=evolve(usual.fetch, allow=(ip_network("127.0.0.0/8"),)),
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage()
    usual = pytest.MonkeyPatch()
    usual.setattr("ringful.media.workers.IDLE_SECONDS", 0.3)
    usual.setattr("ringful.http.outward.callbacks.PAUSES", (0.01,))
    with phone("--answer-after", "0s") as (address, _):
        folder = tmp_path_factory.mktemp("house")
        thread = Thread(target=trio.run, args=(made.run, folder, address), daemon=True)
        thread.start()
        try:
            assert made.ready.wait(PATIENCE)
            yield made
        finally:
            if made.token is not None and made.over is not None:
                made.token.run_sync_soon(made.over.set)
            thread.join(PATIENCE)
            usual.undo()


# What is done, with a fault thrown in, and what must come of it


async def a_fetch(ward: Ward, throw: Thrower) -> None:
    throw.at(Outbound, "_get", times=100)  # It is fetched ahead, too.
    call_id = await ward.place(
        f'call "15125550001"\nplay "{ward.web.url}?{throw.error.__name__}" notify "{ward.web.url}"\n'
    )
    assert (await ward.told(call_id, "PlayFailed"))["reason"].startswith(f"it cannot be fetched: {FAULT}")
    assert await ward.ended(call_id) == "completed"


async def a_conversion(ward: Ward, throw: Thrower) -> None:
    throw.at(Converter, "convert", times=100)
    ward.web.answer = Answer(said(body=melody([300 + len(ward.entries)], 0.05)))
    call_id = await ward.place(f'call "15125550001"\nplay "{ward.web.url}" notify "{ward.web.url}"\n')
    assert (await ward.told(call_id, "PlayFailed"))["reason"].startswith(FAULT)
    assert await ward.ended(call_id) == "completed"


async def the_making_of_a_sound(ward: Ward, throw: Thrower) -> None:
    throw.at(Library, "path", lambda _, sound: sound == port.Announcement("short2"), 100)
    call_id = await ward.place(f'call "15125550001"\nplay "short2" notify "{ward.web.url}"\n')
    assert (await ward.told(call_id, "PlayFailed"))["reason"].startswith(FAULT)


async def the_playing_of_a_sound(ward: Ward, throw: Thrower) -> None:
    throw.at(Pool, "_play_now")
    call_id = await ward.place(f'call "15125550001"\nplay "short" notify "{ward.web.url}"\n')
    assert (await ward.told(call_id, "PlayFailed"))["reason"].startswith(FAULT)
    assert await ward.ended(call_id) == "completed"


async def the_placing_of_a_call(ward: Ward, throw: Thrower) -> None:
    throw.at(Ways, "targets")
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\n')
    assert (await ward.told(call_id, "CallFailed"))["reason"] == "unreachable"
    assert await ward.ended(call_id) == "unreachable"


async def a_turn(ward: Ward, throw: Thrower) -> None:
    throw.at(Run, "_take", lambda _, event: isinstance(event, port.Answered))
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\nstay\n')
    await ward.ended(call_id)
    assert (await ward.told(call_id, "CallFailed"))["reason"] == "unreachable"


async def what_follows_a_turn(ward: Ward, throw: Thrower) -> None:
    throw.at(LiveCall, "_record", of_an_answered_call)
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\nstay\n')
    await ward.ended(call_id)
    await ward.told(call_id, "ServerHangup")


async def all_that_follows_a_turn(ward: Ward, throw: Thrower) -> None:
    """Where not even the end can be made of it, the call is cut."""
    throw.at(LiveCall, "_submit", of_an_answered_call, times=2)
    call_id = await ward.place('call "15125550001"\nstay\n')
    assert await ward.ended(call_id) == "lost"


def of_an_answered_call(call: LiveCall, *_: object) -> bool:
    return call.key.key == KEY.key and any(
        leg.answered_at and leg.number != BYSTANDER for leg in call.run.legs.values()
    )


async def a_timer(ward: Ward, throw: Thrower) -> None:
    throw.at(Run, "post", lambda _, event, *__: isinstance(event, TimerFired))
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\nwait 10ms\n')
    assert await ward.ended(call_id)
    await ward.told(call_id, "ServerHangup")


async def the_end_of_a_keys_money(ward: Ward, throw: Thrower) -> None:
    """The look is repeated, and the call ends for want of money all the same."""
    throw.at(Ledger, "advance")
    till = ward.house.switchboard.till
    till.rates = RateTable((Rate(per_minute=Decimal("0.6")),))
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\nstay\n')
    await ward.told(call_id, "CallEstablished")
    cap = till.ledger.committed(KEY.key, till.clock())
    await ward.house.store.put_key(evolve(KEY, spending_cap=cap))
    till.set_cap(KEY.key, cap)
    try:
        await ward.told(call_id, "SpendingCapReached")
        await ward.ended(call_id)
    finally:
        await ward.house.store.put_key(KEY)
        till.set_cap(KEY.key, None)
        till.rates = RateTable()


async def an_ask(ward: Ward, throw: Thrower) -> None:
    throw.at(Outbound, "_post")
    ask = f'ask "{ward.web.url}" as a for 5s else {{ notify "{ward.web.url}" with {{ action: "else" }} }}'
    call_id = await ward.place(f'call "15125550001"\n{ask}\n')
    await ward.told(call_id, "else")
    failed = await ward.until(lambda one: one.call_id == call_id and one.name == "WebFailed")
    assert failed.data["reason"].startswith(FAULT)


async def a_follow(ward: Ward, throw: Thrower) -> None:
    throw.at(Outbound, "_post")
    call_id = await ward.place(f'call "15125550001"\nfollow "{ward.web.url}"\n')
    failed = await ward.until(lambda one: one.call_id == call_id and one.name == "WebFailed")
    assert failed.data["reason"].startswith(FAULT)
    assert await ward.ended(call_id)


async def a_delivery(ward: Ward, throw: Thrower) -> None:
    """It is made again, like any that fails."""
    throw.at(Deliverer, "_post")
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\n')
    await ward.ended(call_id)
    await delivered(ward, call_id, {"delivered"})


async def what_follows_a_delivery(ward: Ward, throw: Thrower) -> None:
    """It is not made again before the next start; those behind it are."""
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\nstay\n')
    throw.at(Deliverer, "_keep_delivered", lambda _, __, lane, *___: lane.call_id == call_id)
    await ward.told(call_id, "CallEstablished")
    ward.house.switchboard.live[call_id].run.post(Interrupted("hangup"))
    await ward.ended(call_id)
    await delivered(ward, call_id, {"pending", "delivered"})


async def the_handing_over_of_a_callback(ward: Ward, throw: Thrower) -> None:
    throw.at(Deliverer, "_take")
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\n')
    assert await ward.ended(call_id) == "completed"


async def delivered(ward: Ward, call_id: str, wanted: set[str]) -> None:
    with trio.fail_after(PATIENCE):
        await ward.house.deliverer.until_idle()
    assert {one.state for one in await ward.house.store.posts(call_id)} == wanted


async def a_request(ward: Ward, throw: Thrower) -> None:
    throw.at(Authenticator, "key_of")
    status, text = await requested(ward, "/QueryCall/apikey/k?callId=x")
    assert (status, FAULT in text) == (500, True)


async def the_desk_of_numbers(ward: Ward, throw: Thrower) -> None:
    throw.at(NumberDesk, "answer")
    status, text = await requested(ward, "/Number/apikey/k")
    assert (status, FAULT in text) == (500, True)


async def a_read_of_the_store(ward: Ward, throw: Thrower) -> None:
    call_id = await ward.place('call "15125550001"\n')
    await ward.ended(call_id)
    throw.at(rows, "to_call")
    status, text = await requested(ward, f"/QueryCall/apikey/k?callId={call_id}")
    assert (status, text.partition(":")[0]) == (503, "server.store")


async def requested(ward: Ward, path: str) -> tuple[int, str]:
    with trio.fail_after(PATIENCE):
        bare, _, query = path.partition("?")
        answer = await asked(ward.house.app, bare, dict(parse_qsl(query)))
        return answer.status, text_of(answer)


async def a_write_to_the_store(ward: Ward, throw: Thrower) -> None:
    throw.at(Scribe, "write", lambda _, __, writes: any(new(one) for one in writes), times=100)
    with pytest.raises(Unavailable, match=FAULT):
        await ward.place('call "15125550009"\n')


def new(write: Write) -> bool:
    return any(one.callee == "15125550009" for one in write.get("calls", ()))


async def the_writers_thread(ward: Ward, throw: Thrower) -> None:
    writer = import_module("ringful.store.writer")
    throw.at(writer.Writer, "_commit", lambda _, writes: any(new(one) for one in writes))
    with pytest.raises(Unavailable, match=FAULT):
        await ward.place('call "15125550009"\n')


async def an_arrival(ward: Ward, throw: Thrower) -> None:
    """Whose turn it is to say who takes it: nobody does."""
    throw.at(Numbers, "at")
    assert ward.house.pool._reception.ask(port.Offer("+15125550002", "+15125550003")) == "noanswer"


async def the_beginning_of_an_arrival(ward: Ward, throw: Thrower) -> None:
    throw.at(Switchboard, "know")
    numbers = ward.house.pool._reception.desk.__self__._lines  # type: ignore[union-attr]
    await numbers.bind(KEY, Number("+15125550003", "k", 0.0, callback_url=ward.web.url), [])
    taken = ward.house.pool._reception.ask(port.Offer("+15125550002", "+15125550003"))
    assert isinstance(taken, port.Taken)
    await logged(ward)


async def what_a_worker_says(ward: Ward, throw: Thrower) -> None:
    """The call that it speaks of ends, and no other of that worker."""
    throw.at(
        WorkerProcess, "_take", lambda _, __, message: message.get("leg", "") not in ("", ward.bystander)
    )
    call_id = await ward.place(f'call "15125550001" notify "{ward.web.url}"\nstay\n')
    assert await ward.ended(call_id) == "unreachable"


async def the_idle_ones(ward: Ward, throw: Thrower) -> None:
    throw.at(Workers, "_let_idle_go")
    await logged(ward)


async def the_start_of_a_worker(ward: Ward, throw: Thrower) -> None:
    throw.at(import_module("ringful.media.workers"), "start_worker")
    ward.house.pool.crew._start()
    await logged(ward)


async def a_watcher(ward: Ward, throw: Thrower) -> None:
    def watch(_: Entry) -> None:
        throw.thrown += 1
        raise throw.error("thrown in")

    ward.house.switchboard.house.watchers.append(watch)
    try:
        call_id = await ward.place('call "15125550001"\n')
        assert await ward.ended(call_id) == "completed"
    finally:
        ward.house.switchboard.house.watchers.pop()


async def logged(ward: Ward) -> None:
    with trio.fail_after(PATIENCE):
        while not ward.logged:  # noqa: ASYNC110 (what is logged wakes nobody)
            await trio.sleep(0.005)


PLACES = (
    a_fetch,
    a_conversion,
    the_making_of_a_sound,
    the_playing_of_a_sound,
    the_placing_of_a_call,
    a_turn,
    what_follows_a_turn,
    all_that_follows_a_turn,
    a_timer,
    the_end_of_a_keys_money,
    an_ask,
    a_follow,
    a_delivery,
    what_follows_a_delivery,
    the_handing_over_of_a_callback,
    a_request,
    the_desk_of_numbers,
    a_read_of_the_store,
    a_write_to_the_store,
    the_writers_thread,
    an_arrival,
    the_beginning_of_an_arrival,
    what_a_worker_says,
    the_idle_ones,
    the_start_of_a_worker,
    a_watcher,
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_fault_ends_what_it_befell_and_nothing_else(
    stage: Stage, place: Callable[[Ward, Thrower], Awaitable[None]]
) -> None:
    async def all_errors(ward: Ward) -> None:
        for error in ERRORS:
            ward.logged.clear()
            with pytest.MonkeyPatch.context() as patch:
                throw = Thrower(patch, error)
                try:
                    await place(ward, throw)
                    assert throw.thrown
                finally:
                    await ward.hang_up()
            assert isinstance(ward.fault()["exc_info"], error)
            await ward.goes_on()

    stage.do(all_errors)


def test_a_worker_that_cannot_be_understood_twice_is_let_go(stage: Stage) -> None:
    """Its calls end as lost, and the next call finds another."""

    async def twice(ward: Ward) -> None:
        with pytest.MonkeyPatch.context() as patch:
            throw = Thrower(patch, ValueError)
            throw.at(WorkerProcess, "_take", times=2)
            lost = await ward.place('call "15125550001"\nstay\n')
            await ward.ended(lost)
            # It ends with its worker, which is let go at the second one.
            await ward.ended(ward.bystander)
            assert throw.thrown == 2
        ward.bystander = await ward.place(f'call "{BYSTANDER}"\nstay\n')
        await ward.goes_on()

    stage.do(twice)


class Here:
    """Answers whatever is asked."""

    def room_for(self, _path: str) -> int:
        return 0

    def can_be_left(self, _request: Request) -> bool:
        return False

    async def answer(self, _request: Request) -> Response:
        return Response("here")

    def refuse(self, problem: Problem) -> Response:
        raise AssertionError(problem)

    def gave_way(self) -> None:
        raise AssertionError


async def test_a_fault_of_a_clients_connection_ends_it_alone(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    (url,) = await nursery.start(partial(serve, most=9), Here(), "127.0.0.1:0", trio.sleep_forever)
    port_of = int(url.rpartition(":")[2])

    async def got_from() -> bytes:
        """Give what is answered, until it is whole or the connection ends."""
        got = b""
        with trio.fail_after(PATIENCE):
            async with await trio.open_tcp_stream("127.0.0.1", port_of) as stream:
                await stream.send_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                while not got.endswith(b"here"):
                    part = await stream.receive_some()
                    if not part:
                        break
                    got += part
        return got

    for error in ERRORS:
        with structlog.testing.capture_logs() as logged, pytest.MonkeyPatch.context() as patch:
            throw = Thrower(patch, error)
            throw.at(Incoming, "feed")
            assert await got_from() == b""
            assert throw.thrown
        assert [line["doing"] for line in logged] == ["a client's connection"]
        assert (await got_from()).endswith(b"here")
    nursery.cancel_scope.cancel()


async def test_a_fence_keeps_faults_from_the_others() -> None:
    went_on = trio.Event()

    async def falls(error: type[Exception]) -> None:
        raise error("thrown in")

    async def goes() -> None:
        await trio.lowlevel.checkpoint()
        went_on.set()

    with structlog.testing.capture_logs() as logged:
        async with trio.open_nursery() as nursery:
            for error in ERRORS:
                Fence(nursery).start_soon(falls, error)
            Fence(nursery).start_soon(goes)
    assert went_on.is_set()
    assert len({line["fault"] for line in logged}) == len(ERRORS)
