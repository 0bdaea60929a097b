"""What came out of loads, as figures: pure arithmetic."""

from collections.abc import Iterator, Mapping, Sequence

from ringful.bench.calls.jobs import Job
from ringful.bench.calls.judged import call_seconds, ended_in, failures
from ringful.bench.calls.loads import Work
from ringful.bench.calls.parts import Part, Seen, part_of
from ringful.bench.calls.requests import Requests
from ringful.bench.calls.usage import FRONT, NODE, WORKERS, Window
from ringful.bench.figures import Figure
from ringful.bench.media.heard import Heard, Lateness
from ringful.bench.media.results import (
    FAR_P99,
    OTHERS,
    Measure,
    percentile,
)

MS = 1e6
NODE_CPU, WORKERS_CPU, ALL_CPU = "node's CPU", "workers' CPU", "all processes' CPU"
NODE_CALL, WORKERS_CALL, ALL_CALL = "node, a call", "workers, a call", "all processes, a call"
NODE_BUSY, MACHINE_BUSY = "node busy", "machine busy"
PLACED = "calls placed"
NEARLY = 0.95
EACH_SECOND, EACH_CALL = "ms/call-second", "ms/call"


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
    about = ("what is neither worker nor front", "the media workers", "node, workers, and front if any")
    for name, kind, said in zip(names, kinds, about, strict=True):
        yield Measure(name, unit, sum(map(window.cpu, kind)) / by, f"processor time of {said}")


def _set_up(jobs: Sequence[Job], seen: Mapping[str, Seen]) -> Iterator[Measure]:
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
    about = "cores that the node had; it is one process, of which hardly more than one thread works"
    yield Measure(NODE_BUSY, "cores", window.cpu(NODE) / seconds, about)
    busy = (window.ended.machine - window.began.machine) / seconds
    yield Measure(MACHINE_BUSY, "cores", busy, "that worked at all, for whomever")
    yield Measure("far end's CPU", "cores", window.far / seconds, "of our own far end")
    yield Measure("customer's CPU", "cores", window.client / seconds, "of our own requests and web server")
    yield Measure(OTHERS, "cores", window.others / seconds, "that have nothing to do with this")
    yield Measure(FAR_P99, "ms", late.p99, "of the far end's own sending")
    yield Measure("far end late, most", "ms", late.most, "of the far end's own sending")


def of_set_up(work: Work) -> Iterator[Measure]:
    """Give the figures of calls that are placed at a rate."""
    window, seen = work.window, work.story.seen
    placed = [job for job in work.jobs if window.began.clock <= job.asked < window.ended.clock]
    yield Measure(PLACED, "calls/s", len(placed) / window.seconds, "requests that were sent")
    wrong, refused = len(failures(work)), sum(job.refused for job in work.jobs)
    yield Measure("calls made", "", len(work.jobs), "in all, those before the load was looked at among them")
    yield Measure("calls refused", "", refused, "by 429 or 503")
    yield Measure("calls failed", "", wrong - refused, "ended otherwise than by the phone, or told wrongly")
    ended = ended_in(seen.values(), window)
    yield from _cpu(window, ended, EACH_CALL, (NODE_CALL, WORKERS_CALL, ALL_CALL))
    yield from _set_up(placed, seen)
    answered = [(job.taken - job.asked) / MS for job in placed if job.taken]
    yield from percentiles("request answered", answered, "from the request for the call to its answer")
    yield from memory(window)
    yield from around(window, work.story.late)


def doubts(load: str, at: float, figures: Sequence[Figure]) -> list[str]:
    """Say where our own customer could not do what *load* wants: so many calls a second."""
    placed = next((one.median for one in figures if one.name == PLACED), at)
    if placed >= at * NEARLY:
        return []
    return [f"{load}: our own customer placed only {placed:.3g} calls a second"]


def of_events(work: Work) -> Iterator[Measure]:
    """Give the figures of what happens on the wire and is told."""
    window, seen = work.window, work.story.seen
    timed = [job for job in work.jobs if part_of(job.number) is Part.PROBE and job.number in seen]
    up = [(job.at("CallEstablished") - seen[job.number].answered, job) for job in timed]
    over = [(job.at("CalleeHangUp") - seen[job.number].ended, job) for job in timed]
    answers = [took / MS for took, job in up if job.at("CallEstablished")]
    ends = [took / MS for took, job in over if job.at("CalleeHangUp")]
    yield Measure("calls timed", "", len(timed), "short ones, beside those of the load")
    yield Measure("calls failed", "", len(failures(work)), "of all")
    about = "from the packet that leaves the far end to the callback's arrival"
    yield from percentiles("event to callback", answers + ends, f"answers and ends; {about}")
    yield from percentiles("answer to callback", answers, f"200 to CallEstablished, {about}")
    yield from percentiles("end to callback", ends, f"BYE to CalleeHangUp, {about}")
    yield from around(window, work.story.late)


def of_requests(found: Requests) -> Iterator[Measure]:
    """Give the figures of requests as fast as they are answered."""
    for connections, (borne, window) in found.borne.items():
        by = f"{connections} connection" + ("" if connections == 1 else "s")
        about = f"signed, journalled, done: Mute and Unmute, by {by}"
        yield Measure(f"requests, {by}", "requests/s", borne.requests / borne.seconds, about)
        for name, value in (("p50", borne.p50), ("p99", borne.p99)):
            took = float("nan") if value is None else value
            yield Measure(f"request, {by}, {name}", "ms", took, about)
        yield Measure(f"requests failed, {by}", "", borne.failed, "answered otherwise than by 200")
        node = window.cpu(NODE) / (borne.requests or float("nan"))
        yield Measure(f"node, a request, {by}", "ms", node, "processor time, that of the calls too")
    yield Measure("calls failed", "", len(failures(found.work)), "of those meanwhile")
    yield from around(found.work.window, found.work.story.late)


def of_idle(window: Window) -> Iterator[Measure]:
    """Give the figures of a server that has nothing to do."""
    yield from memory(window)
    for name, kind in (("node's CPU", NODE), ("workers' CPU", WORKERS)):
        took = window.cpu(kind) / window.seconds
        yield Measure(name, "ms/s", took, "processor time of each second")


def of_memory(work: Work) -> Iterator[Measure]:
    """Give what so many calls take in memory."""
    yield from memory(work.window)
    yield Measure("calls failed", "", len(failures(work)), "of all")
