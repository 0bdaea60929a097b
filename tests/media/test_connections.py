"""Two legs that hear each other on real SIP, on one worker and across two: what is said is what arrives."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trio
from attrs import define

from ringful.media import port, wav
from tests.media.test_pool import Line, line, over, pitch, rms, samples, write_tone
from tests.server import PATIENCE, free_port, phone

Sound = "np.ndarray[Any, Any]"


def write_speech(path: Path, seed: int, seconds: float = 4.0) -> None:
    """Write noise of the voice's band in syllables: like nothing but itself at any other place."""
    random = np.random.default_rng(seed)
    count = int(wav.RATE * seconds)
    spectrum = np.fft.rfft(random.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / wav.RATE)
    spectrum[(hertz < 300) | (hertz > 3000)] = 0
    noise = np.fft.irfft(spectrum, count)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.1 * np.arange(count) / wav.RATE)
    sound = noise / np.abs(noise).max() * syllables * 16000
    data = sound.astype("<i2").tobytes()
    path.write_bytes(wav.header(len(data)) + data)


PIECE = wav.RATE // 10


def likeness(said: Any, heard: Any) -> float:
    """Say how like what was *said* is to what was *heard* of it, wherever in it that is: 1 is the same.

    It is the middle of the likenesses of its tenths of a second, each at its best place: jitter buffers
    drop or repeat 10 ms here and there when the machine is busy.
    """
    if len(heard) < PIECE:
        return 0.0
    size = 1 << (len(heard) + PIECE).bit_length()
    spectrum = np.fft.rfft(heard, size)
    energy = np.concatenate([[0.0], np.cumsum(heard**2)])
    window = np.maximum(energy[PIECE:] - energy[:-PIECE], 1e6)
    best = []
    for start in range(0, len(said) - PIECE, PIECE):
        piece = said[start : start + PIECE]
        product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)[: len(window)]
        best.append(float((product / np.sqrt(window * (piece**2).sum())).max()))
    return float(np.median(best))


@define
class Pair:
    """Two legs, ``a`` and ``b``, each to a phone, and what the phones say and hear."""

    calls: Line
    folder: Path
    phones: "dict[str, subprocess.Popen[str]]"
    played: int = 100

    def said(self, leg: str) -> Any:
        return samples(self.folder / f"{leg}-says.wav")

    def heard(self, leg: str) -> Any:
        """Give what the phone of *leg* heard; its call is over and `settle` has been called."""
        return samples(self.folder / f"{leg}-hears.wav")

    async def connect(self) -> None:
        self.calls.pool.connect("a", "b", 9)
        assert await self.calls.next(port.Connected) == port.Connected("a", 9)

    async def speak(self) -> None:
        """Have both phones speak, and wait until they have.

        Each hears a tone, presses a key when the line is quiet again, and then speaks.
        """
        await self.tone()
        for leg in "ab":
            await self.tells(leg, "spoke")
        await self.tone()  # When it has been heard, so has the last of what was said.

    async def tone(self) -> None:
        """Play a tone to both."""
        self.played += 1
        ended = sum(isinstance(event, port.PlaybackEnded) for event in self.calls.told)
        for leg in "ab":
            self.calls.pool.play(leg, self.played, port.Announcement("short.wav"))
        await self.calls.all(port.PlaybackEnded, ended + 2)

    async def tells(self, leg: str, wanted: str) -> None:
        """Wait until the phone of *leg* tells that it does *wanted*."""
        output = self.phones[leg].stdout
        assert output
        with trio.fail_after(PATIENCE):
            while json.loads(await trio.to_thread.run_sync(output.readline))["event"] != wanted:
                pass

    async def hang_up(self) -> None:
        """End both calls, and wait until the phones have written down what they heard."""
        for leg in "ab":
            self.calls.pool.hang_up(leg)
        await self.calls.all(port.HungUp, 2)
        for leg in "ab":
            await self.tells(leg, "heard")


@asynccontextmanager
async def pair(folder: Path, workers: int) -> AsyncIterator[Pair]:
    """Give two answered legs, on one worker or on two."""
    with ExitStack() as stack:
        phones, addresses = {}, {}
        write_tone(folder / "short.wav", 1000, 0.6)
        for seed, leg in enumerate(("a", "b")):
            write_speech(folder / f"{leg}-says.wav", seed)
            options = ["--answer-after", "0s", "--hear", str(folder / f"{leg}-hears.wav")]
            options += ["--say", str(folder / f"{leg}-says.wav"), "--say-after", "1", "--press", "0@quiet"]
            addresses[leg], phones[leg] = stack.enter_context(phone(*options))
        async with AsyncExitStack() as outer:
            calls = await outer.enter_async_context(line(folder))
            calls.ring("a", addresses["a"])
            await calls.next(port.Answered)
            if workers == 2:
                calls.pool.workers[0].capacity = 1
            calls.ring("b", addresses["b"])
            await calls.next(port.Answered, "b")
            assert sum(bool(worker.legs) for worker in calls.pool.workers) == workers
            yield Pair(calls, folder, phones)


