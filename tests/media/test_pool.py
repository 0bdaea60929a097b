"""The pool on real SIP and RTP: sound is compared with what was sent, and workers die."""

import json
import math
import os
import signal
import subprocess
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import trio
import trio.testing
from attrs import define, field

from ringful.command.demonstration.sounds import melody
from ringful.media import port
from ringful.media.pool import Pool, PoolSettings, open_pool
from ringful.media.pool_leg import PoolLeg
from ringful.media.worker_process import start_worker
from tests.server import PATIENCE, free_port, phone

E = TypeVar("E", bound=port.Event)


@define
class Files:
    """Sounds that are files already."""

    folder: Path

    def ready(self, sound: port.Sound) -> Path | None:
        assert isinstance(sound, port.Announcement)
        return self.folder / sound.url

    async def path(self, sound: port.Sound) -> Path:
        assert isinstance(sound, port.Announcement)
        return self.folder / sound.url


@define
class Awaited(Files):
    """Files of which those called ``slow`` come only when they are let."""

    come: trio.Event = field(factory=trio.Event)

    def ready(self, sound: port.Sound) -> Path | None:
        return None if sound == port.Announcement("slow") else Files.ready(self, sound)

    async def path(self, sound: port.Sound) -> Path:
        await self.come.wait()
        return await Files.path(self, sound)


@define(eq=False)
class Orders:
    """A worker that is told things, and does none of them."""

    told: list[tuple[str, int]] = field(factory=list)

    def tell(self, command: dict[str, Any]) -> None:
        self.told.append((command["do"], command["playback"]))


@define
class Line:
    """A pool, and everything that it says."""

    pool: Pool
    send: "trio.MemorySendChannel[port.Event]"
    receive: "trio.MemoryReceiveChannel[port.Event]"
    told: list[port.Event] = field(factory=list)

    def ring(self, leg: str, address: str) -> None:
        self.pool.ring(leg, f"sip:1512@{address}", None, self.send.send_nowait)

    async def next(self, kind: type[E], leg: str = "a") -> E:
        """Wait for the next event of *kind* on *leg*."""
        with trio.fail_after(PATIENCE):
            while True:
                event = await self.receive.receive()
                self.told.append(event)
                if isinstance(event, kind) and event.leg == leg:
                    return event

    async def all(self, kind: type[E], count: int) -> list[E]:
        """Wait until *count* events of *kind* have been told in all."""
        with trio.fail_after(PATIENCE):
            while len(found := [event for event in self.told if isinstance(event, kind)]) < count:
                self.told.append(await self.receive.receive())
        return found


@asynccontextmanager
async def line(folder: Path, **settings: Any) -> AsyncIterator[Line]:
    async with open_pool(PoolSettings(**settings), Files(folder)) as pool:
        yield Line(pool, *trio.open_memory_channel[port.Event](math.inf))


def write_tone(path: Path, hertz: float, seconds: float) -> None:
    path.write_bytes(melody([hertz], seconds))


def samples(path: Path) -> "np.ndarray[Any, Any]":
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def pitch(sound: "np.ndarray[Any, Any]") -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * 8000 / len(sound))


def rms(sound: "np.ndarray[Any, Any]") -> float:
    return float(np.sqrt((sound**2).mean()))


