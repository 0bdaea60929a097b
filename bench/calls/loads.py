"""Loads: each with a server, a far end and a customer of its own.

What began before a load had settled counts as a call, and not for its times.
"""

import random
from collections.abc import Awaitable, Callable

import trio
from attrs import frozen

from ringful.bench.calls import jobs
from ringful.bench.calls.asking import Asker
from ringful.bench.calls.jobs import Job
from ringful.bench.calls.parts import Part, Story
from ringful.bench.calls.site import Place, Site, open_site
from ringful.bench.calls.usage import Window

MOST_PAUSE = 0.5
"""Seconds between a call and the next in its place, at most: they spread by themselves."""
AWAY = 0.08
"""Seconds to a customer who is far away, and back."""
Do = Callable[[Asker, Job, str], Awaitable[None]]


@frozen
class Pace:
    """How a load is begun, and how long it is looked at, in seconds."""

    seconds: float = 30.0
    ramp: float = 6.0
    """While its calls begin."""
    settle: float = 3.0
    """After that, before it is looked at."""


@frozen
class Work:
    """What came out of a load; *calls* is how many were to be up at once, or were placed in a second."""

    calls: float
    jobs: tuple[Job, ...]
    story: Story
    window: Window


async def main_job(place: Place, calls: int, pace: Pace, away: float = 0.0) -> Work:
    """Have *calls* at once do the main job, each followed by the next, and look at them for a while."""
    async with open_site(place, calls, away) as site:
        async with trio.open_nursery() as nursery:
            closing = trio.Event()
            nursery.start_soon(busy, site, calls, pace.ramp, closing)
            await trio.sleep(pace.ramp + pace.settle)
            window = await site.window(pace.seconds)
            closing.set()
        return Work(calls, tuple(site.jobs.all.values()), await site.story(), window)


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