@pytest.mark.parametrize("workers", [1, 2])
async def test_two_far_ends_hear_each_other(tmp_path: Path, workers: int) -> None:
    async with pair(tmp_path, workers) as both:
        calls = both.calls
        await both.connect()
        for leg in "ab":
            calls.pool.record(leg, 1, tmp_path / f"{leg}.wav")
        await both.speak()
        for leg in "ab":
            calls.pool.stop_recording(leg, 1)
        await calls.all(port.RecordingEnded, 2)
        await both.hang_up()
        assert sum(isinstance(event, port.TonePressed) for event in calls.told) == 2
        for leg, other in ("ab", "ba"):
            assert likeness(both.said(other), both.heard(leg)) > 0.95
            # And not itself.
            assert likeness(both.said(leg), both.heard(leg)) < 0.5
            for side in "ab":
                assert likeness(both.said(side), samples(tmp_path / f"{leg}.wav")) > 0.6


async def test_muting_is_one_way_and_ends_with_unmute(tmp_path: Path) -> None:
    async with pair(tmp_path, 2) as both:
        pool = both.calls.pool
        pool.mute("a")
        await both.connect()
        pool.record("a", 1, tmp_path / "a.wav")
        await both.speak()
        pool.unmute("a")
        pool.stop_recording("a", 1)
        await both.calls.all(port.RecordingEnded, 1)
        await both.hang_up()
        assert likeness(both.said("b"), both.heard("a")) > 0.9
        assert likeness(both.said("a"), both.heard("b")) < 0.5
        # Its own recording holds it all the same.
        assert likeness(both.said("a"), samples(tmp_path / "a.wav")) > 0.6


async def test_a_leg_is_heard_again_when_it_is_muted_no_more(tmp_path: Path) -> None:
    async with pair(tmp_path, 1) as both:
        both.calls.pool.mute("a")
        await both.connect()
        both.calls.pool.unmute("a")
        await both.speak()
        await both.hang_up()
        assert likeness(both.said("a"), both.heard("b")) > 0.9


async def test_a_leg_that_was_often_connected_is_heard_in_time(tmp_path: Path) -> None:
    """A call that is heard now and then would come late, and hurried, if nobody listened in between."""
    (tmp_path / "silence.wav").write_bytes(wav.header(48_000) + bytes(48_000))
    async with pair(tmp_path, 1) as both:
        calls = both.calls
        for number in range(1000, 1600):
            calls.pool.connect("a", "b", number)
            await calls.next(port.Connected)
            calls.pool.disconnect("a", number)
            await calls.next(port.Disconnected)
        calls.pool.play("a", 1, port.Announcement("silence.wav"))
        await calls.next(port.PlaybackEnded)
        await both.connect()
        await both.speak()
        await both.hang_up()
        for leg, other in ("ab", "ba"):
            assert likeness(both.said(other), both.heard(leg)) > 0.95


async def test_what_is_played_to_a_connected_leg_is_heard_by_that_leg_alone(tmp_path: Path) -> None:
    write_tone(tmp_path / "warning.wav", 1000, 0.6)
    async with pair(tmp_path, 1) as both:
        await both.connect()
        both.calls.pool.mute("a")  # It speaks when it has heard something.
        both.calls.pool.play("a", 2, port.Announcement("warning.wav"))
        await both.calls.next(port.PlaybackEnded)
        await both.hang_up()
        loud = np.flatnonzero(np.abs(both.heard("a")) > 500)
        assert abs(pitch(both.heard("a")[loud[0] : loud[-1]]) - 1000) < 5
        assert rms(both.heard("b")) < 50


async def test_a_worker_dies_while_its_leg_is_connected(tmp_path: Path) -> None:
    async with pair(tmp_path, 2) as both:
        calls = both.calls
        await both.connect()
        calls.pool.record("a", 1, tmp_path / "a.wav")
        await calls.next(port.RecordingStarted)
        (doomed,) = [worker for worker in calls.pool.workers if "b" in worker.legs]
        os.kill(doomed.pid, signal.SIGKILL)
        assert await calls.next(port.Disconnected) == port.Disconnected("a", 9, "other")
        assert (await calls.next(port.HungUp, "b")).by == "lost"
        # The other leg goes on, and can be connected again.
        with phone("--answer-after", "0s") as (address, _):
            calls.ring("c", address)
            await calls.next(port.Answered, "c")
            calls.pool.connect("a", "c", 10)
            await calls.next(port.Connected)
            calls.pool.stop_recording("a", 1)
            assert (await calls.next(port.RecordingEnded)).reason == "stopped"
            calls.pool.hang_up("a")
            assert (await calls.next(port.Disconnected)).reason == "hangup"
            await calls.next(port.HungUp)


