"""Rooms on real SIP: who hears whom, by the frequencies that each far end sends, across workers that die."""

import os
import random
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import trio
from attrs import define

from ringful.media import port, wav
from tests.media.test_pool import Line, line, over, samples
from tests.server import PATIENCE, phone

ROOM = "room"
LEVEL = 1200
"""The amplitude of each tone: twelve of them, and an announcement, are not too loud together."""
ANNOUNCED = 3300.0
ABSENT, THERE, LOUDER = 0.1, 0.6, 1.2
"""What parts of what was sent are none of it, and all of it: a machine with too much to do loses some."""


def write_sine(path: Path, hertz: float, seconds: float) -> None:
    time = np.arange(round(seconds * wav.RATE)) / wav.RATE
    sound = (LEVEL * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()
    path.write_bytes(wav.header(len(sound)) + sound)


def hertz(number: int) -> float:
    return 300.0 + 220.0 * number


def level(sound: "np.ndarray[Any, Any]", at: float) -> float:
    """Say how much of the frequency *at* is in *sound*; 1 is as much as was sent.

    It is that of the middle one of its fifths of a second: where a machine has too much to do a packet is
    late, and what follows it is shifted.
    """
    count = max(1, len(sound) // 1600)
    return float(np.median([_level(piece, at) for piece in np.array_split(sound, count)]))


def _level(sound: "np.ndarray[Any, Any]", at: float) -> float:
    window = np.hanning(len(sound))
    wave = np.exp(-2j * np.pi * at * np.arange(len(sound)) / 8000)
    return float(abs((sound * window * wave).sum()) * 2 / window.sum() / LEVEL)


@define
class Party:
    """Far ends that each send a frequency of their own as long as they are up."""

    calls: Line
    folder: Path
    phones: "list[subprocess.Popen[str]]"

    @property
    def legs(self) -> list[str]:
        return [f"c{number}" for number in range(len(self.phones))]

    def join(self, legs: Iterable[str], room: str = ROOM, heard_by: str | None = None, **how: bool) -> None:
        for leg in legs:
            self.calls.pool.join(room, leg, heard_by=heard_by, **how)

    async def hang_up(self, legs: Iterable[str]) -> None:
        """End calls, and wait until the phones have written down what they heard."""
        for leg in legs:
            self.calls.pool.hang_up(leg)
            await self.calls.next(port.HungUp, leg)
            await self.written(leg)

    async def written(self, leg: str) -> None:
        with trio.fail_after(PATIENCE):
            await trio.to_thread.run_sync(list, over(self.phones[int(leg[1:])]))

    def heard(self, leg: str, seconds: float = 1.0, before: float = 0.3) -> "np.ndarray[Any, Any]":
        """Give so many seconds of what the phone of *leg* heard, up to a while *before* its end."""
        sound = samples(self.folder / f"{leg}.wav")
        end = len(sound) - round(before * 8000)
        return sound[end - round(seconds * 8000) : end]

    def who(self, sound: "np.ndarray[Any, Any]") -> set[str]:
        """Say whose frequencies are in *sound*, each at its level: nothing may be there in part."""
        levels = {leg: level(sound, hertz(int(leg[1:]))) for leg in self.legs}
        assert all(one < ABSENT or THERE < one < LOUDER for one in levels.values()), levels
        return {leg for leg, one in levels.items() if one > 0.5}


@asynccontextmanager
async def party(folder: Path, count: int) -> AsyncIterator[Party]:
    """Give *count* legs that are answered, four to a worker, and a room."""
    write_sine(folder / "announced.wav", ANNOUNCED, 3.0)
    with ExitStack() as stack:
        addresses, phones = [], []
        for number in range(count):
            write_sine(folder / f"says{number}.wav", hertz(number), 60)
            options = ["--say", str(folder / f"says{number}.wav"), "--hear", str(folder / f"c{number}.wav")]
            address, process = stack.enter_context(phone("--answer-after", "0s", *options))
            addresses.append(address)
            phones.append(process)
        async with AsyncExitStack() as outer:
            calls = await outer.enter_async_context(line(folder))
            for number, address in enumerate(addresses):
                calls.ring(f"c{number}", address)
            await calls.all(port.Answered, count)
            calls.pool.open_room(ROOM, calls.send.send_nowait, speaking=True)
            await calls.next(port.Answered, ROOM)
            yield Party(calls, folder, phones)


async def test_twelve_legs_on_several_workers_hear_all_the_others(tmp_path: Path) -> None:
    async with party(tmp_path, 12) as all_of_them:
        calls, legs = all_of_them.calls, all_of_them.legs
        pool = calls.pool
        assert len([worker for worker in pool.workers if worker.legs]) == 3
        muted, deaf, hushed = "c3", "c5", "c7"
        pool.mute(hushed)
        all_of_them.join([leg for leg in legs if leg not in (muted, deaf)])
        all_of_them.join([muted], muted=True)
        all_of_them.join([deaf], deaf=True)
        pool.record(ROOM, 1, tmp_path / "room.wav")
        heard = set(legs) - {muted, hushed}
        with trio.fail_after(PATIENCE):
            while pool.speaking(ROOM) != heard:
                await calls.next(port.Speaking, ROOM)
        pool.play(ROOM, 2, port.Announcement("announced.wav"))
        pool.play(deaf, 1, port.Announcement("announced.wav"))
        await calls.next(port.PlaybackStarted, ROOM)
        await trio.sleep(2.3)
        pool.stop_recording(ROOM, 1)
        assert (await calls.next(port.RecordingEnded, ROOM)).reason == "stopped"
        await all_of_them.hang_up(legs)
        for leg in legs:
            sound = all_of_them.heard(leg)
            # What was played to it alone is heard by it, although it is deaf to the room.
            assert (leg == deaf) or all_of_them.who(sound) <= heard - {leg}
    recorded = samples(tmp_path / "room.wav")[-12_000:-4000]
    assert all_of_them.who(recorded) == heard
    assert THERE < level(recorded, ANNOUNCED) < LOUDER


async def test_each_hears_the_others_and_the_announcement_and_not_itself(tmp_path: Path) -> None:
    async with party(tmp_path, 6) as six:
        pool, legs = six.calls.pool, six.legs
        six.join(legs[:4])
        six.join(["c4"], muted=True)
        six.join(["c5"], deaf=True)
        pool.play(ROOM, 1, port.Announcement("announced.wav"))
        await six.calls.next(port.PlaybackStarted, ROOM)
        await trio.sleep(2.0)
        # All at once: whoever goes first would be missed by the others.
        for leg in legs:
            pool.hang_up(leg)
        await six.calls.all(port.HungUp, 6)
        for leg in legs:
            await six.written(leg)
    heard = {"c0", "c1", "c2", "c3", "c5"}
    for leg in legs:
        sound = six.heard(leg)
        assert six.who(sound) == (set() if leg == "c5" else heard - {leg}), leg
        announced = level(sound, ANNOUNCED)
        assert announced < ABSENT if leg == "c5" else THERE < announced < LOUDER


async def test_a_coach_is_heard_by_one_alone_in_its_own_worker_and_in_another(tmp_path: Path) -> None:
    async with party(tmp_path, 5) as some:
        calls, pool = some.calls, some.calls.pool
        full, other = sorted((sorted(one.legs) for one in pool.workers if one.legs), key=len, reverse=True)
        one, two, agent = full[:3]  # They live together, and *far* elsewhere.
        far, rest = other[0], {*full[3:], *other[1:]}
        some.join([one], heard_by=far)
        some.join([two], heard_by=agent)
        some.join([agent, far, *rest])
        pool.record(ROOM, 1, tmp_path / "room.wav")
        to_all = {agent, far} | rest
        with trio.fail_after(PATIENCE):
            while pool.speaking(ROOM) != to_all:
                await calls.next(port.Speaking, ROOM)
        await trio.sleep(2)
        pool.stop_recording(ROOM, 1)
        assert (await calls.next(port.RecordingEnded, ROOM)).reason == "stopped"
        await some.hang_up(some.legs)
        whispered = {agent: {two}, far: {one}}
        for leg in some.legs:
            assert some.who(some.heard(leg)) == (to_all - {leg}) | whispered.get(leg, set()), leg
        assert some.who(samples(tmp_path / "room.wav")[-8000:]) == to_all


async def test_who_leaves_is_heard_elsewhere_and_no_more_here(tmp_path: Path) -> None:
    async with party(tmp_path, 6) as six:
        pool, legs = six.calls.pool, six.legs
        six.join(legs)
        pool.open_room("other", six.calls.send.send_nowait)
        await six.calls.next(port.Answered, "other")
        with trio.fail_after(PATIENCE):
            while pool.speaking(ROOM) != set(legs):
                await six.calls.next(port.Speaking, ROOM)
        six.join(["c4", "c5"], "other")
        assert pool.speaking(ROOM) == set(legs) - {"c4", "c5"}
        pool.leave(ROOM, "c0")
        pool.connect("c0", "c1", 1)
        await six.calls.next(port.ConnectFailed, "c0")
        pool.leave(ROOM, "c1")
        pool.connect("c0", "c1", 2)
        await six.calls.next(port.Connected, "c0")
        await trio.sleep(1.7)
        # They spoke all the while, and begin to do so where they are now.
        assert pool.speaking("other") == {"c4", "c5"}
        assert pool.speaking(ROOM) == {"c2", "c3"}
        for leg in legs:
            pool.hang_up(leg)
        await six.calls.all(port.HungUp, 6)
        for leg in legs:
            await six.written(leg)
    beside = {"c0": "c1", "c1": "c0", "c2": "c3", "c3": "c2", "c4": "c5", "c5": "c4"}
    for leg, other in beside.items():
        assert six.who(six.heard(leg)) == {other}, leg


async def test_a_worker_that_dies_takes_its_legs_and_the_others_go_on(tmp_path: Path) -> None:
    async with party(tmp_path, 6) as six:
        calls, pool = six.calls, six.calls.pool
        six.join(six.legs)
        pool.record(ROOM, 1, tmp_path / "room.wav")
        pool.play(ROOM, 2, port.Announcement("announced.wav"))
        await calls.next(port.PlaybackStarted, ROOM)
        await trio.sleep(0.5)
        (doomed,) = [worker for worker in pool.workers if worker.voices]
        lost = set(doomed.legs)
        assert len(lost) == 4
        os.kill(doomed.pid, signal.SIGKILL)
        assert {event.leg for event in await calls.all(port.HungUp, 4)} == lost
        await calls.all(port.RecordingEnded, 1)
        assert [event.reason for event in calls.told if isinstance(event, port.RecordingEnded)] == ["lost"]
        assert port.PlaybackEnded(ROOM, 2, "hangup") in calls.told
        assert len(samples(tmp_path / "room.wav")) > 2000
        # The next order has a voice made where the others are.
        pool.play(ROOM, 3, port.Announcement("announced.wav"))
        pool.record(ROOM, 4, tmp_path / "again.wav")
        await calls.next(port.PlaybackStarted, ROOM)
        await trio.sleep(2.0)
        rest = [leg for leg in six.legs if leg not in lost]
        for leg in rest:
            pool.hang_up(leg)
        await calls.all(port.HungUp, 6)
        for leg in rest:
            await six.written(leg)
        pool.hang_up(ROOM)
        assert (await calls.next(port.RecordingEnded, ROOM)).reason == "hangup"
        assert await calls.next(port.HungUp, ROOM) == port.HungUp(ROOM, "server")
        assert pool.seats.taken == 0
    one, two = rest
    assert six.who(six.heard(one)) == {two}
    assert six.who(six.heard(two)) == {one}
    assert level(six.heard(one), ANNOUNCED) > THERE
    assert six.who(samples(tmp_path / "again.wav")[4000:12_000]) == set(rest)


async def test_a_room_whose_only_worker_dies_plays_on_in_the_next_one(tmp_path: Path) -> None:
    write_sine(tmp_path / "announced.wav", ANNOUNCED, 0.5)
    async with line(tmp_path) as calls:
        pool = calls.pool
        pool.open_room(ROOM, calls.send.send_nowait)
        pool.play(ROOM, 1, port.Announcement("announced.wav"))
        await calls.next(port.PlaybackStarted, ROOM)
        (doomed,) = pool.workers
        os.kill(doomed.pid, signal.SIGKILL)
        assert await calls.next(port.PlaybackEnded, ROOM) == port.PlaybackEnded(ROOM, 1, "hangup")
        pool.play(ROOM, 2, port.Announcement("announced.wav"))
        pool.record(ROOM, 3, tmp_path / "room.wav")
        assert await calls.next(port.PlaybackEnded, ROOM) == port.PlaybackEnded(ROOM, 2, "end")
        pool.hang_up(ROOM)
        await calls.next(port.HungUp, ROOM)
    assert level(samples(tmp_path / "room.wav")[800:3200], ANNOUNCED) > THERE


async def test_a_room_that_is_open_when_the_pool_ends_has_its_end(tmp_path: Path) -> None:
    write_sine(tmp_path / "announced.wav", ANNOUNCED, 5)
    async with line(tmp_path) as calls:
        calls.pool.open_room(ROOM, calls.send.send_nowait)
        calls.pool.play(ROOM, 1, port.Announcement("announced.wav"))
        await calls.next(port.PlaybackStarted, ROOM)
    assert await calls.next(port.HungUp, ROOM) == port.HungUp(ROOM, "lost", "the server ends")
    assert port.PlaybackEnded(ROOM, 1, "hangup") in calls.told


async def test_many_changes_leave_everybody_where_they_were_last_told_to_be(tmp_path: Path) -> None:
    chance = random.Random(9)
    async with party(tmp_path, 6) as six:
        calls, pool, legs = six.calls, six.calls.pool, six.legs
        pool.open_room("other", calls.send.send_nowait)
        await calls.next(port.Answered, "other")
        for number in range(600):
            leg, other = chance.sample(legs, 2)
            match chance.randrange(5):
                case 0:
                    pool.connect(leg, other, number)
                case 1:
                    pool.leave(chance.choice((ROOM, "other")), leg)
                case _:
                    muted, deaf = chance.random() < 0.3, chance.random() < 0.3
                    pool.join(chance.choice((ROOM, "other")), leg, muted=muted, deaf=deaf)
            if number % 7 == 0:
                await trio.sleep(0.01)
        for room, those in ((ROOM, legs[:3]), ("other", legs[3:])):
            six.join(those, room)
        await trio.sleep(2.0)
        # One seat for each, and nobody is left in any other.
        assert pool.seats.taken == 6
        for leg in legs:
            pool.hang_up(leg)
        await calls.all(port.HungUp, 6)
        for leg in legs:
            await six.written(leg)
        for room in (ROOM, "other"):
            pool.hang_up(room)
            await calls.next(port.HungUp, room)
        assert (pool.seats.taken, pool.seats.free) == (0, 128)
        ends = [event for event in calls.told if isinstance(event, port.Disconnected | port.ConnectFailed)]
        assert len({(event.leg, event.connection) for event in ends}) == len(ends)
    for leg in legs:
        three = set(legs[:3] if leg in legs[:3] else legs[3:])
        assert six.who(six.heard(leg)) == three - {leg}, leg
