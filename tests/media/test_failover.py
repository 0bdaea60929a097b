"""A call that a trunk does not take goes by the next one, on real SIP."""

from pathlib import Path

from ringful.media import port
from tests.media.test_pool import line
from tests.trunk import false_trunk, trunk_to

NUMBER = "+15125551234"


async def test_the_next_trunk_is_tried_and_one_that_is_avoided_comes_last(tmp_path: Path) -> None:
    with false_trunk() as north, false_trunk() as south:
        north.status, south.status = 503, 486
        both = trunk_to(north.address, "north", prefixes=("1",)), trunk_to(south.address, "south")
        async with line(tmp_path, trunks=both) as calls:

            async def ring(leg: str) -> int | None:
                calls.pool.ring(leg, NUMBER, None, calls.send.send_nowait)
                return (await calls.next(port.Refused, leg)).sip_status

            assert await ring("a") == 486
            assert (north.asked.count("INVITE"), south.asked.count("INVITE")) == (1, 1)
            assert calls.pool.ways.failures == {"north": 1}
            assert calls.pool.ways.last_failures["north"].startswith("503")
            calls.pool.ways.avoided = lambda: {"north"}
            assert await ring("b") == 486
            assert (north.asked.count("INVITE"), south.asked.count("INVITE")) == (1, 2)
            # What is said of the callee is said by every trunk: nobody else is asked.
            south.status = 603
            assert await ring("c") == 603
            assert north.asked.count("INVITE") == 1
            # One that is avoided is better than none.
            south.status, north.status = 503, 404
            assert await ring("d") == 404
            # Of what all said, the last counts.
            north.status = 500
            assert await ring("e") == 500


async def test_a_name_that_leads_nowhere_is_a_reason_to_try_the_next(tmp_path: Path) -> None:
    with false_trunk() as south:
        south.status = 486
        both = trunk_to("nowhere.invalid", "north"), trunk_to(south.address, "south", order=1)
        async with line(tmp_path, trunks=both) as calls:
            calls.pool.ring("a", NUMBER, None, calls.send.send_nowait)
            assert (await calls.next(port.Refused)).sip_status == 486
            assert calls.pool.ways.last_failures["north"].endswith("cannot be resolved")
