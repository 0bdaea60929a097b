"""A recording that cannot go on says why, and keeps what it has; one that never began says that."""

import os
import queue
import resource
import shutil
import signal
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from ringful.media import port, wav
from ringful.media.engine.recording import Disk, Quiet, Recorder
from tests.media.test_pool import line
from tests.server import PATIENCE, phone
from tests.sipp import sipp

FRAME = b"\x10\x27" * wav.FRAME_SAMPLES


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.close()


class Told:
    """A recorder, and what it says."""

    def __init__(self, path: Path, disk: Disk, quiet: Quiet = Quiet()) -> None:  # noqa: B008 (frozen)
        self._events: queue.SimpleQueue[port.Event] = queue.SimpleQueue()
        self.recorder = Recorder("a", 1, path, disk, self._events.put, quiet)

    def next(self) -> port.Event:
        return self._events.get(timeout=PATIENCE)

    def failed(self) -> str:
        event = self.next()
        assert isinstance(event, port.RecordingFailed)
        return event.detail


@pytest.fixture
def small_files() -> Iterator[int]:
    """Let the kernel refuse what would make a file larger than so many bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_001, before[1]))
    yield 20_001
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_recorded_before_the_disk_was_full_is_kept(
    tmp_path: Path, disk: Disk, small_files: int
) -> None:
    told = Told(tmp_path / "r.wav", disk)
    assert told.next() == port.RecordingStarted("a", 1)
    for _ in range(100):
        told.recorder.take(FRAME, [wav.power(FRAME)])
    told.recorder.flush()
    assert told.failed() == "r.wav: File too large; the first 1.2 s are kept"
    with wave.open(str(tmp_path / "r.wav")) as file:
        assert file.getnframes() == (small_files - wav.HEADER_BYTES) // 2
    # It has had its one end.
    told.recorder.end("stopped")
    disk.close()
    assert told._events.empty()


@pytest.mark.parametrize(("spoken", "seconds"), [(0, 3.0), (2, 3.0), (50, 2.5)])
def test_the_first_word_may_take_longer_than_what_comes_after_it(
    tmp_path: Path, disk: Disk, spoken: int, seconds: float
) -> None:
    told = Told(tmp_path / "r.wav", disk, Quiet(silence=0.5, within=3.0 if spoken != 2 else 2.0))
    told.next()
    silence = bytes(wav.FRAME_BYTES)
    # (Two loud frames are a click, and no word.)
    for frame in [silence] * 50 + [FRAME] * spoken + [silence] * 200:
        told.recorder.take(frame, [wav.power(frame)])
    told.recorder.flush()
    ended = told.next()
    assert isinstance(ended, port.RecordingEnded)
    assert (ended.reason, ended.duration_ms) == ("silence", 1000 * seconds + 40 * (spoken == 2))


def test_a_full_disk_is_called_so(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(writer: wav.Writer, frame: bytes) -> None:
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(frame)

    told = Told(tmp_path / "r.wav", disk)
    assert told.next() == port.RecordingStarted("a", 1)
    monkeypatch.setattr(wav.Writer, "write", no_room)
    told.recorder.take(FRAME, [wav.power(FRAME)])
    told.recorder.flush()
    assert told.failed() == "r.wav: the disk is full; the first 0.0 s are kept"


def test_a_recording_that_cannot_begin_says_why(tmp_path: Path, disk: Disk) -> None:
    assert Told(tmp_path / "gone" / "r.wav", disk).failed() == f"r.wav: the folder {tmp_path}/gone is gone"
    (tmp_path / "r.wav").write_bytes(b"another's")
    assert Told(tmp_path / "r.wav", disk).failed() == "r.wav: there is a file of that name already"
    assert (tmp_path / "r.wav").read_bytes() == b"another's"


def test_a_folder_that_goes_while_it_is_recorded_in(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "recordings").mkdir()
    told = Told(tmp_path / "recordings" / "r.wav", disk)
    assert told.next() == port.RecordingStarted("a", 1)
    shutil.rmtree(tmp_path / "recordings")
    told.recorder.take(FRAME, [wav.power(FRAME)])
    told.recorder.end("stopped")
    assert told.failed() == "r.wav: it was removed while it was recorded"


def test_a_job_that_fails_as_nobody_expected_stops_no_other() -> None:
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    disk = Disk(said.put)
    disk.do(lambda: [][1])
    disk.do(lambda: said.put("the next one"))
    disk.close()
    assert "IndexError" in said.get(timeout=PATIENCE)
    assert said.get(timeout=PATIENCE) == "the next one"


async def test_a_recording_of_a_call_that_has_just_ended(tmp_path: Path) -> None:
    with sipp("answer", tmp_path) as (address, far):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            # The worker ends the call of a far end that is gone at once, and the next order comes behind it.
            far.kill()
            far.wait()
            calls.pool.hang_up("a")
            calls.pool.record("a", 1, tmp_path / "r.wav")
            calls.pool.send_tones("a", 2, "1")
            failed = await calls.next(port.RecordingFailed)
            assert failed.detail == "the call ended before anything was recorded"
            assert (await calls.next(port.TonesSent)).sent is False
            assert (await calls.next(port.HungUp)).by == "server"
    assert not (tmp_path / "r.wav").exists()


async def test_a_recording_goes_on_over_the_time_in_which_its_worker_was_stopped(tmp_path: Path) -> None:
    with phone("--answer-after", "0s") as (address, _):
        async with line(tmp_path) as calls:
            calls.ring("a", address)
            await calls.next(port.Answered)
            (worker,) = calls.pool.workers
            calls.pool.record("a", 1, tmp_path / "r.wav")
            await calls.next(port.RecordingStarted)
            began = trio.current_time()
            os.kill(worker.pid, signal.SIGSTOP)
            await trio.sleep(1.0)  # It is the time itself that is recorded.
            os.kill(worker.pid, signal.SIGCONT)
            calls.pool.stop_recording("a", 1)
            ended = await calls.next(port.RecordingEnded)
            assert 900 <= ended.duration_ms <= 1000 * (trio.current_time() - began) + 500
