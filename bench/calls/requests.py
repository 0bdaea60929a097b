"""Requests as fast as they are answered, on calls that are held, while others do the main job."""

import json
import sys
from collections.abc import Mapping, Sequence

import trio
from attrs import asdict, frozen

from ringful.bench.calls import jobs
from ringful.bench.calls.asking import RefusedError
from ringful.bench.calls.hammer import Assault, Borne
from ringful.bench.calls.jobs import Job
from ringful.bench.calls.loads import Work, busy, result
from ringful.bench.calls.parts import Part
from ringful.bench.calls.site import Place, Site, open_site
from ringful.bench.calls.usage import Window
from ringful.bench.pace import Pace
from ringful.ground.complaint import Complaint

HELD = 8
"""Calls that take requests."""
CONNECTIONS = (1, 8)


@frozen
class Requests:
    """What came out of many requests: by connections, what was borne, and what the server took meanwhile."""

    calls: int
    borne: Mapping[int, tuple[Borne, Window]]
    work: Work


async def requests(place: Place, calls: int, pace: Pace) -> Requests:
    """Ask as fast as answers come, on calls that are held, while *calls* do the main job."""
    borne: dict[int, tuple[Borne, Window]] = {}
    async with open_site(place, calls + HELD) as site:
        async with trio.open_nursery() as nursery:
            closing = trio.Event()
            if calls:
                nursery.start_soon(busy, site, calls, pace.ramp, closing)
                await trio.sleep(pace.ramp + pace.settle)
            held = await _held(site)
            for connections in CONNECTIONS:
                began = site.look()
                found = await _assault(site, held, connections, pace.seconds / len(CONNECTIONS))
                borne[connections] = (found, Window(began, site.look()))
            closing.set()
            for job in held:
                nursery.start_soon(_let_go, site, job)
        window = Window(borne[CONNECTIONS[0]][1].began, borne[CONNECTIONS[-1]][1].ended)
        return Requests(calls, borne, await result(site, calls, window))


async def _held(site: Site) -> list[Job]:
    """Give calls that are up, and stay.  Raises Complaint where they do not come up."""
    held = [site.jobs.begin(Part.HELD) for _ in range(HELD)]
    async with trio.open_nursery() as nursery:
        for job in held:
            nursery.start_soon(jobs.place, site.asker, job, site.web)
    with trio.move_on_after(jobs.PATIENCE):
        while not all(job.at("CallEstablished") for job in held):
            if failed := next((job for job in held if job.failure or job.over.is_set()), None):
                why = failed.failure or failed.told[-1].action
                raise Complaint(f"a call that was to be held did not come up: {why}")
            await trio.sleep(0.05)
        return held
    raise Complaint(f"calls that were to be held were not up within {jobs.PATIENCE:g} s")


async def _let_go(site: Site, job: Job) -> None:
    try:
        await site.asker.ask("Hangup", callId=job.call_id)
    except RefusedError as error:
        job.failure = str(error)
    await jobs.ended(job)


async def _assault(site: Site, held: Sequence[Job], connections: int, seconds: float) -> Borne:
    asker, calls = site.asker, tuple(job.call_id for job in held)
    order = Assault(
        site.server.port,
        asker.base,
        asker.key,
        asker.secret,
        calls,
        connections,
        seconds,
        str(site.numbers),
    )
    command = [sys.executable, "-m", "ringful.bench.calls.hammer"]
    done = await trio.run_process(command, stdin=json.dumps(asdict(order)).encode(), capture_stdout=True)
    return Borne(**json.loads(done.stdout))
