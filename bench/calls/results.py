"""What came out of loads, as figures: pure arithmetic."""

from collections.abc import Iterable, Iterator, Sequence

from ringful.bench.calls.jobs import MAIN_JOB, Job
from ringful.bench.calls.loads import Work
from ringful.bench.calls.parts import BEEP_SECONDS, SPEAKING_SECONDS, Seen
from ringful.bench.calls.usage import FRONT, NODE, WORKERS, Window
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.media.results import (
    FAR_P99,
    FIRST_FRAMES,
    OTHERS,
    SECOND_FRAMES,
    Measure,
    percentile,
)

MS = 1e6
NODE_CPU, WORKERS_CPU, ALL_CPU = "node's CPU", "workers' CPU", "all processes' CPU"
NODE_CALL, WORKERS_CALL, ALL_CALL = "node, a call", "workers, a call", "all processes, a call"
EACH_SECOND, EACH_CALL = "ms/call-second", "ms/call"


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


def of_main_job(work: Work) -> Iterator[Measure]:
    """Give the figures of the main job."""
    window, seen = work.window, work.story.seen
    seconds, ended = call_seconds(seen.values(), window), ended_in(seen.values(), window)
    yield Measure("calls", "at once", seconds / window.seconds, "up at a time, on the average")
    yield Measure("calls made", "", len(work.jobs), "in all, those while the load began among them")
    yield Measure("calls failed", "", len(failures(work)), "refused, ended early, cut, deaf, or told wrongly")
    yield from _cpu(window, seconds, EACH_SECOND, (NODE_CPU, WORKERS_CPU, ALL_CPU))
    yield from _cpu(window, ended, EACH_CALL, (NODE_CALL, WORKERS_CALL, ALL_CALL))
    settled = [job for job in work.jobs if job.asked >= window.began.clock]
    yield from _set_up(settled, seen)
    yield from _heard([seen[job.number].heard for job in settled if job.number in seen])
    yield from memory(window)
    yield from around(window, work.story.late)


def _cpu(window: Window, by: float, unit: str, names: tuple[str, str, str]) -> Iterator[Measure]:
    by = by or float("nan")
    kinds = ((NODE,), (WORKERS,), (NODE, WORKERS, FRONT))
    about = ("of what is neither worker nor front", "of the media workers", "node, workers, and front if any")
    for name, kind, said in zip(names, kinds, about, strict=True):
        yield Measure(name, unit, sum(map(window.cpu, kind)) / by, f"processor time {said}")


def _set_up(jobs: Sequence[Job], seen: dict[str, Seen]) -> Iterator[Measure]:
    up = [(job.at("CallEstablished") - job.asked) / MS for job in jobs if job.at("CallEstablished")]
    rung = [(seen[job.number].invited - job.asked) / MS for job in jobs if job.taken and job.number in seen]
    for name, values, about in (
        ("set-up", up, "from the request to the callback that it is answered; the phone answers at once"),
        ("request to INVITE", rung, "from the request to the INVITE at the far end"),
    ):
        yield from percentiles(name, values, about)


def percentiles(name: str, values: Sequence[float], about: str) -> Iterator[Measure]:
    """Give the middle and the worst hundredth of *values*, which are milliseconds."""
    yield Measure(f"{name}, p50", "ms", percentile(values, 0.5), about)
    yield Measure(f"{name}, p99", "ms", percentile(values, 0.99), about)


def _heard(heard: Sequence[Heard]) -> Iterator[Measure]:
    sounded = [one for one in heard if one.second_frames]
    holes = max((one.hole for one in sounded), default=float("nan"))
    yield Measure(
        "gap between sounds, most", "samples", holes, "silence in two queued sounds, by RTP's stamps"
    )
    about = "later than 20 ms after the first sound's last packet the second one's first came"
    yield from percentiles("gap's arrival", [one.gap_ns / MS for one in sounded], about)
    keys = [(one.next_ns - one.key_ns) / MS for one in heard if one.next_ns]
    yield from percentiles("key to sound", keys, "from the key's first packet to the next sound's first")
    yield Measure("packets late", "", sum(one.late for one in heard), "more than 40 ms after the one before")
    yield Measure("packets missing", "", sum(one.missing for one in heard), "by RTP's numbers")


def memory(window: Window) -> Iterator[Measure]:
    """Give the memory in the end of *window*."""
    told, counted = window.ended.memory, window.ended.processes
    yield Measure("memory", "MB", sum(told.values()), "PSS of all of the server's processes")
    yield Measure("node's memory", "MB", told.get(NODE, 0.0), "PSS of what is neither worker nor front")
    yield Measure("workers' memory", "MB", told.get(WORKERS, 0.0), "PSS of the media workers")
    yield Measure("workers", "", counted.get(WORKERS, 0), "processes, with what they are forked from")


def around(window: Window, late: Lateness) -> Iterator[Measure]:
    """Give what says how far the figures can be believed."""
    seconds = 1000 * window.seconds
    yield Measure("far end's CPU", "cores", window.far / seconds, "of our own far end")
    yield Measure("customer's CPU", "cores", window.client / seconds, "of our own requests and web server")
    yield Measure(OTHERS, "cores", window.others / seconds, "that have nothing to do with this")
    yield Measure(FAR_P99, "ms", late.p99, "of the far end's own sending")
    yield Measure("far end late, most", "ms", late.most, "of the far end's own sending")