def over(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """Give what a phone says until its call is over."""
    assert process.stdout
    for text in process.stdout:
        said = json.loads(text)
        yield said
        if said["event"] in ("heard",):
            return


async def test_a_sound_that_is_there_is_ordered_at_once_and_never_before_one_that_is_awaited(
    tmp_path: Path,
) -> None:
    files = Awaited(tmp_path)
    async with open_pool(PoolSettings(), files) as pool:
        orders = Orders()
        pool.legs["a"] = PoolLeg("a", lambda _: None, voice=orders)
        there, awaited = port.Announcement("there"), port.Announcement("slow")
        pool.play("a", 1, there)
        pool.cue("a", 2, there)
        assert orders.told == [("play", 1), ("cue", 2)]
        pool.play("a", 3, awaited)
        pool.cue("a", 4, there)
        pool.play("a", 5, there, background=True)
        assert orders.told[2:] == [("play", 5)]
        files.come.set()
        await trio.testing.wait_all_tasks_blocked()
        assert orders.told[3:] == [("play", 3), ("cue", 4)]
        pool.play("a", 6, there)
        assert orders.told[5:] == [("play", 6)]
        del pool.legs["a"]


async def test_where_it_cannot_be_seen_whether_a_sound_is_there_the_call_goes_on(tmp_path: Path) -> None:
    class Unreadable(Files):
        def ready(self, sound: port.Sound) -> Path | None:
            raise OSError("an error of the disk")

        async def path(self, sound: port.Sound) -> Path:
            raise OSError("an error of the disk")

    async with open_pool(PoolSettings(), Unreadable(tmp_path)) as pool:
        heard: list[port.Event] = []
        pool.legs["a"] = PoolLeg("a", heard.append, voice=Orders())
        sound = port.Announcement("there")
        pool.prepare(sound)
        pool.cue("a", 1, sound)
        pool.play("a", 2, sound)
        await trio.testing.wait_all_tasks_blocked()
        assert [(type(one), getattr(one, "playback", None)) for one in heard] == [(port.PlaybackFailed, 2)]
        del pool.legs["a"]


async def test_two_announcements_arrive_whole_in_order_and_without_a_hole(tmp_path: Path) -> None:
    write_tone(tmp_path / "first.wav", 440, 0.8)
    write_tone(tmp_path / "second.wav", 660, 0.6)
    heard = tmp_path / "heard.wav"
    with phone("--answer-after", "0s", "--hear", str(heard)) as (address, process):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            calls.pool.play("a", 1, port.Announcement("first.wav"))
            calls.pool.cue("a", 2, port.Announcement("second.wav"))
            await calls.next(port.PlaybackEnded)
            calls.pool.play("a", 2, port.Announcement("second.wav"))
            assert await calls.next(port.PlaybackEnded) == port.PlaybackEnded("a", 2, "end")
            calls.pool.send_tones("a", 3, "5")
            await calls.next(port.TonesSent)
            calls.pool.hang_up("a")
            end = await calls.next(port.HungUp)
            assert end.by == "server"
        said = [one["event"] for one in over(process)]
    assert "hears tone" in said
    sound = samples(heard)
    loud = np.flatnonzero(np.abs(sound) > 500)
    begin = loud[0]
    first, second = sound[begin : begin + 6400], sound[begin + 6400 : begin + 11200]
    assert abs(pitch(first[400:6000]) - 440) < 5
    assert abs(pitch(second[400:4400]) - 660) < 5
    for part in (first[800:5600], second[800:4000]):
        assert abs(rms(part) / (8000 / math.sqrt(2)) - 1) < 0.05
    # Both tones are faded over 20 ms at either end: what lies between is short, and of that only.
    between = sound[begin + 5600 : begin + 7200]
    silent = np.flatnonzero(np.abs(between) > 500)
    assert np.diff(silent).max() < 160


def join_sounds(first: Path, second: Path) -> None:
    """Put *first* before *second*, in the place of that."""
    frames = b""
    for path in (first, second):
        with wave.open(str(path), "rb") as sound:
            shape, part = sound.getparams(), sound.readframes(sound.getnframes())
            frames += part
    with wave.open(str(second), "wb") as sound:
        sound.setparams(shape)
        sound.writeframes(frames)


async def test_background_and_foreground_are_heard_at_once_and_from_where_it_is_said(tmp_path: Path) -> None:
    write_tone(tmp_path / "music.wav", 300, 3)
    for name, hertz in (("skipped", 2000), ("voice", 1200)):
        write_tone(tmp_path / f"{name}.wav", hertz, 0.6)
    join_sounds(tmp_path / "skipped.wav", tmp_path / "voice.wav")
    heard = tmp_path / "heard.wav"
    with phone("--answer-after", "0s", "--hear", str(heard)) as (address, process):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            calls.pool.play("a", 1, port.Announcement("music.wav"), background=True)
            await calls.next(port.PlaybackStarted)
            calls.pool.play("a", 2, port.Announcement("voice.wav"), offset=0.6)
            assert (await calls.next(port.PlaybackEnded)).playback == 2
            calls.pool.stop_playback("a", 1)
            assert await calls.next(port.PlaybackEnded) == port.PlaybackEnded("a", 1, "stopped")
            calls.pool.hang_up("a")
            await calls.next(port.HungUp)
        list(over(process))
    sound = samples(heard)
    spectrum = np.abs(np.fft.rfft(sound))
    at = np.arange(len(spectrum)) * 8000 / len(sound)
    loudest = {low: spectrum[(at > low - 20) & (at < low + 20)].max() for low in (300, 1200, 2000)}
    assert min(loudest[300], loudest[1200]) > 20 * loudest[2000]


async def test_a_recording_holds_what_the_phone_said(tmp_path: Path) -> None:
    write_tone(tmp_path / "said.wav", 500, 1.5)
    recording = tmp_path / "recording.wav"
    with phone("--answer-after", "0s", "--say", str(tmp_path / "said.wav"), "--hang-up-after", "0.3s") as (
        address,
        _,
    ):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            calls.pool.record("a", 1, recording)
            ended = await calls.next(port.RecordingEnded)
            assert (ended.reason, (await calls.next(port.HungUp)).by) == ("hangup", "callee")
            assert recording.stat().st_size == ended.size
    sound = samples(recording)
    assert len(sound) == ended.duration_ms * 8
    loud = np.flatnonzero(np.abs(sound) > 500)
    # The phone may begin to speak before the recorder has begun.
    assert loud[-1] - loud[0] > 1.2 * 8000
    assert abs(pitch(sound[loud[0] : loud[-1]]) - 500) < 5


async def test_a_silence_ends_a_recording_after_its_beep(tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    with phone("--answer-after", "0s", "--hear", str(heard)) as (address, process):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            calls.pool.record("a", 1, tmp_path / "r.wav", silence=20.0, within=0.5, beep=True)
            await calls.next(port.RecordingStarted)
            assert (await calls.next(port.RecordingEnded)).reason == "silence"
            calls.pool.hang_up("a")
            await calls.next(port.HungUp)
        list(over(process))
    sound = samples(heard)
    loud = np.flatnonzero(np.abs(sound) > 500)
    assert abs(pitch(sound[loud[0] : loud[-1]]) - 1000) < 5


@asynccontextmanager
async def twelve_calls(folder: Path) -> AsyncIterator[Line]:
    with ExitStack() as phones:
        addresses = [phones.enter_context(phone("--answer-after", "0s"))[0] for _ in range(3)]
        async with AsyncExitStack() as stack:
            calls = await stack.enter_async_context(line(folder))
            for number in range(12):
                calls.ring(f"c{number}", addresses[number % 3])
            await calls.all(port.Answered, 12)
            yield calls


async def test_twelve_calls_at_once(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 440, 0.6)
    async with twelve_calls(tmp_path) as calls:
        assert len([worker for worker in calls.pool.workers if worker.legs]) == 3
        for number in range(12):
            calls.pool.play(f"c{number}", 1, port.Announcement("tone.wav"))
        ended = await calls.all(port.PlaybackEnded, 12)
        assert {event.reason for event in ended} == {"end"}
        for number in range(12):
            calls.pool.hang_up(f"c{number}")
        assert {event.by for event in await calls.all(port.HungUp, 12)} == {"server"}


async def test_a_worker_that_dies_takes_only_its_own_calls_with_it(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 440, 5)
    async with twelve_calls(tmp_path) as calls:
        for number in range(12):
            calls.pool.record(f"c{number}", 1, tmp_path / f"c{number}.wav")
            calls.pool.play(f"c{number}", 2, port.Announcement("tone.wav"))
        await calls.all(port.PlaybackStarted, 12)
        await calls.all(port.RecordingStarted, 12)
        doomed = next(worker for worker in calls.pool.workers if worker.legs)
        lost = set(doomed.legs)
        os.kill(doomed.pid, signal.SIGKILL)
        ended = await calls.all(port.HungUp, len(lost))
        assert {event.leg for event in ended} == lost
        assert {event.by for event in ended} == {"lost"}
        closed = [
            e
            for e in calls.told
            if isinstance(e, port.RecordingEnded | port.RecordingFailed) and e.leg in lost
        ]
        assert {event.leg for event in closed} == lost
        for event in closed:
            if isinstance(event, port.RecordingEnded):
                assert len(samples(tmp_path / f"{event.leg}.wav")) * 2 + 44 == event.size
        stopped = [e for e in calls.told if isinstance(e, port.PlaybackEnded) and e.leg in lost]
        assert {event.reason for event in stopped} == {"hangup"}
        # The others go on, and there is room for a new call.
        survivors = [f"c{number}" for number in range(12) if f"c{number}" not in lost]
        for leg in survivors:
            calls.pool.hang_up(leg)
        by = {event.leg: event.by for event in await calls.all(port.HungUp, 12)}
        assert {by[leg] for leg in survivors} == {"server"}
        with phone("--answer-after", "0s") as (address, _):
            calls.ring("again", address)
            await calls.next(port.Answered, "again")


async def test_no_worker_outlives_its_pool(tmp_path: Path) -> None:
    async with line(tmp_path) as calls:
        pids = [worker.pid for worker in calls.pool.workers]
        assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_over_its_capacity_a_call_is_refused(tmp_path: Path) -> None:
    with phone("--answer-after", "0s") as (address, _):
        async with line(tmp_path, max_calls=1) as calls:
            calls.ring("a", address)
            calls.ring("b", address)
            assert (await calls.next(port.Refused, "b")).reason == "capacity"
            calls.pool.hang_up("a")


async def test_a_dead_address_can_be_hung_up_at_any_moment(tmp_path: Path) -> None:
    async with line(tmp_path) as calls:
        calls.ring("a", f"127.0.0.1:{free_port()}")
        calls.pool.hang_up("a")
        assert (await calls.next(port.Refused)).reason == "cancelled"
        calls.ring("b", "no-such-host.invalid")
        assert (await calls.next(port.Refused, "b")).reason == "unreachable"


async def test_the_pool_grows_and_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringful.media.workers.IDLE_SECONDS", 0.3)
    async with line(tmp_path) as calls, AsyncExitStack() as stack:
        addresses = [stack.enter_context(phone("--answer-after", "0s"))[0] for _ in range(2)]
        for number in range(5):
            calls.ring(f"c{number}", addresses[number % 2])
        await calls.all(port.Answered, 5)
        assert len(calls.pool.workers) >= 2
        assert sorted(len(worker.legs) for worker in calls.pool.workers)[-2:] == [1, 4]
        for number in range(5):
            calls.pool.hang_up(f"c{number}")
        await calls.all(port.HungUp, 5)
        with trio.fail_after(PATIENCE):
            while len(calls.pool.workers) > 1:  # noqa: ASYNC110 (the pool tells nobody of it)
                await trio.sleep(0.05)


async def test_the_busier_the_pool_the_more_room_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringful.media.workers.CALLS_A_SPARE", 1)
    with phone("--answer-after", "0s") as (address, _):
        async with line(tmp_path) as calls:
            for number in range(4):
                calls.ring(f"c{number}", address)
            await calls.all(port.Answered, 4)
            with trio.fail_after(PATIENCE):
                # Four places are kept free for four calls, and one beside.
                while len(calls.pool.workers) < 3:  # noqa: ASYNC110 (the pool tells nobody of it)
                    await trio.sleep(0.05)


async def test_a_call_that_waits_for_a_worker_is_told_of_until_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = trio.Event()

    async def late(*args: Any) -> Any:
        await go_on.wait()
        return await start_worker(*args)

    async with line(tmp_path) as calls, AsyncExitStack() as stack:
        addresses = [stack.enter_context(phone("--answer-after", "0s"))[0] for _ in range(2)]
        monkeypatch.setattr("ringful.media.workers.start_worker", late)
        assert not calls.pool.backlog
        for number in range(5):
            calls.ring(f"c{number}", addresses[number % 2])
        await calls.all(port.Answered, 4)
        first = calls.pool.backlog
        assert first > 0
        assert calls.pool.backlog > first
        go_on.set()
        await calls.all(port.Answered, 5)
        assert not calls.pool.backlog
