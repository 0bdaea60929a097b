"""Thousands of calls in a row to far ends that go on sending: is each heard by its own one alone?

``python -m tests.soak_rtp [CALLS]``: no part of `make test`.  Each far end says a tone of its own, and goes
on for half a minute after its call.  Every call plays a prompt of its own and records; its far end must
have heard that prompt alone, and its recording must hold that far end's tone alone.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import trio

from ringful.bench.media import ulaw
from ringful.media import port
from ringful.media.pool import PoolSettings, open_pool
from tests.media.test_pool import Files, pitch, samples, write_tone
from tests.rtp_far_end import FarEnd, Mouth, far_end

PROMPTS = range(1000, 3000, 100)
AT_ONCE = 12
GO_ON_SECONDS = 30.0


class Soak:
    """What is counted."""

    def __init__(self, folder: Path, far: FarEnd) -> None:
        self.folder, self.far = folder, far
        self.wrong: Counter[str] = Counter()
        self.done = 0

    async def call(self, phones: port.Phones, number: int) -> None:
        """Make one call, and look at what was heard at both ends."""
        name, prompt = f"c{number}", PROMPTS[number % len(PROMPTS)]
        send, events = trio.open_memory_channel[port.Event](100)
        phones.ring(name, f"sip:{number}@{self.far.address}", None, send.send_nowait)
        path = self.folder / f"{name}.wav"
        async for event in events:
            match event:
                case port.Answered():
                    phones.record(name, 1, path)
                    phones.play(name, 2, port.Announcement(f"{prompt}.wav"))
                case port.PlaybackEnded():
                    phones.hang_up(name)
                case port.PlaybackFailed() | port.RecordingFailed():
                    self.wrong[type(event).__name__] += 1
                case port.Refused():
                    self.wrong[f"refused: {event.reason}"] += 1
                    break
                case port.HungUp():
                    break
        else:
            return
        self.done += 1
        await trio.sleep(0.3)  # What was sent last may wait to be read here.
        mouth = self.far.by_user.get(str(number))
        if mouth is None:
            return
        heard = {50 * round(pitch(ulaw.decode(one)) / 50) for one in mouth.heard if ulaw.loud(one)}
        self.wrong["a far end heard another's prompt"] += bool(heard - {prompt})
        self.wrong["a far end heard nothing"] += not heard
        if not path.exists():
            self.wrong["a call was over before it was recorded"] += 1
            return
        recorded = samples(path)
        path.unlink()
        tone = 50 * round(pitch(recorded) / 50) if len(recorded) else 0
        self.wrong["a recording holds another's tone"] += tone not in (mouth.hertz, 0)
        self.wrong["a recording is empty"] += tone == 0
        self.far.nursery.start_soon(self._stop, mouth)

    @staticmethod
    async def _stop(mouth: Mouth) -> None:
        await trio.sleep(GO_ON_SECONDS)
        mouth.socket.close()


async def main(calls: int) -> int:
    """Run *calls* calls; give how many things were wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for prompt in PROMPTS:
            write_tone(folder / f"{prompt}.wav", prompt, 0.4)
        settings = PoolSettings(rtp_ports=(10_000, 20_000), max_calls=AT_ONCE + 4)
        async with far_end() as far, open_pool(settings, Files(folder)) as pool:
            soak, places, began = Soak(folder, far), trio.CapacityLimiter(AT_ONCE), time.monotonic()

            async def one(number: int) -> None:
                async with places:
                    await soak.call(pool, number)

            async with trio.open_nursery() as nursery:
                for number in range(calls):
                    nursery.start_soon(one, number)
                    await trio.sleep(0.1)
                    if number % 200 == 199:
                        print(number + 1, dict(+soak.wrong), f"{time.monotonic() - began:.0f} s", flush=True)
        print(f"{soak.done} calls; wrong: {dict(+soak.wrong) or 'nothing'}")
        return soak.wrong.total()


if __name__ == "__main__":
    sys.exit(bool(trio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 3000)))
