"""A server in this process, without a network: façade, switchboard, and simulated phones in real time."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from ringful.command.serving.house import shipped_scripts
from ringful.ground.faults import Fence
from ringful.ground.metrics import Metrics
from ringful.http.app import App, make_app
from ringful.http.desks.library import Library
from ringful.http.desks.messages import KeywordDesk
from ringful.http.desks.numbers import NumberDesk
from ringful.http.desks.recordings import RecordingDesk
from ringful.http.desks.simulate import Order, Simulated
from ringful.http.facade import Settings
from ringful.http.probes import Probes, Readiness
from ringful.http.reading.requests import Dialect
from ringful.interpreter.calls.limits import may_call
from ringful.interpreter.calls.live import House
from ringful.interpreter.calls.log import CallsLog
from ringful.interpreter.calls.metrics import CallsMetrics
from ringful.interpreter.calls.node import NodeLimits, Switchboard
from ringful.interpreter.calls.numbers import Numbers
from ringful.interpreter.calls.trunk_failures import trunk_of
from ringful.interpreter.messages.incoming import Inbox
from ringful.interpreter.messages.keywords import Keywords
from ringful.interpreter.messages.office import MessageSettings, Office
from ringful.interpreter.messages.room import MessageRoom
from ringful.interpreter.money.rates import Rate, RateTable
from ringful.interpreter.settings import Settings as RunSettings
from ringful.interpreter.values import Value
from ringful.messages.port import Transport
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.phones import SimulatedPhones
from ringful.store.open import open_store
from ringful.store.port import Entry, Key, Post, StoreError, Write
from ringful.store.sql import SqlStore
from tests.inside import asked, text_of

KEY = Key("k", "c2VjcmV0", "test", 0.0, signing=False, concurrent=1000, calls_per_second=1000.0)
OTHER = Key("o", "b3RoZXI=", "other", 0.0, signing=False)
PATIENCE = 10.0
SETTINGS = RunSettings(rates=RateTable((Rate(per_minute=Decimal("0.6")),)))
HOOK = "http://app.example/told"


@define(frozen=True)
class Said:
    """What the façade answered."""

    status: int
    text: str

    @property
    def code(self) -> str:
        """The code of what is wrong."""
        return self.text.split(":")[0] if self.status >= 400 else ""


@define(eq=False)
class Rig:
    """A server, and what has happened in it."""

    switchboard: Switchboard
    store: SqlStore
    phones: SimulatedPhones
    app: App
    metrics: Metrics
    folder: Path
    posts: list[Post] = field(factory=list)
    entries: list[Entry] = field(factory=list)
    office: Office | None = None
    carriers: Sequence[Transport] = ()
    numbers: NumberDesk | None = None

    async def ask(self, method: str, key: Key = KEY, **given: str) -> Said:
        """Ask for text."""
        answer = await asked(self.app, f"/{method}/apikey/{key.key}", given)
        return Said(answer.status, text_of(answer))

    async def get(self, method: str, **given: str) -> str:
        """Ask for what must be given."""
        said = await self.ask(method, **given)
        assert said.status == 200, said
        return said.text.strip("\n")

    async def json(self, method: str, **given: str) -> dict[str, Any]:
        """Ask for JSON that must be given."""
        answer = await asked(self.app, f"/{method}/apikey/{KEY.key}", given, accept="application/json")
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def up(self, number: str, **given: str) -> str:
        """Call *number*, and wait until it is answered."""
        call_id = await self.get("Call", callee=number, **given)
        await self.until(lambda: self.leg_up(call_id))
        return call_id

    def leg_up(self, call_id: str) -> bool:
        """Say whether the own leg of a call is up."""
        call = self.switchboard.live.get(call_id)
        return bool(call and call.run.subject and call.run.subject.state == "up")

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until it is so."""
        with trio.fail_after(PATIENCE):
            while not true():  # noqa: ASYNC110  # what is waited for has no event
                await trio.sleep(0.005)

    def told(self, action: str, **fields: str) -> list[Mapping[str, str]]:
        """Give the callbacks of *action* that have these fields."""
        wanted = {"action": action, **fields}
        return [post.fields for post in self.posts if wanted.items() <= post.fields.items()]

    async def hears(self, action: str, **fields: str) -> Mapping[str, str]:
        """Wait for a callback."""
        await self.until(lambda: self.told(action, **fields))
        return self.told(action, **fields)[0]

    def members(self, conference: str) -> dict[str, str]:
        """Give who hears and is heard in a room, and how."""
        found = [room for room in self.phones.rooms if room.name == conference]
        return {
            name: "muted" * (name in room._muted) + "deaf" * (name in room._deaf)
            for room in found
            for name in room.members
        }

    async def settle(self) -> None:
        """Wait until nothing more comes of what was asked for."""
        seen = -1
        while seen != len(self.entries):
            seen = len(self.entries)
            await trio.sleep(0.08)

    async def quiet(self) -> None:
        """Wait until nothing lives, and all that it wrote is on the disk."""
        await self.until(lambda: not self.switchboard.live)
        await self.kept()

    async def kept(self) -> None:
        """Wait until all that was written is on the disk, unless the store refuses it."""
        with suppress(StoreError):
            await self.store.submit(Write()).wait()


