"""What came out, as figures: pure arithmetic.

A load that is measured several times gives each figure several rounds, as every other workload does.
"""

from collections.abc import Iterator, Sequence

from attrs import frozen

from ringful.bench.figures import Figure
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.media.jobs import RECORD_SECONDS, Job
from ringful.bench.media.loads import Shape, Talk, Work, leg_name
from ringful.bench.media.measured import Window
from ringful.bench.media.peer import hertz_of

FIRST_FRAMES, SECOND_FRAMES = 99, 49
"""Packets of each prompt that must have been heard; one of each may be cut in two by the raster."""
LOUD_DB = -60.0
"""What a recording of a phone that speaks is louder than."""
FAR_LATE_MS = 10.0
"""Where the far end sends later than this at its worst hundredth, it disturbs what it measures."""

WORKERS_CPU, NODE_CPU = "workers' CPU", "node's CPU"
FAR_P99, OTHERS = "far end late, p99", "other processes"


@frozen
class Measure:
    """A figure of one round."""

    name: str
    unit: str
    value: float
    about: str


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that *share* of all are at or below; not a number where there is none."""
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * share))] if found else float("nan")


def call_seconds(jobs: Sequence[Job], window: Window) -> float:
    """Give how long calls were up in *window*, added up."""
    shared = (
        min(job.ended, window.ended) - max(job.answered, window.began) for job in jobs if job.answered > 0
    )
    return sum(max(0.0, one) for one in shared)


def failure(job: Job, heard: Heard | None) -> str:
    """Say why a call was no good; nothing where it was."""
    if job.failure:
        return job.failure
    if heard is None:
        return "the far end knows nothing of it"
    if job.tone != "1":
        return f"the key 1 was pressed, and {job.tone or 'none'} came"
    if heard.first_frames < FIRST_FRAMES or heard.second_frames < SECOND_FRAMES:
        return f"of its prompts, {heard.first_frames} and {heard.second_frames} packets were heard"
    if not heard.next_ns:
        return "no beep was heard after the key"
    if abs(job.recorded_ms - 1000 * RECORD_SECONDS) > 500:
        return f"{job.recorded_ms} ms were recorded"
    if job.level_db is None or job.level_db < LOUD_DB:
        return "the recording is silent"
    return ""


def failures(work: Work) -> list[str]:
    """Say of each call that was no good why."""
    told = ((job.name, failure(job, work.heard.get(job.name))) for job in work.jobs)
    return [f"{name}: {why}" for name, why in told if why]


def of_work(work: Work) -> Iterator[Measure]:
    """Give the figures of the main job."""
    window, seconds = work.window, call_seconds(work.jobs, work.window)
    each = "ms/call-second"
    yield from _used(window, seconds, each)
    settled = [job for job in work.jobs if job.began >= window.began]
    pairs = [(job, work.heard[job.name]) for job in settled if job.name in work.heard]
    heard = [one for _, one in pairs]
    yield Measure("calls", "at once", seconds / window.seconds, "up at a time, on the average")
    yield Measure("calls made", "", len(work.jobs), "in all, those while the load began among them")
    yield Measure("calls failed", "", len(failures(work)), "ended early, cut, deaf, or not recorded")
    holes = [one.hole for one in heard if one.second_frames]
    most = max(holes, default=float("nan"))
    yield Measure(
        "gap between sounds, most", "samples", most, "silence in two queued sounds, by RTP's stamps"
    )
    gaps = [one.gap_ns / 1e6 for one in heard if one.second_frames]
    about = "later than 20 ms after the first sound's last packet the second one's first came"
    yield Measure("gap's arrival, p99", "ms", percentile(gaps, 0.99), about)
    keys = [(job.key_ns - one.key_ns) / 1e6 for job, one in pairs if job.key_ns and one.key_ns]
    about = "from the key's first packet to the node's TonePressed"
    yield Measure("key to node, p50", "ms", percentile(keys, 0.5), about)
    yield Measure("key to node, p99", "ms", percentile(keys, 0.99), about)
    beeps = [(one.next_ns - one.key_ns) / 1e6 for one in heard if one.next_ns]
    about = "from the key's first packet to the first packet of the next sound, the node's order between"
    yield Measure("key to next sound, p50", "ms", percentile(beeps, 0.5), about)
    yield Measure("key to next sound, p99", "ms", percentile(beeps, 0.99), about)
    yield from _heard(heard)
    yield from _far(work.late)


def of_talk(talk: Talk) -> Iterator[Measure]:
    """Give the figures of conferences."""
    heard = list(talk.heard.values())
    yield from _used(talk.window, talk.shape.all * talk.window.seconds, "ms/leg-second")
    yield Measure("legs failed", "", len(wrong(talk)), "ended early, or did not hear just all the others")
    yield Measure("frames missed", "", sum(one.silent for one in heard), "packets without any sound in them")
    yield from _heard(heard)
    yield from _far(talk.late)


def wrong(talk: Talk) -> list[str]:
    """Say of each leg that did not hear just all the others of its conference whom it heard."""
    told = list(talk.ended)
    for number in range(talk.shape.all):
        one, ours = talk.heard.get(leg_name(number)), others_of(number, talk.shape)
        if one is None:
            told.append(f"{leg_name(number)}: the far end knows nothing of it")
        elif set(one.hertz) != ours:
            missed, wrongly = sorted(ours - set(one.hertz)), sorted(set(one.hertz) - ours)
            told.append(f"{leg_name(number)}: it did not hear {missed}, and heard {wrongly}")
    return told


def others_of(number: int, shape: Shape) -> set[int]:
    """Give the tones that leg *number* is to hear: those of its conference, but not its own."""
    first = number // shape.legs * shape.legs
    return {hertz_of(one) for one in range(first, first + shape.legs) if one != number}


def _used(window: Window, seconds: float, unit: str) -> Iterator[Measure]:
    seconds = seconds or float("nan")
    yield Measure(WORKERS_CPU, unit, window.workers_ms / seconds, "of the media workers' processes")
    yield Measure(NODE_CPU, unit, window.node_ms / seconds, "of the pool and what gives it orders; no HTTP")
    yield Measure("far end's CPU", unit, window.far_ms / seconds, "of our own far end: no part of the server")
    yield Measure("workers", "", window.processes, "processes, with what they are forked from where they are")
    yield Measure("workers' memory", "MB", window.memory_mb, "PSS of all of them")
    about = "cores that others took meanwhile, who have nothing to do with this"
    yield Measure(OTHERS, "cores", window.others_ms / 1000 / window.seconds, about)


def _heard(heard: Sequence[Heard]) -> Iterator[Measure]:
    yield Measure("packets late", "", sum(one.late for one in heard), "more than 40 ms after the one before")
    yield Measure("packets missing", "", sum(one.missing for one in heard), "by RTP's numbers")
    yield Measure("packets of others", "", sum(one.strangers for one in heard), "of another call than theirs")
    yield Measure("packets", "", sum(one.packets for one in heard), "that were looked at")


def _far(late: Lateness) -> Iterator[Measure]:
    yield Measure(FAR_P99, "ms", late.p99, "of the far end's own sending")
    yield Measure("far end late, most", "ms", late.most, "of the far end's own sending")


def doubts(figures: Sequence[Figure], cores: int) -> list[str]:
    """Say what speaks against believing *figures*."""
    found = {figure.name: figure.median for figure in figures}
    told = []
    if (late := found.get(FAR_P99, 0.0)) > FAR_LATE_MS:
        told.append(f"the far end itself was late ({late:.3g} ms at p99): times are not the server's alone")
    if (others := found.get(OTHERS, 0.0)) > cores / 4:
        told.append(f"other processes took {others:.2g} of {cores} cores: compare only with care")
    return told


def figures(rounds: Sequence[Sequence[Measure]]) -> list[Figure]:
    """Put the rounds of a load together, figure by figure."""
    return [
        Figure(one.name, one.unit, tuple(of_round[place].value for of_round in rounds), one.about)
        for place, one in enumerate(rounds[0])
    ]
