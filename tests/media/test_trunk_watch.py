"""A trunk that dies and comes back, as the watch sees it: real OPTIONS to a real socket."""

from collections.abc import Callable

import trio
from attrs import evolve
from structlog.testing import capture_logs

from ringful.ground.faults import Fence
from ringful.media.trunking.places import Places
from ringful.media.trunking.standing import Surroundings
from ringful.media.trunking.watch import TrunkWatch
from tests.server import PATIENCE
from tests.trunk import false_trunk, trunk_to


async def until(found: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE):
        while not found():  # noqa: ASYNC110
            await trio.sleep(0.02)


async def test_a_trunk_that_dies_is_avoided_and_one_that_comes_back_is_not() -> None:
    with false_trunk() as north, false_trunk() as south:
        south.options = 503
        ways = [
            evolve(trunk_to(far.address, name), options_every=0.1)
            for name, far in (("north", north), ("south", south))
        ]
        watch = TrunkWatch(ways, Places(), Surroundings(lambda status, _: f"it said {status}"))
        with capture_logs() as said:
            async with trio.open_nursery() as nursery:
                assert (watch.avoided, watch.why_useless()) == (frozenset(), "")
                watch.start(Fence(nursery))
                await until(lambda: watch.avoided == {"south"})
                # South has never lived: it may be one that answers calls alone.
                north.options = 503
                await until(lambda: watch.avoided == {"north", "south"})
                assert watch.why_useless() == ""
                south.options = 200
                await until(lambda: watch.avoided == {"north"})
                south.options = 503
                await until(lambda: watch.why_useless() != "")
                assert watch.why_useless() == "north: it said 503; south: it said 503"
                north.options = 200
                await until(lambda: watch.avoided == {"south"})
                nursery.cancel_scope.cancel()
    told = [(line["event"], line["trunk"]) for line in said]
    ill, well = "the trunk does not answer as it ought to", "the trunk answers again"
    # Once per change, however often it was asked.
    assert [one for one in told if one[1] == "north"] == [(ill, "north"), (well, "north")]
    assert [one for one in told if one[1] == "south"] == [(ill, "south"), (well, "south"), (ill, "south")]
