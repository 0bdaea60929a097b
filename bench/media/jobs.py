"""The main job, as a call of the node's orders it: play 2 s, play 1 s, wait for a key, beep, record 2 s."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio
from attrs import define, frozen

from ringful.bench.media.ulaw import Samples, tone
from ringful.media import port, wav

E = TypeVar("E", bound=port.Event)

FIRST, SECOND = "first.wav", "second.wav"
STEP_SECONDS = 15.0
"""How long each step may take before the call has failed."""
RECORD_SECONDS = 2.0
_LEVEL = 8000


@define
class Job:
    """What the node saw of one call; *key_ns* is the machine's clock, the others are the monotonic one."""

    name: str
    began: float
    answered: float = 0.0
    ended: float = 0.0
    key_ns: int = 0
    """When the node heard of the key."""
    tone: str = ""
    recorded_ms: int = 0
    level_db: float | None = None
    failure: str = ""


@frozen
class Folder:
    """Sounds that are files already."""

    folder: Path

    def ready(self, sound: port.Sound) -> Path:
        """See `media.sounds.Sounds.ready`."""
        assert isinstance(sound, port.Announcement)
        return self.folder / sound.url

    async def path(self, sound: port.Sound) -> Path:
        """See `media.sounds.Sounds.path`."""
        return self.ready(sound)

    def make(self) -> None:
        """Write the two prompts: 440 Hz and 880 Hz, with no quiet edge."""
        for name, hertz, seconds in ((FIRST, 440, 2.0), (SECOND, 880, 1.0)):
            _write(self.folder / name, tone(hertz, seconds, _LEVEL))


def _write(path: Path, samples: Samples) -> None:
    sound = samples.astype("<i2").tobytes()
    path.write_bytes(wav.header(len(sound)) + sound)


class _Ended(Exception):
    """The leg is over before the job was done."""


async def work(phones: port.Phones, name: str, address: str, folder: Path) -> Job:
    """Ring *address* as leg *name*, do the job, and hang up; a failure is told in the job."""
    job = Job(name, time.monotonic())
    send, events = trio.open_memory_channel[port.Event](100)

    def sink(event: port.Event) -> None:
        if isinstance(event, port.TonePressed) and not job.key_ns:
            job.key_ns, job.tone = time.time_ns(), event.tone
        send.send_nowait(event)

    phones.ring(name, address, None, sink)
    try:
        await _do(phones, job, events, folder / f"{name}.wav")
    except (_Ended, trio.TooSlowError) as error:
        job.failure = str(error) or "it took too long"
        phones.hang_up(name)
    job.ended = time.monotonic()
    return job


async def _do(
    phones: port.Phones, job: Job, events: "trio.MemoryReceiveChannel[port.Event]", path: Path
) -> None:
    async def until(kind: type[E], is_it: Callable[[E], bool] = lambda _: True) -> E:
        with trio.move_on_after(STEP_SECONDS):
            async for event in events:
                if isinstance(event, kind) and is_it(event):
                    return event
                if isinstance(event, port.Refused | port.HungUp | port.PlaybackFailed | port.RecordingFailed):
                    raise _Ended(f"{event} before {kind.__name__}")
        raise trio.TooSlowError(f"no {kind.__name__} within {STEP_SECONDS:g} s")

    first, second = port.Announcement(FIRST), port.Announcement(SECOND)
    await until(port.Answered)
    job.answered = time.monotonic()
    phones.play(job.name, 1, first)
    phones.cue(job.name, 2, second)
    await until(port.PlaybackEnded)
    phones.play(job.name, 2, second)
    await until(port.PlaybackEnded, lambda event: event.playback == 2)
    if not job.key_ns:
        await until(port.TonePressed)
    phones.record(job.name, 1, path, beep=True)
    await until(port.RecordingStarted)
    await trio.sleep(RECORD_SECONDS)
    phones.stop_recording(job.name, 1)
    recorded = await until(port.RecordingEnded)
    job.recorded_ms, job.level_db = recorded.duration_ms, recorded.level_db
    path.unlink()  # noqa: ASYNC240 (a temporary file, of a few pages in the cache)
    phones.hang_up(job.name)
    await until(port.HungUp)
