"""Some of the recordings, listened to when a load is over: somebody must be heard in them."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import numpy as np
import trio

from ringful.bench.calls.asking import Asker
from ringful.bench.calls.jobs import Job
from ringful.bench.calls.wire import Message, WireError
from ringful.media import wav

SOME = 5
LEAST = 300.0
"""What a phone that speaks has as its mean level, of 32,768."""
_HEAD = len(wav.header(0))


async def hear(asker: Asker, jobs: Iterable[Job]) -> None:
    """Fetch the recordings of the last calls that have one; a bad one is their failure."""
    recorded = [(job, url) for job in jobs if (url := _url_of(job)) and not job.failure]
    for job, url in recorded[-SOME:]:
        there = urlsplit(url)
        try:
            answer = await asker.get(f"{there.path}?{there.query}" if there.query else there.path)
        except (OSError, WireError, trio.BrokenResourceError) as error:
            job.failure = f"its recording could not be had: {error}"
        else:
            job.failure = fault_in(answer)


def _url_of(job: Job) -> str:
    told = (one.fields.get("recordFile", "") for one in job.told if one.action == "RecordComplete")
    return next(told, "")


def fault_in(answer: Message) -> str:
    """Say what is wrong with a recording as it was answered; nothing where it is good."""
    if not answer.first.partition(" ")[2].startswith("200"):
        return f"its recording could not be had: {answer.first}"
    sound = answer.body[_HEAD:]
    samples = np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(float)
    level = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    return "" if level >= LEAST else "its recording is silent"
