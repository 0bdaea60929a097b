"""Which calls were good, and how long they were up: pure."""

from collections.abc import Iterable

from ringful.bench.calls.jobs import MAIN_JOB, Job
from ringful.bench.calls.loads import Work
from ringful.bench.calls.parts import BEEP_SECONDS, SPEAKING_SECONDS, Seen
from ringful.bench.calls.usage import Window
from ringful.bench.media.heard import Heard
from ringful.bench.media.results import FIRST_FRAMES, SECOND_FRAMES


def call_seconds(seen: Iterable[Seen], window: Window) -> float:
    """Give how long calls were up in *window*, added up."""
    began, ended = window.began.clock, window.ended.clock
    shared = (min(one.ended or ended, ended) - max(one.answered, began) for one in seen)
    return sum(max(0, one) for one in shared) / 1e9


def ended_in(seen: Iterable[Seen], window: Window) -> int:
    """Count the calls that ended in *window*."""
    return sum(window.began.clock <= one.ended < window.ended.clock for one in seen)


def failure(job: Job, seen: Seen | None) -> str:
    """Say why a call was no good; nothing where it was."""
    if job.failure:
        return job.failure
    told = tuple(one.action for one in job.told)
    if told != job.expected:
        return f"its callbacks: {', '.join(told) or 'none'}"
    if seen is None:
        return "the far end knows nothing of it"
    return _of_main_job(job, seen.heard) if job.expected == MAIN_JOB else ""


def _of_main_job(job: Job, heard: Heard) -> str:
    fields = {one.action: one.fields for one in job.told}
    if (tone := fields["WaitForToneDetected"].get("tone")) != "1":
        return f"the key 1 was pressed, and {tone or 'none'} came"
    if heard.first_frames < FIRST_FRAMES or heard.second_frames < SECOND_FRAMES:
        return f"of its sounds, {heard.first_frames} and {heard.second_frames} packets were heard"
    recorded = fields["RecordComplete"].get("duration", "")
    try:
        off = abs(float(recorded) - SPEAKING_SECONDS)
    except ValueError:
        return f"the recording has no duration: {recorded or 'nothing'}"
    return f"{recorded} s were recorded" if off > SPEAKING_SECONDS / 4 + BEEP_SECONDS else ""


def failures(work: Work) -> list[str]:
    """Say of each call that was no good why; one that the server would not have is told apart."""
    told = ((job, failure(job, work.story.seen.get(job.number))) for job in work.jobs)
    return [f"{job.number}: {why}" for job, why in told if why]
