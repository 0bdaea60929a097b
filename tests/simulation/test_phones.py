"""Both implementations of the media port are held to one contract."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast

import pytest
import trio
import trio.testing
from attrs import define, field

from ringful.command.demonstration.sounds import melody
from ringful.media import port
from ringful.media.pool import Pool, PoolSettings, open_pool
from ringful.media.sounds import SoundError
from ringful.simulation.phones import world
from ringful.simulation.phones.agenda import Agenda
from ringful.simulation.phones.phones import SimulatedPhones
from tests.phones_contract import CONTRACT, Far, Rig
from tests.rooms_contract import ROOMS, RoomRig
from tests.server import PATIENCE, phone

E = TypeVar("E", bound=port.Event)
OURS = "+18005550000"
Check = Callable[[Rig], Awaitable[None]]
RoomCheck = Callable[[RoomRig], Awaitable[None]]


@define
class Simulated:
    """Simulated phones in virtual time."""

    folder: Path
    phones: SimulatedPhones = field(init=False)
    told: list[port.Event] = field(factory=list)
    _agenda: Agenda = field(factory=Agenda)
    _outside: world.World = field(init=False)
    _seen: int = 0

    def __attrs_post_init__(self) -> None:
        lengths, missing = {"short": 0.6, "long": 20.0}, {"missing": "it is missing"}
        self._outside = world.World(lengths=lengths, missing=missing)
        self.phones = SimulatedPhones(self._agenda, self._outside)

    @property
    def rooms(self) -> port.Rooms:
        return self.phones

    def hear(self, event: port.Event) -> None:
        self.told.append(event)

    async def phone(self, far: Far) -> str:
        steps: list[world.Step] = []
        if far.status == 200:
            steps.append(world.Answer(world.After(far.rings)))
            steps += [world.Press(far.press, world.After(far.press_after))] if far.press else []
            steps += [world.Speak(0.6)] if far.speaks else []
            steps += [world.HangUp(world.After(far.hang_up_after))] if far.hang_up_after is not None else []
        else:
            reason: port.RefusalReason = "busy" if far.status == 486 else "rejected"
            steps.append(world.Refuse(reason, world.After(far.rings)))
        number = f"1512555000{len(self._outside.phones)}"
        phones = (*self._outside.phones, world.FarEnd(number, tuple(steps)))
        object.__setattr__(self._outside, "phones", phones)
        return number

    async def ring(self, far: Far, leg: str = "a") -> None:
        self.phones.ring(leg, await self.phone(far), None, self.told.append)

    async def call(self, far: Far, leg: str = "a") -> None:
        steps: list[world.Step] = [world.Press(far.press, world.After(far.press_after))] if far.press else []
        for after in (far.hang_up_after, far.gives_up_after):
            steps += [world.HangUp(world.After(after))] if after is not None else []
        object.__setattr__(self._outside, "callers", (world.Caller("15125550100", OURS, steps=tuple(steps)),))
        taken: list[port.Offer] = []

        def desk(offer: port.Offer) -> port.Taken:
            taken.append(offer)
            return port.Taken(leg, self.told.append)

        self.phones.open(desk)
        self._agenda.run(lambda: bool(taken))

    async def next(self, kind: type[E], leg: str = "a") -> E:
        while True:
            why = self._agenda.run(lambda: len(self.told) > self._seen, limit_seconds=3600)
            assert why == "until", f"nothing more comes: {self.told}"
            event = self.told[self._seen]
            self._seen += 1
            if isinstance(event, kind) and event.leg == leg:
                return event

    async def settle(self) -> None:
        self._agenda.run(limit_seconds=self._agenda.elapsed + 3600)


@define
class Files:
    """The sounds of the contract."""

    folder: Path

    def ready(self, sound: port.Sound) -> Path | None:
        assert isinstance(sound, port.Announcement)
        return None if sound.url == "missing" else self.folder / f"{sound.url}.wav"

    async def path(self, sound: port.Sound) -> Path:
        if found := self.ready(sound):
            return found
        raise SoundError("it is missing")


@define
class Real:
    """A pool, and phones on real SIP."""

    folder: Path
    phones: Pool
    _stack: ExitStack
    told: list[port.Event] = field(factory=list)
    _send: "trio.MemorySendChannel[port.Event]" = field(init=False)
    _receive: "trio.MemoryReceiveChannel[port.Event]" = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel(math.inf)

    @property
    def rooms(self) -> port.Rooms:
        return cast(port.Rooms, self.phones)

    def hear(self, event: port.Event) -> None:
        self.told.append(event)
        self._send.send_nowait(event)

    async def phone(self, far: Far) -> str:
        options = ["--answer-after", f"{far.rings}s", "--status", str(far.status)]
        options += ["--press", f"{far.press}@{far.press_after}s"] if far.press else []
        options += ["--say", str(self.folder / "short.wav"), "--say-after", "1"] if far.speaks else []
        options += ["--hang-up-after", f"{far.hang_up_after}s"] if far.hang_up_after is not None else []
        address, _ = self._stack.enter_context(phone(*options))
        return f"sip:1512@{address}"

    async def ring(self, far: Far, leg: str = "a") -> None:
        self.phones.ring(leg, await self.phone(far), None, self.hear)

    async def call(self, far: Far, leg: str = "a") -> None:
        taken = trio.Event()

        def desk(offer: port.Offer) -> port.Taken:
            assert offer.called == OURS
            taken.set()
            return port.Taken(leg, self.hear)

        self.phones.open(desk)
        options = ["--press", f"{far.press}@{far.press_after}s"] if far.press else []
        options += ["--hang-up-after", f"{far.hang_up_after}s"] if far.hang_up_after is not None else []
        options += ["--give-up-after", f"{far.gives_up_after}s"] if far.gives_up_after is not None else []
        server = self.phones.addresses[0]
        self._stack.enter_context(phone("--call", OURS, "--server", server, *options))
        with trio.fail_after(PATIENCE):
            await taken.wait()

    async def next(self, kind: type[E], leg: str = "a") -> E:
        with trio.fail_after(PATIENCE):
            while True:
                event = await self._receive.receive()
                if isinstance(event, kind) and event.leg == leg:
                    return event

    async def settle(self) -> None:
        # Events of a worker come one after another, and the last of them has been taken already.
        await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def real(folder: Path) -> AsyncIterator[Real]:
    (folder / "short.wav").write_bytes(melody([440], 0.6))
    (folder / "long.wav").write_bytes(melody([440], 20))
    with ExitStack() as stack:
        async with open_pool(PoolSettings(), Files(folder)) as pool:
            yield Real(folder, pool, stack)


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_simulated_phones(check: Check, tmp_path: Path) -> None:
    await check(Simulated(tmp_path))


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_real_phones(check: Check, tmp_path: Path) -> None:
    async with real(tmp_path) as rig:
        await check(rig)


@pytest.mark.parametrize("check", ROOMS, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_simulated_rooms(check: RoomCheck, tmp_path: Path) -> None:
    await check(Simulated(tmp_path))


@pytest.mark.skipif(not hasattr(Pool, "open_room"), reason="the pool has no rooms yet")
@pytest.mark.parametrize("check", ROOMS, ids=lambda check: check.__name__.removeprefix("check_"))
async def test_real_rooms(check: RoomCheck, tmp_path: Path) -> None:
    async with real(tmp_path) as rig:
        await check(rig)
