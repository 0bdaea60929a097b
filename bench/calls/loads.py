"""Loads: each with a server, a far end and a customer of its own.

What began before a load had settled counts as a call, and not for its times.
"""

import random

import trio
from attrs import frozen

from ringful.bench.calls import jobs, recordings
from ringful.bench.calls.jobs import Job
from ringful.bench.calls.parts import Part, Story
from ringful.bench.calls.site import Place, Site, open_site
from ringful.bench.calls.usage import Window
from ringful.bench.pace import Pace

MOST_PAUSE = 0.5
"""Seconds between a call and the next in its place, at most: they spread by themselves."""
AWAY = 0.08
"""Seconds to a customer who is far away, and back."""
LEAST_CALLS = 60
"""A server is made for so many at least."""
PATIENT_SECONDS = 2
"""So many seconds of calls can be up at once where they are placed at a rate."""
PROBES = 5.0
"""Calls a second whose events are timed."""
SPARE = 20
"""Legs for them."""
IDLE_SECONDS = 10.0


@frozen
class Work:
    """What came out of a load; *calls* is how many were to be up at once, or were placed in a second."""

    calls: float
    jobs: tuple[Job, ...]
    story: Story
    window: Window
    said: str = ""
    """The last lines of the server's log."""


async def result(site: Site, calls: float, window: Window) -> Work:
    """Put together what came out of a load that is over.  Raises Complaint."""
    await recordings.hear(site.asker, site.jobs.all.values())
    return Work(calls, tuple(site.jobs.all.values()), await site.story(), window, site.server.said())


async def main_job(place: Place, calls: int, pace: Pace, away: float = 0.0) -> Work:
    """Have *calls* at once do the main job, each followed by the next, and look at them for a while."""
    async with open_site(place, calls, away) as site:
        async with trio.open_nursery() as nursery:
            closing = trio.Event()
            nursery.start_soon(busy, site, calls, pace.ramp, closing)
            await trio.sleep(pace.ramp + pace.settle)
            window = await site.window(pace.seconds)
            closing.set()
        return await result(site, calls, window)


async def busy(site: Site, calls: int, ramp: float, closing: trio.Event) -> None:
    """Keep *calls* up that do the main job until *closing*, and wait for the last of them."""

    async def place(number: int) -> None:
        with trio.move_on_after(ramp * number / calls):
            await closing.wait()
        while not closing.is_set():
            await jobs.main_job(site.asker, site.jobs.begin(Part.MAIN), site.web)
            await trio.sleep(random.uniform(0, MOST_PAUSE))

    async with trio.open_nursery() as nursery:
        for number in range(calls):
            nursery.start_soon(place, number)


async def set_up(place: Place, rate: int, pace: Pace) -> Work:
    """Place *rate* calls a second that their phones end, and look at them for a while."""
    async with open_site(place, max(LEAST_CALLS, PATIENT_SECONDS * rate)) as site:
        await jobs.brief(site.asker, site.jobs.begin(Part.BRIEF), site.web)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(steady, site, nursery, rate, pace.settle + pace.seconds, Part.BRIEF)
            await trio.sleep(pace.settle)
            window = await site.window(pace.seconds)
        return await result(site, rate, window)


async def steady(site: Site, nursery: trio.Nursery, rate: float, seconds: float, part: Part) -> None:
    """Begin *rate* calls a second for so many seconds, whatever becomes of those before."""
    began = trio.current_time()
    for number in range(round(rate * seconds)):
        await trio.sleep_until(began + number / rate)
        nursery.start_soon(jobs.brief, site.asker, site.jobs.begin(part), site.web)


async def events(place: Place, calls: int, pace: Pace) -> Work:
    """Have *calls* do the main job, and beside them short ones whose answer and end are timed."""
    async with open_site(place, calls + SPARE) as site:
        async with trio.open_nursery() as nursery:
            closing = trio.Event()
            nursery.start_soon(busy, site, calls, pace.ramp, closing)
            await trio.sleep(pace.ramp + pace.settle)
            nursery.start_soon(steady, site, nursery, PROBES, pace.seconds, Part.PROBE)
            window = await site.window(pace.seconds)
            closing.set()
        return await result(site, calls, window)


async def idle(place: Place, pace: Pace) -> Window:
    """Look at a server that has nothing to do."""
    async with open_site(place, LEAST_CALLS) as site:
        await trio.sleep(pace.settle)
        return await site.window(min(IDLE_SECONDS, pace.seconds))