async def test_a_worker_that_stands_still_for_a_while_holds_nobody_up(tmp_path: Path) -> None:
    async with pair(tmp_path, 2) as both:
        calls = both.calls
        (still,) = [worker for worker in calls.pool.workers if "b" in worker.legs]
        await both.connect()
        os.kill(still.pid, signal.SIGSTOP)
        try:
            # The other leg is served all the while.
            calls.pool.play("a", 1, port.Announcement("short.wav"))
            assert (await calls.next(port.PlaybackEnded)).reason == "end"
        finally:
            os.kill(still.pid, signal.SIGCONT)
        await both.speak()
        await both.hang_up()
        # What had piled up is hurried for a while.
        for leg, other in ("ab", "ba"):
            assert likeness(both.said(other), both.heard(leg)) > 0.7


@define
class Baresip:
    """A far end of another SIP family; see far_baresip.py."""

    process: "subprocess.Popen[str]"
    said: Any
    hears: Path
    errors: Path

    def order(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    async def until(self, **wanted: str) -> dict[str, Any]:
        """Give the next thing that it tells and that has these fields."""
        assert self.process.stdout
        with trio.fail_after(PATIENCE):
            while line := await trio.to_thread.run_sync(self.process.stdout.readline, abandon_on_cancel=True):
                told: dict[str, Any] = json.loads(line)
                if wanted.items() <= told.items():
                    return told
        raise AssertionError(f"it never told {wanted}: {self.errors.read_text()}")


@asynccontextmanager
async def baresip(folder: Path) -> AsyncIterator[tuple[str, Baresip]]:
    says, hears = folder / "baresip-says.wav", folder / "baresip-hears.wav"
    write_speech(says, 7)
    program = [sys.executable, str(Path(__file__).parents[1] / "far_baresip.py")]
    errors = folder / "baresip-errors"
    with errors.open("w") as file:
        process = subprocess.Popen(  # noqa: ASYNC220 (it takes a millisecond)
            [*program, str(free_port()), str(says), str(hears)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    far = Baresip(process, samples(says), hears, errors)
    try:
        yield (await far.until(event="ready"))["address"], far
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_connection_outlives_re_invites(tmp_path: Path, workers: int) -> None:
    """The far end sends one by itself as the call begins, and two more by a hold and its end."""
    write_speech(tmp_path / "b-says.wav", 1)
    heard = tmp_path / "b-hears.wav"
    options = ["--say", str(tmp_path / "b-says.wav"), "--say-after", "1", "--press", "0@quiet"]
    async with baresip(tmp_path) as (address, far), AsyncExitStack() as stack:
        other, process = stack.enter_context(phone("--answer-after", "0s", "--hear", str(heard), *options))
        calls = await stack.enter_async_context(line(tmp_path))
        calls.ring("b", other)
        await calls.next(port.Answered, "b")
        if workers == 2:
            calls.pool.workers[0].capacity = 1
        calls.ring("a", address)
        await calls.next(port.Answered)
        calls.pool.connect("a", "b", 1)
        await calls.next(port.Connected)
        await far.until(event="call_established")
        await far.until(event="call_remote_sdp", text="answer")  # To its own re-INVITE.
        for word in ("hold", "resume"):
            far.order(word)
            await far.until(event="call_remote_sdp", text="answer")
        far.order("speak")
        # When it has spoken, the line is quiet, and the phone speaks in its turn.
        await far.until(event="spoke")
        await calls.next(port.TonePressed, "b")
        calls.pool.record("a", 1, tmp_path / "a.wav", silence=2.0)
        assert (await calls.next(port.RecordingEnded)).reason == "silence"
        calls.pool.hang_up("a")
        await calls.next(port.HungUp)
        calls.pool.hang_up("b")
        await calls.next(port.HungUp, "b")
        await far.until(event="over")
        await trio.to_thread.run_sync(list, over(process))
    assert likeness(far.said, samples(heard)) > 0.95
    assert likeness(samples(tmp_path / "b-says.wav"), samples(far.hears)) > 0.95
    assert likeness(samples(tmp_path / "b-says.wav"), samples(tmp_path / "a.wav")) > 0.9


async def test_a_far_end_cannot_have_us_call_whom_it_names(tmp_path: Path) -> None:
    async with baresip(tmp_path) as (address, far), line(tmp_path) as calls:
        with phone("--answer-after", "0s") as (victim, process):
            calls.ring("a", address)
            await calls.next(port.Answered)
            await far.until(event="call_established")
            await far.until(event="call_remote_sdp", text="answer")
            far.order(f"transfer sip:1900@{victim}")
            told = await far.until(event="failed", word="transfer")
            assert "603" in told["why"]
            far.order("press 5")
            assert (await calls.next(port.TonePressed)).tone == "5"
            calls.pool.hang_up("a")
            await calls.next(port.HungUp)
            # Nobody rang there: its own call is the first that it hears of.
            calls.ring("b", victim)
            await calls.next(port.Answered, "b")
            assert process.stdout
            assert "rings" in process.stdout.readline()
            assert "answered" in process.stdout.readline()
            calls.pool.hang_up("b")
            await calls.next(port.HungUp, "b")