@asynccontextmanager
async def house(
    folder: Path,
    *far_ends: world.FarEnd,
    limits: NodeLimits | None = None,
    transports: Sequence[Transport] = (),
    mail: MessageSettings | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Rig]:
    """Open one; what far ends do happens in real time, and messages go by *transports*."""
    agenda, posts, entries = Agenda(), [], []  # type: ignore[var-annotated]
    outside = world.World(far_ends, lengths={"short": 0.05, "long": 60.0})
    phones = SimulatedPhones(agenda, outside, keep_files=False)

    async def ask(_url: str, _fields: Mapping[str, str], _want: str) -> Value:
        raise OSError("there is no web")

    async def simulate(_order: Order) -> Simulated:
        raise AssertionError("nothing is simulated")

    async def remove(_files: object) -> float:
        raise AssertionError("nothing is removed")

    async def pump() -> None:
        began = trio.current_time()
        while True:
            agenda.catch_up(trio.current_time() - began)
            await trio.sleep(0.005)

    async with open_store(f"sqlite:///{folder}/ringful.db") as store, trio.open_nursery() as nursery:
        for key in (KEY, OTHER):
            await store.put_key(key)
        office = Office(
            store,
            posts.append,
            {one.carrier: one for one in transports},
            mail or MessageSettings("+15125550000", usual=transports[0].carrier if transports else None),
            lambda key, number: may_call(number, key.prefixes, "US"),
            clock,
        )
        inside = House(
            phones,
            store,
            posts.append,
            ask,
            SETTINGS,
            folder,
            lambda key, number: may_call(number, key.prefixes, "US"),
            office=office,
            watchers=[entries.append],
        )
        tasks = Fence(nursery)
        limits = limits or NodeLimits(max_calls=200)
        switchboard = Switchboard(inside, tasks, limits)
        metrics, find = Metrics(), switchboard.live.get
        inside.watchers.extend(
            (CallsLog(find, lambda _: trunk_of("sip:h", "")).watch, CallsMetrics(find, metrics).watch)
        )
        scripts = Library(store, shipped_scripts(), SETTINGS)
        numbers = NumberDesk(scripts, Numbers(store, "US"))
        keywords = KeywordDesk(scripts, Keywords(store, "US"), numbers.numbers)
        await numbers.numbers.load()
        inbox = Inbox(
            office,
            keywords.keywords,
            keywords.started,
            switchboard.take_message,
            switchboard.new_id,
            lambda number: bound.key if (bound := numbers.numbers.at(number)) else None,
            switchboard.know_named,
        )
        room = MessageRoom(office, inbox)
        await room.open(transports, tasks)
        facade = Settings(RecordingDesk(store, folder, SETTINGS.links, remove), Dialect(), simulate)
        allowed = (ip_network("127.0.0.0/8"),)
        app = make_app(switchboard, store, facade, numbers, keywords, Probes(metrics, Readiness({}), allowed))
        nursery.start_soon(pump)
        yield Rig(
            switchboard, store, phones, app, metrics, folder, posts, entries, office, transports, numbers
        )
        nursery.cancel_scope.cancel()


def answers(number: str | None, *steps: world.Step, after: float = 0.01) -> world.FarEnd:
    """Give a phone that answers and does *steps*."""
    return world.FarEnd(number, (world.Answer(world.After(after)), *steps))


def never(number: str) -> world.FarEnd:
    """Give a phone that rings for ever."""
    return world.FarEnd(number)


def busy(number: str) -> world.FarEnd:
    """Give a phone that is busy."""
    return world.FarEnd(number, (world.Refuse("busy"),))
